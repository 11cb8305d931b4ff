"""The weekday masters made again, a day at a time: from its journal, else from its archive, else from its daily files.

1. the minutes of the day, and what of them cannot be read   `_source`
2. what the masters know and the source has not              `_require_supplied`
3. the day folded anew, and the files of the masters         `build_masters`
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from g6.errors import SinkError
from g6.maintenance.rebuild import Rebuilt
from g6.masters.daily_files import read_day
from g6.masters.database import DamagedMasters, path_of
from g6.masters.premiums import minute_of_day, totals_of
from g6.masters.rebuild import build_masters
from g6.masters.store import MasterStore, totals_in
from g6.masters.totals import DayTotals
from g6.model.snapshot import Snapshot
from g6.storage.archive_manifest import Manifest, archived_days, journal_path
from g6.storage.csv_sink import OVERVIEW
from g6.storage.data_directory import CSV
from g6.storage.reader import JournalReader


@dataclass(frozen=True, slots=True)
class _Source:
    """A day's totals, the minutes (of the IST day) that they are from, and what could not be read, in words."""

    name: str
    totals: DayTotals
    minutes: frozenset[int]
    lacking: str = ""


def rebuild_masters(
    root: Path,
    day: date,
    *,
    display_names: Mapping[str, str],
    price_basis: str,
    smoothing: float,
    discard: bool = False,
) -> Rebuilt:
    """Fold one day anew; the files are those that streaming leaves.

    SinkError when what is left of the day cannot be read, when a part of it is damaged, or when the masters hold
    minutes that it has not; nothing is changed then. With `discard` what cannot be supplied is given up. Days share
    their weekday's profile, so they are rebuilt one after the other.
    """
    source = _source(root, day, price_basis)
    if not discard:
        if source.lacking:
            raise SinkError(f"{source.lacking}; nothing was changed (--discard goes on without)")
        _require_supplied(root, day, source)
    changed = build_masters(root, [(day, source.totals)], display_names, smoothing)
    return Rebuilt(len(source.minutes), files=changed, rows=totals_in(source.totals), changed=changed, digest="")


def days_without_journal(root: Path) -> frozenset[date]:
    """Return the days that can be rebuilt though their journal was removed: by the archive, and by the daily files."""
    filed = (_day_of(path) for path in (root / CSV).glob(f"*/{OVERVIEW}/*.csv"))
    days = {*archived_days(root), *filter(None, filed)}
    return frozenset(day for day in days if not journal_path(root, day).exists())


def _source(root: Path, day: date, price_basis: str) -> _Source:
    if journal_path(root, day).exists():
        return _journal(root, day, price_basis)
    if Manifest.read(root, day) is not None:
        return _archive(root, day, price_basis)
    totals = read_day(root, day)
    if totals is None:
        raise SinkError(f"nothing is left of {day}: no journal, no archive and no daily files")
    minutes = (minute for of_group in totals.values() for minute in of_group.minutes.tolist())
    return _Source("daily files have", totals, frozenset(minutes))


def _journal(root: Path, day: date, price_basis: str) -> _Source:
    reader = JournalReader(root)
    counted = _Counted(reader.snapshots(day))
    totals = totals_of(counted, price_basis)
    damaged = f"{reader.damaged} minutes in the journal of {day} are damaged" if reader.damaged else ""
    return _Source("journal has", totals, frozenset(counted.minutes), damaged)


def _archive(root: Path, day: date, price_basis: str) -> _Source:
    from g6.storage.archive_reader import ArchiveReader  # noqa: PLC0415 (loads pyarrow)

    archive = ArchiveReader(root, day)
    counted = _Counted(archive.snapshots())
    totals = totals_of(counted, price_basis)
    lacking = [f"{path} of the archive is absent or damaged" for path in archive.unsound]
    if archive.manifest.damaged:
        lacking.append(f"{archive.manifest.damaged} minutes of {day} were damaged when it was archived")
    return _Source("archive has", totals, frozenset(counted.minutes), "; ".join(lacking))


def _require_supplied(root: Path, day: date, source: _Source) -> None:
    """Refuse to replace a day of which the masters hold a minute that the source has not: it is the only copy."""
    known = {minute for of_group in _known(root, day).values() for minute in of_group.minutes.tolist()}
    missing = sorted(known - source.minutes)
    if missing:
        first = f"{missing[0] // 60:02d}:{missing[0] % 60:02d}"
        raise SinkError(
            f"the masters hold {len(missing)} minutes of {day} that the {source.name} not, {first} the first; nothing"
            " was changed (--discard gives them up)"
        )


def _known(root: Path, day: date) -> DayTotals:
    """Return what the masters know of a day; nothing where there are none, or where they are damaged and begin anew."""
    if not path_of(root).is_file():
        return {}
    try:
        with closing(MasterStore.open_read_only(root)) as store:
            return store.latest(day)
    except DamagedMasters:
        return {}


def _day_of(path: Path) -> date | None:
    try:
        return date.fromisoformat(path.stem)
    except ValueError:
        return None


class _Counted:
    """Minutes, noted as they go by."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots = snapshots
        self.minutes: set[int] = set()

    def __iter__(self) -> Iterator[Snapshot]:
        for snapshot in self._snapshots:
            self.minutes.add(minute_of_day(snapshot.minute))
            yield snapshot
