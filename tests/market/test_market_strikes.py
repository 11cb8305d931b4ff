"""Strikes are found by rank among those listed, however uneven the steps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.market.strikes import nearest

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


@settings(deadline=None)  # the machine may be busy
@given(strikes=ladders, reference=st.floats(0, 120_000))
def test_no_strike_is_nearer_than_the_nearest(strikes, reference):
    chosen = strikes[nearest(strikes, reference)]
    ranked = sorted(strikes.tolist(), key=lambda strike: (abs(strike - reference), strike))
    assert chosen == ranked[0]
