"""The simulator's surface is known exactly; from its quotes, on ticks and with spreads, it comes back."""

import math
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from g6.analytics import aggregate, enrich, survey
from g6.analytics.conventions import Conventions
from g6.collectors.reject import clean
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.model.background import IndexView
from g6.model.chain import FITTED_SOURCES, SMILE_STATUSES, OptionChain
from g6.model.contracts import CALL, FUTURE
from g6.model.quotes import QUOTE_COLUMNS
from g6.simulator.market import SimulatedMarket

DEFAULT = Conventions()
MOMENTS = [("NIFTY", "2026-11-20T10:00"), ("SENSEX", "2026-11-20T10:00"), ("NIFTY", "2026-09-16T14:30"),
           ("BANKNIFTY", "2026-10-05T11:17")]  # fmt: skip
FRONT_DAYS = 75  # expiries that trade on both sides and out into the wings
HALF_A_POINT = 0.005


@pytest.fixture(scope="module")
def calendar(project):
    return SessionCalendar.load(project / "config" / "calendar.yaml")


@pytest.fixture(scope="module")
def market(project, calendar):
    return SimulatedMarket(20260803, load_indices(project / "config" / "indices.yaml"), calendar)


@pytest.fixture(scope="module", params=MOMENTS, ids="-".join)
def surface(request, market, calendar):
    """Index, instant, and its valued chains, all that are listed."""
    index, text = request.param
    at = datetime.fromisoformat(f"{text}+05:30")
    listed = market.contracts(index, at.date())
    options = listed.take(listed.kind != FUTURE)
    chains = [chain_of(market, calendar, options, expiry, at) for expiry in options.option_expiries()]
    return index, at, [aggregate(enrich(chain, DEFAULT), DEFAULT) for chain in chains]


def chain_of(market, calendar, options, expiry, at):
    own = options.take(options.expiry == np.datetime64(expiry))
    own = own.take(np.argsort(own.strike, kind="stable"))
    index = str(own.index[0])
    quotes, defects = clean(market.quotes(own, at), [slice(0, len(own))])
    return OptionChain(
        index=index, expiry=expiry, codes=(), at=at, spot=market.spot(index, at).last, spot_frozen=False,
        expires_at=calendar.expires_at(expiry, market.indices[index].exchange), expected=len(own), lot=int(own.lot[0]),
        tick=float(own.tick[0]), strike=own.strike, is_call=own.kind == CALL, answered=quotes.answered.astype(float),
        defect=defects, **{name: getattr(quotes, name) for name in QUOTE_COLUMNS},
    )  # fmt: skip


def front(chains):
    return [chain for chain in chains if chain.years * 365 < FRONT_DAYS]


def true_smile(market, chain):
    forward = market.true_forward(chain.index, chain.expiry, chain.at)
    return lambda k: market.true_iv(chain.index, chain.expiry, forward * np.exp(np.atleast_1d(k)), chain.at)


@pytest.mark.parametrize(("minutes", "apart"), [(20, 0.0), (10, 20.0), (1, 0.0)])
def test_as_an_expiry_settles_its_forward_follows_the_market_and_not_the_index_that_is_held(
    market, calendar, minutes, apart
):
    """From 20 minutes before the close to the last one: `apart` is how far the index's print lies off by then."""
    expires = calendar.expires_at(date(2026, 11, 23), "NSE")
    at = expires - timedelta(minutes=minutes)
    options = market.contracts("NIFTY", at.date())
    chain = enrich(chain_of(market, calendar, options.take(options.kind != FUTURE), expires.date(), at), DEFAULT)
    assert chain.forward_source == "parity"
    assert chain.forward == pytest.approx(market.true_forward("NIFTY", expires.date(), at), abs=0.5)
    assert abs(chain.forward - chain.spot) >= apart
    outside = chain.is_call == (chain.strike > chain.forward)
    assert np.nanmax(chain.price[outside & (np.abs(chain.strike / chain.forward - 1) > 0.01)]) == 0.05, "a tick"


def half_spread(chain):
    """What the quotes allow a volatility to be off, strike by strike, in 1/sqrt(year)."""
    outside = chain.is_call == (chain.strike >= chain.forward)
    return np.where(outside, 0.5 * (chain.ask - chain.bid) / chain.vega / 100.0, np.nan)


