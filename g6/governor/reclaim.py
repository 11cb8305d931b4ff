"""Giving memory back to the system after something was shed, and judging whether that did anything."""

import ctypes
import gc
from collections.abc import Callable

from g6.model.pressure_report import Reclaim

EFFECTIVE_RATIO = 0.05
LONGEST_WAIT_CYCLES = 64


def system_trim() -> Callable[[int], int] | None:
    """Return the C library's `malloc_trim`; None where it has none (musl, macOS).

    Without it, what the collector frees goes back as that allocator sees fit, which for large arrays is at once.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return lambda keep_bytes: int(trim(keep_bytes))


TRIM = system_trim()


def collect_and_trim() -> None:
    """Break reference cycles, then hand the allocator's free pages back."""
    gc.collect()
    if TRIM:
        TRIM(0)


class Reclaimer:
    """When to give memory back: after a cycle that ran at a higher level than the one before, and while it helps.

    What was shed must be gone first, or there is nothing to give. An attempt that frees less than a twentieth of what
    was resident doubles the cycles until the next one, up to 64; one that frees more allows the next cycle's.
    """

    def __init__(self, rss_bytes: Callable[[], int | None], give_back: Callable[[], None] = collect_and_trim) -> None:
        self._rss_bytes = rss_bytes
        self._give_back = give_back
        self._level = 0
        self._wait_cycles = 0
        self._back_off_cycles = 1

    def begin_cycle(self, level: int) -> None:
        """Note the level that the cycle runs at."""
        if level > self._level:
            self._wait_cycles = 0
        elif level == 0:
            self._back_off_cycles = 1
        else:
            self._wait_cycles = max(0, self._wait_cycles - 1)
        self._level = level

    def attempt(self) -> Reclaim | None:
        """Give memory back if that is due, and judge it; None otherwise. To be called when a cycle has ended."""
        if self._level == 0 or self._wait_cycles:
            return None
        before = self._rss_bytes()
        self._give_back()
        after = self._rss_bytes()
        freed = max(0, before - after) if before is not None and after is not None else 0
        effective = bool(before) and freed >= EFFECTIVE_RATIO * (before or 0)
        self._back_off_cycles = 1 if effective else min(2 * self._back_off_cycles, LONGEST_WAIT_CYCLES)
        self._wait_cycles = self._back_off_cycles
        return Reclaim(freed, effective)
