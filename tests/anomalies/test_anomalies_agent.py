"""The whole agent on the simulator, with a threshold so low that ordinary noise is told: it arrives everywhere."""

import csv
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

from g6 import history, unified_main
from g6.cli import main
from g6.model.anomaly import SERIES, Anomaly
from g6.model.report import CycleReport, IndexReport, JournalReport
from g6.model.snapshot import Snapshot
from g6.settings import load
from g6.storage.archive import archive_day
from g6.storage.archive_reader import ArchiveReader
from g6.storage.reader import JournalReader

DAY = date(2026, 11, 17)  # an expiry: premiums of one day move most
CYCLES = 30
NERVOUS = {
    "anomalies.threshold": "3", "anomalies.window_minutes": "10", "anomalies.warm_up_minutes": "5",
    "anomalies.quiet_minutes": "2",
}  # fmt: skip


def run(root: Path, at: str, cycles: int, **more: str) -> None:
    plain = {
        "metrics.port": "0", "console.concise": "true", "clock.speed": "max", "logging.level": "ERROR",
        "storage.data_dir": str(root), "clock.at": f"{DAY}T{at}+05:30", "collection.indices": "NIFTY",
        "collection.strikes_itm": "3", "collection.strikes_otm": "3", "collection.market.enabled": "false",
    }  # fmt: skip
    assert unified_main.run(load(plain | NERVOUS | more, {}, root.parent), cycles=cycles) == 0


def recorded(root: Path) -> list[Snapshot]:
    return list(JournalReader(root).snapshots(DAY))


def anomalies(snapshots: Sequence[Snapshot]) -> list[Anomaly]:
    return [anomaly for snapshot in snapshots for anomaly in snapshot.anomalies]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("nervous") / "data"
    run(root, "14:00", CYCLES)
    return root


def test_findings_are_journalled_with_their_minute(root: Path) -> None:
    found = anomalies(recorded(root))
    assert found
    assert {one.series for one in found} <= set(SERIES)
    for snapshot in recorded(root):
        assert all(one.minute == snapshot.minute for one in snapshot.anomalies)


def test_the_overview_counts_them(root: Path) -> None:
    with (root / "csv" / "NIFTY" / "overview" / f"{DAY}.csv").open() as lines:
        counted = [int(row["anomalies"]) for row in csv.DictReader(lines)]
    assert counted == [len(snapshot.anomalies) for snapshot in recorded(root)]
    table = history.sql("SELECT sum(anomalies) AS n FROM overview", data_dir=root)
    assert table.rows()[0]["n"] == sum(counted)


def test_a_restart_in_the_day_finds_what_a_run_without_one_finds(root: Path, tmp_path: Path) -> None:
    run(tmp_path / "data", "14:00", 19)
    run(tmp_path / "data", "14:19", CYCLES - 19)
    assert anomalies(recorded(tmp_path / "data")) == anomalies(recorded(root))


def test_switched_off_nobody_looks(tmp_path: Path) -> None:
    run(tmp_path / "data", "14:00", CYCLES, **{"anomalies.enabled": "false"})
    assert anomalies(recorded(tmp_path / "data")) == []


def test_the_report_says_the_largest_and_how_many(root: Path) -> None:
    snapshot = max(recorded(root), key=lambda one: len(one.anomalies))
    report = CycleReport(
        minute=snapshot.minute, provider="simulated", seconds=0.1, stages={}, journal=JournalReport("", 1),
        indices=tuple(IndexReport.of(index) for index in snapshot.indices),
    )  # fmt: skip
    largest = max(snapshot.anomalies, key=lambda one: abs(one.deviation))
    count = len(snapshot.anomalies)
    assert f"; {count} {'anomaly' if count == 1 else 'anomalies'}: {largest.reason}" in str(report)
    assert report.status == "ok"


def test_the_archive_keeps_every_digit_of_them(root: Path, tmp_path: Path) -> None:
    copytree(root, tmp_path / "data")
    archive_day(tmp_path / "data", DAY)
    assert anomalies(list(ArchiveReader(tmp_path / "data", DAY).snapshots())) == anomalies(recorded(root))
    rows = history.sql("SELECT * FROM anomalies ORDER BY ts", data_dir=tmp_path / "data").rows()
    assert [row["reason"] for row in rows] == [one.reason for one in anomalies(recorded(root))]


def test_the_command_lists_them(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root.parent)
    assert main(["anomalies", "--data-dir", str(root), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["reason"] for one in listed] == [one.reason for one in anomalies(recorded(root))]
    assert main(["anomalies", "--data-dir", str(root), "--index", "SENSEX"]) == 0
    assert "no anomalies on Tue 17 Nov 2026" in capsys.readouterr().out
    assert main(["anomalies", "--data-dir", str(root), "--multivariate", "--index", "NIFTY"]) == 2
    assert "too few to learn from" in capsys.readouterr().err
    assert main(["anomalies", "--data-dir", str(root), "--multivariate", "--days", "0"]) == 2
    assert "argument --days: 0 is not a whole number from 1" in capsys.readouterr().err
    assert main(["anomalies", "--data-dir", str(root), "--date", "2026-11-18"]) == 2
    assert "nothing of 2026-11-18 is recorded" in capsys.readouterr().err
