"""Medians and scales agree with numpy's and scipy's, whatever is unknown."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import median_abs_deviation

from g6.anomalies.robust import NORMAL, median, median_and_scale
from g6.model.columns import Floats

TABLES = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=9),
    elements=st.one_of(st.floats(-1e6, 1e6), st.just(np.nan)),
)


@given(TABLES)
@settings(deadline=None)
def test_medians_are_those_of_what_is_known(values: Floats) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns where nothing is known
        expected = np.nanmedian(values, axis=0)
    np.testing.assert_allclose(median(values), expected, rtol=1e-12)


@given(TABLES)
@settings(deadline=None)
def test_scales_are_scipys(values: Floats) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = median_abs_deviation(values, axis=0, scale="normal", nan_policy="omit")
    _, scale = median_and_scale(values, fewest=1)
    np.testing.assert_allclose(scale, np.asarray(expected, np.float64), rtol=1e-6, atol=1e-9)


def test_the_factor_is_that_of_the_normal_distribution() -> None:
    from scipy.stats import norm

    assert pytest.approx(1 / norm.ppf(0.75), rel=1e-14) == NORMAL


def test_too_few_values_have_no_scale() -> None:
    values = np.array([[1.0, 1.0], [2.0, np.nan], [4.0, 3.0]])
    middle, scale = median_and_scale(values, fewest=3)
    assert (middle[0], scale[0]) == (2.0, pytest.approx(NORMAL))
    assert np.isnan(middle[1])
    assert np.isnan(scale[1])


def test_no_rows_are_nothing_known() -> None:
    assert np.isnan(median(np.empty((0, 3)))).all()
    assert np.isnan(median_and_scale(np.empty((0, 2, 3)), 1)[1]).all()


def test_half_of_wild_values_moves_neither_median_nor_scale_beyond_the_ordinary_ones() -> None:
    values = np.concatenate([np.linspace(-1, 1, 51), np.full(50, 1e9)])
    middle, scale = median_and_scale(values, fewest=1)
    assert middle <= 1.0
    assert scale <= NORMAL * 2
