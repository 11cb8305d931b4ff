"""What a contract is truly worth at an instant, and the bid and ask that are shown around it."""

from dataclasses import dataclass

import numpy as np

from g6.model.columns import Bools, Floats, Ints
from g6.simulator.black import black76
from g6.simulator.hashing import derive, normal, uniform
from g6.simulator.legs import Legs
from g6.simulator.paths import DayPaths
from g6.simulator.surface import Surface

YEAR_SECONDS = 365.0 * 86_400.0
SHORTEST_SECONDS = 1.0  # to expiry, when a price is asked at or after the contract's close

WIDTH, LEAN, BID_SIZE, ASK_SIZE = range(16, 20)  # streams of a contract's draws, apart from the daily ones


@dataclass(frozen=True, slots=True)
class Carry:
    """Continuously compounded, per year; the forward is level·e^{(rate − dividend_yield)·T}."""

    rate: float = 0.065
    dividend_yield: float = 0.012


@dataclass(frozen=True, slots=True)
class Underlying:
    """What options of an index and expiry are priced on: years to expiry, forward, variance at the money."""

    years: Floats
    forward: Floats
    theta: Floats


@dataclass(frozen=True, slots=True)
class Book:
    """Best prices in rupees; NaN where a side is empty, whose quantity (lots) is then 0."""

    bid: Floats
    ask: Floats
    bid_lots: Floats
    ask_lots: Floats


@dataclass(frozen=True, slots=True)
class Pricer:
    """Prices legs on a day's paths. Every instant is the leg's own, in seconds from midnight."""

    paths: DayPaths
    surface: Surface
    carry: Carry

    def underlying(self, row: Ints, expires: Floats, annual_volatility: Floats, seconds: Floats) -> Underlying:
        """Return the state of each index `row` at `seconds` for options that close at `expires`."""
        level, vol_level = self.paths.at(row, seconds)
        years = np.maximum(expires - seconds, SHORTEST_SECONDS) / YEAR_SECONDS
        forward = level * np.exp((self.carry.rate - self.carry.dividend_yield) * years)
        return Underlying(years, forward, self.surface.atm_variance(annual_volatility, vol_level, years))

    def deviation(self, of: Underlying, strike: Floats) -> Floats:
        """Return the surface's σ√T at these strikes."""
        deviation: Floats = np.sqrt(self.surface.total_variance(np.log(strike / of.forward), of.theta))
        return deviation

    def true_price(self, legs: Legs, seconds: Floats) -> Floats:
        """Return exact prices in rupees; a future's is its forward."""
        of = self.underlying(legs.row, legs.expires, legs.annual_volatility, seconds)
        discount = np.exp(-self.carry.rate * of.years)
        option = black76(of.forward, legs.strike, self.deviation(of, legs.strike), discount, legs.is_call)
        return np.where(legs.is_future, of.forward, option)

    def prices(self, legs: Legs, seconds: Floats) -> tuple[Floats, Floats]:
        """Return bid and ask: whole ticks, bid ≤ true price ≤ ask, bid < ask, and no bid below one tick.

        The spread breathes from second to second and leans a little to one side.
        """
        price = self.true_price(legs, seconds)
        second = derive(legs.day_key, np.floor(seconds).astype(np.int64) + 2**32)
        width = np.minimum(legs.spread * price, legs.widest) * (0.6 + 0.8 * uniform(derive(second, WIDTH)))
        share = 0.3 + 0.4 * uniform(derive(second, LEAN))
        # A price that is a whole number of ticks but for rounding must stay between its own bid and ask.
        bid = np.floor((price - share * width) / legs.tick - 1e-9)
        ask = np.maximum(np.ceil((price + (1 - share) * width) / legs.tick + 1e-9), bid + 1)
        return _rupees(np.where(bid >= 1, bid, np.nan), legs.tick), _rupees(ask, legs.tick)

    def book(self, legs: Legs, seconds: Floats) -> Book:
        """Return the book of legs; empty for those without one and after a contract's own close."""
        bid, ask = self.prices(legs, seconds)
        shown = legs.quoted & (seconds < legs.expires)
        bid, ask = np.where(shown, bid, np.nan), np.where(shown, ask, np.nan)
        second = derive(legs.day_key, np.floor(seconds).astype(np.int64) + 2**32)
        depth = 1.5 + 0.4 * legs.lots**0.65 / (0.2 + np.fmin(ask, legs.widest * 50)) ** 1.2
        sizes = (np.ceil(depth * np.exp(0.6 * normal(derive(second, side)))) for side in (BID_SIZE, ASK_SIZE))
        bid_lots, ask_lots = (_or_none(size, price) for size, price in zip(sizes, (bid, ask), strict=True))
        return Book(bid, ask, bid_lots, ask_lots)


def _rupees(ticks: Floats, tick: Floats) -> Floats:
    # Exchanges' ticks have at most two decimals; without rounding 3 ticks of 0.05 are 0.15000000000000002.
    return np.round(ticks * tick, 2)


def _or_none(size: Floats, price: Floats) -> Floats:
    present: Bools = np.isfinite(price)
    return np.where(present, size, 0.0)
