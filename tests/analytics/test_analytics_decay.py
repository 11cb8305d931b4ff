"""Decay of the straddle: worked days, theta summed up minute by minute, another library's prices."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import norm
from vollib.black import black

from g6.analytics import aggregate, enrich
from g6.analytics.conventions import Conventions
from g6.analytics.decay import DECAY
from g6.analytics.volatility import price

DEFAULT = Conventions()
FORWARD, VOL, RATE = 24010.0, 0.13, DEFAULT.rate
STRIKES = [23900.0, 23950.0, 24000.0, 24050.0, 24100.0]


@pytest.fixture
def opened(make_chain):
    """A chain some hours after the day's first minute, whose straddle is given by call and put."""

    def make(hours, days_left, call=100.0, put=90.0, **opening):
        chain = make_chain(STRIKES, rate=RATE, forward=FORWARD, atm=24000.0)
        last = np.where(chain.is_call, call, put)
        known = {"straddle": 200.0, "forward": FORWARD, "atm_strike": 24000.0, "atm_iv": VOL,
                 "days_to_expiry": days_left + hours / 24}  # fmt: skip
        return replace(chain, last=last, expires_at=chain.at + timedelta(days=days_left), opening=known | opening)

    return make


def told(chain, conventions=DEFAULT):
    return aggregate(chain, conventions, DECAY).aggregates


def by_library(strike, days, forward=FORWARD, vol=VOL):
    return sum(black(flag, forward, strike, days / 365, RATE, vol) for flag in "cp")


def theta_a_day(days, strike=24000.0):
    """Black-76's theta of a straddle per calendar day: -dV/dT by the textbook's formula."""
    years = days / 365
    d1 = (math.log(FORWARD / strike) + VOL * VOL / 2 * years) / (VOL * math.sqrt(years))
    d2 = d1 - VOL * math.sqrt(years)
    carry = FORWARD * (2 * norm.cdf(d1) - 1) - strike * (2 * norm.cdf(d2) - 1)
    slope = FORWARD * norm.pdf(d1) * VOL / math.sqrt(years)
    return math.exp(-RATE * years) * (RATE * carry - slope) / 365


def test_a_worked_day(opened):
    measures = told(opened(2.5, 3.0, call=100.0, put=90.0, straddle=200.0))
    assert measures["straddle_change"] == -10.0
    assert measures["straddle_change_ratio"] == -0.05
    assert measures["straddle_change_per_hour"] == pytest.approx(-4.0)


@pytest.mark.parametrize(("hours", "days_left"), [(1.0, 6.9), (6.0, 20.0), (5.75, 0.5 / 24), (6.2, 3.0), (4.0, 90.0)])
@pytest.mark.parametrize("strike", [23500.0, 24000.0, 24400.0])
def test_decay_is_another_librarys_straddle_now_less_then(opened, hours, days_left, strike):
    expected = by_library(strike, days_left) - by_library(strike, days_left + hours / 24)
    assert told(opened(hours, days_left, atm_strike=strike))["straddle_decay"] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(("hours", "days_left"), [(6.0, 3.0), (5.75, 0.5 / 24)])
def test_decay_is_theta_summed_up_over_the_hours(opened, hours, days_left):
    pieces = 4000
    step = hours / 24 / pieces
    summed = sum(theta_a_day(days_left + (piece + 0.5) * step) * step for piece in range(pieces))
    assert told(opened(hours, days_left))["straddle_decay"] == pytest.approx(summed, rel=1e-4)


def test_a_market_in_which_only_time_passes_changes_by_its_decay_alone(make_chain):
    then = make_chain(STRIKES)

    def priced(chain):
        years = (chain.expires_at - chain.at).total_seconds() / (365 * 86400)
        fair = price(FORWARD, chain.strike, years, RATE, np.full(len(chain), VOL), chain.is_call)
        return replace(chain, bid=fair - 1e-9, ask=fair + 1e-9, last=fair, trade_age_seconds=np.ones(len(chain)))

    opening = aggregate(enrich(priced(then), DEFAULT), DEFAULT).aggregates
    later = enrich(priced(replace(then, at=then.at + timedelta(hours=5), opening=opening)), DEFAULT)
    measures = told(later)
    assert measures["straddle_decay"] < 0
    assert measures["straddle_change"] == pytest.approx(measures["straddle_decay"], rel=1e-5)
    assert measures["straddle_change_beyond_decay"] == pytest.approx(0, abs=1e-4)


def test_a_rise_of_volatility_is_a_change_beyond_the_decay(opened):
    hours, days_left = 3.0, 5.0
    then, now = by_library(24000.0, days_left + hours / 24), by_library(24000.0, days_left, vol=VOL + 0.02)
    measures = told(opened(hours, days_left, call=now, put=0.0, straddle=then))
    assert measures["straddle_change_beyond_decay"] == pytest.approx(now - by_library(24000.0, days_left), abs=1e-6)


@pytest.mark.parametrize(("minutes", "known"), [(0, False), (14, False), (15, True), (60, True)])
def test_a_change_per_hour_needs_a_quarter_of_one(opened, minutes, known):
    # Half a second more, for what days lose as fractions.
    chain = opened(minutes / 60 + 0.5 / 3600, 2.0)
    assert math.isfinite(told(chain)["straddle_change_per_hour"]) == known


def test_the_first_minute_has_decayed_by_nothing(opened):
    assert told(opened(0.0, 2.0))["straddle_decay"] == 0.0


def test_at_the_close_time_stands_still_at_the_conventions_least(opened):
    expected = by_library(24000.0, 5 / (24 * 60)) - by_library(24000.0, 1 / 24)
    assert told(opened(1.0, 0.0))["straddle_decay"] == pytest.approx(expected, abs=1e-7)


def test_without_an_opening_nothing_is_told(opened):
    chain = opened(3.0, 2.0)
    assert all(math.isnan(value) for value in told(replace(chain, opening={})).values())
    assert all(math.isnan(value) for value in told(replace(chain, opening={"forward": FORWARD})).values())


@pytest.mark.parametrize("broken", [{"atm_iv": 0.0}, {"atm_iv": math.nan}, {"forward": -1.0}, {"atm_strike": math.nan}])
def test_an_opening_that_cannot_be_valued_has_no_decay_and_keeps_its_change(opened, broken):
    measures = told(opened(3.0, 2.0, **broken))
    assert math.isnan(measures["straddle_decay"])
    assert measures["straddle_change"] == -10.0


def test_a_chain_without_puts_or_legs_has_no_change(opened, make_chain):
    chain = opened(3.0, 2.0)
    assert math.isnan(told(replace(chain, is_call=np.ones(len(chain), bool)))["straddle_change"])
    assert math.isnan(told(replace(make_chain([]), opening=chain.opening))["straddle_change"])


def test_an_opening_from_after_now_has_no_decay(opened):
    measures = told(opened(-2.0, 3.0))
    assert math.isnan(measures["straddle_decay"])
    assert math.isnan(measures["straddle_change_per_hour"])
