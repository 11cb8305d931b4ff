"""Forward, ATM, price choice and aggregates on chains whose answer is known by construction."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.analytics import AGGREGATES, ENRICHERS, aggregate, enrich
from g6.analytics.conventions import Conventions
from g6.analytics.volatility import price
from g6.model.chain import PRICE_SOURCES
from g6.settings import load
from g6.wiring import conventions_of

DEFAULT = Conventions()
STRIKES = [23800.0, 23850.0, 23900.0, 23950.0, 24000.0, 24050.0, 24100.0, 24150.0, 24200.0]
FORWARD, VOL = 24030.0, 0.12


@pytest.fixture
def quoted(make_chain):
    """A chain quoted around Black-76 prices on a known forward and one volatility."""
    chain = make_chain(STRIKES)
    years = (chain.expires_at - chain.at).total_seconds() / (365 * 86400)
    fair = price(FORWARD, chain.strike, years, DEFAULT.rate, np.full(len(chain), VOL), chain.is_call)
    return replace(chain, bid=fair - 0.01, ask=fair + 0.01, last=fair * 1.01, trade_age_seconds=np.ones(len(chain)))


def test_parity_finds_the_forward_and_the_volatility_that_made_the_quotes(quoted):
    chain = enrich(quoted, DEFAULT)
    assert chain.forward_source == "parity"
    assert chain.forward == pytest.approx(FORWARD, abs=1e-6)
    assert chain.iv == pytest.approx(VOL, abs=1e-6)
    assert chain.leg_iv == pytest.approx(VOL, abs=1e-4)
    assert (np.array(PRICE_SOURCES)[chain.price_source.astype(int)] == "mid").all()


def test_the_volatility_does_not_depend_on_a_frozen_spot(quoted):
    moved = replace(quoted, spot=23810.0, spot_frozen=True)
    chain = enrich(moved, DEFAULT)
    assert chain.iv == pytest.approx(VOL, abs=1e-6)
    assert (chain.atm, chain.atm_reference) == (24050.0, "forward")
    assert (enrich(replace(moved, spot_frozen=False), DEFAULT).atm) == 23800.0


def test_without_pairs_the_future_and_then_the_spot_is_the_forward(quoted):
    nothing = np.full(len(quoted), np.nan)
    silent = replace(quoted, bid=nothing, ask=nothing, last=nothing, future=24041.0)
    assert (enrich(silent, DEFAULT).forward, enrich(silent, DEFAULT).forward_source) == (24041.0, "future")
    chain = enrich(replace(silent, future=math.nan), DEFAULT)
    assert chain.forward_source == "spot"
    assert chain.forward == pytest.approx(24000.0 * math.exp(0.065 * chain.years))


def test_offsets_count_listed_strikes_and_the_atm_has_both_legs(make_chain):
    strikes = np.array([23500.0, 23900.0, 23950.0, 24000.0, 24010.0, 24100.0])
    listed, is_call = np.repeat(strikes, 2), np.tile([True, False], 6)
    keep = ~((listed == 24000.0) & ~is_call)  # its put is not listed
    chain = make_chain([], strike=listed[keep], is_call=is_call[keep], answered=np.ones(11))
    chain = enrich(chain, DEFAULT, ENRICHERS[:3])
    assert chain.atm == 24010.0
    by_strike = dict(zip(chain.strike.tolist(), chain.offset.tolist(), strict=True))
    assert by_strike == {23500.0: -4, 23900.0: -3, 23950.0: -2, 24000.0: -1, 24010.0: 0, 24100.0: 1}


def test_of_two_strikes_as_near_the_lower_is_at_the_money(make_chain):
    assert enrich(make_chain([23975.0, 24025.0]), DEFAULT, ENRICHERS[:3]).atm == 23975.0


@pytest.mark.parametrize(
    ("bid", "ask", "last", "age", "expected"),
    [
        (99.0, 101.0, 90.0, 1.0, 100.0),
        (50.0, 150.0, 90.0, 1.0, 90.0),  # a spread too wide to have a middle
        (50.0, 150.0, 90.0, 901.0, math.nan),  # and a trade too old to be believed
        (50.0, 150.0, 90.0, math.nan, 90.0),  # a vendor that does not tell the age
        (0.05, 0.15, 0.3, 1.0, 0.10),  # as tight as the tick grid allows, nearly
        (math.nan, 0.05, 0.05, 1.0, 0.05),
        (math.nan, math.nan, math.nan, 1.0, math.nan),
    ],
)
def test_the_price_is_the_middle_of_a_sane_spread_else_a_fresh_trade(make_chain, bid, ask, last, age, expected):
    columns = {"bid": bid, "ask": ask, "last": last, "trade_age_seconds": age}
    chain = make_chain([24000.0], **{name: np.full(2, value) for name, value in columns.items()})
    assert enrich(chain, DEFAULT, ENRICHERS[:1]).price[0] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("ticks", "expected"), [("4", 0.10), ("2", 0.10), ("1", 0.3), ("0", 0.3)])
def test_how_many_ticks_a_spread_of_any_ratio_may_have_is_a_setting(make_chain, tmp_path, ticks, expected):
    """0.05 under 0.15 is two ticks and as wide as its middle."""
    conventions = conventions_of(load({"greeks.maximum_spread_ticks": ticks}, {}, tmp_path))
    columns = {"bid": 0.05, "ask": 0.149999, "last": 0.3, "trade_age_seconds": 1.0}
    chain = make_chain([24000.0], **{name: np.full(2, value) for name, value in columns.items()})
    assert enrich(chain, conventions, ENRICHERS[:1]).price[0] == pytest.approx(expected, abs=1e-5)


def test_time_is_counted_to_the_contracts_own_close_and_floored(make_chain):
    chain = make_chain([24000.0])
    at = chain.expires_at - timedelta(hours=1)
    assert enrich(replace(chain, at=at), DEFAULT).years == pytest.approx(1 / (365 * 24))
    late = enrich(replace(chain, at=chain.expires_at - timedelta(seconds=20)), DEFAULT)
    assert late.years == pytest.approx(5 / (365 * 24 * 60))
    over = aggregate(enrich(replace(chain, at=chain.expires_at), DEFAULT), DEFAULT)
    assert math.isnan(over.years)
    assert np.isnan(over.iv).all()


def test_premiums_follow_the_chosen_price_basis(quoted):
    chain = replace(quoted, average_price=np.full(len(quoted), 77.0))
    average = Conventions(price_basis="average")
    assert aggregate(enrich(chain, average), average).aggregates["straddle"] == 154.0
    last = aggregate(enrich(chain, DEFAULT), DEFAULT)
    rows = chain.strike == last.atm
    assert last.aggregates["straddle"] == pytest.approx(float(chain.last[rows].sum()))


open_interest = st.lists(
    st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=25
)  # fmt: skip


@given(pairs=open_interest, spot=st.floats(23000, 25000))
def test_max_pain_is_the_cheapest_settlement_of_all(pairs, spot):
    from g6.analytics.aggregates import max_pain

    strikes = 23500.0 + 50.0 * np.arange(len(pairs))
    oi = np.array(pairs, dtype=float).ravel()
    chain = simple_chain(strikes, oi, spot)

    def paid(settlement):
        calls, puts = oi[::2], oi[1::2]
        return (calls * np.maximum(0, settlement - strikes) + puts * np.maximum(0, strikes - settlement)).sum()

    found = max_pain(chain, DEFAULT)
    if not oi.any():
        assert math.isnan(found)
        return
    least = [k for k in strikes if paid(k) == min(paid(s) for s in strikes)]
    assert found in least
    assert abs(found - spot) == min(abs(k - spot) for k in least)


def simple_chain(strikes, oi, spot):
    from datetime import datetime

    from g6.clock import IST
    from g6.model.chain import OptionChain

    at = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
    n = 2 * len(strikes)
    return OptionChain(
        index="NIFTY", expiry=at.date(), codes=(), at=at, expires_at=at + timedelta(hours=5), spot=spot,
        spot_frozen=False, expected=n, lot=65, strike=np.repeat(strikes, 2), is_call=np.tile([True, False], n // 2),
        oi=oi,
    )  # fmt: skip


def test_ratios_without_calls_are_nan_and_unknown_legs_are_left_out(make_chain):
    oi = np.array([0.0, 650.0, 0.0, np.nan])
    told = aggregate(enrich(make_chain([24000.0, 24050.0], oi=oi), DEFAULT), DEFAULT).aggregates
    assert math.isnan(told["pcr_oi"])
    assert told["put_oi"] == 650.0
    assert math.isnan(told["call_volume"])
    told = aggregate(enrich(make_chain([24000.0, 24050.0], oi=np.array([100.0, 250.0, np.nan, 50.0])), DEFAULT),
                     DEFAULT).aggregates  # fmt: skip
    assert told["pcr_oi"] == 3.0


def test_an_empty_market_gives_every_aggregate_and_no_error(make_chain):
    chain = aggregate(enrich(make_chain([24000.0]), DEFAULT), DEFAULT)
    assert set(chain.aggregates) == {descriptor.name for descriptor, _ in AGGREGATES}
    assert math.isnan(chain.aggregates["straddle"])


def test_legs_in_any_order_are_valued_alike(quoted):
    order = np.random.default_rng(6).permutation(len(quoted))
    columns = ("strike", "is_call", "answered", "bid", "ask", "last", "trade_age_seconds")
    shuffled = replace(quoted, **{name: getattr(quoted, name)[order] for name in columns})
    straight, mixed = (aggregate(enrich(chain, DEFAULT), DEFAULT) for chain in (quoted, shuffled))
    assert np.array_equal(straight.iv[order], mixed.iv)
    assert straight.aggregates == pytest.approx(mixed.aggregates, nan_ok=True)
