"""What the delivery to InfluxDB must remember beside the journal: lines that were refused, and what was acknowledged.

`<root>/influx/dead_letters.sqlite3`. Table `dead_letters`: every refused line, with its status, its reason and when.
Table `acknowledged`: how far each journal had been sent when G6 stopped, to which run of the server and when.
"""

import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

FOLDER = "influx"
FILE = "dead_letters.sqlite3"
# A server that refuses everything fills the table within minutes; the journal holds the same minutes anyway.
LIMIT_BYTES = 256 * 1024 * 1024

TABLES = """
CREATE TABLE IF NOT EXISTS dead_letters (
    line TEXT PRIMARY KEY, status INTEGER NOT NULL, reason TEXT NOT NULL, refused_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS acknowledged (
    journal TEXT PRIMARY KEY, seq INTEGER NOT NULL, at_seconds REAL NOT NULL, server_start REAL NOT NULL
) WITHOUT ROWID;
"""


class DeadLetter(NamedTuple):
    """A line that the server refused, and why; `refused_at` is UTC."""

    line: str
    status: int
    reason: str
    refused_at: str


class Acknowledged(NamedTuple):
    """How far a journal was sent, when the last of it was (seconds since 1970), and to which run of the server."""

    seq: int
    at_seconds: float
    server_start: float


class Ledger:
    """Opened for each use, so any thread may; what it cannot keep is logged and never holds up the delivery."""

    def __init__(self, root: Path) -> None:
        self.path = root / FOLDER / FILE

    def bury(self, lines: Sequence[bytes], status: int, reason: str) -> bool:
        """Keep refused lines, each once; return False when they could not be kept."""
        refused_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = [(line.decode("utf-8", "replace"), status, reason, refused_at) for line in lines]
        return self._write("INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?)", rows)

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Return the refused lines, in the order of their text; none when there is no ledger."""
        return tuple(DeadLetter(*row) for row in self._read("SELECT * FROM dead_letters ORDER BY line"))

    def remember(self, acknowledged: Mapping[str, Acknowledged]) -> None:
        """Keep how far each journal was sent, in place of what was kept before."""
        rows = [(journal, *progress) for journal, progress in acknowledged.items()]
        self._write("INSERT INTO acknowledged VALUES (?, ?, ?, ?)", rows, "DELETE FROM acknowledged")

    def acknowledged(self) -> dict[str, Acknowledged]:
        """Return how far each journal had been sent when G6 stopped; nothing when that is not known."""
        # Earlier releases kept a journal under its path.
        rows = self._read("SELECT * FROM acknowledged")
        return {row[0].rpartition("/")[2]: Acknowledged(*row[1:]) for row in rows}

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]], first: str | None = None) -> bool:
        try:
            self.path.parent.mkdir(exist_ok=True)  # in the data directory, which is there or has been moved away
            with self._opened() as connection:
                connection.executescript(TABLES)
                connection.execute("BEGIN IMMEDIATE")
                if first:
                    connection.execute(first)
                connection.executemany(statement, rows)
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            log.warning("%d entries could not be kept in %s: %s", len(rows), self.path, error)
            return False
        return True

    def _read(self, statement: str) -> list[tuple[Any, ...]]:
        if not self.path.exists():
            return []
        try:
            with self._opened() as connection:
                return connection.execute(statement).fetchall()
        except sqlite3.Error as error:
            log.warning("%s cannot be read: %s", self.path, error)
            return []

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
            connection.execute(f"PRAGMA max_page_count={LIMIT_BYTES // page_bytes}")
            yield connection
        finally:
            connection.close()
