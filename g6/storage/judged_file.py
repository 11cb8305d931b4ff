"""What a day's measures showed together, as a file, `<root>/anomalies/<day>.json`: it is found when the day is over."""

from datetime import date
from pathlib import Path

import msgspec

from g6.errors import SinkError
from g6.model.anomaly import JudgedDay
from g6.storage.data_directory import path_within, write_whole

FOLDER = "anomalies"


def store(root: Path, judged: JudgedDay) -> Path:
    """Put the findings in their place, whole or not at all, and return where; SinkError when that cannot be."""
    path = path_of(root, judged.day)
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, msgspec.json.format(msgspec.json.encode(judged), indent=2) + b"\n")
    except OSError as error:
        raise SinkError(f"the anomalies of {judged.day} cannot be kept: {error}") from error
    return path


def load(root: Path, day: date) -> JudgedDay | None:
    """Return the findings of a day; None when it was not judged. SinkError when the file is none."""
    path = path_of(root, day)
    try:
        return msgspec.json.decode(path.read_bytes(), type=JudgedDay)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise SinkError(f"{path} holds no anomalies: {error}; remove it, and they are found anew") from error


def path_of(root: Path, day: date) -> Path:
    """Return where the findings of a day lie."""
    return path_within(root, FOLDER) / f"{day.isoformat()}.json"
