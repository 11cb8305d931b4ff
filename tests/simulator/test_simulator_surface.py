"""The true surface admits no arbitrage, and true prices are what other people's formulas make of it."""

import numpy as np
import pytest
from vollib.black import black as vollib_black

from g6.model.contracts import CALL
from g6.simulator.black import black76
from g6.simulator.surface import Surface

K = np.linspace(-1.5, 1.5, 1201)
THETAS = np.array([1e-7, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0])


def call_prices(surface: Surface, theta: float, k: np.ndarray) -> np.ndarray:
    """Undiscounted calls on a forward of 1."""
    deviation = np.sqrt(surface.total_variance(k, np.array(theta)))
    return black76(np.ones_like(k), np.exp(k), deviation, np.ones_like(k), np.ones(len(k), bool))


@pytest.mark.parametrize("theta", THETAS)
def test_no_butterfly_costs_less_than_nothing(theta):
    # Gatheral and Jacquier's g(k) ≥ 0 is the density up to a positive factor; by finite differences of w.
    surface = Surface()
    k = K * max(1.0, np.sqrt(theta)) if theta >= 0.01 else K * 20 * np.sqrt(theta)
    w = surface.total_variance(k, np.array(theta))
    slope, step = np.gradient(w, k), k[1] - k[0]
    bend = np.gradient(slope, step)
    g = (1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + bend / 2
    assert g[2:-2].min() > 0


@pytest.mark.parametrize("theta", THETAS[2:])
def test_calls_are_convex_and_falling_in_the_strike(theta):
    strikes = np.exp(np.linspace(-6, 6, 401) * np.sqrt(theta))
    prices = call_prices(Surface(), theta, np.log(strikes))
    slopes = np.diff(prices) / np.diff(strikes)
    assert ((slopes <= 1e-12) & (slopes >= -1 - 1e-9)).all()
    assert (np.diff(slopes) >= -1e-9).all()


def test_no_calendar_spread_costs_less_than_nothing():
    surface = Surface()
    theta = np.geomspace(1e-7, 2.0, 400)
    w = surface.total_variance(K[:, None], theta[None, :])
    assert (np.diff(w, axis=1) > 0).all()


@pytest.mark.parametrize("level", [0.3, 1.0, 3.0])
def test_variance_at_the_money_grows_with_time_whatever_the_level(level):
    years = np.geomspace(1e-6, 5, 300)
    theta = Surface().atm_variance(np.array(0.13), np.array(level), years)
    assert (np.diff(theta) > 0).all()


def test_far_ahead_the_level_of_today_is_forgotten():
    surface, years = Surface(), np.array(30.0)
    calm, wild = (np.sqrt(surface.atm_variance(np.array(0.13), np.array(level), years) / years) for level in (0.5, 2))
    assert calm == pytest.approx(wild, rel=0.01)
    assert calm == pytest.approx(0.13 * surface.premium, rel=0.01)


@pytest.mark.parametrize(("rho", "eta"), [(-0.3, 2.0), (-1.0, 0.1), (0.9, 1.5), (-0.3, 3.5)])
def test_parameters_that_allow_arbitrage_are_refused(rho, eta):
    with pytest.raises(ValueError, match="butterfly"):
        Surface(rho=rho, eta=eta)


def test_puts_below_are_dearer_in_volatility_than_calls_above(market, moment):
    at = moment("2026-11-20T11:00")
    for expiry in market.contracts("NIFTY", at.date()).option_expiries()[:5]:
        forward = market.true_forward("NIFTY", expiry, at)
        below, atm, above = market.true_iv("NIFTY", expiry, forward * np.array([0.97, 1.0, 1.03]), at)
        assert below > max(atm, above)


def test_true_prices_are_blacks_by_another_library(market, moment):
    at = moment("2026-11-20T13:07")
    options = market.contracts("SENSEX", at.date())
    rows = np.random.default_rng(3).permutation(np.flatnonzero(options.kind != "FUT"))[:40]
    options = options.take(rows)
    prices = market.true_prices(options, at)
    for row, price in enumerate(prices):
        expiry = options.expiry[row].item()
        years = (moment(f"{expiry}T{'15:40' if expiry.isoformat() < '2026-12-07' else '15:30'}") - at) / (
            moment("2027-01-01T00:00") - moment("2026-01-01T00:00")
        )
        strike, forward = options.strike[row], market.true_forward("SENSEX", expiry, at)
        sigma = market.true_iv("SENSEX", expiry, np.array([strike]), at)[0]
        flag = "c" if options.kind[row] == CALL else "p"
        assert price == pytest.approx(vollib_black(flag, forward, strike, years, 0.065, sigma), rel=1e-9, abs=1e-9)


def test_put_call_parity_holds_between_true_prices(market, moment):
    at = moment("2026-11-20T15:20")  # the published level stands still; the fair one prices
    table = market.contracts("NIFTY", at.date())
    prices = market.true_prices(table, at)
    for expiry in table.option_expiries()[:6]:
        here = table.expiry == np.datetime64(expiry)
        calls, puts = ((here & (table.kind == kind)) for kind in ("CE", "PE"))
        strikes, at_call, at_put = np.intersect1d(table.strike[calls], table.strike[puts], return_indices=True)
        years = (moment(f"{expiry}T{'15:40' if expiry.isoformat() < '2026-12-07' else '15:30'}") - at).total_seconds()
        discount = np.exp(-0.065 * years / (365 * 86_400))
        parity = prices[calls][at_call] - prices[puts][at_put]
        expected = discount * (market.true_forward("NIFTY", expiry, at) - strikes)
        assert np.abs(parity - expected).max() < 1e-7


def test_the_forward_grows_from_the_fair_level_by_the_documented_carry(market, moment):
    at, expiry = moment("2026-11-20T10:00"), moment("2026-12-29T15:30")
    years = (expiry - at).total_seconds() / (365 * 86_400)
    grown = market.fair_level("NIFTY", at) * np.exp((0.065 - 0.012) * years)
    assert market.true_forward("NIFTY", expiry.date(), at) == pytest.approx(grown, rel=1e-12)


def test_the_future_is_quoted_around_its_forward(market, moment):
    at = moment("2026-11-20T10:00")
    table = market.contracts("BANKNIFTY", at.date())
    futures = table.take(table.kind == "FUT")
    quotes = market.quotes(futures, at)
    forwards = [market.true_forward("BANKNIFTY", day.item(), at) for day in futures.expiry]
    assert (quotes.bid <= forwards).all()
    assert (quotes.ask >= forwards).all()
    assert (quotes.ask - quotes.bid < 0.0002 * np.array(forwards)).all()
