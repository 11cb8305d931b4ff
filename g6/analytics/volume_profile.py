"""Where the day's volume lies among the strikes: its mean, its peak, and the area around the peak with most of it.

After P. Steidlmayer's Market Profile, of options' volume by strike in place of the index's by price: the peak is the
point of control; from there the value area grows strike by strike towards the side whose next one traded more, until it
holds its share of the volume (J. Dalton, E. Jones, R. Dalton, Mind over Markets, 1990; there two prices at a time).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.levels import reference
from g6.analytics.strikes import strikes_of
from g6.model.chain import OptionChain
from g6.model.columns import Aggregate, Floats

NAN = float("nan")


class Profile(NamedTuple):
    """Strikes of the day's volume, calls and puts together; all NaN where nothing was traded."""

    mean: float
    peak: float
    low: float
    high: float


def volume_weighted_strike(chain: OptionChain, conventions: Conventions) -> float:
    """Return the mean strike of the day's volume."""
    return profile_of(chain, conventions.value_area_ratio).mean


def volume_poc(chain: OptionChain, conventions: Conventions) -> float:
    """Return the strike with the most volume, the nearest to the reference of equals."""
    return profile_of(chain, conventions.value_area_ratio).peak


def value_area_low(chain: OptionChain, conventions: Conventions) -> float:
    """Return the lowest strike of the value area."""
    return profile_of(chain, conventions.value_area_ratio).low


def value_area_high(chain: OptionChain, conventions: Conventions) -> float:
    """Return the highest strike of the value area."""
    return profile_of(chain, conventions.value_area_ratio).high


@lru_cache(maxsize=2)
def profile_of(chain: OptionChain, share: float) -> Profile:
    """Return the volume profile of a chain, its value area holding at least this share of the volume."""
    strikes = strikes_of(chain)
    traded = np.where(chain.volume > 0, chain.volume, 0.0)
    volume = np.bincount(strikes.place, traded, len(strikes.strike)).astype(np.float64)
    total = float(volume.sum())
    if not total > 0:
        return Profile(NAN, NAN, NAN, NAN)
    most = np.flatnonzero(volume == volume.max())
    level = reference(chain)
    peak = int(most[np.argmin(np.abs(strikes.strike[most] - level))]) if np.isfinite(level) else int(most[0])
    low, high = _area(volume, peak, share * total)
    bounds = (float(strikes.strike[place]) for place in (peak, low, high))
    return Profile(float((strikes.strike * volume).sum()) / total, *bounds)


def _area(volume: Floats, peak: int, enough: float) -> tuple[int, int]:
    """Return the places of the first and the last strike of the area that grows from the peak; of equals downwards.

    Always to take the larger of two sequences' next ones is to sort both by what each one had to wait for, which is
    the least of its own sequence up to it.
    """
    below, above = volume[:peak][::-1], volume[peak + 1 :]
    waited = np.concatenate([np.minimum.accumulate(below), np.minimum.accumulate(above)])
    order = np.argsort(-waited, kind="stable")
    held = volume[peak] + np.cumsum(np.concatenate([below, above])[order])
    # As many as it takes; with all of them the sum may still miss a share of 1 by its rounding.
    taken = order[: 1 + int(np.searchsorted(held, enough))] if volume[peak] < enough else order[:0]
    downwards = int(np.count_nonzero(taken < len(below)))
    return peak - downwards, peak + len(taken) - downwards


_VOLUME = "day's volume by strike, calls and puts together, collected legs"
_AREA = (
    "strike of the value area: from volume_poc strike by strike to the side whose next one traded more (of equals "
    f"downwards), until value_area_ratio (default 0.7) of the {_VOLUME} is inside"
)
_SOURCE = "Steidlmayer's Market Profile; Dalton, Mind over Markets 1990"

VOLUME_PROFILE = (
    (Aggregate("volume_weighted_strike", "points", f"Mean strike, weighted by the {_VOLUME}"), volume_weighted_strike),
    (Aggregate("volume_poc", "points",
               f"Point of control: strike with most of the {_VOLUME}; of equals the nearest to the reference (spot, or "
               "the forward while the spot is frozen)", source=_SOURCE), volume_poc),
    (Aggregate("value_area_low", "points", f"Lowest {_AREA}", source=_SOURCE), value_area_low),
    (Aggregate("value_area_high", "points", f"Highest {_AREA}", source=_SOURCE), value_area_high),
)  # fmt: skip
