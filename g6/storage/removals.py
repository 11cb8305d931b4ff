"""What retention removed, one line each in `<root>/archive/removed.jsonl`, for whoever looks for it later."""

import logging
import os
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import orjson

from g6.storage.archive_manifest import ARCHIVE

log = logging.getLogger(__name__)

Kind = Literal["csv", "journal"]

REMOVED = "removed.jsonl"


@dataclass(frozen=True, slots=True)
class Removal:
    """What went: the files of one kind and day, and why."""

    kind: Kind
    day: date
    bytes: int
    reason: Literal["age", "space"]


def note(root: Path, removal: Removal, now: datetime) -> None:
    """Write down what went; that this fails keeps nothing from going."""
    line = orjson.dumps({"at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **asdict(removal)}) + b"\n"
    try:
        descriptor = os.open(root / ARCHIVE / REMOVED, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError as error:
        log.warning("%s cannot be written: %s", root / ARCHIVE / REMOVED, error.strerror)


def removed(root: Path) -> frozenset[tuple[Kind, date]]:
    """Return what kinds of which days ever went; a line that cannot be read tells of none."""
    try:
        lines = (root / ARCHIVE / REMOVED).read_bytes().splitlines()
    except OSError:
        return frozenset()
    return frozenset(filter(None, map(_told, lines)))


def _told(line: bytes) -> tuple[Kind, date] | None:
    try:
        said = orjson.loads(line)
        return said["kind"], date.fromisoformat(said["day"])
    except (ValueError, KeyError, TypeError):
        return None
