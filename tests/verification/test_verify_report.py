"""The report: for a person, as a file, and as the command prints it."""

import json
from dataclasses import replace
from datetime import date

import pytest

from g6.cli import verify as command
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError, SinkError
from g6.storage.archive import archive_day
from g6.verification import report_file
from g6.verification.result import FINDINGS
from g6.verification.text import as_text


def g6_verify(day, *arguments):
    around = Surroundings({}, day.root.parent)
    calendar = str(day.settings.market.calendar_override_file)
    own = ["--data-dir", str(day.root), "--set", f"market.calendar_override_file={calendar}"]
    return command.main([*own, *arguments], around)


def test_the_command_says_that_a_whole_day_is_whole_and_keeps_the_report(day, capsys):
    assert g6_verify(day) == 0
    said = capsys.readouterr().out
    assert said.startswith("Fri 20 Nov 2026 (simulated): 100.00 of 100\n")
    assert said.endswith("nothing is missing, nothing is wrong\n")
    assert report_file.latest(day.root).whole


def test_the_command_names_what_is_missing_and_leaves_by_the_threshold(day, capsys):
    day.forget(4, 5)
    assert g6_verify(day, "--date", "2026-11-20") == 3
    assert "NIFTY, SENSEX lacks 10:04-10:05 (2 minutes), only in csv" in capsys.readouterr().out
    assert g6_verify(day, "--threshold", "90") == 0
    assert g6_verify(day, "--threshold", "90.01") == 3


def test_the_json_is_the_file_and_the_file_is_the_verification(day, capsys):
    day.forget(4)
    g6_verify(day, "--json")
    said = capsys.readouterr().out
    kept = day.root / "verify" / "2026-11-20.json"
    assert said.encode() == kept.read_bytes()
    document = json.loads(said)
    assert (document["day"], document["score"], document["expected_minutes"]) == ("2026-11-20", 95.0, 20)
    assert document["gaps"][0]["first"] == "2026-11-20T10:04:00+05:30"
    loaded = report_file.load(day.root, day.verify().day)
    assert replace(loaded, verified_at=None) == replace(day.verify(), verified_at=None)


def test_a_day_without_a_report_has_none_and_a_broken_one_is_said_to_be(day):
    assert report_file.latest(day.root) is None
    path = report_file.store(day.root, day.verify())
    assert report_file.latest(day.root) is not None
    path.write_text("{}")
    with pytest.raises(SinkError, match="g6 verify --date 2026-11-20"):
        report_file.latest(day.root)


def test_a_report_that_cannot_be_kept_is_shown_all_the_same(day, capsys):
    (day.root / "verify").write_text("in the way")
    assert g6_verify(day) == 0
    told = capsys.readouterr()
    assert "100.00 of 100" in told.out
    assert "cannot be kept" in told.err


@pytest.mark.parametrize("arguments", [("--date", "yesterday"), ("--date", "2026-13-01"), ("--threshold", "101")])
def test_arguments_that_mean_nothing_are_refused(day, arguments):
    with pytest.raises(ConfigError, match=arguments[0]):
        g6_verify(day, *arguments)


@pytest.mark.parametrize(
    ("date", "why"), [("2026-11-21", "market was closed"), ("2031-01-06", "outside the session calendar")]
)
def test_a_day_without_a_session_is_refused(day, date, why):
    with pytest.raises(ConfigError, match=why):
        g6_verify(day, "--date", date)


def test_a_session_day_of_which_nothing_is_recorded_scores_0(day, capsys):
    assert g6_verify(day, "--date", "2026-11-19") == 3
    assert "0.00 of 100" in capsys.readouterr().out


def test_a_directory_without_anything_is_refused(day):
    with pytest.raises(ConfigError, match="holds nothing to verify"):
        command.main(["--data-dir", "elsewhere"], Surroundings({}, day.root))


def test_an_index_that_is_named_on_the_command_line_must_be_there(day, capsys):
    assert g6_verify(day, "--indices", "NIFTY", "BANKEX") == 3
    assert "BANKEX lacks 10:00-10:19 (20 minutes), not asked" in capsys.readouterr().out


