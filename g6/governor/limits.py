"""How much memory there may be, and who says so."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from g6.governor.files import number_at, text_of, whole_number
from g6.governor.groups import Groups

# Version 1 has no word for "none": it shows the largest number of whole pages in 63 bits. Nobody has an exbibyte.
UNLIMITED_BYTES = 1 << 60

V2_FILES = ("memory.max", "memory.high")


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit and its source, in the words of `PressureReport.limit_source`."""

    bytes: int
    source: str


def group_limits(groups: Groups) -> Iterator[Limit]:
    """Yield every limit of the own control group and those above it, which bind as well."""
    for folder in groups.v2:
        for name in V2_FILES:
            yield from _limit(whole_number(text_of(folder / name)), f"cgroup v2 {name}")
    for folder in groups.v1_memory:
        yield from _limit(whole_number(text_of(folder / "memory.limit_in_bytes")), "cgroup v1 limit")
    for folder in groups.v1_memory[:1]:  # the kernel's own sum of all above, also of those outside a container
        stat = text_of(folder / "memory.stat")
        yield from _limit(number_at(stat, "hierarchical_memory_limit"), "cgroup v1 limit")


def smallest(limits: Iterable[Limit]) -> Limit | None:
    """Return the limit that binds; of equal ones the first; None without any."""
    return min(limits, key=lambda limit: limit.bytes, default=None)


def _limit(size: int | None, source: str) -> Iterator[Limit]:
    if size is not None and 0 < size < UNLIMITED_BYTES:
        yield Limit(size, source)
