"""The page /metrics/options says exactly what the chains' columns say."""

import gzip
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from sample_market import sample_market

from g6.metrics.catalogue import OPTION_COLUMNS, UNGAUGED_COLUMNS, option_metric
from g6.metrics.instruments import Instruments
from g6.metrics.options_page import OptionsPage
from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.snapshot import Snapshot

Series = dict[tuple[str, str, str, str, str], float]
LABELS = ("index", "expiry", "strike", "side")


def parsed(page: bytes) -> Series:
    series: Series = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            if sample.labels:
                key = (sample.name, *(sample.labels[label] for label in LABELS))
                assert key not in series, f"{key} is on the page twice"
                series[key] = sample.value  # type: ignore[index]
    return series


def from_columns(chains: Iterable[OptionChain]) -> Series:
    """The same facts, one by one, from the columns."""
    series: Series = {}
    for chain in chains:
        for row in range(len(chain)):
            strike, side = chain.strike[row], "CE" if chain.is_call[row] else "PE"
            text = str(int(strike)) if strike == int(strike) else str(strike)
            for column in OPTION_COLUMNS:
                value = float(getattr(chain, column)[row])
                if math.isfinite(value):
                    series[option_metric(column).name, chain.index, chain.expiry.isoformat(), text, side] = value
    return series


class Reference(Collector):
    """The same page by the client library, sample by sample."""

    def __init__(self, series: Series) -> None:
        self._series = series

    def collect(self) -> Iterable[Metric]:
        for column in OPTION_COLUMNS:
            row = option_metric(column)
            family = GaugeMetricFamily(row.name, row.help, labels=LABELS)
            for (name, *labels), value in self._series.items():
                if name == row.name:
                    family.add_metric(labels, value)
            yield family


@pytest.fixture
def page(instruments: Instruments) -> OptionsPage:
    return OptionsPage(instruments)


@pytest.fixture
def two_chains(chain: Callable[..., OptionChain]) -> tuple[OptionChain, OptionChain]:
    near = chain("NIFTY", strikes=40, seed=1)
    far = chain("SENSEX", strikes=25, seed=2, expiry=date(2026, 12, 29), strike=np.repeat(80000.5 + np.arange(25), 2))
    return near, far


def test_every_sample_is_the_column_to_the_last_bit(
    page: OptionsPage, snapshot: Callable[..., Snapshot], two_chains: tuple[OptionChain, ...]
) -> None:
    page.render(snapshot(*two_chains))
    assert parsed(page.current.plain) == from_columns(two_chains)
    assert page.current.series == 2 * (40 + 25) * len(OPTION_COLUMNS) + 1


def test_the_client_library_renders_the_same_families_and_samples(
    page: OptionsPage, snapshot: Callable[..., Snapshot], two_chains: tuple[OptionChain, ...]
) -> None:
    page.render(snapshot(*two_chains))
    registry = CollectorRegistry()
    registry.register(Reference(from_columns(two_chains)))
    reference = list(text_string_to_metric_families(generate_latest(registry).decode()))
    told = {f.name: f for f in text_string_to_metric_families(page.current.plain.decode())}
    for family in reference:
        mine = told[family.name]
        assert (mine.type, mine.documentation) == (family.type, family.documentation)
        key = [(sorted(s.labels.items()), s.value) for s in family.samples]
        assert sorted((sorted(s.labels.items()), s.value) for s in mine.samples) == sorted(key)


def test_a_leg_without_a_value_has_no_line(
    page: OptionsPage, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    holes = chain(iv=np.array([0.1, np.nan, np.inf, -np.inf, 0.2, np.nan]), bid=np.full(6, np.nan))
    page.render(snapshot(holes))
    assert parsed(page.current.plain) == from_columns([holes])
    assert sum(key[0] == "g6_option_iv_ratio" for key in parsed(page.current.plain)) == 2
    assert b"g6_option_bid_rupees{" not in page.current.plain
    assert b"nan" not in page.current.plain.lower()


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-300, 5e-324, 1.7976931348623157e308, 1e16, 123456789.0, -0.05, 1 / 3])
def test_numbers_of_any_size_survive_the_text(
    page: OptionsPage, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain], value: float
) -> None:
    page.render(snapshot(chain(gamma=np.full(6, value))))
    told = {number for key, number in parsed(page.current.plain).items() if key[0] == "g6_option_gamma_per_point"}
    assert told == {value}


