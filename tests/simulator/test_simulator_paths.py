"""Index paths over many days: pinned at their ends, as volatile as configured, correlated as loaded."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from g6.simulator.grid import SessionGrid
from g6.simulator.market import SimulatedMarket
from g6.simulator.paths import draw_day
from g6.simulator.walk import OVERNIGHT_SHARE

NAMES = ("NIFTY", "BANKNIFTY", "MIDCPNIFTY", "SENSEX")


@pytest.fixture(scope="module")
def days(calendar):
    every = (date(2024, 1, 2) + timedelta(days=n) for n in range(1090))
    return [day for day in every if calendar.is_expiry_day_allowed(day, "NSE")]


@pytest.fixture(scope="module")
def histories(market: SimulatedMarket):
    return market._histories


@pytest.fixture(scope="module")
def returns(histories, days):
    """Close-to-close log returns, one column per index."""
    ends = {name: histories["BSE" if name == "SENSEX" else "NSE"] for name in NAMES}
    return np.array([[ends[n].ends(day)[n].close - ends[n].ends(day)[n].previous for n in NAMES] for day in days])


@pytest.fixture(scope="module")
def sampled(histories, calendar, days):
    """The NSE indices' log levels every five seconds, on every fifth day of one session rule."""
    history, found = histories["NSE"], []
    for day in [d for d in days if d < date(2026, 8, 1)][::5]:
        grid = SessionGrid(day, calendar.windows(day, "NSE"))
        if grid.open_share == 1:
            paths = draw_day(20260803, day.toordinal(), grid, history.indices, tuple(history.ends(day).values()))
            found.append(np.log(paths.levels))
    return np.array(found)


def test_each_day_is_gapped_from_the_close_before(histories, days):
    ends = [histories["NSE"].ends(day)["NIFTY"] for day in days[:200]]
    closes = {day: end.close for day, end in zip(days, ends, strict=False)}
    for before, day in pairwise(days[:200]):
        if histories["NSE"].days_since(day) == (day - before).days:  # no Muhurat hour between them
            assert histories["NSE"].ends(day)["NIFTY"].previous == closes[before]
    gaps = np.array([end.open - end.previous for end in ends])
    assert 0.001 < gaps.std() < 0.008


def test_between_two_sessions_the_level_of_the_last_second_holds(market, moment):
    friday, monday = moment("2026-11-20T15:39:59"), moment("2026-11-23T08:00")
    assert market.fair_level("NIFTY", monday) == market.fair_level("NIFTY", friday)
    assert market.fair_level("NIFTY", moment("2026-11-23T09:15")) != market.fair_level("NIFTY", friday)


def test_a_path_begins_at_the_open_and_ends_at_the_close(histories, calendar, days):
    for name, history in histories.items():
        day = days[100]
        ends = history.ends(day)
        paths = draw_day(9, day.toordinal(), SessionGrid(day, history.windows(day)), history.indices, [*ends.values()])
        assert np.log(paths.levels[:, 0]) == pytest.approx([end.open for end in ends.values()], abs=1e-12), name
        assert np.log(paths.levels[:, -1]) == pytest.approx([end.close for end in ends.values()], abs=1e-12), name
        assert paths.log_vols[:, -1] == pytest.approx([end.close_vol for end in ends.values()], abs=1e-12), name


def test_daily_volatility_is_the_configured_one(returns, indices):
    # The volatility level has a long memory: over three years its mean square is known to some 15 %.
    for column, name in enumerate(NAMES):
        annual = returns[:, column].std() * np.sqrt(252)
        assert annual == pytest.approx(indices[name].simulation.annual_volatility, rel=0.25), name


def test_realised_volatility_within_the_day_is_the_configured_one(sampled, histories):
    for row, index in enumerate(histories["NSE"].indices):
        realised = np.square(np.diff(sampled[:, row], axis=1)).sum(axis=1).mean() * 252 / (1 - OVERNIGHT_SHARE)
        assert np.sqrt(realised) == pytest.approx(index.simulation.annual_volatility, rel=0.25), index.name


def test_indices_move_together_as_their_loadings_say(returns, indices):
    measured = np.corrcoef(returns.T)
    loadings = np.array([indices[name].simulation.market_loading for name in NAMES])
    expected = np.outer(loadings, loadings)
    off = ~np.eye(len(NAMES), dtype=bool)
    assert np.abs(measured - expected)[off].max() < 0.08


def test_minutes_of_different_exchanges_are_correlated_too(market, moment):
    instants = [moment("2026-11-20T09:15") + timedelta(minutes=n) for n in range(360)]
    levels = np.log([[market.fair_level(n, at) for n in ("NIFTY", "SENSEX")] for at in instants])
    assert np.corrcoef(np.diff(levels, axis=0).T)[0, 1] > 0.8


def test_the_first_and_the_last_half_hour_are_rougher_than_midday(sampled):
    squares = np.square(np.diff(sampled[:, 0], axis=1)).mean(axis=0)
    half_hour = 360
    middle = squares[2000 : 2000 + 2 * half_hour].mean()
    assert squares[:half_hour].mean() > 1.8 * middle
    assert squares[-half_hour:].mean() > 1.2 * middle


def test_there_are_jumps_and_most_cells_have_none(sampled):
    steps = np.diff(sampled[:, 0], axis=1)
    scaled = steps / np.median(np.abs(steps), axis=1, keepdims=True) * 0.6745
    assert 10 < np.count_nonzero(np.abs(scaled) > 9) < 3 * len(sampled)
    assert np.mean(np.abs(scaled) > 9) < 1e-3


def test_volatility_rises_when_the_market_falls(histories, days, returns):
    rises = [histories["NSE"].ends(d)["NIFTY"].close_vol - histories["NSE"].ends(d)["NIFTY"].previous_vol for d in days]
    assert np.corrcoef(rises, returns[:, 0])[0, 1] < -0.5


def test_levels_stay_around_their_reference(histories, days, indices):
    for name in ("NIFTY", "BANKNIFTY"):
        levels = np.exp([histories["NSE"].ends(day)[name].close for day in days])
        assert (np.abs(np.log(levels / indices[name].simulation.level)) < 0.35).all()


def test_a_day_of_two_windows_does_not_move_between_them(market, moment):
    assert market.fair_level("NIFTY", moment("2024-03-02T10:30")) == pytest.approx(
        market.fair_level("NIFTY", moment("2024-03-02T11:30")), rel=1e-4
    )
    assert market.fair_level("NIFTY", moment("2024-03-02T12:00")) != market.fair_level(
        "NIFTY", moment("2024-03-02T11:30")
    )
