"""Which files answer for which day: the archive's where a day is archived as its journal is now, else the CSV files."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

from g6.errors import SinkError
from g6.participants.days import KINDS
from g6.participants.store import CASH, file_of
from g6.storage.archive import ANOMALIES, CONTRACTS, GAPS, INSTRUMENTS, LEGS, MARKET, OVERVIEW
from g6.storage.archive_manifest import ARCHIVE, Manifest, archived_days, journal_path, path_of, why_outdated
from g6.storage.csv_market import BREADTH, LEVELS
from g6.storage.csv_market import MARKET as MARKET_FOLDER
from g6.storage.data_directory import CSV
from g6.storage.judged_file import FOLDER as JUDGED

MASTERS = "masters"
POSITIONS, FLOWS = "positions", "flows"
ALL_KINDS = frozenset({LEGS, OVERVIEW, GAPS, ANOMALIES, CONTRACTS, MASTERS, POSITIONS, FLOWS, MARKET, INSTRUMENTS})
# What has no files per day.
DAYLESS = frozenset({MASTERS, POSITIONS, FLOWS})
DAYS_REMEMBERED = 4096

Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question is about; None is everything."""

    first: date | None = None
    last: date | None = None
    index: str | None = None
    code: str | None = None
    place: str | None = None  # the offset's label

    def day(self, day: date) -> bool:
        """Return whether a day is within the span."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Files:
    """Paths by what they hold and, because releases add columns, by the columns that they have."""

    parquet: Mapping[str, Mapping[Columns, list[str]]]  # kind → columns → files
    legs: Mapping[Columns, list[str]]  # CSV
    overviews: Mapping[Columns, list[str]]  # CSV
    masters: Mapping[Columns, list[str]]  # CSV
    positions: Mapping[str, str]  # of participants: kind → CSV
    flows: Sequence[str]  # of institutions: CSV
    judged: Sequence[str]  # what a day showed as a whole: JSON
    market: Mapping[str, Mapping[Columns, list[str]]]  # around the options: overview, levels, breadth → CSV

    @classmethod
    def find(cls, root: Path, wanted: Wanted, kinds: Collection[str] = ALL_KINDS) -> Self:
        """Look through a data directory for the files of some kinds; what cannot be read is SinkError."""
        folder = root / CSV
        recorded = _csv_days(folder, wanted)
        archived = [] if DAYLESS.issuperset(kinds) else list(_archived(root, wanted, recorded))
        days = recorded - {one.day for one in archived}
        found: dict[str, Iterable[str]] = {
            LEGS: _leg_files(folder, days, wanted),
            OVERVIEW: _overview_files(folder, days, wanted),
            MASTERS: _master_files(root / MASTERS, wanted),
        }
        csv = {kind: _grouped(_with_headers(paths if kind in kinds else ())) for kind, paths in found.items()}
        return cls(
            parquet={
                kind: _grouped(_parts(root, archived, kind, wanted) if kind in kinds else ())
                for kind in (LEGS, OVERVIEW, GAPS, ANOMALIES, CONTRACTS, MARKET, INSTRUMENTS)
            },
            legs=csv[LEGS],
            overviews=csv[OVERVIEW],
            masters=csv[MASTERS],
            positions={kind: path for kind in KINDS if POSITIONS in kinds for path in _there(root, file_of(kind))},
            flows=_there(root, file_of(CASH)) if FLOWS in kinds else (),
            judged=list(_judged(root / JUDGED, wanted)) if ANOMALIES in kinds else (),
            market=_market(folder, days, kinds),
        )


class _Archived(NamedTuple):
    """What of a manifest is asked for here: kind, index, columns and path of each file."""

    day: date
    parts: tuple[tuple[str, str, Columns, str], ...]


def _archived(root: Path, wanted: Wanted, recorded: Collection[date]) -> Iterator[_Archived]:
    """Yield the archived days, without those whose CSV files know more."""
    for day in filter(wanted.day, archived_days(root)):
        if day in recorded and _touched_since(root, day):
            manifest = Manifest.read(root, day)
            if manifest is None or why_outdated(root, manifest):
                continue
        try:
            state = path_of(root, day).stat()
        except FileNotFoundError:
            continue
        yield _told(root, day, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=DAYS_REMEMBERED)
def _told(root: Path, day: date, _changed_at: int, _size: int) -> _Archived:
    """Return what a manifest says; one that does not change is read once."""
    manifest = Manifest.read(root, day)
    parts = manifest.parts if manifest else ()
    return _Archived(day, tuple((part.kind, part.index, _shared(tuple(part.columns)), part.path) for part in parts))


@lru_cache(maxsize=DAYS_REMEMBERED)
def _shared(columns: Columns) -> Columns:
    """Return the one of equal tuples that is kept: most days have the same columns."""
    return columns


def _touched_since(root: Path, day: date) -> bool:
    """Return whether the journal may have grown since it was archived; asking the journal itself takes longer."""
    path, archived = journal_path(root, day), path_of(root, day).stat().st_mtime_ns
    for name in (path, path.with_name(path.name + "-wal")):
        try:
            if name.stat().st_mtime_ns >= archived:
                return True
        except FileNotFoundError:
            continue
    return False


def _parts(root: Path, archived: Iterable[_Archived], kind: str, wanted: Wanted) -> Iterator[tuple[Columns, str]]:
    for one in archived:
        for of_kind, index, columns, path in one.parts:
            if of_kind == kind and (not wanted.index or index in {"", wanted.index}):
                yield columns, f"{root}/{ARCHIVE}/{path}"


def _with_headers(paths: Iterable[str]) -> Iterator[tuple[Columns, str]]:
    return ((_header(path), path) for path in paths)


def _csv_days(folder: Path, wanted: Wanted) -> set[date]:
    """Return the days that have CSV files; every index has an overview."""
    names = {name for index in _indices(folder, wanted) for name in _listed(f"{folder}/{index}/{OVERVIEW}")}
    days = (_day_of(name) for name in names if name.endswith(".csv"))
    return {day for day in days if day and wanted.day(day)}


def _overview_files(folder: Path, days: Collection[date], wanted: Wanted) -> Iterator[str]:
    for index in _indices(folder, wanted) if days else ():
        yield from _files_of(f"{folder}/{index}/{OVERVIEW}", days)


def _leg_files(folder: Path, days: Collection[date], wanted: Wanted) -> Iterator[str]:
    for index in _indices(folder, wanted) if days else ():
        for code in _folders(f"{folder}/{index}", wanted.code):
            for place in _folders(f"{folder}/{index}/{code}", wanted.place) if code != OVERVIEW else ():
                yield from _files_of(f"{folder}/{index}/{code}/{place}", days)


def _master_files(folder: Path, wanted: Wanted) -> Iterator[str]:
    for index in _indices(folder, wanted):
        for code in _folders(f"{folder}/{index}", wanted.code):
            for place in _folders(f"{folder}/{index}/{code}", wanted.place):
                path = f"{folder}/{index}/{code}/{place}"
                yield from (f"{path}/{name}" for name in _listed(path) if name.endswith(".csv"))


def _indices(folder: Path, wanted: Wanted) -> list[str]:
    return [name for name in _folders(str(folder), wanted.index) if name != MARKET_FOLDER]


def _judged(folder: Path, wanted: Wanted) -> Iterator[str]:
    for name in _listed(str(folder)):
        day = _day_of(name.removesuffix(".json")) if name.endswith(".json") else None
        if day and wanted.day(day):
            yield f"{folder}/{name}"


def _market(folder: Path, days: Collection[date], kinds: Collection[str]) -> dict[str, dict[Columns, list[str]]]:
    found: dict[str, list[str]] = {OVERVIEW: [], LEVELS: [], BREADTH: []}
    for part, path in _market_files(folder, days, kinds):
        found[part].append(path)
    return {part: _grouped(_with_headers(paths)) for part, paths in found.items()}


def _market_files(folder: Path, days: Collection[date], kinds: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield what is told (the whole market, levels, breadth) and the file, of the market around the options."""
    of = f"{folder}/{MARKET_FOLDER}"
    if MARKET in kinds:
        yield from ((OVERVIEW, path) for path in _files_of(f"{of}/{OVERVIEW}", days))
    for part, kind in ((LEVELS, INSTRUMENTS), (BREADTH, MARKET)):
        for name in _folders(f"{of}/{part}") if kind in kinds else ():
            yield from ((part, path) for path in _files_of(f"{of}/{part}/{name}", days))


