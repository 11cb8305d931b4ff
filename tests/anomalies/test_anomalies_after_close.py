"""A day that is over is judged as a whole, all measures together: the finding is kept, counted, listed and reported."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from bent_agent import agent_on, run_bent
from simulated_days import Days

from g6 import history
from g6.cli import main
from g6.clock import IST
from g6.errors import ConfigError
from g6.model.anomaly import TOGETHER, JudgedDay
from g6.model.snapshot import Snapshot
from g6.settings import Settings, load
from g6.storage import judged_file
from g6.storage.archive import archive_day
from g6.storage.data_directory import DataDirectory
from g6.storage.journal_set import JournalSet
from g6.wiring import judging, wire
from g6.wiring.sources import Run

pytestmark = pytest.mark.long
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

BEFORE, DAY = (date(2026, 11, 18), date(2026, 11, 19)), date(2026, 11, 20)
ODD = 200  # a minute of the day, in which volatility and premium part
SETTINGS = {
    "metrics.port": "0", "console.concise": "true", "clock.speed": "max", "logging.level": "ERROR",
    "clock.at": f"{DAY}T15:35+05:30", "collection.indices": "NIFTY,SENSEX", "collection.expiries": "next_week",
    "collection.strikes_itm": "3", "collection.strikes_otm": "3", "collection.market.enabled": "false",
    "anomalies.multivariate_after_close": "true",
}  # fmt: skip


def settings_in(root: Path, **changes: str) -> Settings:
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    return load(SETTINGS | {"storage.data_dir": str(root)} | dotted, {}, root.parent)


def parted(snapshot: Snapshot) -> Snapshot:
    """Return a minute in which the premium rises by a tenth and the volatility falls by as much."""
    (index,) = snapshot.indices
    chains = tuple(replace(chain, aggregates=_moved(chain.aggregates)) for chain in index.chains)
    return replace(snapshot, indices=(replace(index, chains=chains),))


def _moved(aggregates: Mapping[str, float]) -> Mapping[str, float]:
    return {**aggregates, "straddle": aggregates["straddle"] * 1.1, "atm_iv": aggregates["atm_iv"] * 0.9}


def record(root: Path, minutes: Sequence[Snapshot]) -> None:
    with closing(JournalSet(root, 1_000_000_000)) as journals:
        for minute in minutes:
            assert journals.record(minute).error is None


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float | None]:
    """Two archived days of one index, a third up to its last minutes, closed by an agent, and what that counted."""
    root = DataDirectory(tmp_path_factory.mktemp("judged") / "data").root
    days = Days(6, codes=["next_week"], strikes=3)
    for day in BEFORE:
        record(root, days.minutes(day))
        archive_day(root, day)
    whole = days.minutes(DAY, 379)
    record(root, [*whole[:ODD], parted(whole[ODD]), *whole[ODD + 1 :]])
    with agent_on(settings_in(root)) as (agent, parts):
        assert agent.loop(5) == 0
        counted = parts.observation.observer._to.registry.get_sample_value("g6_anomalies_total", {"series": TOGETHER})
    return root, counted


@pytest.fixture(scope="module")
def root(recorded: tuple[Path, float | None]) -> Path:
    return recorded[0]


def test_the_findings_are_counted(recorded: tuple[Path, float | None]) -> None:
    judged = judged_file.load(recorded[0], DAY)
    assert judged is not None
    assert recorded[1] == len(judged.anomalies) > 0


def test_the_odd_minute_is_kept_and_what_cannot_be_judged_is_said(root: Path) -> None:
    judged = judged_file.load(root, DAY)
    assert judged is not None
    minute = Days(6).calendar.windows(DAY, "NSE")[0].open.astimezone(IST) + timedelta(minutes=ODD)
    assert minute in {found.minute for found in judged.anomalies}
    assert {(found.index, found.series, found.expiry) for found in judged.anomalies} == {("NIFTY", TOGETHER, None)}
    assert judged.unjudged.keys() == {"SENSEX"}
    assert "too few to learn from" in judged.unjudged["SENSEX"]


def test_the_command_lists_it_with_the_others(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged = judged_file.load(root, DAY)
    assert judged is not None
    assert main(["anomalies", "--data-dir", str(root), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["reason"] for one in listed if one["series"] == TOGETHER] == [one.reason for one in judged.anomalies]
    assert [one["minute"] for one in listed] == sorted(one["minute"] for one in listed)


def test_a_query_has_it_with_those_of_the_minutes(root: Path) -> None:
    judged = judged_file.load(root, DAY)
    assert judged is not None
    asked = "SELECT * FROM anomalies WHERE series = 'together' AND date = '2026-11-20' ORDER BY ts"
    rows = history.sql(asked, data_dir=root).rows()
    assert [(row["ts"], row["index"], row["expiry"], row["deviation"], row["reason"]) for row in rows] == [
        (one.minute, one.index, one.expiry, one.deviation, one.reason) for one in judged.anomalies
    ]
    assert history.sql("SELECT * FROM anomalies WHERE date = '2026-11-23'", data_dir=root).rows() == []


def test_asked_again_the_same_is_found_and_the_index_without_history_is_left_out(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = judged_file.load(root, DAY)
    assert judged is not None
    indices = ["--indices", "NIFTY,SENSEX"]
    assert main(["anomalies", "--data-dir", str(root), "--multivariate", "--json", *indices]) == 0
    said = capsys.readouterr()
    assert [one["reason"] for one in json.loads(said.out)] == [one.reason for one in judged.anomalies]
    assert "SENSEX is not judged" in said.err


def test_the_report_has_it(root: Path, tmp_path: Path) -> None:
    judged = judged_file.load(root, DAY)
    assert judged is not None
    page = tmp_path / "day.html"
    assert main(["report", "--data-dir", str(root), "--out", str(page)]) == 0
    text = page.read_text()
    assert "All measures together, against the days before" in text
    assert f"{judged.anomalies[0].minute:%H:%M}" in text
    assert "SENSEX was not judged" in text


def test_a_day_is_judged_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> JudgedDay:
        raise AssertionError

    monkeypatch.setattr(judging, "judge_day", never)
    code, _ = run_bent(settings_in(root, clock__at="2026-11-23T08:00+05:30"), cycles=1)
    assert code == 0


def test_a_day_whose_judgement_a_stop_prevented_is_judged_at_the_next_start(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    judged = judged_file.load(root, DAY)
    assert judged is not None
    judged_file.path_of(root, DAY).unlink()
    asked: list[date] = []

    def asked_for(_root: Path, day: date, *_: object) -> JudgedDay:
        asked.append(day)
        return judged

    monkeypatch.setattr(judging, "judge_day", asked_for)
    run_bent(settings_in(root, clock__at="2026-11-23T08:00+05:30"), cycles=1)
    assert asked == [DAY]
    assert judged_file.load(root, DAY) == judged


def test_without_the_library_the_agent_says_so_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "find_spec", lambda _: None)
    said = pytest.raises(ConfigError, match=r"multivariate_after_close: .*pip install 'g6\[anomalies\]'")
    with said, wire(settings_in(tmp_path / "data"), Run(None, once=False)):
        pass
    assert not (tmp_path / "data").exists()
