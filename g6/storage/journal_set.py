"""The journals of a data directory, one a trading day, and what could not be written into them yet."""

import logging
import os
from collections import deque
from datetime import date
from pathlib import Path
from typing import NamedTuple

from g6.errors import SinkError
from g6.model.contracts import ContractTable
from g6.model.report import JournalReport
from g6.model.snapshot import Snapshot
from g6.storage.data_directory import CORRUPT, JOURNAL, Hold
from g6.storage.journal import SUFFIX, Journal, PutResult, day_of
from g6.storage.journal_file import DamagedJournal
from g6.storage.record import Record, day_of_minute

log = logging.getLogger(__name__)

PENDING_CYCLES_LIMIT = 60


class _Pending(NamedTuple):
    record: Record
    contracts: ContractTable | None


class JournalSet:
    """Keeps the journal of one day open. `max_bytes` bounds each day's file.

    A minute that could not be written waits in memory, encoded, and is written before the next one, in order. At
    most `pending_cycles_limit` wait; a minute beyond that is lost, counted and logged. It is the newest that is lost:
    the ones that wait were valued by what came before them, and all of that is kept.

    With the `hold` of its directory it notices that this was moved or removed. The open journal of one that was moved
    is written on: what is in it comes back with it. Nothing is begun where the directory was.
    """

    def __init__(
        self,
        root: Path,
        max_bytes: int,
        pending_cycles_limit: int = PENDING_CYCLES_LIMIT,
        hold: Hold | None = None,
    ) -> None:
        self._folder = root / JOURNAL
        self._corrupt = root / CORRUPT
        self._max_bytes = max_bytes
        self._pending_cycles_limit = pending_cycles_limit
        self._hold = hold
        self._pending: deque[_Pending] = deque()
        self._open: Journal | None = None
        self._file: os.stat_result | None = None  # of the open journal
        self._suspect: set[date] = set()  # days whose last write failed
        self.dropped_cycles = 0
        self.moved_aside = 0

    def path(self, day: date) -> Path:
        """Return where the journal of a day lies."""
        return self._folder / f"{day.isoformat()}{SUFFIX}"

    def journal(self, day: date) -> Journal:
        """Return the open journal of a day, beginning it where there is none; the one open before is closed.

        SinkError also while the directory is not in its place: what a reader writes beside the journal would be
        elsewhere, and its cursor would vouch for it.
        """
        self._check_place()
        return self._writable(day)

    def _check_place(self) -> None:
        if self._hold is not None and (why := self._hold.why_away()):
            raise SinkError(why)

    def _writable(self, day: date) -> Journal:
        if self._open is None or self._open.day != day or self._was_removed(self._open):
            self._close_open()
            self._check_place()
            opened = Journal.open(self.path(day), corrupt=self._corrupt, max_bytes=self._max_bytes)
            self.moved_aside += opened.moved_aside
            try:
                opened.fold(required=day in self._suspect)
            except SinkError:
                opened.close()
                raise
            self._open, self._file = opened, self._found(opened)
            self._suspect.discard(day)
        return self._open

    def _was_removed(self, journal: Journal) -> bool:
        """Tell whether the file has no name any more: what is written into it ends with this process."""
        found = self._found(journal)
        if self._file is None or (found is not None and os.path.samestat(self._file, found)):
            return False
        log.error("the journal %s was removed while it was written, and what it held is gone", journal.path)
        return True

    def _found(self, journal: Journal) -> os.stat_result | None:
        return self._hold.stat(JOURNAL, journal.path.name) if self._hold else None

    def record(self, snapshot: Snapshot, contracts: ContractTable | None = None) -> JournalReport:
        """Make a minute durable, after those still waiting; what fails waits, and the report says why."""
        self._pending.append(_Pending(Record.of(snapshot), contracts))
        written, errors = self._commit_pending()
        kept = self._has_room()
        path = self.path(day_of_minute(snapshot.minute))
        return JournalReport(str(path), written, len(self._pending), next(iter(errors.values()), None), kept)

    def _commit_pending(self) -> tuple[int, dict[date, str]]:
        """Write what waits, in order; return the bytes written, and by day why the rest still waits."""
        errors: dict[date, str] = {}
        results = [self._try_commit(item, errors) for item in self._pending]
        self._pending = deque(item for item, result in zip(self._pending, results, strict=True) if result is None)
        return sum(result.bytes for result in results if result), errors

    def _try_commit(self, item: _Pending, errors: dict[date, str]) -> PutResult | None:
        day = item.record.day
        if day in errors:  # order is kept within a day; another day's file may well be sound
            return None
        try:
            return self._commit(item)
        except SinkError as failure:
            errors[day] = str(failure)
            self._suspect.add(day)
            self._close_open()  # what a failed write left behind is checked before the next one
            return None

    def _commit(self, item: _Pending) -> PutResult:
        journal = self._writable(item.record.day)
        contracts_id = None if item.contracts is None else journal.remember_contracts(item.contracts)
        return journal.commit(item.record, contracts_id)

    def _has_room(self) -> bool:
        if len(self._pending) <= self._pending_cycles_limit:
            return True
        lost = self._pending.pop()
        self.dropped_cycles += 1
        log.error("minute %s is lost: the journal cannot be written and the backlog is full", lost.record.minute)
        return False

    @property
    def pending_cycles(self) -> int:
        """Return how many minutes wait in memory for the journal."""
        return len(self._pending)

    def days(self) -> tuple[date, ...]:
        """Return the days that have a journal, ascending."""
        return days_in(self._folder)

    def undrained(self, sink: str) -> tuple[date, ...]:
        """Return the days on which a sink has not durably applied everything, ascending.

        A damaged journal counts, because opening it recovers what it can; one that cannot be read is skipped with a
        warning and holds up no other.
        """
        return tuple(day for day in self.days() if self._has_undrained(day, sink))

    def _has_undrained(self, day: date, sink: str) -> bool:
        try:
            journal = Journal.open_read_only(self.path(day))
            try:
                return journal.cursor(sink) < journal.last_seq
            finally:
                journal.close()
        except DamagedJournal:
            return True
        except SinkError as error:
            log.warning("%s", error)
            return False

    def close(self) -> None:
        """Try once more to write what waits, and close; minutes that still cannot be written are lost and logged."""
        _, errors = self._commit_pending()
        for day, error in errors.items():
            count = sum(item.record.day == day for item in self._pending)
            log.error("%d minutes of %s end with this process: %s", count, day, error)
        self._close_open()

    def _close_open(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def days_in(folder: Path) -> tuple[date, ...]:
    """Return the days that have a journal in a folder, ascending; files of other names are not journals."""
    days = []
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            days.append(day_of(path))
        except ValueError:
            continue
    return tuple(sorted(days))
