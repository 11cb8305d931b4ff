"""Spread, depth and imbalance against loops over the legs, worked numbers, real books and the simulator's."""

import math
import statistics
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.analytics import aggregate
from g6.analytics.atm import add_atm
from g6.analytics.conventions import Conventions
from g6.analytics.liquidity import LIQUIDITY, medians
from g6.clock import IST
from g6.collectors.reject import clean
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.model.chain import OptionChain
from g6.model.quotes import Quotes
from g6.simulator.market import SimulatedMarket

DEFAULT = Conventions()
NAN = math.nan
STRIKES = [23900.0, 23950.0, 24000.0, 24050.0, 24100.0]
BOOK = ("bid", "ask", "bid_quantity", "ask_quantity", "bid_depth", "ask_depth")


def told(chain, conventions=DEFAULT):
    """The measures of a chain whose ATM is found first."""
    return aggregate(add_atm(chain, conventions), conventions, LIQUIDITY).aggregates


def by_loops(chain, window):
    """The same, leg by leg."""
    legs = [
        (strike, bool(is_call), *values)
        for strike, is_call, offset, *values in zip(
            chain.strike, chain.is_call, chain.offset, *(getattr(chain, name) for name in BOOK), strict=True
        )
        if abs(offset) <= window
    ]
    spreads, at_atm, best, five = [], [], {}, {}
    for strike, is_call, bid, ask, bids, asks, bid_depth, ask_depth in legs:
        if bid > 0 and ask >= bid:
            pair = (ask - bid, (ask - bid) / ((ask + bid) / 2))
            spreads.append(pair)
            if strike == chain.atm:
                at_atm.append(pair)
        if (math.isnan(bid) and bids != 0) or (math.isnan(ask) and asks != 0):
            continue
        for sums, pair in ((best, (bids, asks)), (five, (bid_depth, ask_depth))):
            if not math.isnan(sum(pair)):
                sums.setdefault(is_call, []).append(pair)

    def centre(pairs, of, middle):
        return middle([pair[of] for pair in pairs]) if pairs else NAN

    def total(sums):
        return sum(sum(pair) for pairs in sums.values() for pair in pairs) if sums else NAN

    def imbalance(sums, side):
        bids, asks = (sum(pair[of] for pair in sums.get(side, [])) for of in (0, 1))
        return (bids - asks) / (bids + asks) if bids + asks else NAN

    median, mean = statistics.median, statistics.fmean
    return {
        "spread_window": centre(spreads, 0, median), "spread_window_ratio": centre(spreads, 1, median),
        "spread_window_ticks": centre(spreads, 0, median) / chain.tick,
        "spread_atm": centre(at_atm, 0, mean), "spread_atm_ratio": centre(at_atm, 1, mean),
        "spread_atm_ticks": centre(at_atm, 0, mean) / chain.tick,
        "best_quantity_window": total(best), "depth_window": total(five),
        "call_best_imbalance_window": imbalance(best, True), "put_best_imbalance_window": imbalance(best, False),
        "call_depth_imbalance_window": imbalance(five, True), "put_depth_imbalance_window": imbalance(five, False),
    }  # fmt: skip


def assert_by_loops(chain, conventions=DEFAULT):
    placed = add_atm(chain, conventions)
    expected = by_loops(placed, conventions.window_strikes)
    assert dict(told(chain, conventions)) == pytest.approx(expected, nan_ok=True, rel=1e-9, abs=1e-5)


prices = st.just(NAN) | st.integers(1, 4000).map(lambda ticks: round(ticks * 0.05, 2))
lots = st.just(NAN) | st.integers(0, 500).map(lambda n: 65.0 * n)
leg = st.tuples(prices, prices, lots, lots, lots, lots)


@given(st.lists(leg, min_size=14, max_size=14), st.integers(0, 4))
def test_every_measure_is_what_a_loop_over_the_legs_gives(legs, window):
    strikes = [23850.0 + 50.0 * step for step in range(7)]
    chain = OptionChain(
        index="NIFTY", expiry=datetime(2026, 11, 24, tzinfo=IST).date(), codes=(), spot=24000.0, spot_frozen=False,
        at=datetime(2026, 11, 20, 10, tzinfo=IST), expires_at=datetime(2026, 11, 24, 15, 30, tzinfo=IST),
        expected=14, lot=65, strike=np.repeat(strikes, 2), is_call=np.tile([True, False], 7), answered=np.ones(14),
        **dict(zip(BOOK, np.array(legs).T, strict=True)),
    )  # fmt: skip
    assert_by_loops(chain, Conventions(window_strikes=window))


