"""How the agent is, as numbers: asked for at each scrape, so that a loop that hangs is seen hanging."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from g6.metrics.catalogue import HEALTH
from g6.metrics.instruments import Instruments
from g6.model.problem import Problem, Severity

COMPONENT, PROBLEMS, PROBLEM, DISK_FREE, DISK_TOTAL = (row.name for row in HEALTH)
# What is unknown has no number: no comparison with it is true.
STATES: Mapping[str, float] = {"ok": 0.0, "degraded": 1.0, "down": 2.0, "unknown": float("nan")}
ORDER = ("unknown", "ok", "degraded", "down")
NAN = float("nan")
SEVERITIES: Sequence[Severity] = ("degraded", "down")


class Disk(Protocol):
    """What is free where the data lies, and how much there is in all."""

    @property
    def free_bytes(self) -> int:
        """Return what may still be written."""
        ...

    @property
    def total_bytes(self) -> int:
        """Return the size of the disk."""
        ...


class HealthCollector(Collector):
    """The states of the components, the active problems and the disk, read from these at each scrape.

    `states` returns component → ok, degraded, down or unknown; `problems` the active ones, of these `kinds`; `disk`
    what is free, None where it cannot be read.
    """

    def __init__(
        self,
        states: Callable[[], Mapping[str, str]],
        problems: Callable[[], Sequence[Problem]],
        kinds: Sequence[str] = (),
        disk: Callable[[], Disk | None] = lambda: None,
    ) -> None:
        self._states, self._problems, self._kinds, self._disk = states, problems, kinds, disk
        self._help = {row.name: row.help for row in HEALTH}

    def collect(self) -> Iterable[Metric]:
        """Return the families."""
        active = self._problems()
        severities = [problem.severity for problem in active]
        ids = {problem.id for problem in active}
        disk = self._disk()
        return (
            self._family(COMPONENT, "component", {n: STATES[state] for n, state in _worst(self._states()).items()}),
            self._family(PROBLEMS, "severity", {name: severities.count(name) for name in SEVERITIES}),
            self._family(PROBLEM, "problem", {kind: float(kind in ids) for kind in self._kinds}),
            GaugeMetricFamily(DISK_FREE, self._help[DISK_FREE], value=disk.free_bytes if disk else NAN),
            GaugeMetricFamily(DISK_TOTAL, self._help[DISK_TOTAL], value=disk.total_bytes if disk else NAN),
        )

    def _family(self, name: str, label: str, values: Mapping[str, float]) -> Metric:
        family = GaugeMetricFamily(name, self._help[name], labels=(label,))
        for value, number in values.items():
            family.add_metric((value,), number)
        return family


def _worst(states: Mapping[str, str]) -> Mapping[str, str]:
    """Return one state a kind: `sink:csv` and `sink:influx` are one series, their own metrics tell them apart."""
    worst: dict[str, str] = {}
    for component, state in states.items():
        kind = component.partition(":")[0]
        worst[kind] = max(worst.get(kind, "unknown"), state, key=ORDER.index)
    return worst


def collector_errors(instruments: Instruments) -> int:
    """Return how many times a collector was left out of a page since the start."""
    counter = instruments.collector("g6_exporter_collector_errors_total")
    return int(sum(s.value for family in counter.collect() for s in family.samples if s.name.endswith("_total")))