def test_the_front_expiries_all_have_a_smile_that_is_called_good(surface):
    _, _, chains = surface
    assert {SMILE_STATUSES[int(chain.smile["status"])] for chain in front(chains)} == {"fitted"}
    assert min(chain.smile["quality"] for chain in front(chains)) > 0.8


def test_the_fitted_volatilities_are_the_true_ones_within_the_ticks_and_spreads(surface, market):
    _, _, chains = surface
    for chain in front(chains):
        off = np.abs(chain.fitted_iv - market.true_iv(chain.index, chain.expiry, chain.strike, chain.at))
        quoted = chain.fitted_iv_source == FITTED_SOURCES.index("quoted")
        assert np.count_nonzero(quoted) > 40
        noise = half_spread(chain)[quoted]
        assert np.sqrt(np.mean(off[quoted] ** 2)) < 0.5 * np.nanmedian(noise), chain.expiry
        # Between the quotes it is as good, and beyond them it is not far off.
        assert np.nanmax(off[quoted]) < np.nanmax(noise)
        rest = off[~quoted & np.isfinite(off)]
        assert not len(rest) or rest.max() < np.nanmax(noise)


def test_the_front_expiries_points_are_the_true_ones(surface, market):
    _, _, chains = surface
    for chain in front(chains):
        smile = true_smile(market, chain)

        def at_delta(delta, smile=smile, chain=chain):
            def off(k):
                total = float(smile(k)[0]) * math.sqrt(chain.years)
                return norm.cdf(-k / total + total / 2) - delta

            return float(smile(brentq(off, -1.0, 1.0, xtol=1e-12))[0])

        told, at_forward = chain.aggregates, float(smile(0.0)[0])
        noise = np.nanmedian(half_spread(chain)[np.abs(chain.offset) < 10])
        assert told["atm_forward_iv"] == pytest.approx(at_forward, abs=noise)
        assert told["risk_reversal_25"] == pytest.approx(at_delta(0.25) - at_delta(0.75), abs=2 * noise)
        assert told["butterfly_25"] == pytest.approx((at_delta(0.25) + at_delta(0.75)) / 2 - at_forward, abs=2 * noise)


def test_the_constant_maturities_are_those_of_the_true_term_structure(surface, market):
    index, at, chains = surface
    # The volatility level of the day, from one true volatility; then the term structure is a formula.
    of, chain = market.surface, chains[0]
    forward = market.true_forward(index, chain.expiry, at)
    theta = float(market.true_iv(index, chain.expiry, np.array([forward]), at)[0]) ** 2 * chain.years
    annual = market.indices[index].simulation.annual_volatility
    level = brentq(lambda value: float(of.atm_variance(annual, value, chain.years)) - theta, 0.05, 20.0)
    told = survey(IndexView(index, chain.spot, spot_frozen=False, chains=tuple(chains)), DEFAULT)
    found = 0
    for days in (7, 14, 30):
        truth = math.sqrt(float(of.atm_variance(annual, level, days / 365)) * 365 / days)
        name = f"atm_iv_{days}d"
        if math.isnan(told[name]):
            assert chains[0].years * 365 > 1.25 * days  # nothing near
            continue
        assert told[name] == pytest.approx(truth, abs=0.0015), name  # straight between expiries up to 35 days apart
        found += 1
    assert found


def test_the_true_surface_has_no_arbitrage_in_time_and_none_is_found(surface):
    index, _, chains = surface
    told = survey(IndexView(index, chains[0].spot, spot_frozen=False, chains=tuple(front(chains))), DEFAULT)
    assert told["calendar_violations"] == 0
    assert told["surface_quality"] > 0.9


def test_of_all_expiries_none_that_is_fitted_is_far_off_at_the_forward(surface, market):
    # The far quarterlies have a dozen of quotes, and some of them no forward: then no smile either.
    _, _, chains = surface
    for chain in chains:
        if SMILE_STATUSES[int(chain.smile["status"])] == "fitted":
            truth = float(true_smile(market, chain)(0.0)[0])
            assert chain.aggregates["atm_forward_iv"] == pytest.approx(truth, abs=HALF_A_POINT), chain.expiry
