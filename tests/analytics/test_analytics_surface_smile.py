"""A chain's smile: what it reads, what it fills, when it refuses; on made-up chains."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quoted_smiles import FORWARD, TICK, black, quoted_chain, raw_svi
from scipy.optimize import brentq
from scipy.stats import norm

from g6.analytics import aggregate, enrich
from g6.analytics.conventions import Conventions
from g6.analytics.surface import SMILES, total_variance, total_variance_slope
from g6.analytics.surface.smile import DELTAS, PARAMETERS, UNREAD
from g6.model.chain import FITTED_SOURCES, LEG_COLUMN_NAMES, SMILE_STATUSES

DEFAULT = Conventions()
YEARS = 7 / 365
TRUE = {"a": 0.00004, "b": 0.009, "rho": -0.35, "m": 0.002, "sigma": 0.018}  # a week of NIFTY: 11 % at the money
SMILE = raw_svi(**TRUE, years=YEARS)


def valued(chain, conventions=DEFAULT):
    return aggregate(enrich(chain, conventions), conventions)


def status(chain):
    return SMILE_STATUSES[int(chain.smile["status"])]


@pytest.fixture(scope="module")
def exact():
    return valued(quoted_chain(SMILE))


def test_the_smile_of_exact_quotes_is_the_one_they_were_made_of(exact):
    assert status(exact) == "fitted"
    assert {name: exact.smile[name] for name in PARAMETERS} == pytest.approx(TRUE, rel=0.02, abs=2e-5)
    assert exact.smile["rmse"] < 1e-3
    assert exact.smile["quality"] > 0.99
    assert exact.smile["butterfly"] > 0


def test_volatilities_at_deltas_are_those_where_a_root_finder_finds_the_deltas(exact):
    for name, delta in DELTAS.items():

        def off(k, delta=delta):
            total = float(SMILE(np.array(k))) * math.sqrt(YEARS)
            return norm.cdf(-k / total + total / 2) - delta

        expected = float(SMILE(np.array(brentq(off, -0.1, 0.1, xtol=1e-14))))
        assert exact.smile[name] == pytest.approx(expected, abs=2e-5), name


def test_the_measures_of_the_smile_are_differences_of_its_points(exact):
    told, at_forward = exact.aggregates, float(SMILE(np.zeros(1))[0])
    assert told["atm_forward_iv"] == pytest.approx(at_forward, abs=1e-5)
    put, call = exact.smile["put_25_iv"], exact.smile["call_25_iv"]
    assert told["risk_reversal_25"] == pytest.approx(call - put)
    assert told["butterfly_25"] == pytest.approx((call + put) / 2 - at_forward, abs=2e-5)
    step = 1e-5
    slope = (SMILE(np.array(step)) - SMILE(np.array(-step))) / (2 * step)
    assert told["skew"] == pytest.approx(float(slope), rel=0.01)
    assert told["risk_reversal_10"] < told["risk_reversal_25"] < 0 < told["butterfly_25"] < told["butterfly_10"]


def test_total_variance_and_its_slope_are_read_where_the_smile_reaches_and_nowhere_else(exact):
    k = np.array([-0.03, 0.0, 0.02])
    assert total_variance(exact.smile, k) == pytest.approx(SMILE(k) ** 2 * YEARS, rel=1e-3)
    step = 1e-6
    slope = (total_variance(exact.smile, k + step) - total_variance(exact.smile, k - step)) / (2 * step)
    assert total_variance_slope(exact.smile, k) == pytest.approx(slope, rel=1e-4)
    beyond = np.array([-5.0, exact.smile["lower_k"] - 1e-9, exact.smile["upper_k"] + 1e-9, math.nan])
    assert np.isnan(total_variance(exact.smile, beyond)).all()
    assert np.isnan(total_variance(valued(quoted_chain(SMILE, strikes=[FORWARD])).smile, k)).all()
    assert np.isnan(total_variance({}, k)).all()


def test_strikes_without_quotes_are_filled_and_say_how():
    strikes = np.arange(0.90, 1.1001, 0.002) * FORWARD
    chain = quoted_chain(SMILE, strikes=strikes)
    k = np.log(chain.strike / FORWARD)
    silent = (np.abs(k) > 0.05) | (np.abs(k - 0.02) < 0.003)
    chain = replace(chain, bid=np.where(silent, np.nan, chain.bid), last=np.full(len(chain), np.nan))
    chain = valued(chain, replace(DEFAULT, smile_span=10.0))
    source = [FITTED_SOURCES[int(code)] if np.isfinite(code) else "none" for code in chain.fitted_iv_source]
    reach = chain.smile["upper_k"] - chain.smile["highest_k"]
    assert reach == pytest.approx(float(SMILE(np.zeros(1))[0]) * math.sqrt(YEARS), rel=0.01)
    for at, code, fitted in zip(k, source, chain.fitted_iv, strict=True):
        if abs(at) > 0.051 + reach:
            assert code == "none"
            assert math.isnan(fitted)
            continue
        expected = "extrapolated" if abs(at) > 0.05 else "interpolated" if abs(at - 0.02) < 0.003 else "quoted"
        assert code == expected or abs(abs(at) - 0.05 - reach) < 0.003
        assert math.isnan(fitted) or fitted == pytest.approx(float(SMILE(np.array(at))), abs=1e-4)


def test_quotes_out_in_the_wings_are_left_out_of_the_fit_and_told_apart():
    strikes = np.arange(0.90, 1.1001, 0.002) * FORWARD
    deviation = float(SMILE(np.zeros(1))[0]) * math.sqrt(YEARS)

    # Wings as dear as a tick or two make them: volatility grows in proportion to the distance, without end.
    def dear(k):
        return np.maximum(SMILE(k), np.abs(k) / deviation * 0.05)

    usual, bent = valued(quoted_chain(SMILE, strikes=strikes)), valued(quoted_chain(dear, strikes=strikes))
    for chain in (usual, bent):
        assert -3 * deviation <= chain.smile["lowest_k"] < -2.7 * deviation
        quoted = chain.fitted_iv_source == FITTED_SOURCES.index("quoted")
        assert np.abs(np.log(chain.strike[quoted] / FORWARD)).max() <= 3 * deviation
        beyond = np.isfinite(chain.fitted_iv) & ~quoted
        assert (chain.fitted_iv_source[beyond] == FITTED_SOURCES.index("extrapolated")).all()
    assert bent.aggregates["atm_forward_iv"] == pytest.approx(usual.aggregates["atm_forward_iv"], abs=5e-4)
    wide = valued(quoted_chain(SMILE, strikes=strikes), replace(DEFAULT, smile_span=4.0))
    assert wide.smile["quotes"] > usual.smile["quotes"]


def test_where_the_span_has_few_quotes_the_nearest_ones_are_taken():
    one = replace(DEFAULT, smile_span=1.0)
    within = valued(quoted_chain(SMILE), one).smile["quotes"]
    assert 14 < within < 20
    assert valued(quoted_chain(SMILE), replace(one, smile_fewest_quotes=12)).smile["quotes"] == 24


def few(chain):
    return np.where(np.abs(chain.strike / FORWARD - 1) < 0.005, chain.bid, np.nan)


BROKEN = {  # what a smile is refused for
    "too_few_quotes": lambda c: replace(c, bid=few(c), last=few(c)),
    "one_sided": lambda c: replace(c, bid=np.where(c.strike > 1.01 * FORWARD, c.bid, np.nan), future=FORWARD),
    "no_forward": lambda c: replace(
        c, bid=np.where(c.is_call == (c.strike > FORWARD), c.bid, np.nan), last=np.full(len(c), np.nan)
    ),
    "settling": lambda c: replace(c, settling=True),
    "poor_fit": lambda c: scattered(c, 0.03),
}


def scattered(chain, noise):
    vol = SMILE(np.log(chain.strike / FORWARD)) + np.random.default_rng(3).normal(0, noise, len(chain) // 2).repeat(2)
    total = np.maximum(vol, 0.01) * math.sqrt(YEARS)
    price = math.exp(-0.065 * YEARS) * black(np.log(chain.strike / FORWARD), total, chain.is_call)
    return replace(chain, bid=price, ask=price, last=price)


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_believed_says_why_and_gives_nothing(name):
    chain = valued(BROKEN[name](quoted_chain(SMILE)))
    assert status(chain) == name
    assert all(math.isnan(chain.smile[key]) for key in UNREAD)
    assert chain.smile["quality"] == 0
    assert np.isnan(chain.fitted_iv).all()
    assert np.isnan(chain.fitted_iv_source).all()
    read = {descriptor.name for descriptor, _ in SMILES} - {"smile_rmse", "smile_quality", "smile_status"}
    assert all(math.isnan(chain.aggregates[measure]) for measure in read)


def test_quotes_that_are_arbitrage_themselves_give_no_smile_that_has_it():
    # A hump: dear at the money, cheap next to it. No density is positive there.
    chain = valued(quoted_chain(lambda k: 0.11 + 0.05 * np.exp(-((k / 0.004) ** 2)) + 2 * np.abs(k)))
    assert status(chain) in {"poor_fit", "butterfly_arbitrage"} or chain.smile["butterfly"] >= 0


def test_one_absurd_quote_hardly_moves_the_smile(exact):
    for row in range(0, len(exact), 7):
        price = np.where(np.arange(len(exact)) == row, exact.bid * 1.5 + 3, exact.bid)
        chain = valued(replace(quoted_chain(SMILE), bid=price, ask=price))
        assert status(chain) == "fitted"
        assert chain.aggregates["atm_forward_iv"] == pytest.approx(exact.aggregates["atm_forward_iv"], abs=5e-4)
        assert chain.aggregates["risk_reversal_25"] == pytest.approx(exact.aggregates["risk_reversal_25"], abs=1e-3)


@given(st.floats(0.01, 1000.0))
@settings(max_examples=25, deadline=None)
def test_points_of_another_size_give_the_same_smile(scale):
    chain = valued(quoted_chain(SMILE, forward=FORWARD * scale, spread=0.4 * scale, tick=0.0))
    once = valued(quoted_chain(SMILE, spread=0.4))
    told = {name: chain.smile[name] for name in ("atm_iv", *DELTAS)}
    assert told == pytest.approx({name: once.smile[name] for name in told}, abs=2e-4)


smiles = st.builds(
    raw_svi,
    a=st.floats(-0.0002, 0.0005),
    b=st.floats(0.001, 0.03),
    rho=st.floats(-0.9, 0.6),
    m=st.floats(-0.02, 0.02),
    sigma=st.floats(0.004, 0.05),
    years=st.just(YEARS),
)


@given(smiles, st.floats(0.0, 0.02), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_where_it_says_fitted_the_density_of_its_prices_is_not_negative(smile, noise, seed):
    def noisy(k):
        with np.errstate(invalid="ignore"):
            vol = np.nan_to_num(smile(k), nan=0.02)
        levels, place = np.unique(k, return_inverse=True)
        return np.maximum(vol, 0.02) * np.exp(np.random.default_rng(seed).normal(0, noise, len(levels)))[place]

    told = valued(quoted_chain(noisy, spread=0.5, tick=TICK)).smile
    if told["status"]:
        return
    k = np.linspace(told["lower_k"] + 2e-3, told["upper_k"] - 2e-3, 201)
    step = 2e-4
    low, here, high = (
        black(at, np.sqrt(total_variance(told, at)), np.ones(len(k), bool), forward=1.0)
        for at in (np.log(np.exp(k) - step), k, np.log(np.exp(k) + step))
    )
    assert ((low - 2 * here + high) / step**2).min() > -1e-6


@pytest.mark.parametrize("change", [
    {"last": np.nan}, {"bid": np.nan}, {"bid": np.nan, "last": np.nan}, {"oi": 0.0}, {"ask": 0.0}, {"bid": 1e9},
])  # fmt: skip
def test_columns_of_nothing_and_of_nonsense_pass_through(change):
    chain = quoted_chain(SMILE)
    chain = replace(chain, **{name: np.full(len(chain), value) for name, value in change.items()})
    assert set(valued(chain).aggregates) >= {descriptor.name for descriptor, _ in SMILES}


def test_chains_of_odd_shapes_pass_through():
    chain = quoted_chain(SMILE)
    calls, puts = np.flatnonzero(chain.is_call), np.flatnonzero(~chain.is_call)
    for rows, told in ((np.array([0]), "too_few_quotes"), (calls, "no_forward"), (puts, "no_forward"),
                       (np.array([], int), "too_few_quotes")):  # fmt: skip
        part = replace(chain, **{name: getattr(chain, name)[rows] for name in LEG_COLUMN_NAMES})
        assert status(valued(part)) == told
    for seconds in (1, 600, 1800, -60):
        late = replace(chain, at=chain.expires_at - timedelta(seconds=seconds))
        assert status(valued(late)) in SMILE_STATUSES
    assert status(valued(replace(chain, spot_frozen=True))) == "fitted"


def test_a_chain_without_volatilities_says_so():
    chain = enrich(quoted_chain(SMILE), DEFAULT, [])
    from g6.analytics.surface import add_smile

    assert status(add_smile(chain, DEFAULT)) == "too_few_quotes"
