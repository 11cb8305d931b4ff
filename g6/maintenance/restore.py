"""A copy put back as a data directory: checked before, and again as it lies there."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from g6.errors import ConfigError, SinkError
from g6.maintenance.manifest import CopiedFile, Manifest
from g6.storage.data_directory import sync_directory
from g6.storage.journal import SUFFIX
from g6.storage.sync import sync_file_system

RESTORING = ".restoring"
FIRST_DIFFERENCES = 3


def restore(source: Path, target: Path) -> Manifest:
    """Put the backup `source` into `target`, which must be an empty folder or none; return what it holds.

    ConfigError when `source` is no finished backup, `target` holds something, or there is no space; SinkError when a
    file of the backup, or its copy, is not what was backed up, or a database in it fails its check; OSError when the
    disk refuses. Nothing is left at `target` then.
    """
    source, target = source.absolute(), target.absolute()
    manifest = Manifest.read(source)
    _require_possible(manifest, target)
    _require_unchanged(manifest, source)
    partial = target.with_name(target.name + RESTORING)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for file in _present(manifest, source):
            copy = partial / file.path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / file.path, copy)
        sync_file_system(partial)
        _require_unchanged(manifest, partial)
        _require_sound(manifest, partial)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_directory(target.parent)
    return manifest


def _present(manifest: Manifest, source: Path) -> Iterator[CopiedFile]:
    """Yield the files to copy: all that last, and of those that are made anew what is there."""
    lasting = frozenset(manifest.lasting)
    return (file for file in manifest.files if file in lasting or (source / file.path).is_file())


def _require_possible(manifest: Manifest, target: Path) -> None:
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise ConfigError(f"{target} is there already; a backup is restored into a new or empty folder")
    above = next(folder for folder in target.parents if folder.exists())
    if (free := shutil.disk_usage(above).free) < manifest.bytes:
        raise ConfigError(f"the backup has {manifest.bytes} bytes, and {above} has {free} bytes free; make space")


def _require_unchanged(manifest: Manifest, folder: Path) -> None:
    found = list(manifest.differences(folder))
    if found:
        more = f" and {len(found) - FIRST_DIFFERENCES} more" if len(found) > FIRST_DIFFERENCES else ""
        raise SinkError(f"{folder} is not what was backed up: {'; '.join(found[:FIRST_DIFFERENCES])}{more}")


def _require_sound(manifest: Manifest, folder: Path) -> None:
    """Check the journals; one that was damaged when it was copied is as it was, and G6 recovers it when it opens it."""
    for day in manifest.journals:
        path = folder / "journal" / f"{day}{SUFFIX}"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            (minutes,) = connection.execute("SELECT count(*) FROM cycles").fetchone()
        if answer != "ok" or minutes != manifest.journals[day].minutes:
            raise SinkError(f"the journal of {day} in the backup is damaged: {answer}, {minutes} minutes")
