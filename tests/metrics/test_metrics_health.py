"""How the agent is, as numbers: one series a kind of component, read when the page is."""

from prometheus_client.parser import text_string_to_metric_families

from g6.clock import IST
from g6.health.evidence import DiskReading
from g6.metrics.exposition import Exposition
from g6.metrics.health import HealthCollector, collector_errors
from g6.metrics.instruments import Instruments, Known
from g6.model.problem import Problem

STATES = {"loop": "ok", "sink:csv": "ok", "sink:influx": "degraded", "disk": "down", "clock": "unknown"}


def values(page: bytes, name: str) -> dict[str, float]:
    families = text_string_to_metric_families(page.decode())
    samples = [sample for family in families if family.name == name for sample in family.samples]
    return {next(iter(sample.labels.values())): sample.value for sample in samples}


def problem(severity: str) -> Problem:
    from datetime import datetime

    return Problem("disk_low", severity, "x", datetime(2026, 11, 20, tzinfo=IST), ())  # type: ignore[arg-type]


def test_the_worst_of_a_kind_is_its_state_and_what_is_unknown_has_no_number() -> None:
    instruments = Instruments(Known(codes={}))
    told = dict(STATES)
    instruments.registry.register(HealthCollector(lambda: told, lambda: [problem("down"), problem("degraded")] * 2))
    page = Exposition(instruments)
    states = values(page.page()[0], "g6_component_state")
    unknown = states.pop("clock")
    assert unknown != unknown
    assert states == {"loop": 0, "sink": 1, "disk": 2}
    assert values(page.page()[0], "g6_problems_active") == {"degraded": 2, "down": 2}
    told["disk"] = "ok"
    assert values(page.page()[0], "g6_component_state")["disk"] == 0, "asked anew at each scrape"


def test_the_order_in_which_components_come_does_not_matter() -> None:
    instruments = Instruments(Known(codes={}))
    instruments.registry.register(HealthCollector(lambda: {"a:1": "down", "a:2": "ok", "a:3": "unknown"}, list))
    assert values(Exposition(instruments).page()[0], "g6_component_state") == {"a": 2}


def test_a_collector_that_fails_is_counted_where_health_reads_it() -> None:
    class Broken(HealthCollector):
        def collect(self) -> list[object]:  # type: ignore[override]
            raise RuntimeError("ill")

    instruments = Instruments(Known(codes={}))
    instruments.registry.register(Broken(dict, list))
    exposition = Exposition(instruments)
    assert collector_errors(instruments) == 0
    exposition.page()
    exposition.page()
    assert collector_errors(instruments) == 2


def test_a_problem_is_one_while_it_is_active_and_the_disk_is_what_was_read() -> None:
    active, disk = [problem("down")], [DiskReading(7, 9)]
    instruments = Instruments(Known(codes={}))
    collector = HealthCollector(dict, lambda: active, ("disk_low", "disk_full"), lambda: disk[0] if disk else None)
    instruments.registry.register(collector)
    page = Exposition(instruments)
    assert values(page.page()[0], "g6_problem_active") == {"disk_low": 1, "disk_full": 0}
    assert b"g6_disk_free_bytes 7.0" in page.page()[0]
    assert b"g6_disk_total_bytes 9.0" in page.page()[0]
    active.clear()
    disk.clear()
    assert values(page.page()[0], "g6_problem_active") == {"disk_low": 0, "disk_full": 0}
    assert b"g6_disk_free_bytes NaN" in page.page()[0]
