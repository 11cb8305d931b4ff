"""The weekday masters as a reader of the journal: a minute's totals, taken in once, beside the place they came from.

A minute costs one small row, whatever the time of day. The journal's own cursor follows behind and only says how far
a restart has nothing to look at; what counts is the place that the masters keep themselves, in the same transaction.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from g6.errors import ConfigError
from g6.masters.database import MastersBusy
from g6.masters.files import write_streaming
from g6.masters.premiums import minute_of_day, tick_of
from g6.masters.profile import SMOOTHING
from g6.masters.store import MasterStore, Minute
from g6.model.report import SinkReport
from g6.model.snapshot import Snapshot
from g6.storage.csv_layout import PRICE_BASES
from g6.storage.journal import Journal
from g6.storage.record import day_of_minute

NAME = "masters"
CHECKPOINT_CYCLES = 15
# Several minutes together are one transaction; this many, so that memory stays bounded in a long backlog.
BATCH_CYCLES = 15
# A cycle does not wait for a process that folds a day: what is due is taken in a minute later.
BUSY_TIMEOUT_SECONDS = 0.005
PATIENCE_SECONDS = 10.0


class MasterSink:
    """Keeps `<root>/masters`. `price_basis` is the column that is summed, as in the daily files.

    `display_names` (index → name for people) is what the files call an index; `smoothing`, above 0 to 1, is the
    weight of the newest day in the exponential mean (ConfigError otherwise).
    """

    name = NAME

    def __init__(
        self,
        root: Path,
        display_names: Mapping[str, str],
        price_basis: str = "last",
        *,
        smoothing: float = SMOOTHING,
        checkpoint_cycles: int = CHECKPOINT_CYCLES,
    ) -> None:
        if price_basis not in PRICE_BASES:
            raise ConfigError(f"price basis {price_basis!r} is unknown; use one of {', '.join(PRICE_BASES)}")
        if not 0 < smoothing <= 1:
            raise ConfigError(f"the smoothing of the masters is {smoothing:g}; it must be above 0 and at most 1")
        self._root = root
        self._display_names = dict(display_names)
        self._price_basis = price_basis
        self._smoothing = smoothing
        self._checkpoint_cycles = checkpoint_cycles
        self._store: MasterStore | None = None
        self._turned_to = ""
        # Seqs: up to `applied` the journal is in the masters, up to `told` its cursor says so.
        self._applied = self._told = 0

    def drain(self, journal: Journal) -> SinkReport:
        """Take in what the journal has and the masters have not. SinkError when either cannot be read or written."""
        totals = payload_bytes = 0
        try:
            store = self._opened(journal)
            for seq, minutes in self._batches(journal):
                payload_bytes += store.apply(journal.identity, seq, minutes)
                self._applied = seq
                totals += sum(len(of_group) for minute in minutes for of_group in minute.tick.values())
            if self._applied - self._told >= self._checkpoint_cycles:
                self._tell(journal)
        except MastersBusy:
            pass  # the lag says so; the next minute takes it in
        except BaseException:
            self.close()  # what a failed write left behind is checked before the next one
            raise
        applied = self._applied if self._turned_to == journal.identity else journal.cursor(NAME)
        return SinkReport(NAME, totals, 0, payload_bytes, journal.count_after(applied))

    def checkpoint(self, journal: Journal) -> None:
        """Move the journal's cursor to what is durably taken in, and write the files of the weekdays in hand.

        SinkError when a file cannot be written; the state is safe, and the next checkpoint writes it.
        """
        try:
            store = self._opened(journal)
            self._tell(journal)
            store.wait_for_others(PATIENCE_SECONDS)
            write_streaming(store)
            store.wait_for_others(BUSY_TIMEOUT_SECONDS)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file; afterwards the sink may be used again, as if new."""
        if self._store is not None:
            self._store.close()
        self._store, self._turned_to = None, ""

    def _opened(self, journal: Journal) -> MasterStore:
        if self._store is None:
            self._store = self._open()
        if journal.identity != self._turned_to:
            self._applied, self._told = self._store.applied(journal.identity), journal.cursor(NAME)
            self._turned_to = journal.identity
        return self._store

    def _open(self) -> MasterStore:
        store = MasterStore.open(self._root, BUSY_TIMEOUT_SECONDS)
        try:
            store.adopt(self._smoothing, self._display_names)
        except BaseException:
            store.close()
            raise
        return store

    def _tell(self, journal: Journal) -> None:
        if self._applied > self._told:
            journal.advance(NAME, self._applied)
            self._told = self._applied

    def _batches(self, journal: Journal) -> Iterator[tuple[int, list[Minute]]]:
        cycles = journal.cycles_after(self._applied)
        while batch := list(islice(cycles, BATCH_CYCLES)):
            yield batch[-1][0], [self._minute(snapshot) for _, snapshot in batch]

    def _minute(self, snapshot: Snapshot) -> Minute:
        tick = tick_of(snapshot, self._price_basis)
        return Minute(day_of_minute(snapshot.minute), minute_of_day(snapshot.minute), tick)
