"""The list of what a copy holds, with checksums: what makes a folder a backup, and how it is checked."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import orjson

from g6.errors import ConfigError
from g6.storage.data_directory import write_whole

MANIFEST = "manifest.json"
FORMAT = 1
# Made anew from the rest by whoever looks at the copy with `g6 verify` or `g6 report`: it may change, or be gone.
MADE_ANEW = ("verify/", "reports/")


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file of the copy: its path below the copy with slashes, its size, and its SHA-256 in hex."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CopiedJournal:
    """A journal of the copy: how many minutes it holds, and up to which seq."""

    minutes: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A finished copy. `made_at` is UTC; `journals` are by day; `troubles` could not be copied as they should."""

    format: int
    made_at: str
    g6: str
    files: tuple[CopiedFile, ...]
    journals: Mapping[str, CopiedJournal]
    troubles: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Return the size of all files together."""
        return sum(file.bytes for file in self.files)

    def write(self, folder: Path) -> None:
        """Put the manifest into the copy, durably; without one a folder is no backup."""
        document = orjson.dumps(msgspec.to_builtins(self), option=orjson.OPT_INDENT_2) + b"\n"
        write_whole(folder / MANIFEST, document)

    @property
    def lasting(self) -> tuple[CopiedFile, ...]:
        """Return the files that must be as they were copied: all but reports that are made anew."""
        return tuple(file for file in self.files if not file.path.startswith(MADE_ANEW))

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Return the manifest of a copy; ConfigError when there is none that this G6 understands."""
        path = folder / MANIFEST
        try:
            document: Any = orjson.loads(path.read_bytes())
            manifest = msgspec.convert(document, cls)
        except FileNotFoundError:
            raise ConfigError(f"{folder} is no finished backup: it has no {MANIFEST}") from None
        except (OSError, orjson.JSONDecodeError, msgspec.ValidationError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from error
        if manifest.format != FORMAT:
            raise ConfigError(f"{path} is of format {manifest.format}, this G6 knows {FORMAT}; use the G6 that made it")
        for file in manifest.files:
            _require_inside(path, file.path)
        return manifest

    def differences(self, folder: Path) -> Iterator[str]:
        """Yield, a line each, what in a folder is not as it was copied; files beside `lasting` are not looked at."""
        for file in self.lasting:
            path = folder / file.path
            if not path.is_file() or path.is_symlink():
                yield f"{file.path} is missing"
            elif path.stat().st_size != file.bytes:
                yield f"{file.path} has {path.stat().st_size} bytes, it had {file.bytes}"
            elif sha256_of(path) != file.sha256:
                yield f"{file.path} has changed: its checksum differs"


def is_backup(folder: Path) -> bool:
    """Return whether a folder is a finished copy, which is left as it is."""
    return (folder / MANIFEST).is_file()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_inside(manifest: Path, name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ConfigError(f"{manifest} names {name!r}, which leads out of the folder")
