"""The noise of a premium's minute returns, against series whose spread is known and against another library."""

import numpy as np
import pandas as pd
import pytest

from g6.analytics.price_basis import noise

MINUTES = 200_000


def walk(generator, count=MINUTES, level=20_000.0, step=0.5):
    """A random walk far above zero, in rupees."""
    return level + np.cumsum(generator.normal(0, step, count))


def series(premium, strike=None):
    return np.arange(len(premium)), np.full(len(premium), 100.0) if strike is None else strike, np.asarray(premium)


@pytest.mark.parametrize("spread", [0.5, 2.0, 10.0])
def test_roll_finds_the_spread_of_a_random_walk_with_bounce(spread):
    generator = np.random.default_rng(int(spread * 10))
    fair = walk(generator)
    found = noise(*series(fair + spread / 2 * generator.choice([-1, 1], MINUTES)))
    assert found.returns == MINUTES - 1
    # The error of the estimated autocovariance is about the returns' variance over the root of their count.
    variance = 0.5**2 + spread**2 / 2
    allowed = 4 * 4 * variance / np.sqrt(MINUTES) / (2 * spread)
    assert found.roll_spread_rupees == pytest.approx(spread, abs=allowed)
    assert found.roll_spread == pytest.approx(found.roll_spread_rupees / fair.mean(), rel=0.02)
    # Autocovariance is -s²/4, variance the step's and s²/2.
    assert found.autocorrelation == pytest.approx(-(spread**2) / 4 / variance, abs=0.012)


def test_a_random_walk_without_bounce_has_no_autocorrelation_and_its_own_deviation():
    found = noise(*series(walk(np.random.default_rng(3))))
    assert found.autocorrelation == pytest.approx(0, abs=4 / np.sqrt(MINUTES))
    assert found.deviation == pytest.approx(0.5 / 20_000, rel=0.05)


def test_an_average_of_a_walk_is_quieter_and_goes_on():
    generator = np.random.default_rng(4)
    fair = walk(generator, 375, 200.0, 0.3)
    traded = fair + 0.4 * generator.choice([-1, 1], 375)
    last, average = noise(*series(traded)), noise(*series(np.cumsum(traded) / np.arange(1, 376)))
    assert last.autocorrelation < 0 < average.autocorrelation
    assert average.deviation < last.deviation
    assert np.isnan(average.roll_spread)


def test_figures_are_those_of_another_library():
    generator = np.random.default_rng(5)
    premium = np.round(walk(generator, 400, 150.0) * 20) / 20
    found = noise(*series(premium))
    returns = pd.Series(np.log(premium)).diff().dropna()
    assert found.deviation == pytest.approx(returns.std(), rel=1e-9)
    assert found.autocorrelation == pytest.approx(returns.autocorr(1), abs=0.01)
    assert found.zero_share == pytest.approx((pd.Series(premium).diff().dropna() == 0).mean())


def test_a_change_of_strike_is_no_return():
    generator = np.random.default_rng(6)
    premium, strike = walk(generator, 400, 150.0, 0.1), np.full(400, 100.0)
    whole = noise(*series(premium, strike))
    strike[200:] = 150.0
    premium[200:] += 60.0
    found = noise(*series(premium, strike))
    assert found.returns == whole.returns - 1
    assert found.deviation == pytest.approx(whole.deviation, rel=0.3)


def test_a_minute_that_is_missing_costs_the_two_returns_that_it_is_in():
    premium = walk(np.random.default_rng(7), 50, 150.0)
    minute, strike, values = series(premium)
    without = np.delete(minute, 20), np.delete(strike, 20), np.delete(values, 20)
    holed = premium.copy()
    holed[20] = np.nan
    assert noise(*without) == noise(*series(holed))
    assert noise(*without).returns == 47


@pytest.mark.parametrize(
    "premium",
    [[], [1.0], [100.0] * 5, [np.nan] * 100, [0.0] * 100, [-1.0] * 100, [100.0, np.nan] * 50, [100.0] * 10],
)
def test_too_little_is_nan(premium):
    found = noise(*series(np.array(premium, dtype=float)))
    assert np.isnan(found[1:]).all()


def test_a_premium_that_stands_still_has_no_noise_and_no_autocorrelation():
    found = noise(*series(np.full(100, 80.0)))
    assert (found.deviation, found.zero_share) == (0.0, 1.0)
    assert np.isnan([found.autocorrelation, found.roll_spread, found.roll_spread_rupees]).all()


def test_real_minutes_far_apart_are_no_returns(market_data):
    """A recorder that kept every tenth minute or so: only minutes that follow each other are joined."""
    table = pd.read_parquet(market_data / "option_chain_1min" / "oc_20260820.parquet")
    wide = table[table["ltp"] > 0].pivot_table(
        index=["expiry", "strike", "timestamp"], columns="option_type", values="ltp"
    )
    totals = (wide["CE"] + wide["PE"]).dropna()
    joined = 0
    for _, group in totals.groupby(level=["expiry", "strike"]):
        stamps = pd.to_datetime(group.index.get_level_values("timestamp"), format="%Y%m%d%H%M")
        minute = stamps.to_numpy().astype("datetime64[m]").astype(np.int64)
        found = noise(minute, group.index.get_level_values("strike").to_numpy(), group.to_numpy())
        assert found.returns == sum(stamps[1:] - stamps[:-1] == pd.Timedelta(minutes=1))
        assert np.isnan(found.deviation)
        joined += found.returns
    assert joined > 0
