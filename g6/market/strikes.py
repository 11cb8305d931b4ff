"""Strikes as they are listed: steps are uneven within one expiry, so places are ranks and never arithmetic."""

import numpy as np

from g6.model.columns import Floats


def nearest(strikes: Floats, reference: float) -> int:
    """Return the place of the strike nearest to a level; of two equally near, the lower one.

    `strikes` ascend. Raises ValueError when there is no strike or the level is not a number.
    """
    if len(strikes) == 0 or not np.isfinite(reference):
        raise ValueError(f"no strike is nearest to {reference} among {len(strikes)}")
    # argmin gives the first of equals, which is the lower strike.
    return int(np.argmin(np.abs(strikes - reference)))
