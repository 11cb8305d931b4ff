"""Journal and sinks under everything at once: acknowledged ⊆ delivered, in order, and each minute once."""

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from saboteur import FILES, Saboteur

from g6.clock import IST
from g6.errors import SinkError
from g6.model.report import SinkReport
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage.csv_sink import CsvSink
from g6.storage.data_directory import DataDirectory
from g6.storage.journal import Journal
from g6.storage.journal_set import JournalSet

PENDING_LIMIT = 3
OPEN = datetime(2026, 11, 19, 9, 15, tzinfo=IST)


@dataclass
class Store:
    """A store of somebody else's, outside the process: what it was given, delivery by delivery, survives a crash."""

    deliveries: list[tuple[date, int, datetime]] = field(default_factory=list)
    kept: dict[datetime, float] = field(default_factory=dict)


class DeliveringSink:
    """A sink with a store that may be away; it delivers in order and moves its cursor after each delivery."""

    name = "deliveries"

    def __init__(self, store: Store) -> None:
        self.store = store
        self.is_away = False

    def drain(self, journal: Journal) -> SinkReport:
        if self.is_away:
            return SinkReport(self.name, lag_cycles=journal.count_after(journal.cursor(self.name)), error="away")
        for seq, snapshot in journal.cycles_after(journal.cursor(self.name)):
            self.store.deliveries.append((journal.day, seq, snapshot.minute))
            self.store.kept[snapshot.minute] = snapshot.indices[0].spot
            journal.advance(self.name, seq)
        return SinkReport(self.name)


def minute_at(instant: datetime, level: float) -> Snapshot:
    """A minute without chains: what is tested is its way."""
    index = IndexSnapshot("NIFTY", level, False, (), (), ())
    return Snapshot(instant.replace(second=0), "machine", (index,))


class StoresInTrouble(RuleBasedStateMachine):
    """The clock goes on, steps back and over midnight; the disk refuses; processes die without a word."""

    def __init__(self) -> None:
        super().__init__()
        self.root = DataDirectory(Path(tempfile.mkdtemp()) / "data").root
        self.now, self.level = OPEN, 20000.0
        self.store = Store()
        self.acknowledged: dict[datetime, float] = {}
        self.waiting: list[Snapshot] = []
        self.full = False
        self.disk = Saboteur(None, seed=6)
        self.disk.stand_before_files()

    @initialize()
    def start(self) -> None:
        self.journals = JournalSet(self.root, 50_000_000, PENDING_LIMIT)
        self.csv = CsvSink(self.root, (), checkpoint_cycles=4, sync=self.sync)
        self.sink = DeliveringSink(self.store)
        self.waiting, self.full, self.sync_fails = [], False, False
        self.refuse_files(refused=False)

    def sync(self, _folder: Path) -> None:
        if self.sync_fails:
            raise OSError(5, "Input/output error")

    @rule(seconds=st.sampled_from([60, 60, 60, 30, 0, -60, -150, 86400, -86400, 1200]))
    def let_time_pass(self, seconds: int) -> None:
        later = self.now + timedelta(seconds=seconds)
        self.now = later if later.date() >= OPEN.date() else OPEN

    @rule()
    def put(self) -> None:
        self.level += 0.05
        snapshot = minute_at(self.now, round(self.level, 2))
        report = self.journals.record(snapshot)
        self.waiting.append(snapshot)
        if report.error is None:
            assert report.pending == 0
            for made in self.waiting:
                self.acknowledged[made.minute] = made.indices[0].spot
            self.waiting = []
        else:
            assert self.full
            self.waiting = self.waiting[-PENDING_LIMIT:]
        assert report.pending == len(self.waiting)

    @rule()
    def drain(self) -> None:
        for day in self.journals.days():
            try:
                journal = self.journals.journal(day)
                assert (self.sink.drain(journal).lag_cycles == 0) or self.sink.is_away
                report = self.csv.drain(journal)
                assert (report.lag_cycles == 0) or (self.files_are_refused and report.error)
            except SinkError:
                assert self.full  # cursors cannot move

    @rule()
    def checkpoint(self) -> None:
        for day in self.journals.days():
            try:
                self.csv.checkpoint(self.journals.journal(day))
            except SinkError:
                assert self.sync_fails or self.full or self.files_are_refused

    @rule(refused=st.booleans())
    def refuse_files(self, *, refused: bool) -> None:
        self.files_are_refused = refused
        self.disk.refused = FILES if refused else None

    @rule()
    def crash(self) -> None:
        """The process dies: what waited in its memory goes with it, and nothing of it had been acknowledged."""
        self.journals._close_open()
        self.start()

    @rule()
    def fill_the_disk(self) -> None:
        self.journals._max_bytes, self.full = 1, True
        self.journals._close_open()

    @rule()
    def make_space(self) -> None:
        self.journals._max_bytes, self.full = 50_000_000, False
        self.journals._close_open()

    @rule(away=st.booleans())
    def switch_the_store(self, *, away: bool) -> None:
        self.sink.is_away = away

    @rule(fails=st.booleans())
    def switch_syncs(self, *, fails: bool) -> None:
        self.sync_fails = fails

    @rule(data=st.data())
    def die_while_delivering(self, data: st.DataObject) -> None:
        """The store has it, and the process dies before its cursor says so: it is delivered once more."""
        if self.full or self.sink.is_away or not self.journals.days():
            return
        day = data.draw(st.sampled_from(self.journals.days()))
        journal = self.journals.journal(day)
        for seq, snapshot in journal.cycles_after(journal.cursor(self.sink.name), 1):
            self.store.deliveries.append((day, seq, snapshot.minute))
            self.store.kept[snapshot.minute] = snapshot.indices[0].spot
        self.crash()

    @invariant()
    def deliveries_are_in_order(self) -> None:
        """Within a day a delivery is of a later seq than the one before, or is that one again after a crash."""
        by_day: dict[date, list[int]] = {}
        for day, seq, _ in self.store.deliveries:
            by_day.setdefault(day, []).append(seq)
        assert all(before <= after for seqs in by_day.values() for before, after in pairwise(seqs))

    def teardown(self) -> None:
        self.make_space()
        self.sink.is_away = self.sync_fails = False
        self.crash()
        self.drain()
        self.checkpoint()
        self.deliveries_are_in_order()
        assert self.store.kept.items() >= self.acknowledged.items()
        days = self.journals.days()
        recorded = {minute for day in days for minute in self.journals.journal(day).minutes()}
        assert recorded == set(self.store.kept)
        for day in days:
            journal = self.journals.journal(day)
            assert journal.cursor("csv") == journal.cursor(self.sink.name) == journal.last_seq
        assert self.rows() == self.store.kept
        self.journals.close()
        self.disk.stand_aside()
        shutil.rmtree(self.root.parent)

    def rows(self) -> dict[datetime, float]:
        lines = [
            line.split(",")
            for path in sorted((self.root / "csv").rglob("*.csv"))
            for line in path.read_text().splitlines()[1:]
        ]
        stamps = [line[0] for line in lines]
        assert stamps == sorted(set(stamps))
        return {datetime.fromisoformat(line[0]): float(line[1]) for line in lines}


class TestStoresInTrouble(StoresInTrouble.TestCase):
    settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


@pytest.mark.long
class TestStoresInLongTrouble(StoresInTrouble.TestCase):
    settings = settings(max_examples=1000, stateful_step_count=60, deadline=None)
