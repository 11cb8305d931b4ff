"""Every measure of a chain, an index and the market has a gauge: on /metrics, or else on /metrics/options."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sample_market import sample_market

from g6.analytics import CORE, MEASURES
from g6.metrics.catalogue import (
    CATALOGUE,
    DERIVABLE_AGGREGATES,
    SURROUNDING,
    measure_metric,
    off_metrics,
    with_aggregates,
)
from g6.metrics.instruments import Instruments, Known
from g6.metrics.options_page import OptionsPage
from g6.model.chain import OptionChain
from g6.model.snapshot import Snapshot

Sample = tuple[str, tuple[tuple[str, str], ...], float]
FROZEN = Path(__file__).with_name("frozen_measures.txt")
GAUGED = [measure for measure in MEASURES if measure.name not in DERIVABLE_AGGREGATES]
VALUES = {measure.name: 0.5 + number for number, measure in enumerate(MEASURES)}
ROWS = [measure_metric(measure) for measure in GAUGED]


@pytest.fixture
def all_known(known: Known) -> Known:
    return dataclasses.replace(known, aggregates=tuple(a for a, _ in CORE), measures=MEASURES)


def measures_on(page: bytes) -> set[Sample]:
    """The samples that are no option's and none of what surrounds them."""
    fixed = {row.name for row in SURROUNDING.values()} | {"g6_options_minute_timestamp_seconds"}
    return {
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
        if not sample.name.startswith("g6_option_") and sample.name not in fixed
    }


def whole(snapshot: Snapshot) -> Snapshot:
    """The minute with every measure of every kind."""
    indices = tuple(
        replace(index, aggregates=VALUES, chains=tuple(replace(c, aggregates=VALUES) for c in index.chains))
        for index in snapshot.indices
    )
    market = replace(sample_market(snapshot.minute), aggregates=VALUES)
    return replace(snapshot, indices=indices, market=market)


def test_no_name_that_was_ever_published_disappears_and_every_new_one_is_frozen() -> None:
    assert sorted(row.name for row in ROWS) == sorted(FROZEN.read_text().split()), (
        "frozen_measures.txt names every measure's gauge: add the new ones, never take one away"
    )


def test_no_two_measures_have_one_name_and_none_has_another_metric_s() -> None:
    assert [name for name, count in Counter(row.name for row in ROWS).items() if count > 1] == []
    fixed = {row.name: row.help for row in CATALOGUE}
    assert {row.name for row in ROWS if row.name in fixed} <= {n for n in fixed if n.startswith("g6_market_")}


def test_names_follow_from_what_a_measure_is_said_of_and_its_unit() -> None:
    names = {measure.name: measure_metric(measure).name for measure in MEASURES}
    assert names["pcr_oi_change"] == "g6_chain_pcr_oi_change_ratio"
    assert names["index_net_gex"] == "g6_index_net_gex_rupees"
    assert names["iv_rank"] == "g6_index_iv_rank_percent"
    assert names["india_vix_change"] == "g6_market_india_vix_change_percent"
    assert names["net_vanna"] == "g6_chain_net_vanna_rupees_per_vol_point"


def test_what_has_no_gauge_on_the_page_of_the_agent_has_one_on_the_other(all_known: Known) -> None:
    here = {row.name for row in with_aggregates(all_known.exported)}
    there = {row.name for row in off_metrics(MEASURES, with_aggregates(all_known.exported)).values()}
    assert here.isdisjoint(there)
    assert {row.name for row in ROWS} <= here | there


def test_the_page_says_each_measure_under_its_labels(
    all_known: Known, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    page = OptionsPage(Instruments(all_known))
    page.render(whole(snapshot(chain(codes=("this_week", "this_month")), chain("SENSEX"))))
    wanted: set[Sample] = set()
    rows = off_metrics(MEASURES, with_aggregates(all_known.exported))
    pairs = [("NIFTY", "this_week"), ("NIFTY", "this_month"), ("SENSEX", "this_week")]
    for measure in MEASURES:
        labels: list[tuple[tuple[str, str], ...]] = {
            "chain": [(("expiry_code", code), ("index", index)) for index, code in pairs],
            "index": [(("index", index),) for index in ("NIFTY", "SENSEX")],
            "market": [()],
        }[measure.scope]
        if measure.name in rows:
            wanted |= {(rows[measure.name].name, each, VALUES[measure.name]) for each in labels}
    assert measures_on(page.current.plain) == wanted


def test_the_series_are_counted_with_their_measures(
    all_known: Known, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    page = OptionsPage(Instruments(all_known))
    page.render(whole(snapshot(chain())))
    told = sum(len(f.samples) for f in text_string_to_metric_families(page.current.plain.decode()))
    assert page.current.series == told


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_has_no_line_and_a_measure_without_any_no_head(
    all_known: Known, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain], value: float
) -> None:
    page = OptionsPage(Instruments(all_known))
    page.render(snapshot(chain(aggregates=MappingProxyType({"net_gex": value, "gex_flip": 25000.0}))))
    assert measures_on(page.current.plain) == {
        ("g6_chain_gex_flip_points", (("expiry_code", "this_week"), ("index", "NIFTY")), 25000.0)
    }
    assert b"net_gex" not in page.current.plain


def test_an_expired_chain_says_nothing(
    all_known: Known, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    alive = chain("SENSEX")
    expired = chain("NIFTY", at=alive.at, expires_at=alive.at, aggregates=VALUES)
    page = OptionsPage(Instruments(all_known))
    page.render(snapshot(expired, alive))
    assert measures_on(page.current.plain) == set()


def test_hiding_the_page_hides_the_measures(
    all_known: Known, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    page = OptionsPage(Instruments(all_known))
    page.hide(True)
    page.render(whole(snapshot(chain(expires_at=chain().at + timedelta(days=1)))))
    assert page.current.plain == b""
