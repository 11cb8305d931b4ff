"""A consistent copy of a data directory, made while a G6 may be writing it.

The journals are the truth and are copied last, each as one moment of it; what every store had applied by then is read
first. So nothing in the copied files is unknown to the copied journals, and what was being written meanwhile lies
behind the cursors: the next G6 on the copy supplies it again.

1. where every cursor stands              `_cursors`
2. all files but the journals             `_copy_files`
3. the journals, by SQLite's backup       `_copy_journal`
4. cursors put back to where they stood, checksums, the manifest; then the folder takes its name
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from g6 import __version__
from g6.errors import ConfigError, SinkError
from g6.health.state_file import NAME as STATE_FILE
from g6.maintenance.ledger import REBUILD
from g6.maintenance.manifest import FORMAT, CopiedFile, CopiedJournal, Manifest, sha256_of
from g6.storage.data_directory import JOURNAL, LOCK_FILE, sync_directory
from g6.storage.journal import SUFFIX
from g6.storage.journal_file import BUSY_TIMEOUT_SECONDS, DAMAGE, connect_reader, primary_code
from g6.storage.sync import sync_file_system

PARTIAL = ".partial"
# Written once and named when complete, so a second name for the same bytes is safe. All else is changed in place.
NEVER_CHANGED = (("archive", ".parquet"),)
LEFT_OUT = (".tmp", "-wal", "-shm", "-journal")
# What a copy may need beyond the sizes seen at its beginning, while a recorder goes on.
SPARE_BYTES = 64_000_000

Cursors = Mapping[str, int]


class _Damaged(sqlite3.DatabaseError):
    """The copy of a database fails SQLite's check."""


