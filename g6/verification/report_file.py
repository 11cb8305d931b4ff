"""The report of a day as a file, `<root>/verify/<day>.json`: for metrics after a restart, and for other programs."""

from datetime import date
from pathlib import Path

import msgspec

from g6.errors import SinkError
from g6.storage.data_directory import path_within, write_whole
from g6.verification.result import Verification

FOLDER = "verify"
SUFFIX = ".json"


def as_json(verification: Verification) -> bytes:
    """Return the report as an indented JSON object with a line end; its keys are the fields of `Verification`."""
    return msgspec.json.format(msgspec.json.encode(verification), indent=2) + b"\n"


def store(root: Path, verification: Verification) -> Path:
    """Put the report in its place, whole or not at all, and return where; SinkError when that cannot be."""
    path = path_of(root, verification.day)
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, as_json(verification))
    except OSError as error:
        raise SinkError(f"the verification of {verification.day} cannot be kept: {error}") from error
    return path


def load(root: Path, day: date) -> Verification | None:
    """Return the report of a day; None when there is none. SinkError when it is not one."""
    path = path_of(root, day)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Verification)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise SinkError(f"{path} is no verification: {error}; `g6 verify --date {day}` writes it anew") from error


def latest(root: Path) -> Verification | None:
    """Return the report of the last day that has one; None when there is none. SinkError when it is not one."""
    days = []
    for path in (root / FOLDER).glob(f"*{SUFFIX}"):
        try:
            days.append(date.fromisoformat(path.name.removesuffix(SUFFIX)))
        except ValueError:
            continue  # not ours
    return load(root, max(days)) if days else None


def path_of(root: Path, day: date) -> Path:
    """Return where the report of a day lies."""
    folder = path_within(root, FOLDER)
    return folder / f"{day.isoformat()}{SUFFIX}"
