"""One exchange on one trading day: its paths, its contracts' columns, and the quotes they give at an instant."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from g6.model.columns import Floats, Ints
from g6.model.contracts import ContractTable
from g6.simulator.book import Pricer
from g6.simulator.contracts import Expiry
from g6.simulator.grid import SessionGrid, seconds_of
from g6.simulator.hashing import Keys, derive, uniform
from g6.simulator.ladder import depths_of
from g6.simulator.legs import Legs
from g6.simulator.trading import interest, trades_until

STAMP = 48  # stream of a book's draws
QUICKEST_STAMP_SECONDS, SLOWEST_STAMP_SECONDS = 0.4, 40.0


@dataclass(frozen=True, slots=True)
class ListedContracts:
    """One index's table of the day, with the expiries that it is made of."""

    table: ContractTable
    expiries: tuple[Expiry, ...]

    def by_expiry(self) -> Iterator[tuple[Expiry, ContractTable]]:
        """Give each expiry with its rows."""
        for expiry in self.expiries:
            yield expiry, self.table.take(self.table.expiry == np.datetime64(expiry.day))


@dataclass(frozen=True, slots=True)
class ExchangeDay:
    """All that an exchange's day holds; every answer follows from it and the instant."""

    day: date
    before: float  # when the session before ended, seconds from midnight
    grid: SessionGrid
    pricer: Pricer
    legs: Legs
    keys: Keys  # of `legs`, ascending
    rows: Mapping[str, int]  # index name → row of the paths
    auction: tuple[float, float] | None  # while the published level stands still, seconds from midnight

    def find(self, keys: Keys) -> tuple[Ints, Ints]:
        """Return which of these contracts are listed today, and their places in `legs`."""
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        here = np.flatnonzero(self.keys[places] == keys)
        return here, places[here]

    def level(self, index: str, seconds: float) -> float:
        """Return an index's fair level."""
        levels, _ = self.pricer.paths.at(np.array([self.rows[index]]), np.array([seconds]))
        return float(levels[0])

    def published_level(self, index: str, seconds: float) -> float:
        """Return the level as it is published: still during the auction, and its one print afterwards."""
        if self.auction is None or seconds < self.auction[0]:
            return self.level(index, seconds)
        began, ended = self.auction
        return self.level(index, began if seconds < ended else ended)

    def true_prices(self, legs: Legs, now: datetime) -> Floats:
        """Return the exact prices of these legs."""
        return self.pricer.true_price(legs, self._seconds(legs, now))

    def quotes(self, legs: Legs, now: datetime, closed_for: float) -> Mapping[str, Floats]:
        """Return the quote columns of these legs; the session ended `closed_for` seconds ago, or 0."""
        seconds = self._seconds(legs, now)
        book = self.pricer.book(legs, seconds)
        trades = trades_until(legs, seconds, self.grid, self.pricer, self.before)
        asked = closed_for + seconds_of(now, self.day)
        return {
            "last": trades.last,
            "bid": book.bid,
            "ask": book.ask,
            "bid_quantity": book.bid_lots * legs.lot,
            "ask_quantity": book.ask_lots * legs.lot,
            "volume": trades.lots * legs.lot,
            "oi": interest(legs, seconds, self.grid) * legs.lot,
            "average_price": trades.average,
            "quote_age_seconds": asked - seconds + _stamp_age(legs, seconds),
            "trade_age_seconds": asked - trades.seconds,
        }

    def depths(self, legs: Legs, quotes: Mapping[str, Floats], now: datetime) -> Mapping[str, Floats]:
        """Return the quantities of all levels that are shown around the best ones of these legs' quotes."""
        bid, ask = depths_of(legs, quotes, self._seconds(legs, now))
        return {"bid_depth": bid, "ask_depth": ask}

    def _seconds(self, legs: Legs, now: datetime) -> Floats:
        """Return the instant of each leg; one that closed before the session did stays at its close."""
        return np.minimum(seconds_of(now, self.day), legs.expires)


def _stamp_age(legs: Legs, seconds: Floats) -> Floats:
    """Return the age of the exchange's stamp: fractions of a second where trade is brisk, else up to 40 s."""
    longest = QUICKEST_STAMP_SECONDS + SLOWEST_STAMP_SECONDS / (1 + legs.lots / 5)
    drawn = uniform(derive(legs.day_key, np.floor(seconds).astype(np.int64) + 2**32, STAMP))
    age: Floats = drawn * longest
    return age
