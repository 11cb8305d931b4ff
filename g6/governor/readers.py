"""What the system says of memory. Each reading may be missing (None), and none raises.

Linux answers by small files below a root that tests replace by a folder; elsewhere psutil does, which knows resident
and unique memory and the machine's total, and neither control groups nor stalls.
"""

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import psutil

from g6.governor.files import number_at, text_of, whole_number
from g6.governor.groups import Groups, find_groups
from g6.governor.limits import Limit, group_limits

PRIVATE_KEYS = ("Private_Clean:", "Private_Dirty:", "Private_Hugetlb:")


class Readers(Protocol):
    """Where the governor gets its numbers."""

    def rss_bytes(self) -> int | None:
        """Return the resident memory of this process."""
        ...

    def limits(self) -> Sequence[Limit]:
        """Return what the control groups and the machine allow."""
        ...

    def stalled_ratio(self) -> float | None:
        """Return the share of the last 10 s in which some task waited for memory (PSI `some avg10`)."""
        ...

    def high_events(self) -> int | None:
        """Return how often a group was slowed for being above its `memory.high`."""
        ...

    def uss_bytes(self) -> int | None:
        """Return what this process alone holds; costs a walk over its mappings."""
        ...


class Counts(Protocol):
    """What a system without /proc still knows; None for what it does not."""

    def rss_bytes(self) -> int | None:
        """Return resident memory."""
        ...

    def uss_bytes(self) -> int | None:
        """Return unique memory."""
        ...

    def total_bytes(self) -> int | None:
        """Return the machine's memory."""
        ...


class PsutilCounts:
    """Counts by psutil."""

    def rss_bytes(self) -> int | None:
        """Return resident memory."""
        return _asked(lambda: psutil.Process().memory_info().rss)

    def uss_bytes(self) -> int | None:
        """Return unique memory."""
        return _asked(lambda: psutil.Process().memory_full_info().uss)

    def total_bytes(self) -> int | None:
        """Return the machine's memory."""
        return _asked(lambda: psutil.virtual_memory().total)


class SystemReaders:
    """Readers of this machine, or of a folder that looks like one; `counts` stands in for files that are absent."""

    def __init__(self, root: Path = Path("/"), counts: Counts | None = None, page_bytes: int | None = None) -> None:
        self._root = root
        self._proc = root / "proc/self"
        self._counts = counts
        self._page_bytes = page_bytes or os.sysconf("SC_PAGE_SIZE")
        self._membership, self._found = "", Groups()

    def rss_bytes(self) -> int | None:
        """Return the resident memory of this process, the second number of statm."""
        words = text_of(self._proc / "statm").split()
        pages = whole_number(words[1]) if len(words) > 1 else None
        if pages is not None:
            return pages * self._page_bytes
        return self._counts.rss_bytes() if self._counts else None

    def limits(self) -> Sequence[Limit]:
        """Return what the control groups allow, the own one first, and then the machine."""
        total = self._total_bytes()
        machine = [Limit(total, "machine")] if total else []
        return (*group_limits(self._groups()), *machine)

    def stalled_ratio(self) -> float | None:
        """Return PSI of the own group where there is one (version 2), otherwise of the machine."""
        own = [folder / "memory.pressure" for folder in self._groups().v2[:1]]
        for path in (*own, self._root / "proc/pressure/memory"):
            ratio = _some_avg10(text_of(path))
            if ratio is not None:
                return ratio
        return None

    def high_events(self) -> int | None:
        """Return the times that the own group and those above it were above `memory.high`, together.

        `memory.events` counts the groups below as well: above the own group that would be neighbours, so there it is
        `memory.events.local`.
        """
        folders = self._groups().v2
        names = ("memory.events", *["memory.events.local"] * len(folders))
        texts = (text_of(folder / name) for folder, name in zip(folders, names, strict=False))
        counts = [count for text in texts if (count := number_at(text, "high")) is not None]
        return sum(counts) if counts else None

    def uss_bytes(self) -> int | None:
        """Return the private memory of smaps_rollup."""
        text = text_of(self._proc / "smaps_rollup")
        private = [kilobytes for key in PRIVATE_KEYS if (kilobytes := number_at(text, key)) is not None]
        if private:
            return sum(private) * 1024
        return self._counts.uss_bytes() if self._counts else None

    def _total_bytes(self) -> int | None:
        kilobytes = number_at(text_of(self._root / "proc/meminfo"), "MemTotal:")
        if kilobytes is not None:
            return kilobytes * 1024
        return self._counts.total_bytes() if self._counts else None

    def _groups(self) -> Groups:
        """Return the groups; searched for anew when the process was moved to others."""
        membership = text_of(self._proc / "cgroup")
        if membership != self._membership:
            self._membership, self._found = membership, find_groups(self._root, membership)
        return self._found


def this_machine() -> SystemReaders:
    """Return the readers of the machine that this runs on."""
    return SystemReaders(counts=PsutilCounts())


def _some_avg10(text: str) -> float | None:
    """Return the share of `some avg10=12.34 …`, which is in percent."""
    for line in text.splitlines():
        if line.startswith("some avg10="):
            try:
                percent = float(line.split()[1].removeprefix("avg10="))
            except ValueError:
                return None
            return percent / 100 if math.isfinite(percent) and 0 <= percent <= 100 else None
    return None


def _asked(question: Callable[[], int]) -> int | None:
    try:
        return question()
    except (psutil.Error, OSError, NotImplementedError):
        return None
