"""Prices and quantities as exchanges count them: in whole paise and whole units."""

import numpy as np

from g6.model.columns import Floats, Ints


def paise(rupees: Floats) -> Ints:
    """Return whole paise; 0 where there is no price."""
    whole = np.rint(100.0 * np.where(np.isfinite(rupees), rupees, 0.0))
    return whole.astype(np.int64)


def units(quantity: Floats) -> Ints:
    """Return whole units; 0 where there are none."""
    return np.rint(np.where(np.isfinite(quantity), quantity, 0.0)).astype(np.int64)
