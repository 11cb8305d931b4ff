"""After the close a day is folded, verified and archived by itself; a step that fails costs no other one."""

import json
import shutil
import sqlite3
from contextlib import closing as closed_after
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby

import pytest
from bent_agent import DAY, agent_on, run_bent, two_indices
from victoria_metrics import BINARY, VictoriaMetrics, free_port

from g6 import history
from g6.health.service import ServiceNotifier
from g6.settings import load
from g6.storage.journal import Journal

LAST_MINUTES = {"clock__at": f"{DAY}T15:35+05:30", "collection__expiries": "this_week"}
MONDAY = "2026-11-23"
THE_DAY = date(2026, 11, 20)
AFTER, THURSDAY = THE_DAY + timedelta(days=1), THE_DAY - timedelta(days=1)


@pytest.fixture
def last_minutes(settings_for):
    return lambda **changes: two_indices(settings_for, **LAST_MINUTES | changes)


@pytest.fixture(scope="module")
def recorded_once(tmp_path_factory):
    """The data directories of a day that was left a minute before its end, and of the day before, which was closed."""
    folder = tmp_path_factory.mktemp("recorded")

    def settings_in(data, **changes):
        dotted = {key.replace("__", "."): value for key, value in changes.items()}
        plain = {"metrics.port": "0", "console.concise": "true", "clock.speed": "max", "logging.level": "WARNING"}
        return load(plain | {"storage.data_dir": str(folder / data)} | dotted, {}, folder)

    run_bent(two_indices(settings_in, "left", **LAST_MINUTES), cycles=4)
    before = LAST_MINUTES | {"clock__at": f"{THURSDAY}T15:35+05:30"}
    run_bent(two_indices(settings_in, "before", **before), cycles=5)
    return folder


@pytest.fixture
def left(recorded_once, tmp_path):
    """A day that was left before its close."""
    return shutil.copytree(recorded_once / "left", tmp_path / "data")


@pytest.fixture
def day_before(recorded_once, tmp_path):
    """The day before, recorded and closed."""
    return shutil.copytree(recorded_once / "before", tmp_path / "data")


def score_of(tmp_path, day=DAY):
    return json.loads((tmp_path / "data" / "verify" / f"{day}.json").read_text())["score"]


def test_the_last_minute_of_a_session_is_followed_by_its_close(last_minutes, tmp_path):
    code, _ = run_bent(last_minutes(), cycles=5)
    assert code == 0
    root = tmp_path / "data"
    assert 0 < score_of(tmp_path) < 100, "five minutes of a day"
    assert (root / "archive" / "manifest" / f"{DAY}.json").exists()
    assert (root / "masters" / "NIFTY" / "this_week" / "atm" / "friday.csv").exists()
    rows = history.chain("NIFTY", DAY, expiry="this_week", offset="atm", data_dir=root).rows()
    assert len(rows) == 5


def test_a_day_in_hand_is_not_closed(last_minutes, tmp_path):
    run_bent(last_minutes(), cycles=4)
    assert not (tmp_path / "data" / "verify").exists()
    assert not list((tmp_path / "data").glob("archive/manifest/*"))


@pytest.mark.long
def test_a_day_whose_data_directory_is_away_at_its_close_is_closed_when_it_is_back(last_minutes, tmp_path):
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"

    def bend(quotes, _contracts, at):
        if at.minute == 39:
            data.rename(elsewhere)
        return quotes

    run_bent(last_minutes(), cycles=5, quotes=bend)
    assert not data.exists(), "nothing is made in its place"
    elsewhere.rename(data)
    run_bent(last_minutes(clock__at=f"{MONDAY}T08:00+05:30"), cycles=1)
    assert 0 < score_of(tmp_path) < 100
    assert len(history.chain("NIFTY", DAY, expiry="this_week", offset="atm", data_dir=data).rows()) == 5


@pytest.mark.long
def test_a_loop_that_goes_on_closes_the_day_before_the_next_one(last_minutes, tmp_path):
    run_bent(last_minutes(), cycles=7)
    assert score_of(tmp_path) > 0
    assert not (tmp_path / "data" / "verify" / f"{MONDAY}.json").exists()
    assert len(list((tmp_path / "data" / "journal").glob("*.sqlite3"))) == 2


def test_one_minute_alone_is_no_day(settings_for, tmp_path):
    run_bent(two_indices(settings_for, clock__at=f"{DAY}T15:39+05:30"), cycles=1)
    assert not (tmp_path / "data" / "verify").exists()


