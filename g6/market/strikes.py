"""Strikes as they are listed: steps are uneven within one expiry, so places are ranks and never arithmetic."""

import numpy as np

from g6.model.columns import Bools, Floats


def listed(strike: Floats) -> Floats:
    """Return the distinct strikes of a column of legs, ascending."""
    return np.unique(strike)


def with_both_legs(strike: Floats, is_call: Bools) -> Floats:
    """Return the strikes listed as call and as put, ascending; calls and puts may have different ones."""
    return np.intersect1d(strike[is_call], strike[~is_call])


def nearest(strikes: Floats, reference: float) -> int:
    """Return the place of the strike nearest to a level; of two equally near, the lower one.

    `strikes` ascend. Raises ValueError when there is no strike or the level is not a number.
    """
    if len(strikes) == 0 or not np.isfinite(reference):
        raise ValueError(f"no strike is nearest to {reference} among {len(strikes)}")
    # argmin gives the first of equals, which is the lower strike.
    return int(np.argmin(np.abs(strikes - reference)))


def window(strikes: Floats, reference: float, below: int, above: int) -> slice:
    """Return the places of the nearest strike, of `below` listed ones under it and `above` over it.

    The chain's edge cuts the window short. `strikes` ascend. Raises ValueError as `nearest` does.
    """
    at = nearest(strikes, reference)
    return slice(max(0, at - below), min(len(strikes), at + above + 1))


def offsets(strikes: Floats, atm: float, of: Floats) -> Floats:
    """Return how many listed strikes each of `of` lies away from `atm`, negative below it.

    `strikes` ascend and hold `atm`; a value of `of` that is not listed has no place and gets NaN.
    """
    places = np.minimum(np.searchsorted(strikes, of), len(strikes) - 1)
    away = (places - np.searchsorted(strikes, atm)).astype(np.float64)
    away[strikes[places] != of] = np.nan
    return away
