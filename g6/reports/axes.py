"""Where numbers stand on paper: scales, round tick values, hours, and where a line has to break."""

import math
from dataclasses import dataclass

import numpy as np

from g6.model.columns import Floats, Ints

PADDING = 0.06
TICKS = 6


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps the numbers from `low` to `high` onto the places from `begin` to `end`."""

    low: float
    high: float
    begin: float
    end: float

    @classmethod
    def around(cls, values: Floats, begin: float, end: float) -> "Scale":
        """Return a scale that holds all values with a little air; equal values stand in the middle."""
        low, high = float(values.min()), float(values.max())
        air = (high - low) * PADDING or max(abs(high) * PADDING, 1.0)
        return cls(low - air, high + air, begin, end)

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)


def ticks(low: float, high: float, about: int = TICKS) -> list[float]:
    """Return round numbers (1, 2, 2.5 or 5 times a power of ten apart) from low to high, about so many."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(multiple * power for multiple in (1, 2, 2.5, 5, 10) if multiple * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(number * step, 10) for number in range(first, last + 1)]


def hours(minutes: Ints) -> list[int]:
    """Return the full hours, or half ones in a short day, that lie within minutes of the day."""
    first, last = int(minutes[0]), int(minutes[-1])
    step = 60 if last - first > 150 else 30 if last - first > 45 else 5
    return [minute for minute in range(first, last + 1) if minute % step == 0]


def gaps_after(minutes: Ints) -> Ints:
    """Return the positions before which minutes are missing: the step is more than twice the usual one."""
    steps = np.diff(minutes)
    if not len(steps):
        return np.zeros(0, np.int64)
    positions: Ints = np.flatnonzero(steps > 2 * np.median(steps)) + 1
    return positions
