"""Volatility beside what was: against pandas, SciPy and textbook numbers."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quoted_smiles import FORWARD, quoted_chain
from scipy import stats

from g6.analytics import enrich
from g6.analytics.conventions import Conventions
from g6.analytics.surface.history import (
    iv_less_realised,
    iv_percentile,
    iv_rank,
    iv_vix_correlation,
    realised_volatility_20d,
    realised_volatility_today,
)
from g6.model.background import Background, IndexView

DEFAULT = Conventions()
NOW = 0.15  # the 30-day volatility of `view`


@pytest.fixture(scope="module")
def chain():
    strikes = np.arange(0.85, 1.1501, 0.005) * FORWARD
    return enrich(quoted_chain(lambda k: NOW + 0 * k, days=30.0, strikes=strikes), DEFAULT)


@pytest.fixture
def view(chain):
    def make(spot=24000.0, frozen=False, vix=math.nan, chains=True, minute_of_day=math.nan, past_minutes=(), **past):
        background = Background(minute_of_day=np.array(past_minutes, float), **past)
        return IndexView("NIFTY", spot, frozen, (chain,) if chains else (), background, vix, minute_of_day)

    return make


# The closes of Hull, Options, Futures, and Other Derivatives, 8th ed., table 14.1: a daily volatility of 0.01216, or
# 19.3 % a year. Its 21 observations are days 0 to 20.
HULL = [20.00, 20.10, 19.90, 20.00, 20.50, 20.25, 20.90, 20.90, 20.90, 20.75, 20.75, 21.00, 21.10, 20.90, 20.90, 21.25,
        21.40, 21.40, 21.25, 21.75, 22.00]  # fmt: skip


def test_realised_volatility_of_hulls_worked_example(view):
    assert realised_volatility_20d(view(daily_close=np.array(HULL)), DEFAULT) == pytest.approx(0.193, abs=5e-4)


def test_realised_volatility_is_of_the_last_21_closes_and_pandas_agrees(view):
    closes = 24000 * np.exp(np.random.default_rng(1).normal(0, 0.01, 100).cumsum())
    returns = np.log(pd.Series(closes)).diff()
    expected = returns.rolling(20).std().iloc[-1] * math.sqrt(252)
    assert realised_volatility_20d(view(daily_close=closes), DEFAULT) == pytest.approx(expected, rel=1e-12)
    found = iv_less_realised(view(daily_close=closes), DEFAULT)
    assert found == pytest.approx(NOW - expected, abs=1e-5)


@pytest.mark.parametrize("bend", [
    lambda c: c[:20],
    lambda c: np.where(np.arange(len(c)) == 25, np.nan, c),
    lambda c: np.where(np.arange(len(c)) == 25, 0.0, c),
])  # fmt: skip
def test_a_close_that_is_missing_makes_it_unknown(view, bend):
    closes = bend(np.full(30, 24000.0))
    assert math.isnan(realised_volatility_20d(view(daily_close=closes), DEFAULT))
    assert math.isnan(iv_less_realised(view(daily_close=closes), DEFAULT))


# A walk of 14 % a year over a day, and what it was seen as at some of its minutes.
ANNUAL, OPEN = 0.14, 555.0


def walk(seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0, ANNUAL / math.sqrt(375 * 252), 375)
    return 24000 * np.exp(steps.cumsum())


@pytest.fixture
def seen(view):
    def make(path, at, frozen_from=math.inf):
        at = np.asarray(at)
        frozen = (at >= frozen_from).astype(float)
        return view(
            spot=path[at[-1]], frozen=bool(frozen[-1]), minute_of_day=OPEN + at[-1], past_minutes=OPEN + at[:-1],
            minute_spot=path[at[:-1]], minute_frozen=frozen[:-1],
        )  # fmt: skip

    return make


@pytest.mark.parametrize("interval", [1, 2, 5])
def test_todays_volatility_is_that_of_the_walk_whatever_the_interval(seen, interval):
    at = np.arange(0, 375, interval)
    found = [realised_volatility_today(seen(walk(seed), at), DEFAULT) for seed in range(200)]
    error = math.sqrt(2 / (len(at) - 1) / 200)  # of a mean of squares, relative
    assert np.mean(np.square(found)) == pytest.approx(ANNUAL**2, rel=4 * error)


def test_todays_volatility_is_pandas_sum_of_squares_over_the_minutes(seen):
    at, path = np.array([0, *range(3, 200), 202, 203, *range(206, 300)]), walk(0)
    squares = pd.Series(np.log(path[at]), index=OPEN + at).diff().pow(2).sum()
    expected = math.sqrt(squares / (at[-1] - at[0]) * 375 * 252)
    assert realised_volatility_today(seen(path, at), DEFAULT) == pytest.approx(expected, rel=1e-9)


def test_the_minutes_of_a_session_and_the_sessions_of_a_year_are_settings(seen):
    index = seen(walk(0), np.arange(375))
    other = replace(DEFAULT, session_minutes=360, sessions_a_year=250)
    ratio = realised_volatility_today(index, other) / realised_volatility_today(index, DEFAULT)
    assert ratio == pytest.approx(math.sqrt(360 * 250 / 375 / 252))


@pytest.mark.parametrize("hole", [5, 119])
@pytest.mark.parametrize("jump", [0.97, 1.0, 1.03])
def test_what_happened_in_a_hole_says_nothing_of_the_minutes(seen, hole, jump):
    path = walk(1)[:250]
    torn = np.concatenate([path[:100], np.full(hole, np.nan), jump * path[99:]])  # the same steps, and the hole's
    expected = realised_volatility_today(seen(path, np.arange(250)), DEFAULT)
    absent = realised_volatility_today(seen(torn, np.flatnonzero(np.isfinite(torn))), DEFAULT)
    unknown = realised_volatility_today(seen(torn, np.arange(len(torn))), DEFAULT)
    assert (absent, unknown) == pytest.approx((expected, expected), rel=1e-9)


@pytest.mark.parametrize("end", [365, 375, 380, 385])
def test_neither_the_closing_auction_nor_what_comes_after_it_counts(view, seen, end):
    path = walk(2)[:361]
    held = np.concatenate([path[:360], np.full(20, path[359]), np.full(10, 1.008 * path[359])])  # 15:15, 15:35
    moving = realised_volatility_today(seen(path, np.arange(360)), DEFAULT)
    at = np.arange(end)
    frozen = ((at >= 360) & (at < 380)).astype(float)
    index = view(
        spot=held[end - 1], frozen=bool(frozen[-1]), minute_of_day=OPEN + at[-1], past_minutes=OPEN + at[:-1],
        minute_spot=held[at[:-1]], minute_frozen=frozen[:-1],
    )  # fmt: skip
    assert realised_volatility_today(index, DEFAULT) == pytest.approx(moving, rel=1e-12)
    thawed = replace(index, spot_frozen=False, background=replace(index.background, minute_frozen=0 * at[:-1]))
    assert abs(realised_volatility_today(thawed, DEFAULT) / moving - 1) > 0.005, "or the case shows nothing"


def test_too_few_minutes_say_nothing(view, seen):
    path = walk(3)
    assert math.isnan(realised_volatility_today(seen(path, np.arange(30)), DEFAULT))
    assert realised_volatility_today(seen(path, np.arange(31)), DEFAULT) > 0
    assert math.isnan(realised_volatility_today(seen(path, np.arange(0, 375, 6)), DEFAULT)), "steps are too long"
    assert math.isnan(realised_volatility_today(view(), DEFAULT))


series = st.lists(st.one_of(st.floats(0.05, 0.5), st.just(math.nan)), min_size=60, max_size=260)


@given(series)
@settings(max_examples=50, deadline=None)
def test_rank_and_percentile_are_those_of_the_definition_and_of_scipy(chain, days):
    index = IndexView(
        "NIFTY", 24000.0, spot_frozen=False, chains=(chain,), background=Background(daily_iv=np.array(days))
    )
    known = [day for day in days if not math.isnan(day)]
    rank, percentile = iv_rank(index, DEFAULT), iv_percentile(index, DEFAULT)
    if len(known) < 60:
        assert math.isnan(rank)
        assert math.isnan(percentile)
        return
    now = chain.smile["atm_iv"]
    assert percentile == pytest.approx(stats.percentileofscore(known, now, kind="strict"))
    low, high = min([*known, now]), max([*known, now])
    assert rank == pytest.approx(100 * (now - low) / (high - low))
    assert 0 <= rank <= 100


def test_rank_is_0_at_the_low_and_100_at_the_high_of_the_year(view):
    for days, rank, percentile in ((np.linspace(0.2, 0.3, 252), 0, 0), (np.linspace(0.05, 0.1, 252), 100, 100)):
        assert iv_rank(view(daily_iv=days), DEFAULT) == rank
        assert iv_percentile(view(daily_iv=days), DEFAULT) == percentile


def test_without_a_volatility_now_there_is_no_rank(view):
    days = np.linspace(0.05, 0.3, 252)
    assert math.isnan(iv_rank(view(chains=False, daily_iv=days), DEFAULT))
    assert math.isnan(iv_percentile(view(chains=False, daily_iv=days), DEFAULT))


def test_the_correlation_with_india_vix_is_scipys_of_the_minute_changes(view):
    random = np.random.default_rng(4)
    iv = 0.14 + random.normal(0, 0.001, 120).cumsum()
    vix = 100 * iv + random.normal(0, 0.05, 120).cumsum()
    iv[50] = np.nan
    index = view(minute_iv=iv, minute_vix=vix, vix=14.2)
    now = index.chains[0].smile["atm_iv"]
    changes = pd.DataFrame({"iv": [*iv, now], "vix": [*vix, 14.2]}).diff().dropna()
    assert len(changes) == 118
    assert iv_vix_correlation(index, DEFAULT) == pytest.approx(stats.pearsonr(changes.iv, changes.vix)[0], rel=1e-9)


def test_the_correlation_is_1_of_the_same_and_unknown_of_what_stands_still_or_is_short(view):
    iv = NOW + np.random.default_rng(5).normal(0, 0.001, 100)
    exact = view().chains[0].smile["atm_iv"]
    assert iv_vix_correlation(view(minute_iv=iv, minute_vix=100 * iv, vix=100 * exact), DEFAULT) == pytest.approx(1.0)
    assert iv_vix_correlation(view(minute_iv=iv, minute_vix=-iv, vix=-exact), DEFAULT) == pytest.approx(-1.0)
    for past in ({"minute_vix": np.full(100, 14.0), "vix": 14.0}, {"minute_vix": iv[:50], "vix": 14.0},
                 {"minute_vix": iv, "vix": math.nan, "minute_iv": np.full(100, np.nan)}):  # fmt: skip
        assert math.isnan(iv_vix_correlation(view(**({"minute_iv": iv} | past)), DEFAULT))
    assert math.isnan(iv_vix_correlation(view(minute_iv=iv[:29], minute_vix=iv[:29], vix=14.0), DEFAULT))
