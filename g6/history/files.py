"""Which files answer for which day: the archive's where a day is archived as its journal is now, else the CSV files."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

from g6.errors import SinkError
from g6.storage.archive import CONTRACTS, GAPS, LEGS, OVERVIEW
from g6.storage.archive_manifest import ARCHIVE, Manifest, archived_days, journal_path, path_of, why_outdated
from g6.storage.data_directory import CSV

MASTERS = "masters"

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

    @classmethod
    def find(cls, root: Path, wanted: Wanted) -> Self:
        """Look through a data directory; what cannot be read is SinkError."""
        folder = root / CSV
        recorded = _csv_days(folder, wanted)
        manifests = list(_archived(root, wanted, recorded))
        days = recorded - {manifest.day for manifest in manifests}
        return cls(
            parquet={
                kind: _grouped(_parts(root, manifests, kind, wanted)) for kind in (LEGS, OVERVIEW, GAPS, CONTRACTS)
            },
            legs=_grouped((_header(path), path) for path in _leg_files(folder, days, wanted)),
            overviews=_grouped((_header(path), path) for path in _overview_files(folder, days, wanted)),
            masters=_grouped((_header(path), path) for path in _master_files(root / MASTERS, wanted)),
        )


def _archived(root: Path, wanted: Wanted, recorded: Collection[date]) -> Iterator[Manifest]:
    """Yield the archived days, without those whose CSV files know more."""
    for day in filter(wanted.day, archived_days(root)):
        manifest = Manifest.read(root, day)
        if manifest and not (day in recorded and _touched_since(root, day) and why_outdated(root, manifest)):
            yield manifest


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


def _parts(root: Path, manifests: Iterable[Manifest], kind: str, wanted: Wanted) -> Iterator[tuple[Columns, str]]:
    for manifest in manifests:
        for part in manifest.parts:
            if part.kind == kind and (not wanted.index or part.index in {"", wanted.index}):
                yield tuple(part.columns), f"{root}/{ARCHIVE}/{part.path}"


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
    return _folders(str(folder), wanted.index)


def _folders(path: str, only: str | None = None) -> list[str]:
    """Return the folders in a folder, or the one that is wanted."""
    try:
        with os.scandir(path) as entries:
            return sorted(e.name for e in entries if only in {None, e.name} and e.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SinkError(f"cannot read {path}: {error.strerror}") from error


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
