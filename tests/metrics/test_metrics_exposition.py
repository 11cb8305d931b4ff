"""The page /metrics is served whole, whatever a collector does."""

import logging
from collections.abc import Callable, Iterable, Iterator

import pytest
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from g6.metrics.exposition import Exposition
from g6.metrics.instruments import Instruments
from g6.metrics.observe import Observer
from g6.model.report import CycleReport

PROMETHEUS_ACCEPT = (  # what Prometheus 2.42 sends
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


class Broken(Collector):
    def collect(self) -> Iterable[Metric]:
        raise RuntimeError("the sensor fell off")


class BreaksHalfway(Collector):
    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("halfway", "half", value=1)
        raise KeyError("gone")


class NotANumber(Collector):
    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("wordy", "words")
        family.add_metric([], "many")  # type: ignore[arg-type]
        return [family]


class TakesAnothersName(Collector):
    def collect(self) -> Iterable[Metric]:
        return [GaugeMetricFamily("g6_journal_pending_cycles", "again", value=7)]


class Twice(Collector):
    def collect(self) -> Iterable[Metric]:
        return [GaugeMetricFamily("same", "same", value=1), GaugeMetricFamily("same", "same", value=2)]


class Fine(Collector):
    def collect(self) -> Iterable[Metric]:
        return [GaugeMetricFamily("fine", "fine", value=1)]


def values(page: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(page.decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


@pytest.fixture
def exposition(instruments: Instruments, observer: Observer, report: Callable[..., CycleReport]) -> Exposition:
    observer.cycle(report())
    return Exposition(instruments)


@pytest.mark.parametrize("broken", [Broken, BreaksHalfway, NotANumber, TakesAnothersName, Twice])
@pytest.mark.parametrize("accept", ["", PROMETHEUS_ACCEPT], ids=["plain", "openmetrics"])
def test_a_broken_collector_is_counted_and_costs_only_itself(
    exposition: Exposition, instruments: Instruments, broken: type[Collector], accept: str
) -> None:
    whole, _ = exposition.page(accept)
    instruments.registry.register(broken())
    instruments.registry.register(Fine())
    page, _ = exposition.page(accept)
    families = {line.split()[2] for line in whole.decode().splitlines() if line.startswith("# TYPE")}
    served = {line.split()[2] for line in page.decode().splitlines() if line.startswith("# TYPE")}
    assert served - families == {"fine"}
    assert families <= served
    assert b"g6_exporter_collector_errors_total 1.0\n" in page
    assert b"g6_journal_pending_cycles 0.0\n" in page


def test_a_page_on_which_everything_is_broken_still_tells_so() -> None:
    from g6.metrics.instruments import Known

    instruments = Instruments(Known(codes={}))
    own = instruments.collector("g6_exporter_collector_errors_total")
    for collector in instruments.registry.collectors:
        if collector is not own:
            instruments.registry.unregister(collector)
    instruments.registry.register(Broken())
    page, _ = Exposition(instruments).page()
    assert values(page) == {("g6_exporter_collector_errors_total", ()): 1.0}


def test_a_collector_that_stays_broken_is_logged_once_and_again_after_it_worked(
    exposition: Exposition, instruments: Instruments, caplog: pytest.LogCaptureFixture
) -> None:
    class Moody(Collector):
        mood = "bad"

        def collect(self) -> Iterable[Metric]:
            if self.mood == "bad":
                raise RuntimeError("not today")
            return []

    moody = Moody()
    instruments.registry.register(moody)
    with caplog.at_level(logging.ERROR):
        for mood in ("bad", "bad", "good", "bad"):
            moody.mood = mood
            exposition.page()
    assert [record.getMessage() for record in caplog.records] == ["Moody failed and is left out of /metrics"] * 2


def test_the_plain_page_says_what_the_clients_own_renderer_says(
    exposition: Exposition, instruments: Instruments
) -> None:
    page, content_type = exposition.page()
    reference = values(generate_latest(instruments.registry))
    changing = ("process_", "g6_exporter_")
    expected = {k: v for k, v in reference.items() if not k[0].endswith("_created") and not k[0].startswith(changing)}
    told = {k: v for k, v in values(page).items() if not k[0].startswith(changing)}
    assert told.keys() == expected.keys()
    assert told == pytest.approx(expected, nan_ok=True)
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_openmetrics_is_served_to_who_prefers_it(exposition: Exposition) -> None:
    page, content_type = exposition.page(PROMETHEUS_ACCEPT)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert page.endswith(b"# EOF\n")
    assert page.count(b"# EOF") == 1
    families = {family.name for family in parse_openmetrics(page.decode())}
    assert {"g6_cycles_started", "g6_cycle_duration_seconds", "g6_build_info"} <= families


@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "text/plain", "application/openmetrics-text;q=0.2,text/plain;q=0.9", "application/openmetrics-text;q=0",
     "text/plain;version=what", "application/openmetrics-text;q=rather", ";;;,,q=", "\x00"],
)  # fmt: skip
def test_everyone_else_gets_plain_text(exposition: Exposition, accept: str) -> None:
    assert exposition.page(accept)[1].startswith("text/plain; version=0.0.4")


def test_the_page_counts_its_own_renders(exposition: Exposition) -> None:
    first, _ = exposition.page()
    told = values(exposition.page()[0])
    assert told["g6_exporter_renders_total", (("page", "metrics"),)] == 1
    assert told["g6_exporter_page_bytes", (("page", "metrics"),)] == len(first)
    assert told["g6_exporter_render_seconds_total", (("page", "metrics"),)] > 0
