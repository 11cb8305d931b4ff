"""Whatever dies, tears or comes twice, the files end as those of one undisturbed run, byte for byte."""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from g6.model.snapshot import Snapshot
from g6.storage.csv_sink import CsvSink
from g6.storage.data_directory import DataDirectory
from g6.storage.journal_set import JournalSet

RECORDER = Path(__file__).with_name("recorder_process.py")
MAX_BYTES = 50_000_000


def csv_bytes(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*.csv")}


class StoreUnderTorture(RuleBasedStateMachine):
    """Minutes in any order, several ticks a minute, crashes and torn ends, against one undisturbed run."""

    def __init__(self) -> None:
        super().__init__()
        self.sample = sys.modules["sample_minutes"]
        self.folder = Path(tempfile.mkdtemp())
        self.root = DataDirectory(self.folder / "tortured").root
        self.winners: dict[int, Snapshot] = {}
        self.durable: dict[Path, os.stat_result] = {}
        self.start()

    @initialize()
    def start(self) -> None:
        self.journals = JournalSet(self.root, MAX_BYTES)
        self.sink = CsvSink(self.root, self.sample.AGGREGATES, checkpoint_cycles=1000, sync=self.note_sync)

    def note_sync(self, folder: Path) -> None:
        self.durable = {path: path.stat() for path in folder.rglob("*.csv")}

    @rule(
        number=st.integers(0, 6),
        tick=st.integers(0, 3),
        shift=st.integers(-2, 2),
        both=st.booleans(),
        indices=st.sampled_from([("NIFTY", "SENSEX"), ("NIFTY", "BANKEX")]),
    )
    def put(self, number: int, tick: int, shift: int, both: bool, indices: tuple[str, ...]) -> None:
        expiries = (self.sample.MONTH, self.sample.NEXT) if both else (self.sample.WEEK,)
        minute = self.sample.snapshot(number, tick, shift=shift, expiries=expiries, indices=indices, width=1)
        assert self.journals.record(minute).error is None
        before = self.winners.get(number)
        if before is None or len(minute.chains) >= len(before.chains):
            self.winners[number] = minute

    @rule()
    def drain(self) -> None:
        report = self.sink.drain(self.journals.journal(self.sample.DAY))
        assert (report.error, report.lag_cycles) == (None, 0)

    @rule()
    def checkpoint(self) -> None:
        self.sink.checkpoint(self.journals.journal(self.sample.DAY))

    @rule()
    def crash(self) -> None:
        self.start()

    @rule(data=st.data())
    def power_cut(self, data: st.DataObject) -> None:
        """Cut a file anywhere behind what a sync made durable, and start again."""
        self.start()
        files = sorted((self.root / "csv").rglob("*.csv"))
        torn = [path for path in files if self.floor(path) < path.stat().st_size]
        if torn:
            path = data.draw(st.sampled_from(torn))
            cut = data.draw(st.integers(self.floor(path), path.stat().st_size))
            os.truncate(path, cut)

    def floor(self, path: Path) -> int:
        """The bytes of a file that a power cut cannot take; a file that was replaced was synced whole."""
        synced = self.durable.get(path)
        if synced is None:
            return 0
        return synced.st_size if synced.st_ino == path.stat().st_ino else path.stat().st_size

    def teardown(self) -> None:
        self.start()
        self.drain()
        clean = JournalSet(DataDirectory(self.folder / "clean").root, MAX_BYTES)
        sink = CsvSink(self.folder / "clean", self.sample.AGGREGATES, sync=lambda folder: None)
        for number in sorted(self.winners):
            clean.record(self.winners[number])
            sink.drain(clean.journal(self.sample.DAY))
        tortured, expected = csv_bytes(self.root), csv_bytes(self.folder / "clean")
        clean.close()
        self.journals.close()
        shutil.rmtree(self.folder)
        assert tortured == expected
        for data in tortured.values():
            stamps = [line[0] for line in csv.reader(data.decode().splitlines())][1:]
            assert stamps == sorted(set(stamps))


@pytest.mark.usefixtures("sample")
class TestStoreUnderTorture(StoreUnderTorture.TestCase):
    settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def record(root: Path, minutes: int, kill_at: int = 0, limit_bytes: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RECORDER), str(root), *map(str, (minutes, kill_at, limit_bytes))]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_recorder_killed_in_the_middle_of_writes_ends_as_the_undisturbed_one(tmp_path: Path) -> None:
    minutes, choice = 8, random.Random(20261120)
    for minute in range(1, minutes):  # dies once in each minute or so, at another place each time
        died = record(tmp_path / "killed", minute, choice.randrange(1, 30))
        assert died.returncode in {-signal.SIGKILL, 0}, died.stderr
    last = record(tmp_path / "killed", minutes)
    assert last.returncode == 0, last.stderr
    assert record(tmp_path / "clean", minutes).returncode == 0
    assert csv_bytes(tmp_path / "killed") == csv_bytes(tmp_path / "clean")
    assert list((tmp_path / "killed").rglob("*.torn")) != []


def test_short_writes_are_taken_back_and_supplied_again(tmp_path: Path) -> None:
    limited = record(tmp_path / "limited", 4, limit_bytes=1500)
    assert limited.returncode == 0, limited.stderr
    assert "File too large" in limited.stdout
    assert record(tmp_path / "clean", 4).returncode == 0
    assert csv_bytes(tmp_path / "limited") == csv_bytes(tmp_path / "clean")
    assert list((tmp_path / "limited").rglob("*.torn")) == []
