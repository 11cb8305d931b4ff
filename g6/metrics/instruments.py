"""The catalogue made countable: a registry of G6's own, with every known series in it from the start."""

import itertools
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.registry import Collector

from g6.metrics.catalogue import (
    BUCKETS,
    DERIVABLE_AGGREGATES,
    HEALTH,
    PAIR,
    PROCESS,
    Metric,
    with_aggregates,
)
from g6.model.anomaly import SERIES as ANOMALY_SERIES
from g6.model.chain import IV_STATUSES, LEG_DEFECTS
from g6.model.columns import Aggregate
from g6.model.pressure_report import LEVEL_REASONS, SHED_KINDS
from g6.model.provider_report import FAILURE_KINDS, TokenState

log = logging.getLogger(__name__)

SKIP_REASONS = ("closed", "overrun", "clock")
PAGES = ("metrics", "options")
REMOVED_KINDS = ("csv", "journal")
OTHER = "other"
# What is left of 500 series for aggregates: seventeen of them with six indices and sixteen pairs of index and code.
AGGREGATE_SERIES = 272


@dataclass(frozen=True, slots=True)
class Known:
    """The label values that are known before the first cycle; each has its series at 0 from the start."""

    codes: Mapping[str, tuple[str, ...]]  # index → the expiry codes collected of it
    stages: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    series: tuple[str, ...] = ANOMALY_SERIES  # what may be out of the ordinary
    refusal_reasons: tuple[str, ...] = ()  # any other reason is counted as "other"
    aggregates: tuple[Aggregate, ...] = ()
    measures: tuple[Aggregate, ...] = ()  # of chains, indices and the market; /metrics/options has what /metrics lacks
    aggregate_series: int = AGGREGATE_SERIES

    @property
    def exported(self) -> tuple[Aggregate, ...]:
        """Return the aggregates that have a gauge: the first ones, as many as `aggregate_series` has room for."""
        return self._wanted[: self.aggregate_series // max(1, len(self.pairs))]

    @property
    def crowded_out(self) -> tuple[str, ...]:
        """Return the names of aggregates for which there is no room."""
        return tuple(aggregate.name for aggregate in self._wanted[len(self.exported) :])

    @property
    def _wanted(self) -> tuple[Aggregate, ...]:
        return tuple(a for a in self.aggregates if a.name not in DERIVABLE_AGGREGATES)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return every (index, expiry code)."""
        return tuple((index, code) for index, codes in self.codes.items() for code in codes)

    def label_sets(self, row: Metric) -> Iterator[tuple[str, ...]]:
        """Yield the label values of a metric's known series."""
        if row.labels == PAIR:
            return iter(self.pairs)
        return itertools.product(*(self._values(row, label) for label in row.labels))

    def _values(self, row: Metric, label: str) -> tuple[str, ...]:
        reasons = SKIP_REASONS if row.name == "g6_cycles_skipped_total" else (*self.refusal_reasons, OTHER)
        reasons = LEVEL_REASONS if row.name == "g6_governor_transitions_total" else reasons
        special = {"g6_retention_removed_bytes_total": REMOVED_KINDS, "g6_governor_shed": SHED_KINDS}
        kinds = special.get(row.name, FAILURE_KINDS)
        values: Mapping[str, tuple[str, ...]] = {
            "index": tuple(self.codes), "stage": self.stages, "sink": self.sinks, "exchange": self.exchanges,
            "reason": reasons, "defect": LEG_DEFECTS[1:], "status": IV_STATUSES, "page": PAGES,
            "provider": self.providers, "endpoint": self.endpoints, "kind": kinds,
            "account": self.accounts, "state": get_args(TokenState), "connection": self.connections,
            "series": self.series,
        }  # fmt: skip
        return values[label]


class Registry(CollectorRegistry):
    """A collector registry that can be walked collector by collector, so that one may fail alone."""

    def __init__(self) -> None:
        super().__init__(auto_describe=False)
        self._in_order: tuple[Collector, ...] = ()

    def register(self, collector: Collector) -> None:
        """Add a collector; raises ValueError when one of its names is taken."""
        super().register(collector)
        self._in_order = (*self._in_order, collector)

    def unregister(self, collector: Collector) -> None:
        """Remove a collector."""
        super().unregister(collector)
        self._in_order = tuple(c for c in self._in_order if c is not collector)

    @property
    def collectors(self) -> tuple[Collector, ...]:
        """Return the collectors in the order in which they were added."""
        return self._in_order


class Instruments:
    """One counter, gauge or histogram per row of the catalogue, told by name. A name that is no row raises KeyError."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.registry = Registry()
        self._metrics: dict[str, Counter | Gauge | Histogram] = {}
        self._absent: set[str] = set()  # registered with their first value
        self._infos: dict[str, tuple[str, ...]] = {}
        own = {row.name for row in (*HEALTH, *PROCESS)}
        if known.crowded_out:
            log.warning("/metrics has no room for %s; the files have them", ", ".join(known.crowded_out))
        for row in with_aggregates(known.exported):
            if row.name not in own:
                self._metrics[row.name] = self._made(row)

    def add(self, name: str, amount: float = 1, *labels: str) -> None:
        """Count up."""
        metric = self._child(name, labels)
        assert isinstance(metric, Counter)  # noqa: S101 - a row's type is fixed; tells the type checker
        metric.inc(amount)

    def set(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge. One that was absent appears with its first value."""
        metric = self._child(name, labels)
        assert isinstance(metric, Gauge)  # noqa: S101 - as above
        metric.set(value)
        self._appear(name)

    def follow(self, name: str, value: Callable[[], float], *labels: str) -> None:
        """Let a gauge take its value at each scrape. One that was absent appears."""
        metric = self._child(name, labels)
        assert isinstance(metric, Gauge)  # noqa: S101 - as above
        metric.set_function(value)
        self._appear(name)

    def only(self, name: str, *labels: str) -> None:
        """Set an `_info` gauge to 1 for these label values and remove every other of its series."""
        if self._infos.get(name) != labels:
            self._infos[name] = labels
            self._metrics[name].clear()
            self.set(name, 1, *labels)

    def observe(self, name: str, value: float) -> None:
        """Put a value into a histogram."""
        metric = self._child(name, ())
        assert isinstance(metric, Histogram)  # noqa: S101 - as above
        metric.observe(value)

    def _appear(self, name: str) -> None:
        if name in self._absent:
            self._absent.discard(name)
            self.registry.register(self._metrics[name])

    def collector(self, name: str) -> Collector:
        """Return the collector behind a name."""
        return self._metrics[name]

    def _child(self, name: str, labels: tuple[str, ...]) -> Counter | Gauge | Histogram:
        metric = self._metrics[name]
        return metric.labels(*labels) if labels else metric

    def _made(self, row: Metric) -> Counter | Gauge | Histogram:
        metric = _new(row)
        if row.start == "absent":
            self._absent.add(row.name)
        else:
            self.registry.register(metric)
            for labels in self.known.label_sets(row):
                child = metric.labels(*labels) if labels else metric
                if row.start == "NaN" and isinstance(child, Gauge):
                    child.set(math.nan)
        return metric


def _new(row: Metric) -> Counter | Gauge | Histogram:
    if row.type == "histogram":
        return Histogram(row.name, row.help, row.labels, registry=None, buckets=BUCKETS[row.name])
    kind = Counter if row.type == "counter" else Gauge
    return kind(row.name, row.help, row.labels, registry=None)
