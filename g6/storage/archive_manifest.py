"""What an archived day consists of: one JSON file a day, written last, so that a day is there whole or not at all."""

import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

import orjson

from g6.errors import SinkError
from g6.storage import journal_file
from g6.storage.data_directory import JOURNAL, write_whole
from g6.storage.journal import SUFFIX

ARCHIVE, MANIFEST = "archive", "manifest"
FORMAT = 2  # 1 did not say which minutes were damaged, nor how many were replaced
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file: where it lies below the archive, what is in it, and how to know that it is still so."""

    path: str
    kind: str  # legs, overview, gaps or contracts
    index: str  # "" for contracts
    rows: int
    bytes: int
    sha256: str
    columns: Mapping[str, int]  # name → checksum of its values


@dataclass(frozen=True, slots=True)
class Manifest:
    """One archived day. `begun` and `last_seq` say which journal it was made from, and how much of that there was.

    What an older format does not say is None.
    """

    day: date
    begun: str
    last_seq: int
    minutes: int
    legs: int
    damaged: int  # records of the journal that could not be read
    price_basis: str
    written_at: str
    parts: tuple[Part, ...]
    format: int = FORMAT
    damaged_minutes: tuple[str, ...] | None = None  # of those records, as far as they tell their minute
    replaced: int | None = None  # minutes of which a later tick took the place of an earlier one

    @property
    def bytes(self) -> int:
        """Return the size of all its files."""
        return sum(part.bytes for part in self.parts)

    def write(self, root: Path) -> None:
        """Put the manifest in its place by rename, durably; OSError when the disk does not take it."""
        path = path_of(root, self.day)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, orjson.dumps(asdict(self)))

    @classmethod
    def read(cls, root: Path, day: date) -> Self | None:
        """Return the manifest of a day, None where it is not archived; SinkError when it cannot be read."""
        path = path_of(root, day)
        try:
            document: dict[str, Any] = orjson.loads(path.read_bytes())
            if document["format"] > FORMAT:
                raise SinkError(f"{path} was written by a newer G6 (format {document['format']}); upgrade G6")
            parts = tuple(Part(**part) for part in document["parts"])
            damaged = document.get("damaged_minutes")
            revived = {
                "day": date.fromisoformat(document["day"]),
                "parts": parts,
                "damaged_minutes": None if damaged is None else tuple(damaged),
            }
            return cls(**{**document, **revived})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SinkError(f"{path} cannot be read: {error}; archive the day again") from error


@dataclass(frozen=True, slots=True)
class JournalFacts:
    """What a journal says of itself without a minute being decoded."""

    begun: str
    seqs: tuple[int, ...]
    legs: Mapping[str, int]  # minute → legs, damaged minutes too
    cursors: Mapping[str, int]  # store → the last seq that it has durably applied

    @property
    def last_seq(self) -> int:
        """Return the newest row's seq, 0 when there is none."""
        return max(self.seqs, default=0)

    def owed_to(self, sink: str) -> int:
        """Return how many minutes a store has not durably applied; all of them for one that is not known."""
        return sum(seq > self.cursors.get(sink, 0) for seq in self.seqs)

    @classmethod
    def read(cls, root: Path, day: date) -> Self:
        """Ask the journal of a day; SinkError when it is not there or cannot be read."""
        path = journal_path(root, day)
        if not path.is_file():
            raise SinkError(f"there is no journal of {day} in {path.parent}")
        try:
            with closing(journal_file.connect_reader(path)) as connection:
                begun = connection.execute("SELECT value FROM meta WHERE name = 'begun'").fetchone()
                cycles = connection.execute("SELECT seq, minute, legs FROM cycles").fetchall()
                cursors = dict(connection.execute("SELECT sink, seq FROM cursors"))
        except sqlite3.Error as error:
            raise journal_file.translated(error, path, None) from error
        seqs, legs = tuple(row[0] for row in cycles), {row[1]: row[2] for row in cycles}
        return cls(begun[0] if begun else "", seqs, legs, cursors)


def path_of(root: Path, day: date) -> Path:
    """Return where the manifest of a day lies."""
    return root / ARCHIVE / MANIFEST / f"{day.isoformat()}.json"


def journal_path(root: Path, day: date) -> Path:
    """Return where the journal of a day lies."""
    return root / JOURNAL / f"{day.isoformat()}{SUFFIX}"


def archived_days(root: Path) -> tuple[date, ...]:
    """Return the days that are archived, ascending; not whether a journal has grown since."""
    days = []
    for path in (root / ARCHIVE / MANIFEST).glob("*.json"):
        try:
            days.append(date.fromisoformat(path.stem))
        except ValueError:
            continue
    return tuple(sorted(days))


def why_outdated(root: Path, manifest: Manifest) -> str | None:
    """Return why the day's journal is not the one that was archived; None when it is, or is there no more."""
    if not journal_path(root, manifest.day).exists():
        return None
    facts = JournalFacts.read(root, manifest.day)
    if facts.begun != manifest.begun:
        return "its journal began anew after it was archived"
    if facts.last_seq != manifest.last_seq:
        return f"its journal has grown since it was archived (seq {manifest.last_seq}, now {facts.last_seq})"
    return None


def why_not_archived(root: Path, day: date) -> str | None:
    """Return why a day may not be taken for archived and verified, None when it may.

    Every file of the archive is read and compared with the checksum that was right when it had been verified against
    the journal, and the journal, where it is still there, must have nothing newer.
    """
    try:
        manifest = Manifest.read(root, day)
        if manifest is None:
            return "it is not archived"
        if manifest.damaged:
            return f"{manifest.damaged} minutes of its journal are damaged; a person should look at it"
        damaged = next((part.path for part in manifest.parts if not is_sound(root, part)), None)
        if damaged:
            return f"the archive's file {damaged} is absent or damaged"
        return why_outdated(root, manifest)
    except SinkError as error:
        return str(error)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def is_sound(root: Path, part: Part) -> bool:
    """Return whether a file of the archive is, byte for byte, the one that was verified against the journal."""
    path = root / ARCHIVE / part.path
    try:
        return path.stat().st_size == part.bytes and sha256_of(path) == part.sha256
    except OSError:
        return False
