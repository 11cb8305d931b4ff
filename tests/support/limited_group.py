"""A control group with a memory limit that the kernel enforces, made below the one that the tests run in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from g6.governor.files import number_at, text_of
from g6.governor.groups import find_groups


@dataclass(frozen=True)
class Group:
    """The group's folder, the file in it that holds the limit, and what the governor calls that limit."""

    folder: Path
    file: Path
    source: str

    def killed(self) -> list[int]:
        """How many processes the kernel killed in it, by whichever file tells."""
        told = [number_at(text_of(self.folder / name), "oom_kill") for name in ("memory.oom_control", "memory.events")]
        return [count for count in told if count is not None]


@contextmanager
def limited_group(limit_bytes: int) -> Iterator[Group]:
    """Make a group for a while; skip the test where none can be made."""
    groups = find_groups(Path("/"), text_of(Path("/proc/self/cgroup")))
    places = [(folder, "memory.limit_in_bytes", "cgroup v1 limit") for folder in groups.v1_memory[:1]]
    places += [(folder, "memory.max", "cgroup v2 memory.max") for folder in groups.v2[:1]]
    for parent, file, source in places:
        folder = parent / f"g6-test-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            if (folder / file).exists() and _limited(folder / file, limit_bytes):
                yield Group(folder, folder / file, source)
                return
        finally:
            folder.rmdir()
    pytest.skip("no control group with a memory limit can be made here")


def _limited(file: Path, limit_bytes: int) -> bool:
    try:
        file.write_text(str(limit_bytes))
    except OSError:
        return False
    return True
