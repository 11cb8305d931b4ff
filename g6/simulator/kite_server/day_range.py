"""Between which prices a contract has traded today: bounds that only ever widen, and always hold every trade.

A trade's price is the bid, the ask or the middle at some instant since the day's first. So within a stretch of
the day no trade was dearer than the option at the stretch's best level and highest volatility, and half the
widest spread on top. Options of the surface never fall with volatility, calls never fall with the level and
puts never rise, because its prices are free of arbitrage and depend on K/F alone.
"""

import threading
from dataclasses import dataclass

import numpy as np

from g6.model.columns import Bools, Floats, Ints
from g6.simulator.black import black76
from g6.simulator.book import SHORTEST_SECONDS, YEAR_SECONDS, Pricer
from g6.simulator.grid import CELL_SECONDS
from g6.simulator.legs import Legs

STRETCH_CELLS = 60  # five minutes
HALF_SPREAD = 0.98  # ask less true price is no more than 0.7 of a spread that breathes up to 1.4
SPARE_TICKS = 2.0  # rounding to ticks, and carry over a stretch


@dataclass(frozen=True, slots=True)
class Range:
    """The highest and lowest trade so far in whole ticks of the contract; NaN-free, meaningless if untraded."""

    high: Floats
    low: Floats

    def joined(self, other: "Range") -> "Range":
        """Return the range that holds both."""
        return Range(np.maximum(self.high, other.high), np.minimum(self.low, other.low))

    def take(self, rows: Ints) -> "Range":
        """Return these rows."""
        return Range(self.high[rows], self.low[rows])


class DayRange:
    """The ranges of one exchange's day, kept at the end of each stretch once it was asked for."""

    def __init__(self, pricer: Pricer, legs: Legs, first_trade_seconds: Floats) -> None:
        self._pricer = pricer
        self._legs = legs
        self._first = first_trade_seconds
        n = len(legs)
        self._until: list[Range] = [Range(np.full(n, -np.inf), np.full(n, np.inf))]  # place k: before stretch k
        self._lock = threading.Lock()

    def at(self, places: Ints, seconds: float) -> Range:
        """Return the range in rupees of the legs at these places, up to a second of the day."""
        begin = self._pricer.paths.begin
        cells = self._pricer.paths.levels.shape[1] - 1
        last_cell = int(np.clip(np.ceil((seconds - begin) / CELL_SECONDS), 1, cells))
        stretch = (last_cell - 1) // STRETCH_CELLS
        legs, first = self._legs.take(places), self._first[places]
        now = self._stretch(legs, first, stretch * STRETCH_CELLS, last_cell)
        joined = self._before(stretch).take(places).joined(now)
        tick = legs.tick
        return Range(np.round(joined.high * tick, 2), np.round(joined.low * tick, 2))

    def _before(self, stretch: int) -> Range:
        with self._lock:
            while len(self._until) <= stretch:
                begin = (len(self._until) - 1) * STRETCH_CELLS
                whole = self._stretch(self._legs, self._first, begin, begin + STRETCH_CELLS)
                self._until.append(self._until[-1].joined(whole))
            return self._until[stretch]

    def _stretch(self, legs: Legs, first: Floats, begin: int, end: int) -> Range:
        """Return the bounds of trades between two cell edges; legs that did not trade by then have none."""
        paths = self._pricer.paths
        levels, log_vols = paths.levels[:, begin : end + 1], paths.log_vols[:, begin : end + 1]
        # Time value is taken at the stretch's own ends, however much of it has passed: else a bound could shrink.
        opened, reached, closed = (paths.begin + CELL_SECONDS * edge for edge in (begin, end, begin + STRETCH_CELLS))
        top, bottom = levels.max(axis=1)[legs.row], levels.min(axis=1)[legs.row]
        calm, wild = np.exp(log_vols.min(axis=1))[legs.row], np.exp(log_vols.max(axis=1))[legs.row]
        rises = legs.is_call | legs.is_future
        dearest = self._price(legs, np.where(rises, top, bottom), wild, opened)
        cheapest = self._price(legs, np.where(rises, bottom, top), calm, closed)
        high = np.ceil((dearest + HALF_SPREAD * _spread(legs, dearest)) / legs.tick) + SPARE_TICKS
        low = np.floor((cheapest - HALF_SPREAD * _spread(legs, dearest)) / legs.tick) - SPARE_TICKS
        traded: Bools = (first <= reached) & (opened < legs.expires)
        return Range(np.where(traded, high, -np.inf), np.where(traded, np.maximum(low, 1.0), np.inf))

    def _price(self, legs: Legs, level: Floats, vol_level: Floats, seconds: float) -> Floats:
        carry, surface = self._pricer.carry, self._pricer.surface
        years = np.maximum(legs.expires - seconds, SHORTEST_SECONDS) / YEAR_SECONDS
        forward = level * np.exp((carry.rate - carry.dividend_yield) * years)
        theta = surface.atm_variance(legs.annual_volatility, vol_level, years)
        deviation = np.sqrt(surface.total_variance(np.log(legs.strike / forward), theta))
        option = black76(forward, legs.strike, deviation, np.exp(-carry.rate * years), legs.is_call)
        return np.where(legs.is_future, forward, option)


def _spread(legs: Legs, price: Floats) -> Floats:
    spread: Floats = np.minimum(legs.spread * price, legs.widest)
    return spread