def test_a_day_whose_journal_was_archived_and_removed_is_not_called_lost(day, capsys):
    archive_day(day.root, date(2026, 11, 20))
    (day.root / "journal" / "2026-11-20.sqlite3").unlink()
    assert g6_verify(day) == 0, "the last day is an archived one, too"
    said = capsys.readouterr().out
    assert said.startswith("Fri 20 Nov 2026 (simulated): 100.00 of 100\n")
    assert "the journal was removed; what was recorded is read from the archive" in said


def test_nothing_but_the_report_is_changed(day):
    before = {path: path.read_bytes() for path in day.root.rglob("*") if path.is_file() and "-shm" not in path.name}
    g6_verify(day)
    after = {path: path.read_bytes() for path in day.root.rglob("*") if path.is_file() and "-shm" not in path.name}
    assert set(after) - set(before) <= {
        day.root / "verify" / "2026-11-20.json",
        *(p for p in after if "-wal" in p.name),
    }
    assert all(after[path] == content for path, content in before.items())


def test_the_text_is_ascii_and_bounded_whatever_is_wrong(day):
    day.forget(*range(0, 20, 2))
    for file in day.files():
        file.write_bytes("ts,Größe\n".encode())
    text = as_text(day.verify())
    assert text.isascii()
    assert len(text.splitlines()) < 120


def test_every_kind_of_finding_is_said_in_words(day):
    verification = day.verify()
    assert all(words and not words.endswith(".") for words in FINDINGS.values())
    assert str(verification) == "2026-11-20: 100.00 of 100, 20 of 20 minutes"


def test_of_a_live_directory_the_day_is_the_last_session_that_has_begun(day, capsys):
    (day.root / "market").write_text("live\n")
    assert g6_verify(day, "--at", "2026-11-20T10:13:30+05:30") == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "Fri 20 Nov 2026 (live): 100.00 of 100, until 10:11: the session still runs\n  12 of 12 minutes"
    )
    # The next session has begun and nothing is recorded of it: the last journal must not speak for it.
    assert g6_verify(day, "--at", "2026-11-23T10:00:00+05:30") == 3
    assert capsys.readouterr().out.startswith("Mon 23 Nov 2026 (live): 0.00 of 100")


def test_counts_of_findings_and_lacking_minutes_are_there_for_metrics(day):
    whole = day.verify()
    assert set(whole.counts) == set(FINDINGS)
    assert not any(whole.counts.values())
    day.forget(4, 5)
    day.file("NIFTY", "overview").unlink()
    verification = day.verify()
    assert {kind: count for kind, count in verification.counts.items() if count} == {"csv_missing": 18}
    assert verification.gap_minutes == {"NIFTY": 2, "SENSEX": 2}


# The weekday masters.


def masters_of(recorded):
    part = next(part for part in report_file.latest(recorded.root).parts if part.name == "masters")
    return part.share, part.checked


def test_masters_that_say_what_the_files_say_agree(record):
    recorded = record(storage__masters__enabled="true")
    assert g6_verify(recorded) == 0
    assert masters_of(recorded) == (1.0, True)
    assert report_file.latest(recorded.root).whole


def test_masters_that_say_something_else_than_the_files_are_named(record, capsys):
    recorded = record(storage__masters__enabled="true")
    file = recorded.file("NIFTY", "this_week", "atm")
    header, row, *rows = file.read_text().splitlines()
    cells = row.split(",")
    cells[header.split(",").index("total_premium")] = "1.25"
    file.write_text("\n".join([header, ",".join(cells), *rows]) + "\n")
    assert g6_verify(recorded, "--threshold", "100") == 3
    said = capsys.readouterr().out
    assert "masters: 1 values of another store" in said
    assert "NIFTY this_week atm 10:00" in said
    assert "total_premium is 1.25, the journal has" in said
    share, checked = masters_of(recorded)
    assert checked
    assert share < 1


def test_what_is_enough_is_a_setting(day):
    day.forget(4, 5)
    assert g6_verify(day, "--set", "storage.verify.minimum_score=90") == 0
    assert g6_verify(day, "--set", "storage.verify.minimum_score=91") == 3
