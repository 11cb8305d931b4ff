"""Levels and probabilities against loops over the legs, price differences, exact barrier laws and a known surface."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from g6.analytics import ENRICHERS, aggregate, enrich
from g6.analytics.conventions import Conventions
from g6.analytics.levels import LEVELS
from g6.analytics.probability import closing_above, slice_of, touching
from g6.analytics.volatility import price
from g6.simulator.surface import Surface

DEFAULT = Conventions()
FORWARD, RATE, TICK = 24030.0, DEFAULT.rate, 0.05
STRIKES = [21500.0 + 50.0 * step for step in range(111)]
SSVI = Surface()
UNFITTED = [enricher for enricher in ENRICHERS if enricher.name != "smile"]
OPENING = {"forward": 24000.0, "atm_iv": 0.12, "days_to_expiry": 10.0, "max_pain": 23900.0}


def flat(k):
    return np.full(np.shape(k), 0.13)


@pytest.fixture
def quoted(make_chain):
    """A chain whose quotes are those of a smile (log-moneyness → volatility); keywords replace fields and columns."""

    def make(smile=flat, days=7.0, ticks=False, strikes=tuple(STRIKES), **changes):
        chain = make_chain(list(strikes))
        chain = replace(chain, expires_at=chain.at + timedelta(days=days))
        vol = smile(np.log(chain.strike / FORWARD))
        fair = price(FORWARD, chain.strike, days / 365, RATE, vol, chain.is_call)
        bid, ask = fair - 1e-9 * fair, fair + 1e-9 * fair
        if ticks:
            bid, ask = np.floor(fair / TICK) * TICK, np.ceil(fair / TICK + 1e-9) * TICK
        columns = {"bid": bid, "ask": ask, "last": fair, "trade_age_seconds": np.ones(len(chain)),
                   "oi": np.full(len(chain), 650.0)}  # fmt: skip
        return replace(chain, **(columns | changes))

    return make


def told(chain, conventions=DEFAULT):
    return aggregate(enrich(chain, conventions), conventions).aggregates


def ssvi(days, level=0.13):
    """The simulator's own smile: log-moneyness → volatility."""
    theta = level * level * days / 365
    return lambda k: np.sqrt(SSVI.total_variance(np.asarray(k, float), theta) / (days / 365))


interest = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20)


