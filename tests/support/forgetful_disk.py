"""A disk in memory that knows what was synced, and what a power cut may leave of the rest.

Pessimistic where POSIX allows it. Of a file's unsynced writes any page (4096 bytes) may have reached the disk in any
of its later versions or not at all; its size may be any that it has had since, and a page that the size covers and
that was never written is zeros. Of unsynced names (created, renamed, removed) those up to some moment survive; a file
that was synced is lost all the same when its name was not. After a sync that failed, what it should have written is
clean in memory and not on the disk: a later sync that succeeds does not bring it back, as on Linux.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

PAGE = 4096
DIRECTORY = 0  # stands for a directory where a name leads to an inode's number


class Write(NamedTuple):
    offset: int
    data: bytes

    def to(self, content: bytearray) -> None:
        if len(content) < self.offset:
            content.extend(bytes(self.offset - len(content)))
        content[self.offset : self.offset + len(self.data)] = self.data


class Truncate(NamedTuple):
    size: int

    def to(self, content: bytearray) -> None:
        content.extend(bytes(max(0, self.size - len(content))))
        del content[self.size :]


@dataclass
class Inode:
    """A file's content as programs read it, as the disk has it, and what lies between."""

    live: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    changes: list[Write | Truncate] = field(default_factory=list)  # since the last sync, be it one that failed
    dirty: set[int] = field(default_factory=set)  # pages that a sync would write

    def change(self, change: Write | Truncate) -> None:
        before = len(self.live)
        change.to(self.live)
        begin = min(before, change.offset if isinstance(change, Write) else change.size)
        end = max(before if isinstance(change, Truncate) else change.offset + len(change.data), begin + 1)
        self.dirty.update(range(begin // PAGE, (end - 1) // PAGE + 1))
        self.changes.append(change)

    def sync(self) -> None:
        content = resized(self.durable, len(self.live))
        for page in self.dirty:
            content[page * PAGE : (page + 1) * PAGE] = self.live[page * PAGE : (page + 1) * PAGE]
        self.durable = bytes(content)
        self.forget_changes()

    def forget_changes(self) -> None:
        self.changes, self.dirty = [], set()

    def survivor(self, choice: random.Random) -> bytes:
        """One of the contents that a power cut may leave."""
        if not self.changes:
            return self.durable
        versions = [self.durable]
        content = bytearray(self.durable)
        for change in self.changes:
            change.to(content)
            versions.append(bytes(content))
        size = len(choice.choice(versions))
        reached = choice.random()  # how busy the disk was with writing back
        return b"".join([page_of(versions, at, choice, reached) for at in range(0, size, PAGE)])[:size]


def page_of(versions: list[bytes], at: int, choice: random.Random, reached: float) -> bytes:
    """One of the versions of a page. To cut a file off in front of it writes nothing to it."""
    known = [version[at : at + PAGE] for version in versions if at < len(version)] or [b""]
    written = len(versions[0]) > at
    older = known[0] if written else b""
    return (choice.choice(known) if choice.random() < reached else older).ljust(PAGE, b"\0")


class Name(NamedTuple):
    """A change of names: these lead nowhere any more, these to these inodes."""

    removed: tuple[str, ...]
    added: tuple[tuple[str, int], ...]

    def to(self, names: dict[str, int]) -> None:
        for path in self.removed:
            names.pop(path, None)
        names.update(self.added)

    def is_in(self, folder: str) -> bool:
        return any(parent(path) == folder for path in (*self.removed, *(path for path, _ in self.added)))


class Disk:
    """Paths are relative to its top, which is "."; inodes are numbers."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.inodes: dict[int, Inode] = {}
        self._durable_names: dict[str, int] = {}
        self._unsynced_names: list[Name] = []

    def create(self, path: str) -> int:
        number = len(self.inodes) + 1
        self.inodes[number] = Inode()
        self._rename((), ((path, number),))
        return number

    def mkdir(self, path: str) -> None:
        self._rename((), ((path, DIRECTORY),))

    def remove(self, path: str) -> None:
        self._rename((path,), ())

    def rename(self, before: str, after: str) -> None:
        self._rename((before,), ((after, self.names[before]),))

    def write(self, inode: int, offset: int, data: bytes) -> None:
        self.inodes[inode].change(Write(offset, data))

    def truncate(self, inode: int, size: int) -> None:
        self.inodes[inode].change(Truncate(size))

    def sync(self, inode: int) -> None:
        self.inodes[inode].sync()

    def fail_to_sync(self, inode: int) -> None:
        self.inodes[inode].forget_changes()

    def sync_directory(self, folder: str) -> None:
        now = [change for change in self._unsynced_names if change.is_in(folder)]
        self._unsynced_names = [change for change in self._unsynced_names if change not in now]
        for change in now:
            change.to(self._durable_names)

    def sync_all(self) -> None:
        for inode in self.inodes.values():
            inode.sync()
        self._durable_names, self._unsynced_names = dict(self.names), []

    def fail_to_sync_all(self) -> None:
        for inode in self.inodes.values():
            inode.forget_changes()

    def live_files(self) -> dict[str, bytes]:
        return {path: bytes(self.inodes[n].live) for path, n in self.names.items() if n != DIRECTORY}

    def cut(self, seed: int | None) -> dict[str, bytes | None]:
        """Return what a power cut leaves: path → content, None for a directory; without a seed only what was synced."""
        names = dict(self._durable_names)
        if seed is None:
            found = {path: n if n == DIRECTORY else self.inodes[n].durable for path, n in names.items()}
        else:
            choice = random.Random(seed)
            for change in self._unsynced_names[: choice.randint(0, len(self._unsynced_names))]:
                change.to(names)
            found = {path: n if n == DIRECTORY else self.inodes[n].survivor(choice) for path, n in names.items()}
        reachable = {path for path in found if all(names.get(above) == DIRECTORY for above in parents(path))}
        return {path: None if content == DIRECTORY else content for path, content in found.items() if path in reachable}

    def load(self, root: Path) -> None:
        """Begin with the files of a folder, all of them durable."""
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_dir():
                self.mkdir(name)
            else:
                self.write(self.create(name), 0, path.read_bytes())
        self.sync_all()

    def _rename(self, removed: tuple[str, ...], added: tuple[tuple[str, int], ...]) -> None:
        change = Name(removed, added)
        change.to(self.names)
        self._unsynced_names.append(change)


def put_down(files: dict[str, bytes | None], root: Path) -> Path:
    """Write the files that survived into a folder, and return it."""
    root.mkdir(parents=True)
    for path in sorted(files):
        content = files[path]
        if content is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(content)
    return root


def resized(content: bytes, size: int) -> bytearray:
    return bytearray(content[:size].ljust(size, b"\0"))


def parent(path: str) -> str:
    return str(PurePosixPath(path).parent)


def parents(path: str) -> Iterator[str]:
    return (str(above) for above in PurePosixPath(path).parents if str(above) != ".")
