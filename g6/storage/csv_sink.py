"""The daily CSV files: a reader of the journal with its own cursor.

A drain applies every minute that the journal has and the files have not. The cursor that survives a restart moves
only at a checkpoint, after the file system is synced; what lies between is applied again and changes nothing.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

from g6.errors import ConfigError, SinkError
from g6.model.columns import Aggregate
from g6.model.report import SinkReport
from g6.model.snapshot import Snapshot
from g6.storage.csv_file import DailyFile, Effect
from g6.storage.csv_layout import LEG_HEADER, PRICE_BASES, leg_lines, overview_header, overview_lines
from g6.storage.csv_market import MARKET, market_header, market_lines
from g6.storage.data_directory import CSV, path_within
from g6.storage.journal import Journal
from g6.storage.record import minute_text
from g6.storage.sync import sync_file_system

log = logging.getLogger(__name__)

NAME = "csv"
OVERVIEW = "overview"
CHECKPOINT_CYCLES = 15
# Several minutes together are one write a file; this many, so that memory stays bounded in a long backlog.
BATCH_CYCLES = 15
# What a failing file is still owed is tried again at this pace, so that one file never delays the minute.
RETRY_CYCLES = 15

FileKey = tuple[str, ...]  # the folders below <root>/csv: index, expiry code, offset; or index, overview
Updates = dict[FileKey, dict[bytes, bytes | None]]


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    files: int = 0
    bytes_written: int = 0
    repaired: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, effect: Effect) -> None:
        self.rows += effect.rows
        self.files += effect.rows > 0
        self.bytes_written += effect.bytes
        self.repaired += effect.repaired

    def report(self, lag_cycles: int) -> SinkReport:
        others = f" (and {len(self.errors) - 1} more)" if len(self.errors) > 1 else ""
        error = self.errors[0] + others if self.errors else None
        return SinkReport(NAME, self.rows, self.files, self.bytes_written, lag_cycles, self.repaired, error)


class CsvSink:
    """Writes `<root>/csv/<INDEX>/<expiry code>/<offset>/<day>.csv` and `<root>/csv/<INDEX>/overview/<day>.csv`.

    What surrounds the options is below `<root>/csv/MARKET` (`csv_market`).

    `price_basis` is what `total_premium` sums (ConfigError unless one of PRICE_BASES). A file that cannot be written
    costs that file alone: the others go on, the report tells, the cursor stays, and its rows are supplied once it
    can be written again. A name that cannot be a path is refused for good, and told every minute.
    """

    name = NAME

    def __init__(
        self,
        root: Path,
        aggregates: Sequence[Aggregate],
        price_basis: str = "last",
        *,
        checkpoint_cycles: int = CHECKPOINT_CYCLES,
        sync: Callable[[Path], None] = sync_file_system,
    ) -> None:
        if price_basis not in PRICE_BASES:
            raise ConfigError(f"price basis {price_basis!r} is unknown; use one of {', '.join(PRICE_BASES)}")
        self._root = root / CSV
        self._aggregates = tuple(aggregates)
        self._overview_header = overview_header(self._aggregates)
        self._price_basis = price_basis
        self._checkpoint_cycles = checkpoint_cycles
        self._sync = sync
        self._turned_to = ""
        self._day = date.min
        self._files: dict[FileKey, DailyFile] = {}
        self._failing: set[FileKey] = set()
        self._all_files_known = False
        # Seqs: everything up to `applied` is in the files, up to `attempted` in all but the failing ones, and up to
        # `durable` on the disk.
        self._applied = self._attempted = self._durable = 0

    def drain(self, journal: Journal, cycles_limit: int | None = None) -> SinkReport:
        """Apply what the journal has and the files have not, at most `cycles_limit` minutes.

        1. what failing files are owed (`_retry`), 2. new minutes, in batches (`_apply_new`), 3. a checkpoint when
        one is due. SinkError when the journal cannot be read.
        """
        self._turn_to(journal)
        tally = _Tally()
        self._retry(journal, tally)
        self._apply_new(journal, cycles_limit, tally)
        if self._applied - self._durable >= self._checkpoint_cycles:
            try:
                self.checkpoint(journal)
            except SinkError as error:
                tally.errors.append(str(error))
        return tally.report(journal.count_after(self._applied))

    def checkpoint(self, journal: Journal) -> None:
        """Make the files durable and only then move the journal's cursor; SinkError leaves it where it is."""
        self._turn_to(journal)
        if self._applied <= self._durable:
            return
        try:
            for file in self._files.values():
                if file.suspect:
                    file.renew()
            self._sync(self._root)
        except OSError as error:
            # The system reports a lost write once. Syncing the same files again would succeed and prove nothing.
            for file in self._files.values():
                file.suspect = True
            raise SinkError(f"cannot sync {self._root}: {error.strerror}; its files are written anew") from error
        journal.advance(NAME, self._applied)
        self._durable = self._applied

    def close(self) -> None:
        """Forget the files; afterwards the sink may be used again, as if new. A checkpoint comes before, if at all."""
        self._turned_to = ""

    def _turn_to(self, journal: Journal) -> None:
        if journal.identity == self._turned_to:
            return
        self._turned_to, self._day = journal.identity, journal.day
        self._files, self._failing, self._all_files_known = {}, set(), False
        self._applied = self._attempted = self._durable = journal.cursor(NAME)

    def _apply_new(self, journal: Journal, cycles_limit: int | None, tally: _Tally) -> None:
        replacements = journal.replacements_after(self._attempted)
        cycles = journal.cycles_after(self._attempted, cycles_limit)
        while batch := self._batch(islice(cycles, BATCH_CYCLES), replacements):
            last_seq, updates = batch
            for key in self._failing & updates.keys():
                del updates[key]
            self._failing |= self._write(updates, tally)
            self._attempted = last_seq
            if not self._failing:
                self._applied = last_seq

    def _retry(self, journal: Journal, tally: _Tally) -> None:
        """Supply failing files with what they are owed, minute by minute, until one fails again."""
        if not self._failing:
            return
        replacements = journal.replacements_after(self._applied)
        for taken, cycle in enumerate(journal.cycles_after(self._applied)):
            if cycle[0] > self._attempted:
                break
            updates = self._updates(*cycle, replacements)
            owed = {key: rows for key, rows in updates.items() if key in self._failing}
            if taken == RETRY_CYCLES or self._write(owed, tally):
                return
            self._applied = cycle[0]
        self._failing.clear()
        self._applied = self._attempted

    def _batch(
        self, cycles: Iterable[tuple[int, Snapshot]], replacements: Collection[int]
    ) -> tuple[int, Updates] | None:
        last_seq, together = 0, Updates()
        for last_seq, snapshot in cycles:
            for key, rows in self._updates(last_seq, snapshot, replacements).items():
                together.setdefault(key, {}).update(rows)
        return (last_seq, together) if last_seq else None

    def _updates(self, seq: int, snapshot: Snapshot, replacements: Collection[int]) -> Updates:
        """Return the rows of a minute by file; None takes away what an earlier tick of the minute left elsewhere."""
        minute = minute_text(snapshot.minute).encode()
        updates: Updates = {
            (index, OVERVIEW): {minute: line} for index, line in overview_lines(snapshot, self._aggregates).items()
        }
        updates.update({key: {minute: line} for key, line in leg_lines(snapshot, self._price_basis).items()})
        updates.update({key: {minute: line} for key, line in market_lines(snapshot, self._aggregates).items()})
        if seq in replacements:
            updates.update({key: {minute: None} for key in self._files_reaching(minute) if key not in updates})
        return updates

    def _files_reaching(self, minute: bytes) -> list[FileKey]:
        if not self._all_files_known:
            for pattern in (f"*/{OVERVIEW}", "*/*/*"):
                for path in self._root.glob(f"{pattern}/{self._day}.csv"):
                    self._file(path.parent.relative_to(self._root).parts)
            self._all_files_known = True
        return [key for key, file in self._files.items() if file.last is None or file.last >= minute]

    def _write(self, updates: Updates, tally: _Tally) -> set[FileKey]:
        """Bring rows into their files; return which could not be written."""
        failed = set()
        for key, rows in updates.items():
            try:
                tally.add(self._file(key).apply(rows))
            except OSError as error:
                failed.add(key)
                tally.errors.append(f"{error.filename or '/'.join(key)}: {error.strerror}")
            except ConfigError as error:
                tally.errors.append(str(error))
        return failed

    def _file(self, key: FileKey) -> DailyFile:
        file = self._files.get(key)
        if file is None:
            path = path_within(self._root, *key) / f"{self._day.isoformat()}.csv"
            file = DailyFile(str(path), self._header(key))
            self._files[key] = file
        return file

    def _header(self, key: FileKey) -> bytes:
        if key[0] == MARKET:
            return market_header(key, self._aggregates)
        return self._overview_header if key[1] == OVERVIEW else LEG_HEADER
