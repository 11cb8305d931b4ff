"""The page /metrics: rendered on each scrape, collector by collector, so that a broken one costs only itself."""

import copy
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from g6.metrics.instruments import Instruments
from g6.metrics.negotiation import quality

log = logging.getLogger(__name__)

PLAIN_CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
OPENMETRICS_CONTENT_TYPE = openmetrics.CONTENT_TYPE_LATEST
OPENMETRICS_END = b"# EOF\n"

Encoder = Callable[[Collector], bytes]


@dataclass(frozen=True, slots=True)
class _Families(Collector):
    families: tuple[Metric, ...]

    def collect(self) -> Iterable[Metric]:
        return self.families


class Exposition:
    """Renders a registry. It never raises: what cannot be rendered is left out, counted and logged once."""

    def __init__(self, instruments: Instruments) -> None:
        self._to = instruments
        # Rendered last, so that a page tells of its own failures.
        self._errors = instruments.collector("g6_exporter_collector_errors_total")
        self._failing: set[int] = set()

    def page(self, accept: str = "") -> tuple[bytes, str]:
        """Return the page and its content type: Prometheus text 0.0.4, or OpenMetrics 1.0 where Accept prefers it."""
        begun = time.perf_counter()
        wanted = quality(accept, "application/openmetrics-text")
        if wanted and wanted >= quality(accept, "text/plain"):
            body = b"".join(self._parts(_openmetrics)) + OPENMETRICS_END
            content_type = OPENMETRICS_CONTENT_TYPE
        else:
            body, content_type = b"".join(self._parts(generate_latest)), PLAIN_CONTENT_TYPE
        self._to.add("g6_exporter_renders_total", 1, "metrics")
        self._to.add("g6_exporter_render_seconds_total", time.perf_counter() - begun, "metrics")
        self._to.set("g6_exporter_page_bytes", len(body), "metrics")
        return body, content_type

    def _parts(self, encode: Encoder) -> Iterator[bytes]:
        taken: set[str] = set()
        others = [c for c in self._to.registry.collectors if c is not self._errors]
        for collector in (*others, self._errors):
            yield self._rendered(collector, encode, taken)

    def _rendered(self, collector: Collector, encode: Encoder, taken: set[str]) -> bytes:
        try:
            families = tuple(map(_without_created, collector.collect()))
            names = [family.name for family in families]
            if len(set(names)) < len(names) or not taken.isdisjoint(names):
                raise ValueError(f"one of {', '.join(names)} is on the page already")
            part = encode(_Families(families))
        except Exception as error:  # noqa: BLE001 - any collector may fail in any way, and the page must still be served
            self._failed(collector, error)
            return b""
        taken.update(names)
        self._failing.discard(id(collector))
        return part

    def _failed(self, collector: Collector, error: Exception) -> None:
        self._to.add("g6_exporter_collector_errors_total")
        if id(collector) not in self._failing:
            self._failing.add(id(collector))
            log.error("%s failed and is left out of /metrics", type(collector).__name__, exc_info=error)


def _without_created(family: Metric) -> Metric:
    """Leave out the instants of creation that the client adds to each counter: they double the page for nothing."""
    kept = copy.copy(family)
    kept.samples = [sample for sample in family.samples if sample.name != f"{family.name}_created"]
    return kept


def _openmetrics(collector: Collector) -> bytes:
    body: bytes = openmetrics.generate_latest(collector)  # type: ignore[no-untyped-call]  # the client has no types here
    return body.removesuffix(OPENMETRICS_END)
