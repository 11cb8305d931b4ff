"""What happens to a damaged journal: every row that is still sound is copied into a new one, the old one is kept."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from g6.storage.data_directory import sync_directory
from g6.storage.encoding import checksum
from g6.storage.journal_file import connect_writer

COMPANIONS = ("", "-wal", "-shm")
RECOVERING = ".recovering"


class Moved(NamedTuple):
    """Where the damaged file lies now, and how many minutes the new one took over."""

    to: Path
    cycles: int


def begin_anew(path: Path, corrupt: Path, max_bytes: int) -> Moved:
    """Put a new journal in the place of a damaged one.

    The new one is complete before the old one is moved, and the old one is moved before the new one takes its
    name; `adopt_recovered` finishes what a crash in between left. Seqs stay, so cursors keep their meaning.
    """
    fresh = path.with_name(path.name + RECOVERING)
    _remove(fresh)
    with closing(connect_writer(fresh, max_bytes)) as new:
        cycles = _copy_sound_rows(path, new)
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    to = _set_aside(path, corrupt)
    adopt_recovered(path)
    return Moved(to, cycles)


def adopt_recovered(path: Path) -> None:
    """Give a finished recovery its name; an unfinished one, whose damaged file is still there, is left alone."""
    fresh = path.with_name(path.name + RECOVERING)
    if fresh.exists() and not path.exists():
        fresh.rename(path)
        sync_directory(path.parent)


def _set_aside(path: Path, corrupt: Path) -> Path:
    corrupt.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = corrupt / f"{path.name}.{stamp}"
    # The log and its index go first: beside a new file of the old name they would be taken for its own.
    for companion in reversed(COMPANIONS):
        part = path.with_name(path.name + companion)
        if part.exists():
            part.rename(target.with_name(target.name + companion))
    sync_directory(corrupt)
    sync_directory(path.parent)
    return target


def _remove(fresh: Path) -> None:
    for companion in COMPANIONS:
        fresh.with_name(fresh.name + companion).unlink(missing_ok=True)


def _copy_sound_rows(damaged: Path, new: sqlite3.Connection) -> int:
    try:
        old = sqlite3.connect(f"{damaged.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error:
        return 0
    with closing(old):
        new.execute("BEGIN IMMEDIATE")
        _copy_table(old, new, "contracts", "id", lambda row: _sound("contracts", row))
        cycles = _copy_table(old, new, "cycles", "seq", lambda row: _sound(row["minute"], row))
        for row in _rows(old, "SELECT * FROM cursors"):
            new.execute("INSERT INTO cursors VALUES (?, ?)", (row["sink"], row["seq"]))
        _never_reuse_seqs(new, _last(old, "cycles"))
        new.execute("COMMIT")
    return cycles


def _copy_table(old: sqlite3.Connection, new: sqlite3.Connection, table: str, key: str, sound: Any) -> int:
    """Copy row by row: one bad page costs the rows on it and no other."""
    copied = 0
    for number in range(1, _last(old, table) + 1):
        for row in _rows(old, f"SELECT * FROM {table} WHERE {key} = {number}"):  # noqa: S608 (names are our own)
            if sound(row):
                marks = ", ".join("?" * len(row.keys()))
                statement = f"INSERT OR IGNORE INTO {table} ({', '.join(row.keys())}) VALUES ({marks})"  # noqa: S608
                copied += new.execute(statement, tuple(row)).rowcount
    return copied


def _sound(key: Any, row: sqlite3.Row) -> bool:
    payload = row["payload"]
    return isinstance(key, str) and isinstance(payload, bytes) and checksum(key, payload) == row["crc"]


def _last(old: sqlite3.Connection, table: str) -> int:
    rows = _rows(old, f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'")  # noqa: S608 (names are our own)
    return int(rows[0]["seq"]) if rows else 0


def _rows(old: sqlite3.Connection, statement: str) -> list[sqlite3.Row]:
    old.row_factory = sqlite3.Row
    try:
        return old.execute(statement).fetchall()
    except sqlite3.Error:
        return []


def _never_reuse_seqs(new: sqlite3.Connection, last: int) -> None:
    """Begin after every seq that a cursor may already stand on."""
    (furthest,) = new.execute("SELECT coalesce(max(seq), 0) FROM cursors").fetchone()
    new.execute("DELETE FROM sqlite_sequence WHERE name = 'cycles'")
    new.execute("INSERT INTO sqlite_sequence VALUES ('cycles', ?)", (max(last, furthest),))
