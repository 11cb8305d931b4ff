"""Turnover and staleness against loops over the legs and worked numbers."""

import math
import statistics
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.analytics import aggregate
from g6.analytics.activity import ACTIVITY
from g6.analytics.atm import add_atm
from g6.analytics.conventions import Conventions
from g6.clock import IST
from g6.model.chain import OptionChain

DEFAULT = Conventions()
NAN = math.nan
COLUMNS = ("volume", "average_price", "trade_age_seconds")


def told(chain, conventions=DEFAULT):
    """The measures of a chain whose ATM is found first."""
    return aggregate(add_atm(chain, conventions), conventions, ACTIVITY).aggregates


def by_loops(chain, conventions):
    """The same, leg by leg."""
    values, untraded, traded, volumes = [], 0, 0, 0
    stale, dated, undated, ages = 0, 0, 0, []
    for offset, volume, average, age in zip(chain.offset, *(getattr(chain, name) for name in COLUMNS), strict=True):
        if math.isnan(volume):
            continue
        volumes += 1
        untraded += volume == 0
        traded += volume > 0
        if volume > 0 and not math.isnan(average):
            values.append(volume * average)
        if not abs(offset) <= conventions.window_strikes:
            continue
        if volume == 0:
            stale, dated = stale + 1, dated + 1
        elif math.isnan(age):
            undated += 1
        else:
            stale, dated = stale + (age > conventions.stale_trade_seconds), dated + 1
            ages.append(age)
    silent = undated and not ages
    return {
        "turnover": sum(values) if values or (volumes and not traded) else NAN,
        "untraded_share": untraded / volumes if volumes else NAN,
        "stale_share_window": stale / dated if dated and not silent else NAN,
        "trade_age_window": statistics.median(ages) if ages else NAN,
    }


leg = st.tuples(
    st.just(NAN) | st.just(0.0) | st.integers(1, 10**7).map(lambda n: 65.0 * n),
    st.just(NAN) | st.integers(1, 10**5).map(lambda ticks: ticks * 0.05),
    st.just(NAN) | st.floats(0, 3000),
)


@given(st.lists(leg, min_size=14, max_size=14), st.integers(0, 4), st.floats(1, 2000))
def test_every_measure_is_what_a_loop_over_the_legs_gives(legs, window, seconds):
    conventions = Conventions(window_strikes=window, stale_trade_seconds=seconds)
    at = datetime(2026, 11, 20, 10, tzinfo=IST)
    chain = OptionChain(
        index="NIFTY", expiry=at.date(), codes=(), spot=24000.0, spot_frozen=False, at=at,
        expires_at=at + timedelta(days=4), expected=14, lot=65,
        strike=np.repeat([23850.0 + 50.0 * step for step in range(7)], 2),
        is_call=np.tile([True, False], 7), answered=np.ones(14), **dict(zip(COLUMNS, np.array(legs).T, strict=True)),
    )  # fmt: skip
    expected = by_loops(add_atm(chain, conventions), conventions)
    assert dict(told(chain, conventions)) == pytest.approx(expected, nan_ok=True, rel=1e-12)


def test_a_worked_turnover_of_two_legs(make_chain):
    chain = make_chain([24000.0], volume=np.array([650.0, 1300.0]), average_price=np.array([101.5, 80.0]))
    assert told(chain)["turnover"] == 650 * 101.5 + 1300 * 80.0


def test_nothing_traded_is_a_turnover_of_nothing_and_all_stale(make_chain):
    measures = told(make_chain([24000.0], volume=np.zeros(2)))
    assert (measures["turnover"], measures["untraded_share"], measures["stale_share_window"]) == (0, 1, 1)
    assert math.isnan(measures["trade_age_window"])


def test_a_trade_of_just_now_is_fresh_and_one_beyond_the_limit_stale(make_chain):
    chain = make_chain([24000.0], volume=np.full(2, 65.0), trade_age_seconds=np.array([900.0, 900.5]))
    measures = told(chain)
    assert measures["stale_share_window"] == 0.5
    assert measures["trade_age_window"] == 900.25


def test_where_no_traded_leg_has_a_stamp_or_an_average_the_untraded_do_not_speak_for_it(nse_chains):
    # The exchange's page has neither.
    seen = 0
    for chain in nse_chains("NIFTY_20251205_153000.json.gz"):
        measures = told(chain)
        if (chain.volume > 0).any():
            assert math.isnan(measures["turnover"])
        near = np.abs(add_atm(chain, DEFAULT).offset) <= DEFAULT.window_strikes
        if (chain.volume[near] > 0).any():
            assert math.isnan(measures["stale_share_window"])
            seen += 1
        assert measures["untraded_share"] == np.mean([volume == 0 for volume in chain.volume])
    assert seen > 5


@pytest.mark.parametrize("strikes", [[], [24000.0]])
def test_where_nothing_is_known_nothing_is_told(make_chain, strikes):
    assert all(math.isnan(value) for value in told(make_chain(strikes)).values())
