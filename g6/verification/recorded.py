"""What was recorded of a day: its journal, or its archive where the journal was removed; read once, kept as counts."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import numpy as np

from g6.model.chain import OptionChain
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot
from g6.storage.archive_manifest import ARCHIVE, journal_path
from g6.storage.archive_manifest import path_of as manifest_path
from g6.storage.data_directory import CORRUPT
from g6.storage.journal import SUFFIX, Journal
from g6.storage.journal_file import DamagedJournal
from g6.verification.outliers import ChainKey, Outliers
from g6.verification.result import Finding, Source, StoredCounts


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """An accepted chain of a minute. `flagged` counts its legs that are outliers."""

    codes: tuple[str, ...]
    expires_at: datetime
    expected: int
    received: int
    flagged: int


@dataclass(frozen=True, slots=True)
class IndexSeen:
    """An index in a minute; chains by ISO expiry."""

    expected_codes: tuple[str, ...]
    chains: Mapping[str, ChainSeen]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class MinuteSeen:
    """A sound minute."""

    backfilled: bool
    indices: Mapping[str, IndexSeen]

    @property
    def collected(self) -> bool:
        """Return whether there is a chain in it."""
        return any(index.chains for index in self.indices.values())


@dataclass(slots=True)
class RecordedDay:
    """A day as its journal has it, or its archive where there is none; empty when there is neither.

    `unjudged` says what of it could not be told, one sentence each.
    """

    minutes: dict[datetime, MinuteSeen] = field(default_factory=dict)  # IST, ascending
    damaged: frozenset[datetime] = frozenset()  # minutes whose record fails its checksum
    replaced: int = 0
    counts: StoredCounts = field(default_factory=StoredCounts)
    findings: tuple[Finding, ...] = ()
    unjudged: tuple[str, ...] = ()
    source: Source = "journal"

    @property
    def indices(self) -> tuple[str, ...]:
        """Return the indices that any minute names, in the order of their first."""
        return tuple(dict.fromkeys(name for minute in self.minutes.values() for name in minute.indices))


def read_day(root: Path, day: date, until: datetime | None, also: Callable[[Snapshot], None]) -> RecordedDay:
    """Read what was recorded of a day, giving every sound minute to `also`; minutes after `until` are left out.

    A journal that is damaged as a whole, or a damaged file of the archive, is a finding; SinkError when one cannot be
    read for another reason.
    """
    if journal_path(root, day).exists():
        return _read_journal(root, day, until, also)
    if manifest_path(root, day).exists():
        return _read_archive(root, day, until, also)
    return RecordedDay()


def read_minute(root: Path, day: date, minute: datetime) -> Snapshot | None:
    """Return one minute of a day once more; None when there is none, or none that is sound."""
    if journal_path(root, day).exists():
        with closing(Journal.open_read_only(journal_path(root, day))) as journal:
            return journal.at(minute)
    from g6.storage.archive_reader import ArchiveReader  # noqa: PLC0415 (loads pyarrow)

    return ArchiveReader(root, day).at(minute)


def _read_journal(root: Path, day: date, until: datetime | None, also: Callable[[Snapshot], None]) -> RecordedDay:
    path = journal_path(root, day)
    recorded = RecordedDay()
    place = str(path.relative_to(root))
    try:
        journal = Journal.open_read_only(path)
    except DamagedJournal as error:
        recorded.findings = (Finding("journal_damaged", place, 1, str(error)),)
        return recorded
    reading = _Reading(also)
    broken: list[str] = []
    try:
        _read(journal, until, reading, recorded)
    except DamagedJournal as error:
        broken.append(str(error))
    finally:
        journal.close()
    _take(reading, recorded, [Finding("journal_damaged", place, 1, text) for text in broken])
    return recorded


def _read_archive(root: Path, day: date, until: datetime | None, also: Callable[[Snapshot], None]) -> RecordedDay:
    from g6.storage.archive_reader import ArchiveReader  # noqa: PLC0415 (loads pyarrow)

    archive = ArchiveReader(root, day)
    reading = _Reading(also)
    for snapshot in archive.snapshots():
        if until is None or snapshot.minute <= until:
            reading.take(snapshot.minute, snapshot)
    manifest, recorded = archive.manifest, RecordedDay(source="archive")
    recorded.damaged = frozenset(datetime.fromisoformat(text) for text in manifest.damaged_minutes or ())
    recorded.replaced = manifest.replaced or 0
    _take(
        reading, recorded,
        [Finding("archive_damaged", f"{ARCHIVE}/{path}", 1, "absent, or not as verified") for path in archive.unsound],
    )  # fmt: skip
    older = "the archive is of a release that did not say"
    if manifest.damaged and manifest.damaged_minutes is None:
        recorded.unjudged += (f"which minutes were damaged in the journal ({manifest.damaged} were): {older}",)
    if manifest.replaced is None:
        recorded.unjudged += (f"how many minutes were recorded more than once: {older}",)
    return recorded


def _take(reading: "_Reading", recorded: RecordedDay, broken: list[Finding]) -> None:
    recorded.minutes, recorded.counts = reading.minutes, reading.counts()
    recorded.findings = (*broken, *reading.outliers.findings())


def _read(journal: Journal, until: datetime | None, reading: "_Reading", recorded: RecordedDay) -> None:
    damaged = []
    minutes = journal.minutes()
    for minute in minutes:
        if until is not None and minute > until:
            break
        snapshot = journal.at(minute)
        if snapshot is None:
            damaged.append(minute)
            recorded.damaged = frozenset(damaged)
        else:
            reading.take(minute, snapshot)
    recorded.replaced = len(journal.replacements_after(0))
    nameless = journal.count_after(0) - len(minutes)
    if nameless > 0 and until is None:
        raise DamagedJournal(f"{nameless} records of {journal.path} do not even tell their minute")


class _Reading:
    """Turns snapshots into counts, one at a time."""

    def __init__(self, also: Callable[[Snapshot], None]) -> None:
        self.minutes: dict[datetime, MinuteSeen] = {}
        self.outliers = Outliers()
        self._also = also
        self._legs: Counter[tuple[str, ...]] = Counter()
        self._chains: Counter[tuple[str, ...]] = Counter()
        self._indices: Counter[str] = Counter()

    def take(self, minute: datetime, snapshot: Snapshot) -> None:
        flagged = self.outliers.flagged(snapshot)
        indices = {index.index: _index_seen(index, flagged) for index in snapshot.indices}
        self.minutes[minute] = MinuteSeen(snapshot.backfilled, indices)
        self._indices.update(indices.keys())
        for chain in snapshot.chains:
            placed = int(np.count_nonzero(np.isfinite(chain.offset)))
            self._legs.update({(chain.index, code): placed for code in chain.codes})
            self._chains.update((chain.index, code) for code in chain.codes)
        self._also(snapshot)

    def counts(self) -> StoredCounts:
        return StoredCounts(len(self.minutes), dict(self._legs), dict(self._chains), dict(self._indices))


def _index_seen(index: IndexSnapshot, flagged: Mapping[ChainKey, int]) -> IndexSeen:
    chains = {chain.expiry.isoformat(): _chain_seen(chain, flagged) for chain in index.chains}
    return IndexSeen(index.expected_codes, chains, index.refusals)


def _chain_seen(chain: OptionChain, flagged: Mapping[ChainKey, int]) -> ChainSeen:
    outliers = flagged.get((chain.index, chain.expiry.isoformat()), 0)
    return ChainSeen(chain.codes, chain.expires_at, chain.expected, chain.received, outliers)


def moved_aside(root: Path, day: date) -> tuple[str, ...]:
    """Return the damaged journals of a day that were put into the corrupt folder, oldest first."""
    name = re.escape(f"{day.isoformat()}{SUFFIX}")
    folder = root / CORRUPT
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return tuple(f"{CORRUPT}/{path.name}" for path in found if re.fullmatch(rf"{name}\.[0-9T.]+Z", path.name))