def test_a_worked_book_of_one_strike(make_chain):
    chain = make_chain(
        [24000.0], bid=np.array([100.0, 90.0]), ask=np.array([100.5, 90.3]),
        bid_quantity=np.array([130.0, 65.0]), ask_quantity=np.array([65.0, 195.0]),
        bid_depth=np.array([1300.0, 650.0]), ask_depth=np.array([650.0, 650.0]),
    )  # fmt: skip
    measures = told(chain)
    assert measures["spread_window"] == measures["spread_atm"] == pytest.approx(0.4, abs=1e-12)
    assert measures["spread_atm_ticks"] == 8.0
    assert measures["spread_atm_ratio"] == pytest.approx((0.5 / 100.25 + 0.3 / 90.15) / 2)
    assert measures["best_quantity_window"] == 130 + 65 + 65 + 195
    assert measures["depth_window"] == 3250.0
    assert measures["call_best_imbalance_window"] == pytest.approx(1 / 3)
    assert measures["put_best_imbalance_window"] == -0.5
    assert measures["call_depth_imbalance_window"] == pytest.approx(1 / 3)
    assert measures["put_depth_imbalance_window"] == 0.0


def test_without_depth_what_stands_at_the_best_prices_is_told_still(make_chain):
    n = 2 * len(STRIKES)
    chain = make_chain(STRIKES, bid=np.full(n, 10.0), ask=np.full(n, 10.1),
                       bid_quantity=np.full(n, 65.0), ask_quantity=np.full(n, 195.0))  # fmt: skip
    measures = told(chain)
    assert measures["best_quantity_window"] == 260 * n
    assert measures["call_best_imbalance_window"] == measures["put_best_imbalance_window"] == -0.5
    assert math.isnan(measures["depth_window"])
    assert math.isnan(measures["call_depth_imbalance_window"])


def test_quantities_of_a_crossed_book_are_no_depth_and_those_of_an_empty_side_are_none(make_chain):
    quotes = Quotes(
        at=datetime(2026, 11, 20, 10, tzinfo=IST), answered=np.ones(4, bool), last=np.full(4, 10.0),
        bid=np.array([10.0, 10.2, 10.0, NAN]), ask=np.array([10.1, 10.1, 10.1, 10.1]),
        bid_quantity=np.array([65.0, 6500.0, 65.0, 0.0]), ask_quantity=np.full(4, 65.0),
        bid_depth=np.array([130.0, 9999.0, 130.0, 0.0]), ask_depth=np.full(4, 130.0),
    )  # fmt: skip
    cleaned, _ = clean(quotes, [slice(0, 4)])
    measures = told(make_chain([24000.0, 24050.0], **{name: getattr(cleaned, name) for name in BOOK}))
    assert measures["best_quantity_window"] == (65 + 65) + (65 + 65) + (0 + 65)
    assert measures["depth_window"] == 260 + 260 + 130
    assert measures["put_best_imbalance_window"] == -1.0


def test_imbalance_changes_its_sign_with_the_sides_and_not_with_the_lot(make_chain):
    rng = np.random.default_rng(7)
    n = 2 * len(STRIKES)
    prices = {"bid": np.full(n, 5.0), "ask": np.full(n, 5.1)}
    first, second = (65.0 * rng.integers(1, 99, n) for _ in range(2))
    usual = told(make_chain(STRIKES, **prices, bid_quantity=first, ask_quantity=second))
    turned = told(make_chain(STRIKES, **prices, bid_quantity=second, ask_quantity=first))
    larger = told(make_chain(STRIKES, **prices, bid_quantity=first * 3, ask_quantity=second * 3))
    for name in ("call_best_imbalance_window", "put_best_imbalance_window"):
        assert turned[name] == pytest.approx(-usual[name])
        assert larger[name] == pytest.approx(usual[name])
        assert -1 <= usual[name] <= 1


