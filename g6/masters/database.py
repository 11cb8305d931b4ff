"""SQLite as the masters need it: how the file is opened and checked, its tables, and its errors as one line each."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from g6.errors import ConfigError, SinkError
from g6.storage.data_directory import CORRUPT, sync_directory
from g6.storage.journal_file import free_bytes, primary_code

log = logging.getLogger(__name__)

MASTERS = "masters"
FILE = "masters.sqlite3"
FORMAT = 1
APPLICATION_ID = 0x47364D53  # "G6MS" in the file's header
BUSY_TIMEOUT_SECONDS = 10.0

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE names (index_name TEXT PRIMARY KEY, display_name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE applied (journal TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE ticks (
    day TEXT NOT NULL,
    minute INTEGER NOT NULL,
    version INTEGER NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0,
    filed INTEGER NOT NULL DEFAULT 0,
    payload BLOB NOT NULL,
    PRIMARY KEY (day, minute)
) WITHOUT ROWID;
CREATE TABLE days (
    weekday INTEGER NOT NULL,
    index_name TEXT NOT NULL,
    expiry_code TEXT NOT NULL,
    day TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (weekday, index_name, expiry_code, day)
);
CREATE TABLE profiles (
    weekday INTEGER NOT NULL,
    index_name TEXT NOT NULL,
    expiry_code TEXT NOT NULL,
    last_day TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (weekday, index_name, expiry_code)
);
CREATE TABLE folded (
    day TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    source TEXT NOT NULL,
    totals INTEGER NOT NULL,
    differences INTEGER NOT NULL,
    folded_at TEXT NOT NULL
) WITHOUT ROWID;
"""

DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class MastersBusy(SinkError):
    """Another process writes the masters at this moment: what is due now is done next minute."""


class DamagedMasters(SinkError):
    """The file is not, or no longer, a sound one."""


def path_of(root: Path) -> Path:
    """Return where the masters of a data directory are kept."""
    return root / MASTERS / FILE


def connect_writer(root: Path, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> sqlite3.Connection:
    """Open or create the masters for writing, every page checked, durable on every commit.

    A damaged file is moved into `<root>/corrupt` and a new one begins: the days are folded again from the daily files.
    SinkError when it cannot be opened.
    """
    path = path_of(root)
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = _checked(path, busy_timeout_seconds)
        except DamagedMasters as error:
            moved = _move_aside(path, root / CORRUPT)
            log.warning("%s; moved to %s. Its history is made anew by `g6 rebuild --what masters`", error, moved)
            connection = _checked(path, busy_timeout_seconds)
    sync_directory(path.parent)
    return connection


def connect_reader(root: Path) -> sqlite3.Connection:
    """Open the masters without the means to change them; ConfigError where there are none."""
    path = path_of(root)
    if not path.is_file():
        raise ConfigError(f"{root} holds no weekday masters ({path}); name a data directory that has recorded minutes")
    uri = path.resolve().as_uri()
    with translated(path):
        connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        try:
            connection.execute("SELECT 1 FROM meta LIMIT 1").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            wal = path.with_name(path.name + "-wal")
            if wal.exists() and wal.stat().st_size:
                raise
            # Closed, in a directory that may not be written: nobody can be changing it.
            connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True, isolation_level=None)
    return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise in the block into a SinkError of one line."""
    try:
        yield
    except sqlite3.Error as error:
        code = primary_code(error)
        if code in DAMAGE:
            raise DamagedMasters(f"{path} is damaged: {error}") from error
        if code in BUSY:
            raise MastersBusy(f"{path} is being written by another process") from error
        if code == sqlite3.SQLITE_FULL:
            raise SinkError(f"the disk is full: {free_bytes(path)} bytes free for {path}; make space") from error
        raise SinkError(f"the masters {path} failed: {error}; {free_bytes(path)} bytes free") from error
    except OSError as error:
        raise SinkError(f"the masters {path} failed: {error.strerror}") from error


def _checked(path: Path, busy_timeout_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_timeout_seconds, isolation_level=None)
    try:
        with translated(path):
            _check(connection, path)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise DamagedMasters(f"{path} is damaged: {' '.join(answer.split())}")
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables == 0:
        # One transaction: a crash in between leaves an empty file, which is new again.
        connection.executescript(
            f"BEGIN IMMEDIATE; {TABLES} PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={FORMAT}; COMMIT;"
        )
    elif application != APPLICATION_ID:
        raise DamagedMasters(f"{path} is not a file of weekday masters")
    elif version > FORMAT:
        raise SinkError(f"{path} was written by a newer G6 (format {version}, this one knows {FORMAT}); upgrade G6")


def _move_aside(path: Path, corrupt: Path) -> Path:
    corrupt.mkdir(parents=True, exist_ok=True)
    target = corrupt / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{path.name}"
    for suffix in ("", "-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(target.with_name(target.name + suffix))
    sync_directory(corrupt)
    return target