@given(pairs=interest, before=interest, spot=st.floats(23400, 24600), frozen=st.booleans())
def test_support_and_resistance_are_the_busiest_strikes_on_their_side_of_the_reference(pairs, before, spot, frozen):
    strikes = [23500.0 + 50.0 * step for step in range(len(pairs))]
    before = (before * 20)[: len(pairs)]
    chain = simple_chain(strikes, np.array(pairs, float).ravel(), np.array(before, float).ravel(), spot, frozen)
    found = aggregate(replace(enrich(chain, DEFAULT), forward=23990.0), DEFAULT).aggregates
    reference = 23990.0 if frozen else spot

    def busiest(side, of):
        near = [k for k in strikes if (k >= reference if side == 0 else k <= reference) and of(strikes.index(k)) > 0]
        return min(near, key=lambda k: (-of(strikes.index(k)), abs(k - reference)), default=math.nan)

    expected = {
        "support_oi": busiest(1, lambda i: pairs[i][1]),
        "resistance_oi": busiest(0, lambda i: pairs[i][0]),
        "support_oi_change": busiest(1, lambda i: pairs[i][1] - before[i][1]),
        "resistance_oi_change": busiest(0, lambda i: pairs[i][0] - before[i][0]),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def simple_chain(strikes, oi, before, spot, frozen):
    from datetime import datetime

    from g6.clock import IST
    from g6.model.chain import OptionChain

    at, n = datetime(2026, 11, 20, 10, 0, tzinfo=IST), 2 * len(strikes)
    return OptionChain(
        index="NIFTY", expiry=at.date(), codes=(), at=at, expires_at=at + timedelta(hours=5), spot=spot,
        spot_frozen=frozen, expected=n, lot=65, strike=np.repeat(np.array(strikes), 2),
        is_call=np.tile([True, False], n // 2), oi=oi, previous_oi=before,
    )  # fmt: skip


@given(pairs=interest, scale=st.sampled_from([2.0, 65.0, 1e6]))
def test_levels_of_open_interest_do_not_depend_on_its_unit(pairs, scale):
    strikes = [23500.0 + 50.0 * step for step in range(len(pairs))]
    oi = np.array(pairs, float).ravel()
    names = ("max_pain", "support_oi", "resistance_oi", "support_oi_change", "resistance_oi_change")
    small, large = (
        aggregate(enrich(simple_chain(strikes, oi * s, oi[::-1] * s, 23800.0, frozen=False), DEFAULT), DEFAULT)
        for s in (1.0, scale)
    )
    for name in names:
        assert small.aggregates[name] == pytest.approx(large.aggregates[name], nan_ok=True)


def test_the_straddle_of_one_volatility_is_four_fifths_of_a_standard_deviation(quoted):
    # Brenner and Subrahmanyam (1988): at the money a straddle costs √(2/π) of a standard deviation.
    found = told(quoted(strikes=[FORWARD - 30, FORWARD, FORWARD + 30], spot=FORWARD))
    assert found["expected_move_iv"] == pytest.approx(FORWARD * 0.13 * math.sqrt(7 / 365), rel=1e-9)
    discounted = math.exp(-RATE * 7 / 365)
    assert found["expected_move_straddle"] / found["expected_move_iv"] == pytest.approx(
        math.sqrt(2 / math.pi) * discounted, rel=1e-3
    )


def test_the_bounds_lie_around_the_forward_and_the_straddles_follow_their_factor(quoted):
    chain = quoted()
    usual, scaled = told(chain), told(chain, Conventions(straddle_factor=0.85))
    assert scaled["expected_move_straddle"] == pytest.approx(0.85 * usual["straddle"])
    for by in ("straddle", "iv"):
        low, high = scaled[f"expected_low_{by}"], scaled[f"expected_high_{by}"]
        assert (low + high) / 2 == pytest.approx(scaled["forward"])
        assert (high - low) / 2 == pytest.approx(scaled[f"expected_move_{by}"])


@pytest.mark.parametrize("days", [0.2, 3.0, 30.0])
@pytest.mark.parametrize("deviations", [-2.0, -1.0, -0.3, 0.0, 0.4, 1.0, 2.0])
def test_with_one_volatility_the_probability_is_blacks(quoted, days, deviations):
    chain = enrich(quoted(days=days), DEFAULT, UNFITTED)
    s = 0.13 * math.sqrt(days / 365)
    found = closing_above(slice_of(chain), deviations * s)
    # Between strikes the total variance of one volatility is flat, so there is nothing to interpolate wrongly.
    assert found == pytest.approx(norm.cdf(-deviations - s / 2), abs=1e-6)


@pytest.mark.parametrize("days", [2.0, 7.0, 30.0])
@pytest.mark.parametrize("deviations", [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
def test_with_a_smile_the_probability_is_the_slope_of_the_call_prices(quoted, days, deviations):
    smile = ssvi(days)
    level = FORWARD * math.exp(deviations * 0.13 * math.sqrt(days / 365))

    def call(strike):  # undiscounted
        vol = smile(np.log(np.array([strike]) / FORWARD))
        return price(FORWARD, np.array([strike]), days / 365, 0.0, vol, np.array([True]))[0]

    exact = -(call(level + 0.5) - call(level - 0.5))
    fitted = replace(enrich(quoted(smile, days), DEFAULT, UNFITTED), smile=smile_of(days))
    k = math.log(level / FORWARD)
    assert closing_above(slice_of(fitted), k) == pytest.approx(exact, abs=1e-6)
    for ticks in (False, True):
        chain = enrich(quoted(smile, days, ticks), DEFAULT, UNFITTED)
        found = closing_above(slice_of(chain), math.log(level / chain.forward))
        assert found == pytest.approx(exact, abs=0.006), ticks
    without_slope = norm.cdf(-k / smile(k) / math.sqrt(days / 365) - smile(k) * math.sqrt(days / 365) / 2)
    if deviations == 0.0:
        assert abs(without_slope - exact) > 0.01  # what leaving the slope out would cost


def smile_of(days):
    """The simulator's slice as a fit: raw parameters of an SSVI slice (Gatheral and Jacquier 2014, lemma 3.1)."""
    theta, rho = 0.13**2 * days / 365, SSVI.rho
    phi = SSVI.eta / math.sqrt(theta * (1 + theta))
    root = math.sqrt(1 - rho * rho)
    raw = {"a": theta / 2 * root * root, "b": theta * phi / 2, "rho": rho, "m": -rho / phi, "sigma": root / phi}
    return raw | {"status": 0.0, "lower_k": -0.2, "upper_k": 0.2}


def test_the_probabilities_of_the_levels_are_complementary_and_touching_is_likelier(quoted):
    oi = np.where(
        np.repeat(np.array(STRIKES), 2) == np.where(np.tile([True, False], len(STRIKES)), 24400.0, 23600.0), 9e5, 650.0
    )
    chain = enrich(quoted(ssvi(7.0), oi=oi), DEFAULT)
    found = aggregate(chain, DEFAULT).aggregates
    assert (found["support_oi"], found["resistance_oi"]) == (23600.0, 24400.0)
    above = closing_above(slice_of(chain), math.log(23600.0 / chain.forward))
    assert found["support_close_probability"] == pytest.approx(1 - above)
    assert 0 < found["resistance_close_probability"] < 0.5
    for name in ("support", "resistance", "expected_low", "expected_high"):
        close, touch = found[f"{name}_close_probability"], found[f"{name}_touch_probability"]
        assert touch == pytest.approx(min(1.0, 2 * close))
    # Skewed: as far away the lower bound is the likelier; and both wings are fat, so less than Φ(−1) is near them.
    assert found["expected_high_close_probability"] < found["expected_low_close_probability"] < norm.cdf(-1)


@pytest.mark.parametrize("deviations", [-1.5, -1.0, -0.5, 0.5, 1.0, 1.5])
@pytest.mark.parametrize("days", [1.0, 7.0, 30.0])
def test_touching_is_near_the_exact_law_of_a_lognormal_walk(deviations, days):
    # First passage of ln F, a walk with drift −σ²/2 (Shreve, Stochastic Calculus for Finance II, corollary 7.2.2).
    s = 0.13 * math.sqrt(days / 365)
    distance, drift = abs(deviations) * s, -s * s / 2 * math.copysign(1, deviations)
    exact = norm.cdf((-distance + drift) / s) + math.exp(2 * drift * distance / s**2) * norm.cdf(
        (-distance - drift) / s
    )
    beyond = norm.cdf(-deviations - s / 2) if deviations > 0 else norm.cdf(deviations + s / 2)
    assert touching(beyond) == pytest.approx(exact, abs=0.025)


def test_touching_is_never_more_than_certain_and_unknown_stays_unknown():
    assert touching(0.5) == touching(0.9) == 1.0
    assert touching(0.0) == 0.0
    assert math.isnan(touching(math.nan))


def test_beyond_the_strikes_there_is_no_probability_but_a_fit_reaches_further(quoted):
    narrow = tuple(FORWARD + 50.0 * step for step in range(-4, 5))
    chain = enrich(quoted(strikes=narrow), DEFAULT, UNFITTED)
    far = math.log(25000 / FORWARD)
    assert math.isnan(closing_above(slice_of(chain), far))
    fitted = replace(chain, smile=smile_of(7.0))
    assert 0 < closing_above(slice_of(fitted), far) < 0.05
    assert math.isnan(closing_above(slice_of(fitted), 0.21))


def test_quotes_that_contradict_each_other_give_no_probability(quoted):
    # A volatility that falls this fast makes higher calls dearer than lower ones.
    chain = enrich(quoted(), DEFAULT, UNFITTED)
    chain = replace(chain, iv=np.clip(0.13 - 12.0 * np.log(chain.strike / chain.forward), 0.05, 0.3))
    assert math.isnan(closing_above(slice_of(chain), 0.002))


def test_a_fit_that_was_refused_gives_no_probability(quoted):
    chain = enrich(quoted(), DEFAULT, UNFITTED)
    refused = dict.fromkeys(smile_of(7.0), math.nan) | {"status": 3.0, "lower_k": -0.1, "upper_k": 0.1}
    assert 0 < closing_above(slice_of(chain), 0.005) < 1
    assert math.isnan(closing_above(slice_of(replace(chain, smile=refused)), 0.005))


def test_the_smile_that_is_fitted_to_ticks_gives_the_surfaces_own_probabilities(quoted):
    chain = enrich(quoted(ssvi(7.0), 7.0, ticks=True), DEFAULT)
    assert chain.smile["status"] == 0
    true = slice_of(replace(chain, smile=smile_of(7.0)))
    for k in np.linspace(-2, 2, 21) * 0.13 * math.sqrt(7 / 365):
        assert closing_above(slice_of(chain), k) == pytest.approx(closing_above(true, k), abs=0.003)


def test_drift_and_breakout_are_against_the_days_first_minute(quoted):
    found = told(quoted(opening=OPENING))
    assert found["max_pain_drift"] == found["max_pain"] - 23900.0
    expected = 24000.0 * 0.12 * math.sqrt(1 / 252)
    assert found["breakout_ratio"] == pytest.approx((found["forward"] - 24000.0) / expected)
    short = told(quoted(opening=OPENING | {"days_to_expiry": 0.25}))
    expected = 24000.0 * 0.12 * math.sqrt(0.25 / 365)
    assert short["breakout_ratio"] == pytest.approx((short["forward"] - 24000.0) / expected)


@pytest.mark.parametrize("opened", [23900.0, 24200.0])
@pytest.mark.parametrize("calls", [1.0, 2.0])
@pytest.mark.parametrize("added_to_calls", [100.0, -100.0])
def test_volume_and_open_interest_confirm_a_move_from_their_own_side(quoted, opened, calls, added_to_calls):
    is_call = np.tile([True, False], len(STRIKES))
    oi = np.full(len(is_call), 6500.0)
    chain = quoted(
        opening=OPENING | {"forward": opened},
        volume=np.where(is_call, 650.0 * calls, 650.0 * 1.5),
        oi=oi, previous_oi=oi - np.where(is_call, added_to_calls, 50.0),
    )  # fmt: skip
    found = told(chain)
    up = opened < FORWARD
    assert (found["breakout_ratio"] > 0) == up
    assert found["breakout_volume"] == float(up == (calls > 1.5))
    assert found["breakout_oi"] == float(up == (added_to_calls < 50.0))


@pytest.mark.parametrize("missing", ["forward", "atm_iv", "days_to_expiry"])
def test_without_the_open_there_is_no_breakout_and_nothing_to_confirm(quoted, missing):
    opening = {name: value for name, value in OPENING.items() if name != missing}
    found = told(quoted(opening=opening, volume=np.full(2 * len(STRIKES), 65.0)))
    assert all(math.isnan(found[f"breakout_{name}"]) for name in ("ratio", "volume", "oi"))
    assert math.isnan(told(quoted())["max_pain_drift"])


def odd_chains(quoted, make_chain):
    """What a minute may bring at its worst."""
    usual = quoted(opening=OPENING)
    nothing = np.full(len(usual), np.nan)
    yield make_chain([], strike=np.array([24000.0]), is_call=np.array([True]), last=np.array([100.0]),
                     oi=np.array([65.0]), answered=np.ones(1), opening=OPENING)  # fmt: skip
    yield make_chain([], strike=np.empty(0), is_call=np.empty(0, dtype=bool), answered=np.empty(0))
    yield make_chain(STRIKES)
    yield replace(usual, oi=nothing)
    yield replace(usual, oi=0.0 * usual.strike)
    yield replace(usual, bid=nothing, ask=nothing, last=nothing)
    yield replace(usual, spot_frozen=True, spot=20000.0)
    yield replace(usual, spot=math.nan)
    yield replace(usual, at=usual.expires_at)
    yield replace(usual, at=usual.expires_at - timedelta(minutes=12), settling=True)
    yield replace(usual, opening=dict.fromkeys(OPENING, math.nan))
    yield replace(usual, opening=OPENING | {"days_to_expiry": -1.0, "atm_iv": 0.0})


def test_every_level_is_a_number_or_nan_for_whatever_a_minute_brings(quoted, make_chain):
    for chain in odd_chains(quoted, make_chain):
        found = told(chain)
        for descriptor, _ in LEVELS:
            assert not math.isinf(found[descriptor.name]), descriptor.name
            if descriptor.name.endswith("_probability"):
                assert math.isnan(found[descriptor.name]) or 0 <= found[descriptor.name] <= 1


def test_on_expiry_day_in_the_last_half_hour_the_move_is_small_and_the_levels_stand(quoted):
    usual = quoted(days=0.3)
    late = replace(usual, at=usual.expires_at - timedelta(minutes=12), settling=True)
    vol = 0.13
    fair = price(FORWARD, late.strike, 12 / (365 * 1440), RATE, np.full(len(late), vol), late.is_call)
    found = told(replace(late, bid=fair, ask=fair, last=fair))
    assert found["expected_move_iv"] == pytest.approx(FORWARD * vol * math.sqrt(12 / (365 * 1440)), rel=1e-3)
    assert found["support_oi"] == 24000.0
    assert found["resistance_oi"] == 24000.0
