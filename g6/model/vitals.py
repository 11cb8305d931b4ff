"""The process over its life so far: cycles, times, memory, processor and disk. Read by panels and the status."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Vitals:
    """Taken after a cycle. Shares are 0 to 1, None is what could not be read."""

    started_at: datetime
    cycles: int
    ok: int
    partial: int
    failed: int
    missed: int
    cycle_seconds: tuple[float, ...]  # the last 60, oldest first
    call_seconds: tuple[float, ...]  # latencies of the last cycle's provider calls
    rss_bytes: int | None
    cpu_ratio: float | None  # of one processor, since the vitals before
    disk_free_bytes: int | None
    disk_total_bytes: int | None
