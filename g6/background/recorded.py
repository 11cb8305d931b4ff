"""The recorded minutes of a day, wherever they still are: in the journal, or in the archive."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from g6.model.snapshot import Snapshot
from g6.storage.archive_manifest import Manifest
from g6.storage.data_directory import JOURNAL
from g6.storage.journal import SUFFIX, Journal


def minutes_of(root: Path, day: date) -> Iterator[Snapshot]:
    """Yield the minutes of a day, ascending; none where it is neither journalled nor archived. Raises SinkError."""
    path = root / JOURNAL / f"{day.isoformat()}{SUFFIX}"
    if path.exists():
        yield from _journalled(path, newest_first=False)
    elif Manifest.read(root, day) is not None:
        yield from _archived(root, day)


def last_minutes_of(root: Path, day: date, limit: int) -> Iterator[Snapshot]:
    """Yield the last minutes of a day that were recorded, newest first, at most `limit`. Raises SinkError."""
    path = root / JOURNAL / f"{day.isoformat()}{SUFFIX}"
    if path.exists():
        for _, snapshot in zip(range(limit), _journalled(path, newest_first=True), strict=False):
            yield snapshot
    elif Manifest.read(root, day) is not None:
        yield from reversed(list(_archived(root, day))[-limit:])


def _journalled(path: Path, *, newest_first: bool) -> Iterator[Snapshot]:
    journal = Journal.open_read_only(path)
    try:
        minutes = journal.minutes()
        for minute in reversed(minutes) if newest_first else minutes:
            if (snapshot := journal.at(minute)) is not None:
                yield snapshot
    finally:
        journal.close()


def _archived(root: Path, day: date) -> Iterator[Snapshot]:
    from g6.storage.archive_reader import ArchiveReader  # noqa: PLC0415  loads pyarrow: only where it is needed

    return ArchiveReader(root, day).snapshots()
