"""SQLite as the journal needs it: how a file is opened and checked, its tables, and its errors as one line each."""

import shutil
import sqlite3
from pathlib import Path

from g6.errors import SinkError

FORMAT = 1
APPLICATION_ID = 0x47364A4C  # "G6JL" in the file's header
BUSY_TIMEOUT_SECONDS = 5.0
# The write-ahead log is cut back to this after a checkpoint; until then it grows by what a slow reader pins.
WAL_LIMIT_BYTES = 64 * 1024 * 1024

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE contracts (id INTEGER PRIMARY KEY AUTOINCREMENT, crc INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE TABLE cycles (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    minute TEXT NOT NULL UNIQUE,
    cycle_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    legs INTEGER NOT NULL,
    chains INTEGER NOT NULL,
    replaces INTEGER,
    contracts INTEGER REFERENCES contracts (id),
    recorded_at TEXT NOT NULL,
    crc INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE cursors (sink TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
"""

DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class DamagedJournal(SinkError):
    """The file is not, or no longer, a sound journal."""


def connect_writer(path: Path, max_bytes: int) -> sqlite3.Connection:
    """Open or create a journal for writing, checked and durable on every commit.

    DamagedJournal when the check fails; sqlite3.Error for everything else.
    """
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
    connection.text_factory = _lenient
    try:
        check(connection, path)
        _keep_log_ahead(connection, path)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}")
        limit(connection, max_bytes)
        if _is_new(connection):
            _create_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_log_ahead(connection: sqlite3.Connection, path: Path) -> None:
    # SQLite raises nothing when this fails: it stays in a mode in which a power cut may take back the last commit.
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise SinkError(f"the journal {path} cannot keep a write-ahead log (SQLite answers {mode!r}); it tries again")


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open a journal without the means to change it, another G6's live one too; sqlite3.Error when it cannot be.

    One whose beginning was cut short, by a crash or a full disk, is as good as one without minutes.
    """
    uri = path.resolve().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
    connection.text_factory = _lenient
    try:
        if _is_new(connection):
            connection.close()
            return _empty()
        connection.execute("SELECT 1 FROM cycles LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        log = path.with_name(path.name + "-wal")
        if not path.is_file() or (log.exists() and log.stat().st_size):
            raise
        # A closed journal in a directory that may not be written: nobody can be changing it.
        connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True, isolation_level=None)
        connection.text_factory = _lenient
    return connection


def _lenient(text: bytes) -> str:
    """Read damaged text as something, so that a row's checksum can refuse it instead of SQLite the whole query."""
    return text.decode("utf-8", "replace")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Read every page; DamagedJournal when one is wrong or the file belongs to another program."""
    try:
        (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        new = _is_new(connection)
    except sqlite3.DatabaseError as error:
        if primary_code(error) in DAMAGE:
            raise DamagedJournal(f"{path} is damaged: {error}") from error
        raise
    if answer != "ok":
        raise DamagedJournal(f"{path} is damaged: {' '.join(answer.split())}")
    if not new and application != APPLICATION_ID:
        raise DamagedJournal(f"{path} is not a journal of G6")
    if version > FORMAT:
        raise SinkError(f"{path} was written by a newer G6 (format {version}, this one knows {FORMAT}); upgrade G6")


def limit(connection: sqlite3.Connection, max_bytes: int) -> None:
    """Let the file grow to `max_bytes` and no further."""
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute(f"PRAGMA max_page_count={max(1, max_bytes // page_bytes)}")


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code of an error, -1 when it has none."""
    code = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else code & 0xFF


def translated(error: sqlite3.Error, path: Path, connection: sqlite3.Connection | None) -> SinkError:
    """Return the error as one line for a person: what stopped the journal, where, and what would help."""
    if primary_code(error) in DAMAGE:
        return DamagedJournal(f"{path} is damaged: {error}")
    return SinkError(_reason(error, path, connection))


def _reason(error: sqlite3.Error, path: Path, connection: sqlite3.Connection | None) -> str:
    code = primary_code(error)
    if code == sqlite3.SQLITE_FULL:
        return _full(path, connection)
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
        return f"cannot write the journal {path} ({error}); give this user read and write access to it and its folder"
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return f"the journal {path} is locked by another program for more than {BUSY_TIMEOUT_SECONDS:g} s"
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return f"the journal {path} failed: {error} ({name}), {free_bytes(path)} bytes free"


def _full(path: Path, connection: sqlite3.Connection | None) -> str:
    if connection is not None:
        (used,) = connection.execute("PRAGMA page_count").fetchone()
        (most,) = connection.execute("PRAGMA max_page_count").fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        if free_bytes(path) > page_bytes * 1024 and used >= most * 0.9:
            return f"the journal {path} has reached its limit of {most * page_bytes} bytes; raise the limit"
    return f"the disk is full: {free_bytes(path)} bytes free for {path}; make space"


def free_bytes(path: Path) -> int:
    """Return the bytes that this user may still write beside `path`, 0 when that cannot be told."""
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return 0


def _is_new(connection: sqlite3.Connection) -> bool:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return bool(tables == 0)


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _create_tables(connection)
    return connection


def _create_tables(connection: sqlite3.Connection) -> None:
    # One transaction: a crash in between leaves an empty file, which is new again.
    connection.executescript(
        f"BEGIN IMMEDIATE; {TABLES} PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={FORMAT}; COMMIT;"
    )
