"""Recorded minutes, read back without the means to change them: for replay, rebuilds and inspection."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from g6.errors import ConfigError
from g6.model.contracts import EMPTY_CONTRACTS, ContractTable
from g6.model.snapshot import Snapshot
from g6.storage.data_directory import JOURNAL
from g6.storage.journal import SUFFIX, Journal
from g6.storage.journal_set import days_in


def has_journals(source: Path) -> bool:
    """Return whether there is anything for a `JournalReader` to read."""
    return source.is_dir() and any(source.rglob(f"*{SUFFIX}"))


class JournalReader:
    """The journals below a data directory, or in a folder of journals; another G6 may be writing them.

    ConfigError when `source` has neither; SinkError when a journal cannot be read. Damaged minutes are skipped,
    logged, and counted in `damaged`.
    """

    def __init__(self, source: Path) -> None:
        inner = source / JOURNAL
        self.folder = inner if inner.is_dir() else source
        self.damaged = 0
        if not self.days():
            raise ConfigError(f"{source} holds no journals (YYYY-MM-DD{SUFFIX}); name a data directory of G6")

    def days(self) -> tuple[date, ...]:
        """Return the recorded days, ascending."""
        return days_in(self.folder)

    def snapshots(self, day: date) -> Iterator[Snapshot]:
        """Yield the minutes of a day in order of time, one at a time in memory; a day without a journal has none."""
        path = self.folder / f"{day.isoformat()}{SUFFIX}"
        if not path.exists():
            return
        journal = Journal.open_read_only(path)
        try:
            for minute in journal.minutes():
                if (snapshot := journal.at(minute)) is not None:
                    yield snapshot
        finally:
            self.damaged += journal.damaged
            journal.close()

    def collected_minutes(self, day: date) -> frozenset[datetime]:
        """Return the minutes of a day that hold a chain; one that only says why it is a gap is not among them."""
        path = self.folder / f"{day.isoformat()}{SUFFIX}"
        if not path.exists():
            return frozenset()
        journal = Journal.open_read_only(path)
        try:
            return journal.collected_minutes()
        finally:
            journal.close()

    def contracts(self, day: date) -> ContractTable:
        """Return the contract table that was in force last on a day; an empty one when none was kept."""
        path = self.folder / f"{day.isoformat()}{SUFFIX}"
        if not path.exists():
            return EMPTY_CONTRACTS
        journal = Journal.open_read_only(path)
        try:
            ids = journal.contracts_ids()
            return journal.contracts(ids[-1]) if ids else EMPTY_CONTRACTS
        finally:
            journal.close()
