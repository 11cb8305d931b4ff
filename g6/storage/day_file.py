"""One JSON file a day, `<root>/<folder>/<day>.json`: what was found out about a day when it was over."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

from g6.errors import SinkError
from g6.storage.data_directory import path_within, write_whole

SUFFIX = ".json"


class OfDay(Protocol):
    """What knows its day."""

    @property
    def day(self) -> date:
        """Return the day."""


T = TypeVar("T", bound=OfDay)


@dataclass(frozen=True, slots=True)
class DayFile(Generic[T]):
    """Files of one kind. `called` names in errors what is in them; `remedy`, which may name the {day}, has it anew."""

    folder: str
    kind: type[T]
    called: str
    remedy: str

    def path(self, root: Path, day: date) -> Path:
        """Return where that of a day lies."""
        return path_within(root, self.folder) / f"{day.isoformat()}{SUFFIX}"

    def store(self, root: Path, found: T) -> Path:
        """Put it in its place, whole or not at all, and return where; SinkError when that cannot be."""
        path = self.path(root, found.day)
        try:
            path.parent.mkdir(exist_ok=True)
            write_whole(path, as_json(found))
        except OSError as error:
            raise SinkError(f"the {self.called} of {found.day} cannot be kept: {error}") from error
        return path

    def load(self, root: Path, day: date) -> T | None:
        """Return that of a day; None when there is none. SinkError when the file holds something else."""
        path = self.path(root, day)
        try:
            return msgspec.json.decode(path.read_bytes(), type=self.kind)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            raise SinkError(f"{path} is no {self.called}: {error}; {self.remedy.format(day=day)}") from error

    def latest(self, root: Path) -> T | None:
        """Return that of the last day that has one; None when there is none. SinkError as `load`."""
        days = []
        for path in (root / self.folder).glob(f"*{SUFFIX}"):
            try:
                days.append(date.fromisoformat(path.name.removesuffix(SUFFIX)))
            except ValueError:
                continue  # not ours
        return self.load(root, max(days)) if days else None


def as_json(found: object) -> bytes:
    """Return a dataclass as an indented JSON object with a line end; its keys are the names of the fields."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