def backup(root: Path, target: Path) -> Manifest:
    """Copy a data directory to `target`, which must not exist yet; return what was copied.

    ConfigError when `root` is no data directory, when `target` is there or inside of it, or when there is no space;
    SinkError when a journal cannot be copied; OSError when the disk refuses. Nothing is left at `target` then. A
    journal that is damaged is copied as it is, and said so in `troubles`.
    """
    root, target = root.resolve(), target.absolute()
    _require_possible(root, target)
    partial = target.with_name(target.name + PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        manifest = _copy(root, partial)
        manifest.write(partial)
        sync_file_system(partial)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_directory(target.parent)
    return manifest


def _require_possible(root: Path, target: Path) -> None:
    if not (root / JOURNAL).is_dir():
        raise ConfigError(f"{root} is no data directory of G6: it has no folder {JOURNAL}")
    if target.resolve().is_relative_to(root):
        raise ConfigError(f"{target} is inside of {root}; name a folder elsewhere, best on another disk")
    if target.exists():
        raise ConfigError(f"{target} exists already; a backup is a folder of its own, such as {target}/2026-11-20")
    above = next(folder for folder in target.parents if folder.exists())
    wanted = sum(path.stat().st_size for path in _files(root))
    if (free := shutil.disk_usage(above).free) < wanted + SPARE_BYTES:
        needed = f"{wanted / 1e6:.1f} MB are to be copied and {SPARE_BYTES / 1e6:.0f} MB to stay free"
        raise ConfigError(f"{needed}, and {above} has {free / 1e6:.1f} MB free; make space")


@dataclass(slots=True)
class _Copy:
    root: Path
    to: Path
    files: list[CopiedFile] = field(default_factory=list)
    journals: dict[str, CopiedJournal] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def place(self, path: Path) -> Path:
        target = self.to / path.relative_to(self.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def enter(self, copy: Path) -> None:
        self.files.append(CopiedFile(copy.relative_to(self.to).as_posix(), copy.stat().st_size, sha256_of(copy)))


def _copy(root: Path, to: Path) -> Manifest:
    copy = _Copy(root, to)
    before = {path: _cursors(path) for path in _journals(root)}
    for path in _files(root):
        if path.parent != root / JOURNAL or path.suffix != SUFFIX:
            _copy_file(copy, path)
    for path in _journals(root):  # one that began meanwhile has cursors at nothing
        _copy_journal(copy, path, before.get(path, {}))
    return Manifest(
        FORMAT,
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        __version__,
        tuple(copy.files),
        copy.journals,
        tuple(copy.troubles),
    )


def _journals(root: Path) -> list[Path]:
    return sorted((root / JOURNAL).glob(f"*{SUFFIX}"))


def _files(root: Path) -> Iterator[Path]:
    """Yield the files to copy. A folder at the top may be a link to another disk; further links are not followed."""
    for top in sorted(root.iterdir()):
        if top.is_dir() and top.name != REBUILD:
            for folder, folders, names in os.walk(top):
                folders.sort()
                yield from (Path(folder, name) for name in sorted(names) if _is_copied(Path(folder, name)))
        elif _is_copied(top):
            yield top


def _is_copied(path: Path) -> bool:
    wanted = path.name not in {LOCK_FILE, STATE_FILE} and not path.name.endswith(LEFT_OUT)
    return wanted and path.is_file() and not path.is_symlink()


def _copy_file(copy: _Copy, path: Path) -> None:
    target = copy.place(path)
    try:
        if path.suffix == SUFFIX and _is_database(path):
            _copy_database(_reader(path), target)
        else:
            _link_or_copy(path, target, shared=_is_never_changed(path.relative_to(copy.root)))
    except FileNotFoundError:
        return  # replaced or removed since it was listed; what took its place is behind a cursor
    except sqlite3.Error as error:
        copy.troubles.append(f"{path}: {error}; copied as it is")
        shutil.copyfile(path, target)
    copy.enter(target)


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _is_never_changed(path: Path) -> bool:
    return (path.parts[0], path.suffix) in NEVER_CHANGED


def _link_or_copy(path: Path, target: Path, *, shared: bool) -> None:
    if shared:
        try:
            os.link(path, target)
        except FileNotFoundError:
            raise
        except OSError:  # another file system, or one without links
            shutil.copy2(path, target)
    else:
        shutil.copy2(path, target)


def _cursors(journal: Path) -> dict[str, int]:
    """Return the cursors of a journal, sink → seq; none when it cannot be read, so that all is supplied again."""
    try:
        with closing(connect_reader(journal)) as connection:
            return dict(connection.execute("SELECT sink, seq FROM cursors").fetchall())
    except sqlite3.Error:
        return {}


def _copy_journal(copy: _Copy, path: Path, cursors: Cursors) -> None:
    target = copy.place(path)
    try:
        if path.stat().st_size:  # else it was begun this moment, and holds nothing yet
            _copy_database(connect_reader(path), target, lambda database: _set_cursors(database, cursors))
            copy.journals[path.name.removesuffix(SUFFIX)] = _counted(target)
        else:
            shutil.copyfile(path, target)
    except sqlite3.Error as error:
        if not isinstance(error, _Damaged) and primary_code(error) not in DAMAGE:
            raise SinkError(f"cannot copy the journal {path}: {error}") from error
        copy.troubles.append(f"{path} is damaged ({error}); copied as it is")
        _discard(target)
        for companion in ("", "-wal"):
            part = path.with_name(path.name + companion)
            if part.exists():
                shutil.copy2(part, target.with_name(target.name + companion))
        if (log := target.with_name(target.name + "-wal")).exists():
            copy.enter(log)
    copy.enter(target)


def _copy_database(
    source: sqlite3.Connection, target: Path, change: Callable[[sqlite3.Connection], None] | None = None
) -> None:
    """Copy a database as it is at one moment, its log folded in; sqlite3.Error when it cannot be."""
    with closing(source), closing(sqlite3.connect(target, isolation_level=None)) as database:
        # All pages at once: one moment of a log that goes on growing, and no beginning again when it does.
        source.backup(database, pages=-1)
        (answer,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise _Damaged(" ".join(answer.split()))
        if change:
            change(database)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_SECONDS)


def _set_cursors(journal: sqlite3.Connection, cursors: Cursors) -> None:
    journal.execute("BEGIN IMMEDIATE")
    journal.execute("DELETE FROM cursors")
    journal.executemany("INSERT INTO cursors VALUES (?, ?)", sorted(cursors.items()))
    journal.execute("COMMIT")


def _counted(journal: Path) -> CopiedJournal:
    with closing(sqlite3.connect(journal)) as connection:  # a reader would leave its companions beside the copy
        minutes, last_seq = connection.execute("SELECT count(*), coalesce(max(seq), 0) FROM cycles").fetchone()
    return CopiedJournal(minutes, last_seq)


def _discard(database: Path) -> None:
    for companion in ("", "-wal", "-shm"):
        database.with_name(database.name + companion).unlink(missing_ok=True)
