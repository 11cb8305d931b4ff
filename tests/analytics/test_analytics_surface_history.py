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
    def make(spot=24000.0, frozen=False, vix=math.nan, chains=True, **past):
        return IndexView("NIFTY", spot, frozen, (chain,) if chains else (), Background(**past), vix=vix)

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


def test_todays_volatility_is_that_of_the_walk_it_is_of(view):
    minutes, annual = 374, 0.14
    steps = np.random.default_rng(2).normal(0, annual / math.sqrt(375 * 252), (200, minutes))
    paths = 24000 * np.exp(np.cumsum(steps, axis=1))
    found = [realised_volatility_today(view(spot=path[-1], minute_spot=path[:-1]), DEFAULT) for path in paths]
    assert np.mean(np.square(found)) == pytest.approx(annual**2, rel=4 * math.sqrt(2 / minutes / 200))
    squared = pd.Series(np.log(paths[0])).diff().pow(2).mean()
    assert found[0] == pytest.approx(math.sqrt(squared * 375 * 252), rel=1e-9)


def test_minutes_in_which_the_index_is_held_still_do_not_calm_it(view):
    path = 24000 + np.random.default_rng(3).normal(0, 5, 200).cumsum()
    moving = view(spot=path[-1], minute_spot=path[:-1])
    held = view(spot=path[-1], frozen=True, minute_spot=np.append(path, np.full(20, path[-1])))
    expected = realised_volatility_today(moving, DEFAULT)
    assert realised_volatility_today(held, DEFAULT) == pytest.approx(expected, rel=1e-9)
    assert realised_volatility_today(replace(held, spot_frozen=False), DEFAULT) < 0.97 * expected


def test_too_few_minutes_say_nothing(view):
    path = 24000 + np.arange(40.0)
    assert math.isnan(realised_volatility_today(view(minute_spot=path[:29], spot=24100.0), DEFAULT))
    assert realised_volatility_today(view(minute_spot=path[:30], spot=24030.0), DEFAULT) > 0
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
