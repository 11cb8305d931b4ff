"""Medians and deviations that a few wild values do not move. NaN is what is not known."""

import numpy as np

from g6.model.columns import Floats

# Standard deviation of a normal distribution over the median of the absolute deviations from its median.
NORMAL = 1.482602218505602


def median(values: Floats) -> Floats:
    """Return the medians along the first axis, of what is known; NaN where nothing is. Infinite counts as unknown."""
    if not len(values):
        return np.full(values.shape[1:], np.nan)
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=0)  # NaN comes last
    known = np.count_nonzero(np.isfinite(ordered), axis=0)[np.newaxis]
    low = np.take_along_axis(ordered, np.maximum(known - 1, 0) // 2, 0)[0]
    high = np.take_along_axis(ordered, np.minimum(known // 2, len(values) - 1), 0)[0]
    middle: Floats = np.where(known[0] > 0, 0.5 * (low + high), np.nan)
    return middle


def median_and_scale(values: Floats, fewest: int) -> tuple[Floats, Floats]:
    """Return medians and robust standard deviations along the first axis; NaN where fewer than `fewest` are known.

    The scale is the median absolute deviation made consistent for normal values (F. R. Hampel, The influence curve and
    its role in robust estimation, JASA 69, 1974). It is 0 where half of the values are the same: put a floor under it.
    """
    middle = median(values)
    scale = NORMAL * median(np.abs(values - middle))
    enough = np.count_nonzero(np.isfinite(values), axis=0) >= fewest
    return np.where(enough, middle, np.nan), np.where(enough, scale, np.nan)