def test_each_measure_s_own_time_is_a_series_of_the_minute_that_it_was_spent_in(
    page: OptionsPage, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    page.render(snapshot(chain()), {"smile": 0.0441, "max_pain": 1e-05})
    families = {f.name: f for f in text_string_to_metric_families(page.current.plain.decode())}
    told = {sample.labels["measure"]: sample.value for sample in families["g6_measure_seconds"].samples}
    assert told == {"smile": 0.0441, "max_pain": 1e-05}
    assert page.current.series == sum(len(family.samples) for family in families.values())
    page.render(snapshot(chain()))
    assert b"g6_measure_seconds" not in page.current.plain


def test_every_column_of_a_leg_that_is_computed_has_a_gauge_or_a_reason_why_it_has_none() -> None:
    derived = {column.name for column in LEG_COLUMNS if column.origin == "derived"}
    assert derived - set(OPTION_COLUMNS) == set(UNGAUGED_COLUMNS)
    assert not set(OPTION_COLUMNS) & set(UNGAUGED_COLUMNS)


def test_levels_and_groups_say_each_of_their_values_under_their_names(
    page: OptionsPage, snapshot: Callable[..., Snapshot]
) -> None:
    minute = snapshot()
    market = replace(
        sample_market(minute.minute),
        breadth={"NIFTY.unchanged": 3.0, "NIFTY.advance_volume": 1e7, "OIL_GAS.decline_volume": 123.0},
    )
    page.render(replace(minute, market=market))
    told = {
        (sample.name, *sample.labels.values(), sample.value)
        for family in text_string_to_metric_families(page.current.plain.decode())
        for sample in family.samples
        if sample.name.startswith("g6_market_group_") or sample.labels.get("name") == "NIFTYIT"
    }
    level = "g6_market_level"
    assert told == {
        (f"{level}_points", "NIFTYIT", 36500.1), (f"{level}_change_ratio", "NIFTYIT", 36500.1 / 36000 - 1),
        (f"{level}_open_points", "NIFTYIT", 36499.1), (f"{level}_high_points", "NIFTYIT", 36502.1),
        (f"{level}_low_points", "NIFTYIT", 36498.1), (f"{level}_previous_close_points", "NIFTYIT", 36000.0),
        ("g6_market_group_unchanged_shares", "NIFTY", 3.0), ("g6_market_group_advance_volume_shares", "NIFTY", 1e7),
        ("g6_market_group_decline_volume_shares", "OIL_GAS", 123.0),
    }  # fmt: skip


def test_the_compressed_page_is_the_page(
    page: OptionsPage, snapshot: Callable[..., Snapshot], two_chains: tuple[OptionChain, ...]
) -> None:
    page.render(snapshot(*two_chains))
    assert gzip.decompress(page.current.gzipped) == page.current.plain


def test_contracts_that_are_not_in_the_minute_are_gone_from_the_page(
    page: OptionsPage, snapshot: Callable[..., Snapshot], two_chains: tuple[OptionChain, ...]
) -> None:
    near, far = two_chains
    page.render(snapshot(near, far))
    held = page.current
    page.render(snapshot(far))
    assert parsed(page.current.plain) == from_columns([far])
    assert parsed(held.plain) == from_columns([near, far]), "a page in a reader's hands changed"


def test_contracts_that_have_expired_are_not_shown(
    page: OptionsPage, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    alive = chain("SENSEX")
    expired = chain("NIFTY", at=alive.at, expires_at=alive.at)
    expires_next_minute = chain("BANKEX", expires_at=alive.at + timedelta(minutes=1))
    page.render(snapshot(alive, expired, expires_next_minute))
    assert parsed(page.current.plain) == from_columns([alive, expires_next_minute])


def test_the_same_contracts_with_new_prices_and_new_contracts_of_the_same_expiry_are_told_apart(
    page: OptionsPage, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    for chains in (
        [chain(seed=1)], [chain(seed=2)], [chain(strikes=5)], [chain(strike=np.repeat([1.0, 2.5, 1e5], 2))],
        [chain(is_call=np.array([False, True] * 3))],
    ):  # fmt: skip
        page.render(snapshot(*chains))
        assert parsed(page.current.plain) == from_columns(chains)


def test_label_values_are_escaped(
    page: OptionsPage, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    odd = chain('A"B\\C\nD')
    page.render(snapshot(odd))
    assert parsed(page.current.plain) == from_columns([odd])


def test_a_minute_without_chains_has_headers_only_and_an_emptied_page_nothing(
    page: OptionsPage, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain], instruments: Instruments
) -> None:
    assert (page.current.plain, page.current.minute, page.current.series) == (b"", None, 0)
    page.render(snapshot(chain()))
    assert instruments.registry.get_sample_value("g6_exporter_options_series") == 6 * len(OPTION_COLUMNS) + 1
    page.render(snapshot())
    assert parsed(page.current.plain) == {}
    assert page.current.plain.count(b"# TYPE") == len(OPTION_COLUMNS) + 1
    page.clear()
    assert (page.current.plain, gzip.decompress(page.current.gzipped)) == (b"", b"")
    assert page.current.minute is None
    assert instruments.registry.get_sample_value("g6_exporter_options_series") == 0
    page.render(snapshot(chain()))
    assert parsed(page.current.plain) == from_columns([chain()])


def test_the_page_says_which_minute_it_is(
    page: OptionsPage, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    minute = snapshot(chain())
    page.render(minute)
    families = text_string_to_metric_families(page.current.plain.decode())
    told = [s.value for f in families for s in f.samples if s.name == "g6_options_minute_timestamp_seconds"]
    assert told == [minute.minute.timestamp()]
    assert page.current.minute == minute.minute
