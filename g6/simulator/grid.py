"""A day's trading hours in cells of five seconds, and two clocks that run over them unevenly."""

from collections.abc import Sequence
from datetime import date, datetime, time

import numpy as np

from g6.clock import IST
from g6.market.sessions import Window
from g6.model.columns import Bools, Floats

CELL_SECONDS = 5.0
FULL_SESSION_SECONDS = 22_500.0

# Both clocks run fast after the open and before the close: (weight, seconds) of the two exponentials that
# are added to an even pace.
VARIANCE_OPEN, VARIANCE_CLOSE = (2.2, 1500.0), (0.9, 2100.0)
ACTIVITY_OPEN, ACTIVITY_CLOSE = (1.8, 1200.0), (1.2, 1800.0)


class SessionGrid:
    """Seconds here are counted from the day's midnight, IST; clocks run from 0 to 1 and stand between windows."""

    def __init__(self, day: date, windows: Sequence[Window]) -> None:
        hours = [(seconds_of(w.open, day), seconds_of(w.close, day)) for w in windows]
        self.begin, self.end = hours[0][0], hours[-1][1]
        self.cells = round((self.end - self.begin) / CELL_SECONDS)
        self.seconds: Floats = self.begin + CELL_SECONDS * np.arange(self.cells + 1, dtype=np.float64)
        centre = self.seconds[:-1] + CELL_SECONDS / 2
        trading = np.any([(centre >= begin) & (centre < end) for begin, end in hours], axis=0)
        self.open_share = min(1.0, CELL_SECONDS * np.count_nonzero(trading) / FULL_SESSION_SECONDS)
        self.variance_clock = _clock(trading, VARIANCE_OPEN, VARIANCE_CLOSE)
        self.activity_clock = _clock(trading, ACTIVITY_OPEN, ACTIVITY_CLOSE)

    @property
    def first_cell(self) -> int:
        """Return the number of the first cell, counted from midnight: what its draws are keyed by."""
        return round(self.begin / CELL_SECONDS)

    def activity(self, seconds: Floats) -> Floats:
        """Return the share of the day's business done by then."""
        return np.interp(seconds, self.seconds, self.activity_clock)

    def when(self, activity: Floats) -> Floats:
        """Return the second at which this share of the day's business was done."""
        return np.interp(activity, self.activity_clock, self.seconds)


def seconds_of(at: datetime, day: date) -> float:
    """Return the seconds from the day's midnight to `at`; negative for an instant before it."""
    return (at - datetime.combine(day, time(), IST)).total_seconds()


def _clock(trading: Bools, opening: tuple[float, float], closing: tuple[float, float]) -> Floats:
    elapsed = CELL_SECONDS * np.cumsum(trading)
    weight, seconds = opening
    pace = 1 + weight * np.exp(-elapsed / seconds)
    weight, seconds = closing
    pace += weight * np.exp((elapsed - elapsed[-1]) / seconds)
    clock = np.concatenate([[0.0], np.cumsum(np.where(trading, pace, 0.0))])
    shares: Floats = clock / clock[-1]
    return shares
