"""The smile's formula and its test for arbitrage, against published parameters, QuantLib and brute force."""

import math

import mpmath
import numpy as np
import pytest
import QuantLib as Ql
from hypothesis import given, settings
from hypothesis import strategies as st
from quoted_smiles import black

from g6.analytics.surface.svi import Svi, butterfly, durrleman

# Gatheral and Jacquier 2014: Axel Vogt's parameters, with arbitrage near k = 0.9 and yet within Lee's bound.
VOGT = Svi(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
VOGT_JUMP_WINGS = (0.01742625, -0.1752111, 0.6997381, 1.316798, 0.0116249)
# The same paper, section 5.1: c and the least variance changed, first by its recipe, then as little as possible.
REMEDIES = ((0.3493158, 0.01548182), (0.8564763, 0.0116249))
WIDE = np.linspace(-1.5, 1.5, 601)

slices = st.builds(
    Svi,
    a=st.floats(-0.01, 0.05),
    b=st.floats(0.01, 1.0),
    rho=st.floats(-0.95, 0.95),
    m=st.floats(-0.3, 0.3),
    sigma=st.floats(0.05, 0.8),
)


def from_jump_wings(v: float, psi: float, p: float, c: float, least: float) -> Svi:
    """Raw parameters of one year's jump-wing ones (Gatheral and Jacquier 2014, lemma 3.2)."""
    b = math.sqrt(v) / 2 * (c + p)
    rho = 1 - p * math.sqrt(v) / b
    beta = rho - 2 * psi * math.sqrt(v) / b
    alpha = math.copysign(math.sqrt(1 / beta**2 - 1), beta)
    m = (v - least) / (b * (-rho + math.copysign(math.sqrt(1 + alpha**2), alpha) - alpha * math.sqrt(1 - rho**2)))
    sigma = alpha * m
    return Svi(least - b * sigma * math.sqrt(1 - rho**2), b, rho, m, sigma)


def brute_force_density(svi: Svi, k: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """The second derivative of undiscounted call prices by strike, times the strike, for a forward of 1."""
    strike = np.exp(k)
    low, here, high = (
        black(np.log(x), np.sqrt(svi.total_variance(np.log(x))), np.ones(len(k), bool), forward=1.0)
        for x in (strike * (1 - step), strike, strike * (1 + step))
    )
    return (low - 2 * here + high) / (strike * step) ** 2 * strike


def test_total_variance_is_quantlibs():
    smile = Ql.SviSmileSection(1.0, 100.0, [0.04, 0.4, 0.1, -0.4, 0.05])
    ours = Svi(a=0.04, b=0.4, rho=-0.4, m=0.05, sigma=0.1)
    theirs = [smile.variance(100.0 * math.exp(k)) for k in WIDE]
    assert ours.total_variance(WIDE) == pytest.approx(theirs, rel=1e-12)


@given(slices)
@settings(max_examples=50, deadline=None)
def test_derivatives_are_those_of_the_formula(svi):
    def formula(k):
        return svi.a + svi.b * (svi.rho * (k - svi.m) + mpmath.sqrt((k - svi.m) ** 2 + svi.sigma**2))

    for k in (-0.4, 0.0, 0.7):
        ours = svi.derivatives(np.array([k]))
        for order, value in enumerate(ours):
            assert float(value[0]) == pytest.approx(float(mpmath.diff(formula, k, order)), rel=1e-8, abs=1e-10)


def test_the_published_jump_wings_are_the_published_raw_parameters():
    assert from_jump_wings(*VOGT_JUMP_WINGS) == pytest.approx(VOGT, abs=1e-6)


def test_vogts_example_is_caught_though_its_wings_are_within_lees_bound():
    assert VOGT.steepest < 2
    assert butterfly(VOGT, -1.5, 1.5) == pytest.approx(-0.0329, abs=1e-4)  # figure 5.1 of the paper, right
    before, there = durrleman(VOGT, np.array([0.5, 0.9]))
    assert before > 0 > there


@pytest.mark.parametrize(("c", "least"), REMEDIES)
def test_the_published_remedies_pass(c, least):
    v, psi, p, _, _ = VOGT_JUMP_WINGS
    assert butterfly(from_jump_wings(v, psi, p, c, least), -1.5, 1.5) > 0


def test_the_density_of_vogts_example_is_negative_by_brute_force_where_g_is():
    k = np.linspace(-0.8, 1.4, 221)
    g, density = durrleman(VOGT, k), brute_force_density(VOGT, k)
    telling = np.abs(g) > 1e-3
    assert (np.sign(density) == np.sign(g))[telling].all()
    assert (density < 0).any()


@given(slices)
@settings(max_examples=150, deadline=None)
def test_a_smile_that_passes_has_a_density_that_is_nowhere_negative_by_brute_force(svi):
    k = np.linspace(-0.7, 0.7, 401)
    if butterfly(svi, -0.7, 0.7) < 0:
        return
    assert brute_force_density(svi, k).min() > -1e-6  # rounding of prices over the squared step


@given(slices)
@settings(max_examples=150, deadline=None)
def test_the_least_of_g_is_the_least_of_many_more_places(svi):
    k = np.linspace(-0.7, 0.7, 20001)
    least, found = float(durrleman(svi, k).min()), butterfly(svi, -0.7, 0.7)
    if math.isinf(least) or math.isinf(found):
        return
    assert found <= least + 1e-3 * (1 + abs(least))


def test_a_variance_that_is_negative_somewhere_is_arbitrage():
    assert butterfly(Svi(a=-0.05, b=0.1, rho=0.0, m=0.0, sigma=0.1), -0.5, 0.5) == -math.inf


def test_a_flat_smile_has_g_of_one():
    assert durrleman(Svi(0.04, 0.0, 0.0, 0.0, 0.1), WIDE) == pytest.approx(np.ones(len(WIDE)))