def test_what_is_switched_off_is_not_done(last_minutes, tmp_path):
    off = {"storage__archive__enabled": "false", "storage__verify__after_close": "false"}
    run_bent(last_minutes(**off, storage__masters__enabled="false"), cycles=5)
    assert not [name for name in ("archive", "verify", "masters") if (tmp_path / "data" / name).exists()]


def test_a_step_that_cannot_be_done_is_told_and_the_others_are(last_minutes, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "archive").write_text("in the way")
    code, _ = run_bent(last_minutes(), cycles=5)
    assert code == 0, "the minutes were recorded"
    assert score_of(tmp_path) > 0
    assert (tmp_path / "data" / "masters" / "NIFTY").exists()


# What a crash or a stop left behind.


def closing_of(settings):
    """The closing of an agent that has just started."""
    with agent_on(settings) as (_, parts):
        return parts.closing


def everything(root):
    """What closing a day leaves: every file of it, but for the instants at which they were made."""
    kept = {}
    for folder in ("archive", "masters", "verify"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and not path.name.startswith("masters.sqlite3"):
                lines = path.read_bytes()
                kept[path.relative_to(root)] = json.loads(lines) if path.suffix == ".json" else lines
    for document in kept.values():
        if isinstance(document, dict):
            document.pop("written_at", None)
    return kept


@pytest.mark.long
def test_a_day_that_was_left_before_its_close_is_overdue_until_it_is_closed(left, last_minutes):
    closing = closing_of(last_minutes())
    assert closing.overdue(THE_DAY) == (), "it may not be over"
    assert closing.overdue(AFTER) == (THE_DAY,)
    report = closing.run(THE_DAY)
    assert report.score > 0
    assert closing.overdue(AFTER) == ()
    before = everything(left)
    assert len(before) > 10
    again = closing.run(THE_DAY)
    assert everything(left) == before
    assert (again.score, again.archived_bytes, again.masters_differences) == (
        report.score, report.archived_bytes, report.masters_differences,
    )  # fmt: skip


@pytest.mark.parametrize("lost", ["verify", "archive/manifest", None])
def test_a_day_that_was_closed_by_half_is_overdue(day_before, last_minutes, lost):
    if lost:
        (day_before / lost / f"{THURSDAY}.json").unlink()
    assert closing_of(last_minutes()).overdue(AFTER) == ((THURSDAY,) if lost else ())


@pytest.mark.usefixtures("left")
def test_what_is_switched_off_is_never_overdue(last_minutes):
    off = {"storage__archive__enabled": "false", "storage__verify__after_close": "false"}
    assert closing_of(last_minutes(**off, storage__masters__enabled="false")).overdue(AFTER) == ()


def test_a_day_without_a_minute_and_one_beyond_the_calendar_are_not_overdue(left, last_minutes):
    journal = left / "journal"
    shutil.copy(journal / f"{DAY}.sqlite3", journal / "2010-01-04.sqlite3")
    shutil.copy(journal / f"{DAY}.sqlite3", journal / "2026-11-19.sqlite3")
    with closed_after(sqlite3.connect(journal / "2026-11-19.sqlite3")) as tables, tables:
        tables.execute("DELETE FROM cycles")
    off = {"storage__archive__enabled": "false", "storage__masters__enabled": "false"}
    assert closing_of(last_minutes(**off)).overdue(AFTER) == (THE_DAY,)


def test_whoever_is_told_to_stop_begins_nothing_more_and_says_so(left, last_minutes):
    closing = closing_of(last_minutes())
    report = closing.run(THE_DAY, lambda: True)
    assert report.notes == ("told to stop before daily: the rest is done at the next start",)
    assert not (left / "verify").exists()
    assert closing.overdue(AFTER) == (THE_DAY,)


# What it asks of the process that it is done in.


@pytest.mark.long
def test_every_minute_that_the_close_reads_is_a_sign_of_life_to_the_service_manager(last_minutes, monkeypatch):
    seen, read = [], Journal.at

    def at(journal, minute):
        seen.append(f"{minute:%H:%M}")
        return read(journal, minute)

    run_bent(last_minutes(), cycles=4)  # left a minute before its end
    monkeypatch.setattr(Journal, "at", at)
    monkeypatch.setattr(ServiceNotifier, "alive", lambda _: seen.append(""))
    run_bent(last_minutes(clock__at=f"{MONDAY}T08:00+05:30"), cycles=1)
    between_signs = [list(minutes) for sign, minutes in groupby(seen, key=lambda said: not said) if not sign]
    day = ["15:35", "15:36", "15:37", "15:38"]
    # Daily values, verification and archive; who looks back at the day before the next minute comes after them.
    assert between_signs[:12] == [[minute] for minute in 3 * day]


@pytest.mark.long
def test_where_memory_is_critical_what_needs_most_of_it_waits_and_the_rest_is_done(left, last_minutes):
    closing = closing_of(last_minutes())
    report = replace(closing, level=lambda: 3).run(THE_DAY)
    waits = "memory is critical; it is done when there is some"
    assert report.troubles == (f"verify: {waits}", f"archive: {waits}")
    assert (left / "masters" / "NIFTY").exists()
    assert not (left / "archive").exists()
    assert closing.overdue(AFTER) == (THE_DAY,)
    assert closing.run(THE_DAY).archived_bytes > 0
    assert closing.overdue(AFTER) == ()


# What may leave the disk.

LETS_GO = {"storage__retention__journal_days": "1", "storage__retention__csv_days": "1"}


def sql(path, statement, *values):
    with closed_after(sqlite3.connect(path)) as tables, tables:
        tables.execute(statement, values)


def journal(root):
    return root / "journal" / f"{THURSDAY}.sqlite3"


def let_a_store_lag(root):
    sql(journal(root), "UPDATE cursors SET seq = 2 WHERE sink = 'csv'")


def switch_a_store_off(root):
    sql(journal(root), "INSERT INTO cursors VALUES ('influx', 1)")


def forget_the_fold(root):
    sql(root / "masters" / "masters.sqlite3", "DELETE FROM folded")


def forget_the_report(root):
    (root / "verify" / f"{THURSDAY}.json").unlink()


@pytest.mark.parametrize(
    ("undo", "score", "why"),
    [
        (let_a_store_lag, 0, "csv has not passed 3 of its minutes"),
        (switch_a_store_off, 0, "influx has not passed 4 of its minutes, and is switched off now"),
        (forget_the_fold, 0, "the weekday masters do not know it"),
        (forget_the_report, 0, "it was never verified"),
        (lambda root: None, 95, "below 95"),
    ],
)
def test_what_someone_still_needs_stays_and_the_report_says_why(day_before, last_minutes, undo, score, why):
    undo(day_before)
    settings = last_minutes(**LETS_GO, storage__verify__minimum_score=str(score))
    report = closing_of(settings).run(THE_DAY)
    (note,) = [note for note in report.notes if note.startswith("kept ")]
    assert note.startswith(f"kept the csv and journal of {THURSDAY}: ")
    assert why in note
    assert journal(day_before).exists()
    assert list(day_before.glob(f"csv/**/{THURSDAY}.csv"))


def test_what_nothing_needs_goes_and_is_counted(day_before, last_minutes):
    report = closing_of(last_minutes(**LETS_GO, storage__verify__minimum_score="0")).run(THE_DAY)
    assert not journal(day_before).exists()
    assert not list(day_before.glob(f"csv/**/{THURSDAY}.csv"))
    assert "2 old days' files removed" in report.notes
    assert report.removed_bytes["journal"] > 0 < report.removed_bytes["csv"]


@pytest.mark.long
def test_a_day_that_went_is_closed_again_without_harm(day_before, last_minutes):
    closing = closing_of(last_minutes(**LETS_GO, storage__verify__minimum_score="0"))
    closing.run(THE_DAY)
    score = score_of(day_before.parent, THURSDAY)
    again = closing.run(THURSDAY)
    assert again.troubles == ()
    assert again.score == score


# The database, which may be owed the last minutes.


def influx_on(url):
    return {"storage__influx__enabled": "true", "storage__influx__url": url, "storage__masters__enabled": "false"}


@pytest.mark.long
def test_a_database_that_is_not_there_is_not_judged_and_holds_up_nothing(last_minutes):
    settings = last_minutes(**influx_on(f"http://127.0.0.1:{free_port()}"))
    run_bent(settings, cycles=4)
    report = closing_of(settings).run(THE_DAY)
    (said,) = [note for note in report.notes if note.startswith("not judged: influx: ")]
    assert "4 minutes are not confirmed yet: cannot reach" in said
    assert "influx" not in report.score_parts
    assert report.archived_bytes > 0


@pytest.mark.long
@pytest.mark.skipif(BINARY is None, reason="victoria-metrics is not installed (Debian package victoria-metrics)")
def test_a_database_that_has_all_but_not_confirmed_it_is_judged(last_minutes, tmp_path):
    server = VictoriaMetrics(tmp_path)
    server.start()
    try:
        run_bent(last_minutes(**influx_on(server.url)), cycles=5)
        parts = json.loads((tmp_path / "data" / "verify" / f"{DAY}.json").read_text())["parts"]
        (influx,) = [part for part in parts if part["name"] == "influx"]
        assert (influx["checked"], influx["share"]) == (True, 1.0)
    finally:
        server.kill()
