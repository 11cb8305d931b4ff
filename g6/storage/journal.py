"""The journal of one trading day: every minute in one durable transaction, before any store sees it."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from g6.clock import IST
from g6.errors import SinkError
from g6.model.contracts import ContractTable
from g6.model.snapshot import Snapshot
from g6.storage import journal_file
from g6.storage.data_directory import sync_directory
from g6.storage.encoding import (
    DamagedRecord,
    checksum,
    decode_contracts,
    decode_snapshot,
    encode_contracts,
)
from g6.storage.journal_recovery import adopt_recovered, begin_anew
from g6.storage.record import Record, minute_text

log = logging.getLogger(__name__)

SUFFIX = ".sqlite3"
CONTRACTS_KEY = "contracts"

Outcome = Literal["new", "replaced", "kept"]


class PutResult(NamedTuple):
    """Where a minute stands now: its seq, the payload bytes written (0 when kept), and what was done."""

    seq: int
    bytes: int
    outcome: Outcome


def day_of(path: Path) -> date:
    """Return the trading day that a journal's file name says."""
    return date.fromisoformat(path.name.removesuffix(SUFFIX))


class Journal:
    """One file, one connection, one thread. `put` returns only after the minute is on the disk.

    A minute has one row. A later put of the same minute replaces it under a new seq, so that every reader meets it
    again, unless it has fewer accepted chains; the last tick of a minute wins. Rows whose checksum fails are skipped
    and counted in `damaged`. Every failure is a SinkError of one line.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.day = day_of(path)
        self.moved_aside = 0  # damaged files that were put into the corrupt folder when this one was opened
        self._connection = connection
        self._damaged: set[int] = set()
        self._remembered: tuple[ContractTable, int] | None = None
        self._decoded_last: tuple[int, Snapshot] | None = None  # every sink reads the same new minute
        # A journal that began anew is another one: a reader's place in the old one does not count. Where it lies is no
        # part of it, so that a reader goes on in a directory that was moved or restored.
        row = connection.execute("SELECT value FROM meta WHERE name = 'begun'").fetchone()
        self.identity = f"{path.name} {row[0] if row else ''}"

    @classmethod
    def open(cls, path: Path, *, corrupt: Path, max_bytes: int) -> Self:
        """Open or create the journal of the day that the file's name says, after checking all of it.

        A damaged file is moved into `corrupt` with its companions, and a new one begins with every minute of the
        old one that can still be read.
        """
        moved_aside = 0
        with _translated(path):
            adopt_recovered(path)
            if path.exists() and not path.stat().st_size:  # a start that was cut short leaves this, and so does a loss
                log.warning("the journal %s was empty; whatever it held is gone, and it begins anew", path)
            try:
                connection = journal_file.connect_writer(path, max_bytes)
            except journal_file.DamagedJournal as error:
                moved = begin_anew(path, corrupt, max_bytes)
                log.warning("%s; moved to %s, %d minutes recovered into a new one", error, moved.to, moved.cycles)
                connection, moved_aside = journal_file.connect_writer(path, max_bytes), 1
            begun = datetime.now(UTC).isoformat()
            facts = {"schema": str(journal_file.FORMAT), "day": day_of(path).isoformat(), "begun": begun}
            connection.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", facts.items())
        sync_directory(path.parent)
        with _translated(path):
            journal = cls(path, connection)
        journal.moved_aside = moved_aside
        return journal

    @classmethod
    def open_read_only(cls, path: Path) -> Self:
        """Open a journal to read, be it closed or another G6's live one."""
        with _translated(path):
            return cls(path, journal_file.connect_reader(path))

    def put(self, snapshot: Snapshot, contracts_id: int | None = None) -> PutResult:
        """Make a minute durable in one transaction."""
        return self.commit(Record.of(snapshot), contracts_id)

    def commit(self, record: Record, contracts_id: int | None = None) -> PutResult:
        """Make an encoded minute durable in one transaction."""
        if record.day != self.day:
            raise SinkError(f"minute {record.minute} does not belong into {self.path}")
        with self._transaction():
            stored = self._execute(
                "SELECT seq, chains, payload = ? FROM cycles WHERE minute = ?", record.payload, record.minute
            )
            replaces = None
            if stored:
                replaces, chains, identical = stored[0]
                if identical or record.chains < chains:
                    return PutResult(replaces, 0, "kept")
                self._execute("DELETE FROM cycles WHERE seq = ?", replaces)
            seq = self._insert(record, replaces, contracts_id)
        return PutResult(seq, len(record.payload), "new" if replaces is None else "replaced")

    def _insert(self, record: Record, replaces: int | None, contracts_id: int | None) -> int:
        self._execute("INSERT OR IGNORE INTO meta VALUES ('provider', ?)", record.provider)
        ((seq,),) = self._execute(
            "INSERT INTO cycles (minute, cycle_id, provider, legs, chains, replaces, contracts, recorded_at, crc,"
            " payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
            record.minute, record.cycle_id, record.provider, record.legs, record.chains, replaces, contracts_id,
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), record.crc, record.payload,
        )  # fmt: skip
        return int(seq)

    def remember_contracts(self, table: ContractTable) -> int:
        """Return the id of a contract table, storing it unless the same content is there already."""
        if self._remembered and self._remembered[0] is table:
            return self._remembered[1]
        payload = encode_contracts(table)
        crc = checksum(CONTRACTS_KEY, payload)
        with self._transaction():
            rows = self._execute("SELECT id FROM contracts WHERE crc = ? AND payload = ?", crc, payload)
            if not rows:
                rows = self._execute("INSERT INTO contracts (crc, payload) VALUES (?, ?) RETURNING id", crc, payload)
        self._remembered = (table, int(rows[0][0]))
        return self._remembered[1]

    def contracts(self, contracts_id: int) -> ContractTable:
        """Return a remembered contract table; DamagedRecord when it is absent or its checksum fails."""
        rows = self._execute("SELECT crc, CAST(payload AS BLOB) FROM contracts WHERE id = ?", contracts_id)
        if not rows or checksum(CONTRACTS_KEY, rows[0][1]) != rows[0][0]:
            raise DamagedRecord(f"contract table {contracts_id} of {self.path} is absent or damaged")
        return decode_contracts(rows[0][1])

    def contracts_ids(self) -> tuple[int, ...]:
        """Return the ids of the remembered contract tables, oldest first."""
        return tuple(row[0] for row in self._execute("SELECT id FROM contracts ORDER BY id"))

    def cycles_after(self, seq: int, limit: int | None = None) -> Iterator[tuple[int, Snapshot]]:
        """Yield (seq, snapshot) of the sound rows after `seq`, in the order they were put, at most `limit`.

        Each row is its own query: a reader that takes its time neither holds up the writer nor pins the log.
        """
        given = 0
        while limit is None or given < limit:
            rows = self._execute("SELECT seq, minute, crc FROM cycles WHERE seq > ? ORDER BY seq LIMIT 1", seq)
            if not rows:
                return
            seq = rows[0][0]
            if (snapshot := self._sound(*rows[0])) is not None:
                given += 1
                yield seq, snapshot

    def at(self, minute: datetime) -> Snapshot | None:
        """Return the snapshot of a minute; None when there is none or its row is damaged."""
        rows = self._execute("SELECT seq, minute, crc FROM cycles WHERE minute = ?", minute_text(minute))
        return self._sound(*rows[0]) if rows else None

    def latest_before(self, minute: datetime) -> Snapshot | None:
        """Return the latest sound snapshot of an earlier minute; None when there is none."""
        earlier = "SELECT seq, minute, crc FROM cycles WHERE minute < ? ORDER BY minute DESC"
        rows = self._execute(earlier, minute_text(minute))
        return next((snapshot for row in rows if (snapshot := self._sound(*row)) is not None), None)

    def _sound(self, seq: int, minute: object, crc: object) -> Snapshot | None:
        """Return a row's snapshot; None, counted, when its bytes or the pages that hold them are damaged."""
        if self._decoded_last and self._decoded_last[0] == seq:
            return self._decoded_last[1]
        try:
            rows = self._execute("SELECT CAST(payload AS BLOB) FROM cycles WHERE seq = ?", seq)
            # A minute that was replaced since its seq was read is met again under its new one.
            if not rows:
                return None
            snapshot = self._decoded(str(minute), crc, rows[0][0])
        except (DamagedRecord, journal_file.DamagedJournal) as error:
            if seq not in self._damaged:
                log.warning("%s; skipped", error)
            self._damaged.add(seq)
            return None
        self._decoded_last = (seq, snapshot)
        return snapshot

    def _decoded(self, minute: str, crc: object, payload: bytes) -> Snapshot:
        if checksum(minute, payload) != crc:
            raise DamagedRecord(f"minute {minute} of {self.path} is damaged: its checksum differs")
        try:
            return decode_snapshot(payload)
        except DamagedRecord as error:
            raise DamagedRecord(f"minute {minute} of {self.path} is damaged: {error}") from error

    @property
    def damaged(self) -> int:
        """Return how many rows were skipped because they are not what was written."""
        return len(self._damaged)

    def replacements_after(self, seq: int) -> frozenset[int]:
        """Return the seqs after `seq` of minutes that took the place of an earlier tick."""
        return frozenset(
            row[0] for row in self._execute("SELECT seq FROM cycles WHERE seq > ? AND replaces IS NOT NULL", seq)
        )

    def cursor(self, sink: str) -> int:
        """Return the last seq that a sink has durably applied, 0 at the beginning."""
        rows = self._execute("SELECT seq FROM cursors WHERE sink = ?", sink)
        return int(rows[0][0]) if rows else 0

    def advance(self, sink: str, seq: int) -> None:
        """Move a sink's cursor to `seq`, durably; it never goes back."""
        with self._transaction():
            self._execute(
                "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (sink) DO UPDATE SET seq = max(seq, excluded.seq)",
                sink, seq,
            )  # fmt: skip

    @property
    def last_seq(self) -> int:
        """Return the newest row's seq, 0 when there is none."""
        return int(self._execute("SELECT coalesce(max(seq), 0) FROM cycles")[0][0])

    def count_after(self, seq: int) -> int:
        """Return how many minutes a reader at `seq` has not seen."""
        return int(self._execute("SELECT count(*) FROM cycles WHERE seq > ?", seq)[0][0])

    def minutes(self) -> tuple[datetime, ...]:
        """Return the recorded minutes, ascending, IST."""
        # What is not a minute any more is left out here and counted where its row is read.
        rows = self._execute("SELECT minute FROM cycles WHERE datetime(minute) IS NOT NULL ORDER BY minute")
        return tuple(datetime.fromisoformat(row[0]).astimezone(IST) for row in rows)

    def collected_minutes(self) -> frozenset[datetime]:
        """Return the recorded minutes that hold a chain, IST; the others only say why they are gaps."""
        rows = self._execute("SELECT minute FROM cycles WHERE chains > 0 AND datetime(minute) IS NOT NULL")
        return frozenset(datetime.fromisoformat(row[0]).astimezone(IST) for row in rows)

    def fold(self, *, required: bool) -> None:
        """Bring the log into the file and empty it; SinkError when that fails, or is `required` and readers prevent it.

        What a log holds after a failed sync can be read and is not on the disk, and a later sync does not bring it
        there: only writing it again, into the file, does.
        """
        ((busy, _, _),) = self._execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if busy and required:
            raise SinkError(f"the journal {self.path} cannot be made durable: another program is reading it")

    def close(self) -> None:
        """Fold the log into the file and close; doing so twice is harmless. What was put is durable either way."""
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            log.debug("no checkpoint of %s at close: %s", self.path, error)
        self._connection.close()

    def _execute(self, statement: str, *values: int | str | bytes | None) -> list[tuple[Any, ...]]:
        with _translated(self.path, self._connection):
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


@contextmanager
def _translated(path: Path, connection: sqlite3.Connection | None = None) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise journal_file.translated(error, path, connection) from error
    except OSError as error:
        raise SinkError(f"the journal {path} failed: {error.strerror}") from error