def _folders(path: str, only: str | None = None) -> list[str]:
    """Return the folders in a folder, or the one that is wanted."""
    try:
        with os.scandir(path) as entries:
            return sorted(e.name for e in entries if only in {None, e.name} and e.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SinkError(f"cannot read {path}: {error.strerror}") from error


def _there(root: Path, name: str) -> list[str]:
    path = root / name
    return [str(path)] if path.is_file() else []


def _files_of(path: str, days: Collection[date]) -> Iterator[str]:
    names = set(_listed(path))
    yield from (f"{path}/{day}.csv" for day in sorted(days) if f"{day}.csv" in names)


def _listed(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))  # noqa: PTH208 (names alone, of hundreds of folders)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SinkError(f"cannot read {path}: {error.strerror}") from error


def _header(path: str) -> Columns:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (text paths, hundreds of them)
            line = file.readline()
    except OSError as error:
        raise SinkError(f"cannot read {path}: {error.strerror}") from error
    return tuple(line.decode("utf-8", "replace").rstrip("\r\n").split(",")) if line.endswith(b"\n") else ()


def _grouped(found: Iterable[tuple[Columns, str]]) -> dict[Columns, list[str]]:
    """Gather files by their columns; one without a whole header has no row yet."""
    groups: dict[Columns, list[str]] = {}
    for columns, path in found:
        if columns:
            groups.setdefault(columns, []).append(path)
    return groups


def _day_of(name: str) -> date | None:
    try:
        return date.fromisoformat(name.removesuffix(".csv"))
    except ValueError:
        return None
