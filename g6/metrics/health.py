"""How the agent is, as numbers: asked for at each scrape, so that a loop that hangs is seen hanging."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from g6.metrics.catalogue import HEALTH
from g6.metrics.instruments import Instruments
from g6.model.problem import Problem, Severity

COMPONENT, PROBLEMS = (row.name for row in HEALTH)
# What is unknown has no number: no comparison with it is true.
STATES: Mapping[str, float] = {"ok": 0.0, "degraded": 1.0, "down": 2.0, "unknown": float("nan")}
ORDER = ("unknown", "ok", "degraded", "down")
SEVERITIES: Sequence[Severity] = ("degraded", "down")


class HealthCollector(Collector):
    """The states of the components and the number of active problems, read from these two at each scrape.

    `states` returns component → ok, degraded, down or unknown; `problems` the active ones.
    """

    def __init__(self, states: Callable[[], Mapping[str, str]], problems: Callable[[], Sequence[Problem]]) -> None:
        self._states, self._problems = states, problems
        self._help = {row.name: row.help for row in HEALTH}

    def collect(self) -> Iterable[Metric]:
        """Return the two families."""
        states = GaugeMetricFamily(COMPONENT, self._help[COMPONENT], labels=("component",))
        for name, state in _worst(self._states()).items():
            states.add_metric((name,), STATES[state])
        counted = GaugeMetricFamily(PROBLEMS, self._help[PROBLEMS], labels=("severity",))
        active = [problem.severity for problem in self._problems()]
        for severity in SEVERITIES:
            counted.add_metric((severity,), active.count(severity))
        return states, counted


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
