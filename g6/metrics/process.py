"""What the agent costs its machine, under the names that every Prometheus client uses."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
from prometheus_client import Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from g6.metrics.catalogue import PROCESS

HELP = {row.name: row.help for row in PROCESS}


def process_collector(proc: Path = Path("/proc")) -> Collector:
    """Return the client's own collector, or one by psutil where there is no /proc (macOS)."""
    if (proc / "self" / "stat").exists():
        return ProcessCollector(registry=None)
    return PsutilProcess()


class PsutilProcess(Collector):
    """Memory, processor time and start of this process, by psutil."""

    def __init__(self) -> None:
        self._process = psutil.Process()

    def collect(self) -> Iterable[Metric]:
        """Return the families as they stand now."""
        return list(self._families())

    def _families(self) -> Iterator[Metric]:
        with self._process.oneshot():
            memory, times = self._process.memory_info(), self._process.cpu_times()
            yield _gauge("process_resident_memory_bytes", memory.rss)
            yield _gauge("process_virtual_memory_bytes", memory.vms)
            yield _gauge("process_start_time_seconds", self._process.create_time())
            name = "process_cpu_seconds_total"
            yield CounterMetricFamily(name, HELP[name], value=times.user + times.system)


def _gauge(name: str, value: float) -> Metric:
    return GaugeMetricFamily(name, HELP[name], value=value)
