"""The catalogue is what is served: names frozen, documented, within budget, and the same on the page."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from g6.analytics import CORE
from g6.metrics import catalogue
from g6.metrics.catalogue import CATALOGUE, aggregate_metric, on_options_page
from g6.metrics.exposition import Exposition
from g6.metrics.health import HealthCollector
from g6.metrics.instruments import Instruments, Known
from g6.metrics.naming import metric_name, unit_suffix
from g6.metrics.observe import Observer
from g6.model.chain import LEG_COLUMNS
from g6.model.closing_report import ClosingReport
from g6.model.columns import Aggregate
from g6.model.participants_report import ParticipantsReport
from g6.model.report import CycleReport

ALL = (*CATALOGUE, *on_options_page())
LARGEST_PAGE_SERIES = 600  # without a broker
BROKER_SERIES = 150  # that one adds: three providers, two accounts, three connections


def series_of(page: bytes) -> Counter[str]:
    """Series per family, as the plain page spells the family's name in its TYPE line."""
    counted: Counter[str] = Counter()
    for family in text_string_to_metric_families(page.decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        counted[name] += len(family.samples)
    return counted


def test_no_name_that_was_ever_published_disappears() -> None:
    frozen = Path(__file__).with_name("frozen_names.txt").read_text().split()
    assert [name for name in frozen if name not in {row.name for row in ALL}] == []


def test_every_name_is_frozen_once_it_is_published() -> None:
    frozen = Path(__file__).with_name("frozen_names.txt").read_text().split()
    assert [row.name for row in ALL if row.name not in frozen] == []


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(row.name for row in ALL).items() if count > 1] == []


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_a_row_follows_the_conventions(row: catalogue.Metric) -> None:
    assert row.name.startswith(("g6_", "process_"))
    assert row.name.endswith("_total") == (row.type == "counter")
    if row.name.endswith("_timestamp_seconds"):
        assert row.type == "gauge"
        assert row.start == "absent"
    if row.type == "counter":
        assert row.start == "0"
    assert row.help


def test_six_indices_stay_within_their_series_and_a_broker_within_its_own(
    known: Known, report: Callable[..., CycleReport], health: HealthCollector
) -> None:
    without = dataclasses.replace(known, providers=("simulated",), endpoints=(), accounts=(), connections=())
    for labels, told, most in [
        (without, report(market=None), LARGEST_PAGE_SERIES),
        (known, report(), LARGEST_PAGE_SERIES + BROKER_SERIES),
    ]:
        instruments = Instruments(labels)
        instruments.registry.register(health)
        observer, exposition = Observer(instruments, version="1"), Exposition(instruments)
        assert sum(series_of(exposition.page()[0]).values()) <= most
        observer.session({"NSE": True, "BSE": True}, told.minute.date())
        observer.follow_next_open(lambda: 60.0)
        observer.participants(ParticipantsReport(dict.fromkeys(("oi", "volume", "cash"), told.minute.date())))
        observer.cycle(told)
        assert sum(series_of(exposition.page()[0]).values()) <= most


def test_every_metric_stays_within_its_budget_and_none_is_outside_the_catalogue(
    instruments: Instruments, observer: Observer, report: Callable[..., CycleReport]
) -> None:
    observer.session({"NSE": True, "BSE": True}, report().minute.date())
    observer.follow_next_open(lambda: 60.0)
    observer.closing(ClosingReport(report().minute.date(), 99.5, gap_minutes=2))
    observer.participants(ParticipantsReport(dict.fromkeys(("oi", "volume", "cash"), report().minute.date())))
    observer.cycle(report())
    rows = {row.name: row for row in catalogue.with_aggregates(instruments.known.exported)}
    counted = series_of(Exposition(instruments).page()[0])
    assert {name for name, count in counted.items() if count > rows[name].budget} == set()
    assert set(rows) - set(counted) == set(), "rows that no page shows"


def test_an_aggregate_is_named_by_itself_and_its_unit() -> None:
    assert aggregate_metric(Aggregate("pcr_oi", "1", "x")).name == "g6_chain_pcr_oi_ratio"
    assert aggregate_metric(Aggregate("max_pain", "points", "x")).name == "g6_chain_max_pain_points"
    assert aggregate_metric(Aggregate("atm_iv", "1/sqrt(year)", "x")).name == "g6_chain_atm_iv_ratio"
    assert aggregate_metric(Aggregate("gex_call", "rupees/%", "x")).name == "g6_chain_gex_call_rupees_per_percent"


def test_a_name_that_ends_in_its_unit_does_not_say_it_twice() -> None:
    assert metric_name("chain", "iv_coverage_ratio", "1") == "g6_chain_iv_coverage_ratio"


@pytest.mark.parametrize("column", LEG_COLUMNS, ids=lambda column: column.name)
def test_every_unit_of_the_schema_makes_a_legal_name(column: object) -> None:
    suffix = unit_suffix(column.unit)  # type: ignore[attr-defined]
    assert suffix == suffix.lower()
    assert suffix.replace("_", "").isalnum() or suffix == ""


def test_an_aggregate_never_takes_a_name_that_is_taken() -> None:
    rows = catalogue.with_aggregates(
        [Aggregate("x", "points", "the first"), Aggregate("x_points", "points", "another")]
    )
    assert [row.help for row in rows if row.name == "g6_chain_x_points"] == ["the first"]


def test_more_aggregates_than_the_page_has_room_for_are_left_out_from_the_end(
    known: Known, report: Callable[..., CycleReport], caplog: pytest.LogCaptureFixture
) -> None:
    many = tuple(Aggregate(f"number_{i}", "1", "One of many") for i in range(30))
    instruments = Instruments(dataclasses.replace(known, aggregates=many))
    Observer(instruments, version="1").cycle(report())
    counted = series_of(Exposition(instruments).page()[0])
    assert sum(counted.values()) <= LARGEST_PAGE_SERIES + BROKER_SERIES
    assert "g6_chain_number_0_ratio" in counted
    assert "g6_chain_number_29_ratio" not in counted
    assert "number_29" in caplog.text


def test_the_aggregates_that_are_computed_all_have_room_but_for_those_that_promql_derives(known: Known) -> None:
    computed = tuple(aggregate for aggregate, _ in CORE)
    assert [name for name in catalogue.DERIVABLE_AGGREGATES if name not in {a.name for a in computed}] == []
    now = dataclasses.replace(known, aggregates=computed)
    assert now.crowded_out == ()
    assert {a.name for a in computed} - {a.name for a in now.exported} == set(catalogue.DERIVABLE_AGGREGATES)
