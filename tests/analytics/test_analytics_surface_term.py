"""The surface over time: constant maturities, term structure and calendar arbitrage, from smiles that are known."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quoted_smiles import FORWARD, quoted_chain, raw_svi

from g6.analytics import enrich, survey
from g6.analytics.conventions import Conventions
from g6.model.background import IndexView

DEFAULT = Conventions()
POINTS = ("atm_iv", "put_10_iv", "put_25_iv", "call_50_iv", "call_25_iv", "call_10_iv")
WIDE = np.arange(0.85, 1.1501, 0.005) * FORWARD


def smile_of(days, level=0.11):
    """A skewed smile with this volatility at the forward, as wide as its expiry is far."""
    years = days / 365
    width = level * math.sqrt(years)
    rho, sigma, b = -0.35, width, 0.4 * width
    a = level**2 * years - b * sigma
    return raw_svi(a=a, b=b, rho=rho, m=0.0, sigma=sigma, years=years)


def chain_of(days, level=0.11):
    width = level * math.sqrt(days / 365)
    strikes = FORWARD * np.exp(np.linspace(-3 * width, 3 * width, 41))
    return enrich(quoted_chain(smile_of(days, level), days=days, strikes=strikes), DEFAULT)


def told(*chains, conventions=DEFAULT, **fields):
    return survey(IndexView("NIFTY", FORWARD, spot_frozen=False, chains=chains, **fields), conventions)


def points(chain):
    return {name: chain.smile[name] for name in POINTS}


@pytest.mark.parametrize("days", [7, 14, 30])
def test_an_expiry_of_just_that_maturity_says_it_all(days):
    near, own, far = chain_of(days - 3, 0.13), chain_of(days, 0.11), chain_of(days + 9, 0.12)
    found = told(near, own, far)
    assert {name: found[f"{name}_{days}d"] for name in POINTS} == pytest.approx(points(own), rel=1e-9)
    assert found[f"atm_iv_{days}d"] == pytest.approx(0.11, abs=1e-5)


@given(st.floats(2.0, 6.9), st.floats(7.1, 60.0), st.floats(0.08, 0.4), st.floats(0.08, 0.4))
@settings(max_examples=25, deadline=None)
def test_between_two_expiries_total_variance_is_on_the_straight_line(before, after, low, high):
    chains = chain_of(before, low), chain_of(after, high)
    found = told(*chains)
    for name in POINTS:
        variance = np.interp(
            7.0, [before, after], [c.smile[name] ** 2 * d for c, d in zip(chains, (before, after), strict=True)]
        )
        assert found[f"{name}_7d"] == pytest.approx(math.sqrt(variance / 7.0), rel=1e-9), name


def test_the_two_expiries_around_a_maturity_are_used_and_no_others():
    near, far = chain_of(21, 0.11), chain_of(45, 0.12)
    alone = told(near, far)
    crowd = told(chain_of(3, 0.3), chain_of(10, 0.25), near, far, chain_of(80, 0.4))
    for name in POINTS:
        assert crowd[f"{name}_30d"] == pytest.approx(alone[f"{name}_30d"])


def test_a_flat_surface_is_flat_in_every_maturity():
    chains = [
        enrich(quoted_chain(lambda k: 0.15 + 0 * k, days=days, strikes=WIDE), DEFAULT) for days in (5, 12, 26, 40)
    ]
    found = told(*chains)
    for name in ("atm_iv_7d", "atm_iv_14d", "atm_iv_30d", "put_25_iv_30d", "call_10_iv_30d"):
        assert found[name] == pytest.approx(0.15, abs=1e-5), name
    assert found["risk_reversal_25_30d"] == pytest.approx(0.0, abs=1e-5)
    assert found["butterfly_25_30d"] == pytest.approx(0.0, abs=1e-5)
    assert found["term_slope"] == pytest.approx(0.0, abs=1e-5)
    assert found["forward_variance"] == pytest.approx(0.15**2, rel=1e-3)
    assert found["calendar_violations"] == 0


@pytest.mark.parametrize(("expiry", "reached"), [(24.1, True), (23.9, False), (37.4, True), (37.6, False)])
def test_outside_the_expiries_the_nearest_counts_if_it_is_near(expiry, reached):
    found = told(chain_of(expiry, 0.13))
    assert found["atm_iv_30d"] == pytest.approx(0.13 if reached else math.nan, abs=1e-5, nan_ok=True)
    wide = told(chain_of(expiry, 0.13), conventions=replace(DEFAULT, maturity_reach_ratio=10.0))
    assert wide["atm_iv_30d"] == pytest.approx(0.13, abs=1e-5)


def test_a_smile_that_was_refused_is_not_between_two_others():
    near, refused, far = chain_of(20, 0.11), replace(chain_of(29, 0.5), settling=True), chain_of(45, 0.12)
    refused = enrich(refused, DEFAULT)
    assert refused.smile["status"] > 0
    found, without = told(near, refused, far), told(near, far)
    maturities = [name for name in without if name.endswith(("_7d", "_14d", "_30d"))]
    assert [found[name] for name in maturities] == pytest.approx([without[name] for name in maturities], nan_ok=True)
    assert found["surface_quality"] == pytest.approx(without["surface_quality"] * 2 / 3)


def test_the_order_of_the_chains_does_not_matter():
    chains = [chain_of(days, level) for days, level in ((4, 0.1), (11, 0.12), (32, 0.11), (60, 0.13))]
    assert told(*chains) == pytest.approx(told(*chains[::-1]), nan_ok=True)


def test_slope_and_forward_variance_are_those_of_the_two_nearest_a_day_away():
    today, front, back = chain_of(0.4, 0.3), chain_of(6, 0.12), chain_of(13, 0.125)
    found = told(today, front, back, chain_of(40, 0.2))
    assert found["term_slope"] == pytest.approx(0.005, abs=2e-5)
    assert found["forward_variance"] == pytest.approx((0.125**2 * 13 - 0.12**2 * 6) / 7, rel=1e-3)
    falling = told(chain_of(6, 0.3), chain_of(13, 0.12))
    assert math.isnan(falling["forward_variance"])
    assert falling["term_slope"] < -0.17


def test_the_difference_measures_are_differences():
    found = told(chain_of(20, 0.11), chain_of(45, 0.12))
    put, call = found["put_25_iv_30d"], found["call_25_iv_30d"]
    assert found["risk_reversal_25_30d"] == pytest.approx(call - put)
    assert found["butterfly_25_30d"] == pytest.approx((put + call) / 2 - found["atm_iv_30d"])
    assert found["risk_reversal_25_30d"] < 0 < found["butterfly_25_30d"]


@given(
    st.lists(st.tuples(st.floats(2, 90), st.floats(0.08, 0.4)), min_size=2, max_size=5, unique_by=lambda p: round(p[0]))
)
@settings(max_examples=25, deadline=None)
def test_calendar_arbitrage_is_found_where_brute_force_finds_prices_falling_with_time(expiries):
    expiries = sorted(expiries)
    chains = [chain_of(days, level) for days, level in expiries]
    violations = 0
    for (near, low), (far, high) in pairwise(expiries):
        # A call on the same K/F is worth less later, per point of the forward, exactly where total variance is.
        edge = min(3 * low * math.sqrt(near / 365), 3 * high * math.sqrt(far / 365)) * 0.999
        k = np.linspace(-edge, edge, 33)
        sooner, later = smile_of(near, low)(k) ** 2 * near, smile_of(far, high)(k) ** 2 * far
        if np.abs(sooner / later - 1).min() < 0.01 and not ((sooner < later).all() or (sooner > later).any()):
            return  # too close to say
        violations += bool((sooner > later * 1.002).any())
        if ((sooner > later) & (sooner <= later * 1.002)).any():
            return
    found = told(*chains)
    assert found["calendar_violations"] == violations
    mean = np.mean([chain.smile["quality"] for chain in chains])
    assert (found["surface_quality"] < mean - 1e-12) == (violations > 0)


def test_without_two_smiles_there_is_no_term_structure():
    for chains in ((), (chain_of(9),)):
        found = told(*chains)
        assert all(math.isnan(found[n]) for n in ("term_slope", "forward_variance", "calendar_violations"))
    assert math.isnan(told()["surface_quality"])
    assert told(chain_of(9))["surface_quality"] > 0.9
