"""The solver and the Greeks against exact arithmetic, other libraries, a textbook and finite differences."""

import math

import lbriv
import mpmath
import numpy as np
import pytest
import pyvolr
from hypothesis import given, settings
from hypothesis import strategies as st
from vollib.black_scholes.greeks import analytical as textbook

from g6.analytics.volatility import (
    ABOVE_MAXIMUM,
    BELOW_INTRINSIC,
    EXPIRED,
    NO_FORWARD,
    NO_PRICE,
    NOT_IDENTIFIABLE,
    SOLVED,
    greeks,
    implied_volatility,
    price,
)

EPSILON = np.finfo(float).eps
FORWARD, YEARS, RATE = 24000.0, 20 / 365, 0.065


def exact_price(forward, strike, years, rate, vol, is_call):
    """Black-76 in fifty digits, rounded once."""
    with mpmath.workdps(50):
        f, k, t, s = (mpmath.mpf(v) for v in (forward, strike, years, vol))
        total = s * mpmath.sqrt(t)
        d1 = mpmath.log(f / k) / total + total / 2
        sign = 1 if is_call else -1
        value = sign * (f * mpmath.ncdf(sign * d1) - k * mpmath.ncdf(sign * (d1 - total)))
        return float(value * mpmath.exp(-mpmath.mpf(rate) * t))


def solve_one(value, forward, strike, years, rate, is_call):
    vol, status = implied_volatility(np.array([value]), forward, np.array([strike]), years, rate, np.array([is_call]))
    return vol[0], status[0]


def test_random_legs_are_solved_as_exactly_as_their_price_identifies_them():
    random = np.random.default_rng(20261120)
    checked, worst = 0, 0.0
    for _ in range(12_000):
        strike = float(FORWARD * math.exp(random.uniform(-2.5, 2.5)))
        years, true = math.exp(random.uniform(math.log(1e-5), math.log(10))), math.exp(random.uniform(-4.6, 1.8))
        total = true * math.sqrt(years)
        if abs(math.log(FORWARD / strike)) > 30 * total:
            continue  # the price is below 1e-190 rupees
        is_call = strike > FORWARD  # out of the money, where the whole price is time value
        value = exact_price(FORWARD, strike, years, RATE, true, is_call)
        vol, status = solve_one(value, FORWARD, strike, years, RATE, is_call)
        # Near its maximum a price is as good as constant: then its last bit is what limits the volatility.
        d1 = math.log(FORWARD / strike) / total + total / 2
        vega = FORWARD * math.exp(-d1 * d1 / 2) * math.sqrt(years / 2 / math.pi)
        if value * EPSILON / (vega * true) > 1e-13:
            continue
        assert status == SOLVED
        checked, worst = checked + 1, max(worst, abs(vol / true - 1))
    assert checked > 4_000
    assert worst <= 1e-12


@pytest.mark.parametrize("is_call", [True, False])
def test_index_chains_agree_with_two_independent_libraries(is_call):
    strikes = np.arange(22000.0, 26001.0, 50.0)
    true = 0.11 + 0.4 * np.abs(np.log(strikes / FORWARD))
    value = price(FORWARD, strikes, YEARS, RATE, true, np.full(len(strikes), is_call))
    vol, status = implied_volatility(value, FORWARD, strikes, YEARS, RATE, np.full(len(strikes), is_call))
    assert (status == SOLVED).all()
    by_pyvolr = pyvolr.black76.implied_vol(value, "c" if is_call else "p", FORWARD, strikes, YEARS, RATE)
    totals = lbriv.vectorized_implied_vol_strikes(
        value * math.exp(RATE * YEARS), FORWARD, strikes, 1 if is_call else -1
    )
    # In the money the time value is a small part of the price, so the three share only what its bits hold.
    outside = strikes >= FORWARD if is_call else strikes <= FORWARD
    for other in (by_pyvolr, totals / math.sqrt(YEARS)):
        assert np.abs(vol / other - 1)[outside].max() < 1e-11
        assert np.abs(vol / other - 1).max() < 1e-6


def test_prices_on_the_tick_grid_give_back_the_rounded_price():
    strikes = np.arange(23000.0, 25001.0, 50.0)
    is_call = strikes >= FORWARD
    true = np.full(len(strikes), 0.12)
    ticks = np.round(price(FORWARD, strikes, YEARS, RATE, true, is_call) / 0.05) * 0.05
    vol, status = implied_volatility(ticks, FORWARD, strikes, YEARS, RATE, is_call)
    assert (status == SOLVED).all()
    assert np.allclose(price(FORWARD, strikes, YEARS, RATE, vol, is_call), ticks, rtol=1e-12)


