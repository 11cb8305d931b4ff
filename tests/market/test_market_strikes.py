"""Strikes are found by rank among those listed, however uneven the steps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.market.strikes import listed, nearest, offsets, window, with_both_legs

UNEVEN = np.array([22000.0, 23000.0, 23500.0, 23650.0, 23700.0, 23750.0, 24000.0, 25500.0])
ladders = st.sets(st.integers(1, 4000), min_size=1, max_size=60).map(lambda s: np.array(sorted(s), float) * 25)


@pytest.mark.parametrize(
    ("reference", "strike"),
    [(23701.0, 23700.0), (23725.0, 23700.0), (23725.05, 23750.0), (1.0, 22000.0), (99999.0, 25500.0)],
)
def test_nearest_takes_the_lower_of_two_equally_near(reference, strike):
    assert UNEVEN[nearest(UNEVEN, reference)] == strike


@pytest.mark.parametrize(("strikes", "reference"), [([], 100.0), ([100.0], math.nan), ([100.0], math.inf)])
def test_nearest_refuses_what_has_no_answer(strikes, reference):
    with pytest.raises(ValueError, match="no strike is nearest"):
        nearest(np.array(strikes), reference)


def test_a_window_counts_listed_strikes_and_not_points():
    assert UNEVEN[window(UNEVEN, 23710.0, 2, 2)].tolist() == [23500.0, 23650.0, 23700.0, 23750.0, 24000.0]


def test_a_window_ends_with_the_chain():
    assert UNEVEN[window(UNEVEN, 22010.0, 3, 1)].tolist() == [22000.0, 23000.0]
    assert len(UNEVEN[window(UNEVEN, 23700.0, 999, 999)]) == len(UNEVEN)


def test_strikes_with_one_leg_only_are_told_apart():
    strike = np.array([100.0, 100.0, 200.0, 300.0, 300.0, 400.0])
    is_call = np.array([True, False, True, False, True, False])
    assert listed(strike).tolist() == [100.0, 200.0, 300.0, 400.0]
    assert with_both_legs(strike, is_call).tolist() == [100.0, 300.0]


def test_offsets_are_ranks_and_a_strike_that_is_not_listed_has_none():
    legs = np.array([23700.0, 25500.0, 22000.0, 23725.0, 99999.0])
    found = offsets(UNEVEN, 23700.0, legs)
    assert found[:3].tolist() == [0.0, 3.0, -4.0]
    assert np.isnan(found[3:]).all()


@settings(deadline=None)  # the machine may be busy
@given(strikes=ladders, reference=st.floats(0, 120_000))
def test_no_strike_is_nearer_than_the_nearest(strikes, reference):
    chosen = strikes[nearest(strikes, reference)]
    ranked = sorted(strikes.tolist(), key=lambda strike: (abs(strike - reference), strike))
    assert chosen == ranked[0]


@settings(deadline=None)  # the machine may be busy
@given(strikes=ladders, reference=st.floats(0, 120_000), below=st.integers(0, 70), above=st.integers(0, 70))
def test_offsets_inside_a_window_are_every_rank_it_promises(strikes, reference, below, above):
    atm = float(strikes[nearest(strikes, reference)])
    inside = offsets(strikes, atm, strikes[window(strikes, reference, below, above)])
    whole = offsets(strikes, atm, strikes)
    assert inside.tolist() == [rank for rank in whole.tolist() if -below <= rank <= above]