@pytest.mark.parametrize("step", [0.05, 0.01, 0.1])
def test_ticks_are_counted_in_the_contracts_own_step(make_chain, step):
    chain = make_chain([24000.0], bid=np.full(2, 7.0), ask=np.full(2, 7.0 + 3 * step), tick=step)
    assert told(chain)["spread_window_ticks"] == 3.0


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50))
def test_the_median_is_the_statisticians(values):
    assert medians(np.array([values]))[0] == pytest.approx(statistics.median(values), rel=1e-12, abs=1e-9)


def test_spreads_of_a_real_morning_are_those_of_a_loop_over_its_published_books(nse_chains):
    seen = 0
    for chain in nse_chains("NIFTY_20251205_102446.json.gz"):
        assert_by_loops(chain)
        seen += 1
    assert seen > 10


def test_near_expiries_of_a_real_chain_are_quoted_tighter_than_far_ones(nse_chains):
    chains = sorted(nse_chains("NIFTY_20251205_102446.json.gz"), key=lambda chain: chain.expiry)
    ratios = [ratio for chain in chains if math.isfinite(ratio := told(chain)["spread_window_ratio"])]
    assert len(ratios) > 5
    assert 0 < ratios[0] < 0.02 < ratios[-1]


def test_the_simulators_books_have_depth_behind_their_best_prices(project):
    indices = load_indices(project / "config" / "indices.yaml")
    market = SimulatedMarket(6, {"NIFTY": indices["NIFTY"]}, SessionCalendar.load(project / "config" / "calendar.yaml"))
    at = datetime(2026, 11, 20, 11, tzinfo=IST)
    table = market.contracts("NIFTY", at.date())
    table = table.take((table.expiry == np.datetime64(table.option_expiries()[0])) & (table.kind != "FUT"))
    order = np.lexsort((table.kind, table.strike))
    table = table.take(order)
    quotes = market.quotes(table, at)
    chain = OptionChain(
        index="NIFTY", expiry=table.expiry[0].item(), codes=(), at=at, expires_at=at,
        spot=market.spot("NIFTY", at).last, spot_frozen=False, expected=len(table), lot=65,
        strike=table.strike, is_call=table.kind == "CE", answered=np.ones(len(table)),
        **{name: getattr(quotes, name) for name in BOOK},
    )  # fmt: skip
    assert_by_loops(chain)
    measures = told(chain)
    # Four more levels, each of half to twice the best one's lots.
    assert 3 <= measures["depth_window"] / measures["best_quantity_window"] <= 9
    assert 1 <= measures["spread_atm_ticks"] <= 20
    assert abs(measures["call_depth_imbalance_window"]) < 0.5


@pytest.mark.parametrize(
    "chain",
    [
        {"strikes": [24000.0]},
        {"strikes": STRIKES, "is_call": np.ones(10, bool)},
        {"strikes": [24000.0], "spot": NAN},
        {"strikes": [24000.0], "tick": 0.0, "bid": np.full(2, 1.0), "ask": np.full(2, 1.1)},
        {"strikes": []},
    ],
    ids=["no_quotes", "no_puts", "no_spot", "no_tick", "no_legs"],
)
def test_where_nothing_is_quoted_nothing_is_told(make_chain, chain):
    strikes = chain["strikes"]
    made = make_chain(strikes, **{name: value for name, value in chain.items() if name != "strikes"})
    measures = dict(told(made))
    if np.isfinite(made.bid).any():
        measures = {name: measures[name] for name in ("spread_window_ticks", "spread_atm_ticks", "depth_window")}
    assert all(math.isnan(value) for value in measures.values()), measures


def test_a_chain_of_one_leg_alone_has_its_books_if_it_has_a_place(make_chain):
    one = make_chain([24000.0])
    single = {name: getattr(one, name)[:1] for name in ("strike", "is_call", "answered")}
    chain = make_chain([], **single, bid=np.array([9.0]), ask=np.array([9.1]), offset=np.array([0.0]), atm=24000.0)
    measures = aggregate(chain, DEFAULT, LIQUIDITY).aggregates
    assert measures["spread_atm"] == pytest.approx(0.1)
    assert math.isnan(measures["put_best_imbalance_window"])
