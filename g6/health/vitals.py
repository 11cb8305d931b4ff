"""The process over its life so far, counted minute by minute."""

from collections import Counter, deque
from collections.abc import Callable

import psutil

from g6.clock import Clock
from g6.health.evidence import DiskReading
from g6.model.report import CycleReport
from g6.model.vitals import Vitals

KEPT_CYCLES = 60


class VitalsMeter:
    """Told of each report, it says how the process is. What cannot be read is None."""

    def __init__(self, clock: Clock, disk: Callable[[], DiskReading | None]) -> None:
        self._started_at = clock.now()
        self._disk = disk
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first reading has nothing to compare with
        self._counts: Counter[str] = Counter()
        self._seconds: deque[float] = deque(maxlen=KEPT_CYCLES)

    def after(self, report: CycleReport) -> Vitals:
        """Count a cycle and return the vitals."""
        self._counts[report.status] += 1
        self._counts["missed"] += report.missed_minutes
        self._seconds.append(report.seconds)
        rss, cpu, disk = self._rss(report), self._cpu(), self._disk()
        calls = [s for p in (report.market.providers if report.market else ()) for e in p.endpoints
                 for s in e.latencies_seconds]  # fmt: skip
        return Vitals(
            started_at=self._started_at,
            cycles=self._counts["ok"] + self._counts["partial"] + self._counts["failed"],
            ok=self._counts["ok"],
            partial=self._counts["partial"],
            failed=self._counts["failed"],
            missed=self._counts["missed"],
            cycle_seconds=tuple(self._seconds),
            call_seconds=tuple(calls),
            rss_bytes=rss,
            cpu_ratio=cpu,
            disk_free_bytes=disk.free_bytes if disk else None,
            disk_total_bytes=disk.total_bytes if disk else None,
        )

    def _rss(self, report: CycleReport) -> int | None:
        return report.pressure.rss_bytes or None if report.pressure else None

    def _cpu(self) -> float | None:
        try:
            return self._process.cpu_percent() / 100
        except psutil.Error:
            return None
