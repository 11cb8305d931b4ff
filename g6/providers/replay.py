"""Recorded minutes through the same way as live ones: the replay provider, and G6's own journals as a recording."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Protocol

import numpy as np

from g6.errors import BadResponse, SinkError
from g6.market.indices import IndexDefinition
from g6.model.chain import EXPIRY_CODES
from g6.model.contracts import LEVEL, SHARE, ContractTable
from g6.model.quotes import DAY_COLUMNS, QUOTE_COLUMNS, Quotes, Spot
from g6.model.snapshot import Snapshot
from g6.providers.recording import RecordedMinute, Recording, from_snapshot, match, minute_of

log = logging.getLogger(__name__)


class Minutes(Protocol):
    """What the provider needs of a recording."""

    def load(self, minute: datetime) -> RecordedMinute:
        """Return one minute; raises BadResponse when it cannot be read."""
        ...


class ReplayProvider:
    """Answers with what was recorded in the minute that is asked about."""

    name = "replay"

    def __init__(self, recording: Minutes) -> None:
        self._load = lru_cache(maxsize=1)(recording.load)  # one minute is asked for three things in turn

    def contracts(self, indices: Sequence[IndexDefinition], at: datetime) -> ContractTable:
        """Return the contracts that were listed in that minute; what surrounded them is no contract."""
        listed = self._minute(at).contracts
        wanted = np.isin(listed.index, [index.name for index in indices]) & ~np.isin(listed.kind, (LEVEL, SHARE))
        return listed.take(wanted)

    def spots(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, Spot]:
        """Return the recorded spots."""
        recorded = self._minute(at).spots
        return {index.name: recorded[index.name] for index in indices if index.name in recorded}

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        """Return the recorded quotes; `at` is the instant that they were recorded at."""
        minute = self._minute(at)
        rows = match(contracts, minute.contracts)
        known = rows >= 0
        names = (*QUOTE_COLUMNS, *DAY_COLUMNS)
        columns = {name: np.where(known, getattr(minute.quotes, name)[rows], np.nan) for name in names}
        answered = minute.quotes.answered[rows] & known
        return type(minute.quotes)(at=minute.at, answered=answered, **columns)

    def _minute(self, at: datetime) -> RecordedMinute:
        return self._load(minute_of(at))


class FreshRecording:
    """A recording that still grows, as another G6's journals do: it is opened anew for every minute asked of it."""

    def __init__(self, open_it: Callable[[], Recording]) -> None:
        self._open = open_it

    def load(self, minute: datetime) -> RecordedMinute:
        """Return one minute as it is recorded by now; raises BadResponse where it is not."""
        return self._open().load(minute)


class JournalDays(Protocol):
    """What the replay needs of a reader of journals."""

    def days(self) -> Iterable[date]:
        """Return the journalled days."""
        ...

    def snapshots(self, day: date) -> Iterable[Snapshot]:
        """Return the day's cycles."""
        ...

    def contracts(self, day: date) -> ContractTable:
        """Return the day's listed contracts, an empty table where they were not journalled."""
        ...


class JournalRecording:
    """G6's own journals as a recording. Keeps one day's snapshots at a time."""

    def __init__(self, journals: JournalDays) -> None:
        self._journals = journals
        self._day = lru_cache(maxsize=1)(self._read_day)
        self._minutes: list[datetime] = []
        names: dict[str, None] = {}
        codes: set[str] = set()
        self.unreadable: list[str] = []
        for day in sorted(journals.days()):
            try:
                snapshots, _ = self._day(day)
            except SinkError as error:
                self.unreadable.append(str(error))
                log.warning("skipped %s", error)
                continue
            self._minutes += sorted(snapshots)
            names.update({i.index: None for s in snapshots.values() for i in s.indices if i.chains})
            codes.update(code for s in snapshots.values() for chain in s.chains for code in chain.codes)
        self._indices, self._codes = tuple(names), tuple(code for code in EXPIRY_CODES if code in codes)

    def minutes(self) -> Sequence[datetime]:
        """Return the journalled minutes."""
        return self._minutes

    def indices(self) -> Sequence[str]:
        """Return the indices with at least one journalled chain."""
        return self._indices

    def codes(self) -> Sequence[str]:
        """Return the expiry codes under which a chain was journalled."""
        return self._codes

    def load(self, minute: datetime) -> RecordedMinute:
        """Return one journalled minute."""
        snapshots, listed = self._day(minute.date())
        if minute not in snapshots:
            raise BadResponse(f"no cycle of {minute:%Y-%m-%d %H:%M} is in the journal that is replayed")
        return from_snapshot(snapshots[minute], listed)

    def _read_day(self, day: date) -> tuple[dict[datetime, Snapshot], ContractTable]:
        return {s.minute: s for s in self._journals.snapshots(day)}, self._journals.contracts(day)