CALL_AT_25000 = 150.0


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"value": math.nan}, NO_PRICE),
        ({"value": 0.0}, NO_PRICE),
        ({"value": -3.0}, NO_PRICE),
        ({"value": math.inf}, NO_PRICE),
        ({"strike": math.nan}, NO_PRICE),
        ({"strike": 20000.0}, BELOW_INTRINSIC),
        ({"value": 30000.0}, ABOVE_MAXIMUM),
        ({"strike": 23000.0, "value": 1000.0 * math.exp(-RATE * YEARS)}, NOT_IDENTIFIABLE),
        ({"forward": math.nan}, NO_FORWARD),
        ({"forward": -1.0}, NO_FORWARD),
        ({"years": math.nan}, EXPIRED),
        ({"years": 0.0}, EXPIRED),
        ({}, SOLVED),
    ],
)
def test_every_reason_why_there_is_no_volatility_is_told(changed, status):
    leg = {"value": CALL_AT_25000, "forward": FORWARD, "strike": 25000.0, "years": YEARS, "rate": RATE} | changed
    vol, found = solve_one(leg["value"], leg["forward"], leg["strike"], leg["years"], leg["rate"], True)
    if status == NOT_IDENTIFIABLE:  # one bit of rounding either way
        assert found in {NOT_IDENTIFIABLE, BELOW_INTRINSIC}
    else:
        assert found == status
    assert math.isnan(vol) == (status != SOLVED)


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(value=anything, strike=anything, forward=anything, years=anything, rate=anything, is_call=st.booleans())
@settings(max_examples=300)
def test_nothing_raises_or_warns_and_a_volatility_is_positive_or_nan(value, strike, forward, years, rate, is_call):
    with np.errstate(all="raise"):
        vol, status = solve_one(value, forward, strike, years, rate, is_call)
    assert math.isnan(vol) == (status != SOLVED)
    assert not vol <= 0


@given(row=st.integers(0, 9), bad=st.sampled_from([math.nan, math.inf, -math.inf, -1.0, 0.0, 1e300, 5e-324]),
       column=st.sampled_from(["price", "strike"]))  # fmt: skip
def test_one_bad_leg_changes_none_of_its_neighbours(row, bad, column):
    strikes = np.arange(23550.0, 24050.0, 50.0)
    is_call = strikes > FORWARD
    good = {"price": price(FORWARD, strikes, YEARS, RATE, np.full(10, 0.12), is_call), "strike": strikes}
    spoilt = {name: values.copy() for name, values in good.items()}
    spoilt[column][row] = bad
    others = np.arange(10) != row
    before = implied_volatility(good["price"], FORWARD, good["strike"], YEARS, RATE, is_call)
    with np.errstate(all="raise"):
        after = implied_volatility(spoilt["price"], FORWARD, spoilt["strike"], YEARS, RATE, is_call)
    assert np.array_equal(before[0][others], after[0][others])
    assert np.array_equal(before[1][others], after[1][others])


def test_greeks_of_hulls_worked_example():
    # Hull, Options, Futures and Other Derivatives (9th ed.), ch. 19: S 49, K 50, r 5 %, vol 20 %, 20 weeks.
    years = 20 / 52
    call = greeks(49 * math.exp(0.05 * years), np.array([50.0]), years, 0.05, np.array([0.2]), np.array([True]))
    assert call.delta[0] == pytest.approx(0.522, abs=5e-4)
    assert call.gamma[0] == pytest.approx(0.066, abs=5e-4)
    assert call.theta[0] * 365 == pytest.approx(-4.31, abs=5e-3)
    assert call.vega[0] * 100 == pytest.approx(12.1, abs=5e-2)
    assert call.rho[0] * 100 == pytest.approx(8.91, abs=5e-3)


@pytest.mark.parametrize("is_call", [True, False])
def test_greeks_agree_with_an_independent_library(is_call):
    spot = FORWARD * math.exp(-RATE * YEARS)
    strikes = np.arange(23000.0, 25001.0, 250.0)
    ours = greeks(FORWARD, strikes, YEARS, RATE, np.full(len(strikes), 0.13), np.full(len(strikes), is_call))
    flag = "c" if is_call else "p"
    for row, strike in enumerate(strikes):
        for name in ("delta", "gamma", "theta", "vega", "rho"):
            theirs = getattr(textbook, name)(flag, spot, strike, YEARS, RATE, 0.13)
            assert getattr(ours, name)[row] == pytest.approx(theirs, rel=1e-9, abs=1e-12), (name, strike)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("strike", [23000.0, 24000.0, 25500.0])
def test_greeks_are_the_derivatives_along_the_spot(is_call, strike):
    spot = FORWARD * math.exp(-RATE * YEARS)

    def value(s=spot, years=YEARS, rate=RATE, vol=0.13):
        return exact_price(s * math.exp(rate * years), strike, years, rate, vol, is_call)

    ours = greeks(FORWARD, np.array([strike]), YEARS, RATE, np.array([0.13]), np.array([is_call]))
    day, point = 1e-3 / 365, 1.0
    assert ours.delta[0] == pytest.approx((value(spot + point) - value(spot - point)) / 2, rel=1e-5)
    assert ours.gamma[0] == pytest.approx(value(spot + point) - 2 * value() + value(spot - point), rel=1e-4)
    assert ours.theta[0] == pytest.approx((value(years=YEARS - day) - value(years=YEARS + day)) / 2e-3, rel=1e-5)
    assert ours.vega[0] == pytest.approx((value(vol=0.1301) - value(vol=0.1299)) / 2e-2, rel=1e-5)
    assert ours.rho[0] == pytest.approx((value(rate=RATE + 1e-5) - value(rate=RATE - 1e-5)) / 2e-3, rel=1e-5)


@given(strike=st.floats(18000, 30000), vol=st.floats(0.05, 1.0), years=st.floats(1e-4, 2.0))
def test_put_call_parity(strike, vol, years):
    both = price(FORWARD, np.full(2, strike), years, RATE, np.full(2, vol), np.array([True, False]))
    assert both[0] - both[1] == pytest.approx(math.exp(-RATE * years) * (FORWARD - strike), abs=1e-8)


def test_greeks_of_no_volatility_are_nan():
    values = greeks(FORWARD, np.array([24000.0]), YEARS, RATE, np.array([math.nan]), np.array([True]))
    assert all(math.isnan(column[0]) for column in values)
