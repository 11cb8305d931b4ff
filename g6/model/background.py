"""What an index is compared with: its day so far, and the days before. Numbers only, ready for pure functions."""

from dataclasses import dataclass, field

import numpy as np

from g6.model.chain import OptionChain
from g6.model.columns import Floats, freeze

EMPTY: Floats = freeze(np.empty(0))
NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Series are oldest first and without the minute in hand; empty, or NaN, is what is not known.

    Minute series are parallel to each other, one value per recorded minute of this day, however far apart those are:
    `minute_of_day` says when. Daily ones likewise, one value per trading day before this one, at most 252.
    """

    minute_of_day: Floats = field(default_factory=lambda: EMPTY)  # minutes since midnight IST
    minute_frozen: Floats = field(default_factory=lambda: EMPTY)  # 1 while an auction held the index still, else 0
    minute_spot: Floats = field(default_factory=lambda: EMPTY)  # points
    minute_iv: Floats = field(default_factory=lambda: EMPTY)  # 30-day at-the-money volatility, 1/sqrt(year)
    minute_vix: Floats = field(default_factory=lambda: EMPTY)  # India VIX, percent
    daily_close: Floats = field(default_factory=lambda: EMPTY)  # points
    daily_iv: Floats = field(default_factory=lambda: EMPTY)  # 30-day at-the-money volatility at the close


@dataclass(frozen=True, slots=True, eq=False)
class IndexView:
    """One index in one minute, all its valued chains together, nearest expiry first."""

    index: str
    spot: float
    spot_frozen: bool
    chains: tuple[OptionChain, ...]
    background: Background = field(default_factory=Background)
    vix: float = NAN  # India VIX now, percent
    minute_of_day: float = NAN  # of this minute: minutes since midnight IST
