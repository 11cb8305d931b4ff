"""A finished day as Parquet: `<root>/archive/{legs,overview,gaps,anomalies}/index=<INDEX>/date=<day>/part.parquet`.

`legs` has one row per leg and minute, `overview` one row a minute, `gaps` one row per refusal, `anomalies` one per
finding, and `contracts/date=<day>/part.parquet` is the day's contract table. Nothing that the journal holds is left
out or rounded.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from g6.errors import ConfigError, SinkError
from g6.model.contracts import ContractTable
from g6.model.snapshot import Snapshot
from g6.storage.archive_manifest import (
    ARCHIVE,
    JournalFacts,
    Manifest,
    Part,
    archived_days,
    journal_path,
    path_of,
    why_not_archived,
    why_outdated,
)
from g6.storage.care import CAREFREE, Care
from g6.storage.csv_layout import PRICE_BASES
from g6.storage.data_directory import JOURNAL, path_within, sync_directory
from g6.storage.encoding import DamagedRecord
from g6.storage.journal import Journal
from g6.storage.journal_set import days_in
from g6.storage.record import minute_text

if TYPE_CHECKING:  # all load pyarrow
    import pyarrow as pa

    from g6.storage.archive_parquet import PartWriter
    from g6.storage.archive_tables import Minute

__all__ = ["ArchivedDay", "archive_day", "archived_days", "unarchived", "why_not_archived"]

log = logging.getLogger(__name__)

LEGS, OVERVIEW, GAPS, CONTRACTS = "legs", "overview", "gaps", "contracts"
ANOMALIES = "anomalies"
MARKET, INSTRUMENTS = "market", "instruments"  # what surrounds the options, a file of the day each
# Minutes are held until they have this many legs together, whatever the size of a chain: some 75 MB, and as much again
# while they become rows. Where memory is short it is an eighth of that, and the files are a quarter larger.
ROW_GROUP_LEGS = 200_000
SHORT_ROW_GROUP_LEGS = 25_000


@dataclass(frozen=True, slots=True)
class ArchivedDay:
    """What was archived, and how long that took."""

    day: date
    minutes: int
    legs: int
    damaged: int
    files: int
    bytes: int
    seconds: float

    def __str__(self) -> str:
        damaged = f", {self.damaged} damaged minutes left out" if self.damaged else ""
        return (
            f"{self.day}: {self.minutes} minutes, {self.legs} legs archived in {self.files} files,"
            f" {self.bytes / 1e6:.1f} MB, {self.seconds:.1f} s{damaged}"
        )


def archive_day(root: Path, day: date, price_basis: str = "last", care: Care = CAREFREE) -> ArchivedDay:
    """Write a day's journal as Parquet, verify that, and only then put it in the place of what was archived before.

    1. every minute of the journal becomes rows (`_Day.take`), its legs counted against what the journal says of it,
    2. each file is synced, read back and compared column by column (`PartWriter.finish`), 3. the old manifest goes,
    the files take their places, the new manifest is written. Until then, and after a crash in between, the day is as
    good as not archived. `price_basis` is what `total_premium` sums, as in the CSV files. `care` is told of every
    minute and row group, and asked how many legs may be held: what is archived is the same. ConfigError for an unknown
    price basis; SinkError when there is no journal, it cannot be read, or the disk does not take or keep the files.
    """
    if price_basis not in PRICE_BASES:
        raise ConfigError(f"price basis {price_basis!r} is unknown; use one of {', '.join(PRICE_BASES)}")
    begun = time.monotonic()
    facts = JournalFacts.read(root, day)
    if not facts.legs:
        raise SinkError(f"the journal of {day} holds no minute; there is nothing to archive")
    from g6.storage.archive_parquet import systems_memory  # noqa: PLC0415 (loads pyarrow, 0.2 s)

    work = _Day(root / ARCHIVE, day, price_basis, care)
    try:
        with systems_memory(), closing(Journal.open_read_only(journal_path(root, day))) as journal:
            minutes = journal.minutes()
            for minute in minutes:
                work.take(minute, journal.at(minute), facts)
                care.alive()
            work.take_contracts(_contract_tables(journal))
            nameless = max(0, journal.count_after(0) - len(minutes))
            damaged, replaced = journal.damaged + nameless, len(journal.replacements_after(0))
            parts = work.finish()
        manifest = Manifest(
            day, facts.begun, facts.last_seq, work.minutes, work.legs, damaged, price_basis,
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), parts,
            damaged_minutes=tuple(work.damaged), replaced=replaced,
        )  # fmt: skip
        _publish(root, manifest, work.writers)
    except OSError as error:
        raise SinkError(f"{day} cannot be archived: {error.strerror or error} ({root / ARCHIVE})") from error
    finally:
        work.abandon()
    seconds = time.monotonic() - begun
    done = ArchivedDay(day, work.minutes, work.legs, damaged, len(parts), manifest.bytes, seconds)
    log.info("%s", done)
    return done


def unarchived(root: Path, before: date) -> tuple[date, ...]:
    """Return the days before a day whose journal is not archived as it is now, ascending; damaged ones are left out.

    Manifests are compared with journals; files are not read (`why_not_archived` does).
    """
    return tuple(day for day in days_in(root / JOURNAL) if day < before and _wants_archiving(root, day))


def _wants_archiving(root: Path, day: date) -> bool:
    try:
        if not JournalFacts.read(root, day).legs:
            return False
        manifest = Manifest.read(root, day)
        return manifest is None or why_outdated(root, manifest) is not None
    except SinkError as error:
        log.warning("%s", error)
        return False


def _contract_tables(journal: Journal) -> Iterator[ContractTable]:
    for number in journal.contracts_ids():
        try:
            yield journal.contracts(number)
        except DamagedRecord as error:
            log.warning("%s; left out of the archive", error)


@dataclass(slots=True)
class _Day:
    """The files of one day in the making."""

    archive: Path
    day: date
    price_basis: str
    care: Care
    minutes: int = 0
    legs: int = 0
    damaged: list[str] = field(default_factory=list)  # minutes
    writers: "dict[tuple[str, str], PartWriter]" = field(default_factory=dict)
    _waiting: "dict[str, list[Minute]]" = field(default_factory=dict)
    _waiting_legs: int = 0
    _overviews: "dict[str, pa.Table]" = field(default_factory=dict)
    _surrounded: list[Snapshot] = field(default_factory=list)  # minutes with a market, not yet rows
    _market: "pa.Table | None" = None

    def take(self, at: datetime, snapshot: Snapshot | None, facts: JournalFacts) -> None:
        """Add a minute, None for one that is damaged.

        SinkError when it has not the legs that the journal counted when it was recorded.
        """
        from g6.storage.archive_tables import Minute  # noqa: PLC0415 (loads pyarrow)

        minute = minute_text(at)
        if snapshot is None:
            self.damaged.append(minute)
            return
        legs = sum(map(len, snapshot.chains))
        if legs != facts.legs.get(minute, legs):  # one that came after the facts were read makes the archive outdated
            raise SinkError(f"minute {minute} of {self.day} has {legs} legs, its journal says {facts.legs[minute]}")
        whole = replace(snapshot, indices=())  # each index can be let go of alone
        for index in snapshot.indices:
            self._waiting.setdefault(index.index, []).append(Minute(whole, index))
        if whole.market is not None:
            self._surrounded.append(whole)
        self.minutes += 1
        self.legs += legs
        self._waiting_legs += legs
        if self._waiting_legs >= self._most_legs():
            self._flush()

    def take_contracts(self, tables: Iterable[ContractTable]) -> None:
        """Add the day's contract tables, oldest first."""
        from g6.storage.archive_tables import contract_table  # noqa: PLC0415 (loads pyarrow)

        if listed := list(tables):
            self._writer(CONTRACTS, "").add(contract_table(listed))

    def finish(self) -> tuple[Part, ...]:
        """Complete and verify all files."""
        self._flush()
        for index, table in self._overviews.items():
            self._writer(OVERVIEW, index).add(table)
        if self._market is not None:
            self._writer(MARKET, "").add(self._market)
        finished = {key: writer.finish(self.care) for key, writer in sorted(self.writers.items())}
        self.writers = {key: writer for key, writer in self.writers.items() if finished[key]}
        return tuple(part for part in finished.values() if part)

    def abandon(self) -> None:
        """Leave no half-written file behind."""
        for writer in self.writers.values():
            writer.abandon()

    def _most_legs(self) -> int:
        return min(ROW_GROUP_LEGS, SHORT_ROW_GROUP_LEGS) if self.care.is_short() else ROW_GROUP_LEGS

    def _flush(self) -> None:
        from g6.storage.archive_market import instrument_table, market_table  # noqa: PLC0415 (loads pyarrow)
        from g6.storage.archive_tables import (  # noqa: PLC0415 (loads pyarrow)
            anomaly_table,
            extended,
            gap_table,
            leg_table,
            overview_table,
        )

        for index, minutes in self._waiting.items():
            if any(minute.of.chains for minute in minutes):
                self._writer(LEGS, index).add(leg_table(minutes, self.price_basis))
            self._overviews[index] = extended(self._overviews.get(index), overview_table(minutes))
            self._writer(GAPS, index).add(gap_table(minutes))
            self._writer(ANOMALIES, index).add(anomaly_table(minutes))
            minutes.clear()  # the next index needs the room
        if self._surrounded:
            self._writer(INSTRUMENTS, "").add(instrument_table(self._surrounded))
            self._market = extended(self._market, market_table(self._surrounded))
        self._surrounded.clear()
        self._waiting.clear()
        self._waiting_legs = 0
        self.care.give_back()

    def _writer(self, kind: str, index: str) -> "PartWriter":
        from g6.storage.archive_parquet import PartWriter  # noqa: PLC0415 (loads pyarrow)

        writer = self.writers.get((kind, index))
        if writer is None:
            folder = self.archive / kind
            if index:
                path_within(folder, index)  # refuses what is no plain name
                folder /= f"index={index}"
            writer = PartWriter(self.archive, folder / f"date={self.day.isoformat()}", kind, index)
            self.writers[kind, index] = writer
        return writer


def _publish(root: Path, manifest: Manifest, writers: "dict[tuple[str, str], PartWriter]") -> None:
    """Exchange the day's files; whoever reads the archive goes by the manifest, which is away meanwhile."""
    path = path_of(root, manifest.day)
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_directory(path.parent)
    for writer in writers.values():
        writer.publish()
    current = {part.path for part in manifest.parts}
    for old in (root / ARCHIVE).glob(f"*/**/date={manifest.day.isoformat()}/*.parquet"):
        if old.relative_to(root / ARCHIVE).as_posix() not in current:
            old.unlink()
    manifest.write(root)
