"""The daily CSV files of one day, made again from its journal: the same bytes that the recorder wrote.

1. every minute in order of time, appended to new files beside the old ones   `_build`
2. what the old ones have and the journal has not stops everything            `_require_supplied`
3. the new ones synced, then each in the place of its old one by rename       `_swap`

A crash at any point leaves whole files, old or new; the day is then done again.
"""

import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from pathlib import Path

from g6.errors import SinkError
from g6.maintenance.ledger import REBUILD
from g6.maintenance.rebuild import Rebuilt
from g6.model.columns import Aggregate
from g6.model.snapshot import Snapshot
from g6.storage.csv_layout import LEG_HEADER, leg_lines, overview_header, overview_lines
from g6.storage.csv_market import MARKET, market_header, market_lines
from g6.storage.csv_sink import NAME, OVERVIEW
from g6.storage.data_directory import CSV, path_within, sync_directory
from g6.storage.reader import JournalReader
from g6.storage.record import minute_text
from g6.storage.sync import sync_file_system

FIRST_COLUMN = b"ts,"
# Minutes that are written together: fewer writes, and memory that a day of all strikes does not outgrow.
BATCH_MINUTES = 60

Folders = tuple[str, ...]  # below <root>/csv: index, expiry code, offset; or index, overview


def rebuild_csv(
    root: Path, day: date, *, aggregates: Sequence[Aggregate], price_basis: str, discard: bool = False
) -> Rebuilt:
    """Rebuild the CSV files of one day.

    SinkError when the journal cannot be read, when a row of it is damaged, or when a file holds minutes that the
    journal has not; with `discard` what the journal cannot supply is given up. ConfigError for a name that cannot be a
    path. OSError when the disk refuses. In every case the files are as they were, or new where they were complete.
    """
    staging = root / REBUILD / NAME / day.isoformat()
    shutil.rmtree(staging, ignore_errors=True)
    try:
        built = _Build(staging, aggregates)
        reader = JournalReader(root)
        snapshots = reader.snapshots(day)
        while batch := list(islice(snapshots, BATCH_MINUTES)):
            built.add(batch, price_basis)
        if reader.damaged and not discard:
            raise SinkError(f"{reader.damaged} minutes in the journal of {day} are damaged; --discard goes on without")
        old = _files(root / CSV, day)
        changed = _differing(built.files, old)
        if not discard:
            _require_supplied({path: old[path] for path in changed if path in old}, built.minutes)
        _swap(root / CSV, {path: built.files.get(path) for path in changed}, day)
        return Rebuilt(len(built.minutes), len(built.files), built.rows, len(changed), csv_digest(root, day))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def csv_digest(root: Path, day: date) -> str:
    """Return SHA-256 over the names and contents of all CSV files of a day."""
    digest = hashlib.sha256()
    for folders, path in sorted(_files(root / CSV, day).items()):
        content = path.read_bytes()
        digest.update(f"{'/'.join(folders)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


class _Build:
    """The new files, growing; `files` are complete for all minutes that were added."""

    def __init__(self, staging: Path, aggregates: Sequence[Aggregate]) -> None:
        self._staging = staging
        self._aggregates = aggregates
        self.files: dict[Folders, Path] = {}
        self.minutes: set[bytes] = set()
        self.rows = 0

    def add(self, snapshots: Iterable[Snapshot], price_basis: str) -> None:
        """Append minutes, which come in order of time."""
        lines: dict[Folders, list[bytes]] = defaultdict(list)
        for snapshot in snapshots:
            self.minutes.add(minute_text(snapshot.minute).encode())
            for index, line in overview_lines(snapshot, self._aggregates).items():
                lines[index, OVERVIEW].append(line)
            for key, line in leg_lines(snapshot, price_basis).items():
                lines[key].append(line)
            for around, line in market_lines(snapshot, self._aggregates).items():
                lines[around].append(line)
        for folders, rows in lines.items():
            self._append(folders, rows)

    def _append(self, folders: Folders, rows: Sequence[bytes]) -> None:
        path = self.files.get(folders)
        first = path is None
        if path is None:
            path = self.files[folders] = path_within(self._staging, *folders) / "day.csv"
            path.parent.mkdir(parents=True)
        header = [self._header(folders)] if first else []
        with path.open("ab") as file:
            file.write(b"".join([line + b"\n" for line in (*header, *rows)]))
        self.rows += len(rows)

    def _header(self, folders: Folders) -> bytes:
        if folders[0] == MARKET:
            return market_header(folders, self._aggregates)
        return overview_header(self._aggregates) if folders[1] == OVERVIEW else LEG_HEADER


def _files(root: Path, day: date) -> dict[Folders, Path]:
    name = f"{day.isoformat()}.csv"
    paths = (path for pattern in (f"*/{OVERVIEW}", "*/*/*") for path in root.glob(f"{pattern}/{name}"))
    return {path.parent.relative_to(root).parts: path for path in paths}


def _differing(new: Mapping[Folders, Path], old: Mapping[Folders, Path]) -> list[Folders]:
    both = new.keys() & old.keys()
    return sorted((new.keys() ^ old.keys()) | {key for key in both if new[key].read_bytes() != old[key].read_bytes()})


def _require_supplied(old: Mapping[Folders, Path], minutes: set[bytes]) -> None:
    """Refuse to replace a file that holds a minute which the journal has not: it is the only copy."""
    for path in old.values():
        missing = sorted(_minutes_of(path) - minutes)
        if missing:
            raise SinkError(
                f"{path} holds {len(missing)} minutes that the journal has not, {missing[0].decode('utf-8', 'replace')}"
                " the first; nothing was changed (--discard gives them up)"
            )


def _minutes_of(path: Path) -> set[bytes]:
    header, *lines = path.read_bytes().split(b"\n")[:-1] or [FIRST_COLUMN]
    if not header.startswith(FIRST_COLUMN):
        raise SinkError(f"{path} is not a file of G6: it does not begin with a ts column; move it away")
    # After a power cut a file may hold zeros where data never reached the disk: those are no minutes.
    return {line.partition(b",")[0] for line in lines if line and b"\0" not in line}


def _swap(root: Path, changed: Mapping[Folders, Path | None], day: date) -> None:
    """Put the new files in the places of the old ones; None takes an old one away."""
    if not changed:
        return
    root.mkdir(exist_ok=True)
    sync_file_system(root)  # a name may not become durable before what it names
    for folders, path in changed.items():
        target = path_within(root, *folders) / f"{day.isoformat()}.csv"
        if path is None:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)  # noqa: PTH105 (beside os.open of the sink, which it must be like)
    for folder in _above(root, changed):
        sync_directory(folder)


def _above(root: Path, keys: Iterable[Folders]) -> Iterator[Path]:
    """Yield every folder whose names may have changed, deepest first."""
    folders = {root.joinpath(*key[:depth]) for key in keys for depth in range(len(key) + 1)}
    return iter(sorted(folders, key=lambda folder: -len(folder.parts)))
