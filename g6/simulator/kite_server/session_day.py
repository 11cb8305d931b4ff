"""One exchange's trading day as quotes show it: its constants, and the columns of any instant of it."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

import numpy as np

from g6.model.columns import Bools, Floats, Ints
from g6.simulator.day import ExchangeDay
from g6.simulator.grid import CELL_SECONDS, seconds_of
from g6.simulator.hashing import derive, uniform
from g6.simulator.kite_server.day_range import DayRange
from g6.simulator.ladder import sides_of
from g6.simulator.legs import Legs
from g6.simulator.trading import INTEREST_WOBBLE, PLACE, trades_until
from g6.simulator.whole import paise, units

LOTS_OF_TRADE = 2**36  # what a trade's place in the day is counted from
FIRST_TRADE = 2**33  # where the market's own draws of trades begin


class SessionDay:
    """`before` is the session before, with its last instant; None on the calendar's first day.

    `index_closes` are the indices' levels at its end, paise.
    """

    def __init__(
        self, day: ExchangeDay, before: tuple[ExchangeDay, datetime] | None, index_closes: Mapping[str, int]
    ) -> None:
        self.day = day
        self._before = before
        self._index_closes = index_closes

    def columns(self, places: Ints, now: datetime, at: datetime) -> Mapping[str, Ints]:
        """Return the columns of these legs at `now`, an instant of the session that answers for `at`."""
        legs = self.day.legs.take(places)
        quotes = self.day.quotes(legs, now, (at - now).total_seconds())
        second = seconds_of(now, self.day.day)
        traded_today = quotes["volume"] > 0
        last = paise(quotes["last"])
        return {
            "last": last,
            "last_quantity": _last_quantity(legs, quotes["volume"], last),
            "average": paise(quotes["average_price"]),
            "volume": units(quotes["volume"]),
            "close": self._closes[places],
            **self._range(places, legs, second, last, traded_today, quotes["volume"]),
            **self._interest(legs, second, units(quotes["oi"])),
            **_book(legs, quotes, np.minimum(second, legs.expires)),
            **_stamps(quotes, at),
        }

    def published_range(self, index: str, now: datetime) -> tuple[float, float, float]:
        """Return the index's first, highest and lowest published level up to an instant of the day."""
        paths, second = self.day.pricer.paths, seconds_of(now, self.day.day)
        if self.day.auction is not None:
            second = min(second, self.day.auction[0])
        edges = max(1, int((second - paths.begin) // CELL_SECONDS) + 1)
        seen = paths.levels[self.day.rows[index], :edges]
        return float(seen[0]), float(seen.max()), float(seen.min())

    def index_close(self, index: str) -> int:
        """Return the level of the session before's end, paise; on the calendar's first day where paths came from."""
        if index in self._index_closes:
            return self._index_closes[index]
        return int(paise(self.day.pricer.paths.previous[[self.day.rows[index]]])[0])

    @cached_property
    def _first_trade(self) -> Floats:
        """Return the second of each leg's first trade; infinite for one that does not trade today."""
        legs = self.day.legs
        place = uniform(derive(legs.day_key, FIRST_TRADE, PLACE)) / np.maximum(legs.trades, 1)
        return np.where(legs.trades > 0, self.day.grid.when(place), np.inf)

    @cached_property
    def _opens(self) -> Ints:
        """Return the price of each leg's first trade, paise."""
        legs, first = self.day.legs, self._first_trade
        # A hundredth of a second later the trade has surely happened, whatever rounding the clock's inverse has.
        seconds = np.where(np.isfinite(first), first + 0.01, self.day.grid.end)
        trades = trades_until(legs, seconds, self.day.grid, self.day.pricer, self.day.before)
        return paise(np.where(np.isfinite(first), trades.last, np.nan))

    @cached_property
    def _closes(self) -> Ints:
        """Return the session before's last prices, paise; for what was not listed then, what it came with."""
        grid, legs = self.day.grid, self.day.legs
        closes = trades_until(legs, np.full(len(legs), grid.begin), grid, self.day.pricer, self.day.before).last
        if self._before is not None:
            before, ended = self._before
            here, places = before.find(self.day.keys)
            last = before.quotes(before.legs.take(places), ended, 0.0)["last"]
            closes[here] = np.where(np.isfinite(last), last, closes[here])
        return paise(closes)

    @cached_property
    def _ranges(self) -> DayRange:
        return DayRange(self.day.pricer, self.day.legs, self._first_trade)

    def _range(
        self, places: Ints, legs: Legs, second: float, last: Ints, traded: Bools, volume: Floats
    ) -> dict[str, Ints]:
        """Return open, high and low; a day of one trade of one lot has but one price."""
        opened, bounds = self._opens[places], self._ranges.at(places, second)
        once = volume == legs.lot
        ends = {}
        for name, bound, reach in (("high", bounds.high, np.maximum), ("low", bounds.low, np.minimum)):
            widest = reach(paise(bound), reach(opened, last))
            ends[name] = np.where(traded, np.where(once, last, widest), 0)
        return {"open": np.where(traded, np.where(once, last, opened), 0), **ends}

    def _interest(self, legs: Legs, second: float, oi: Ints) -> dict[str, Ints]:
        """Return open interest and bounds of the day's, which only widen.

        It goes from the evening before's to this evening's with the day's business, and trembles around that.
        """
        business = self.day.grid.activity(np.minimum(second, legs.expires))
        held = legs.interest_before + (legs.interest_after - legs.interest_before) * business
        wobble = INTEREST_WOBBLE * 4 * np.minimum(business, 0.5) * (1 - np.minimum(business, 0.5))
        high = np.ceil(np.maximum(legs.interest_before, held) * (1 + wobble))
        low = np.floor(np.minimum(legs.interest_before, held) * (1 - wobble))
        return {
            "oi": oi,
            "oi_high": np.maximum(units(high * legs.lot), oi),
            "oi_low": np.minimum(units(low * legs.lot), oi),
        }


def _last_quantity(legs: Legs, volume: Floats, last: Ints) -> Ints:
    """Return the size of the last trade: a few lots, the same until the volume grows."""
    lots = volume / legs.lot
    drawn = uniform(derive(legs.day_key, units(lots) + LOTS_OF_TRADE))
    usual = legs.lots / np.maximum(legs.trades, 1)
    size = np.minimum(1 + np.floor(-np.log(drawn) * (usual - 1).clip(0)), np.maximum(lots, 1))
    return np.where(last > 0, units(size * legs.lot), 0)


def _book(legs: Legs, quotes: Mapping[str, Floats], seconds: Floats) -> dict[str, Ints]:
    buy, sell = sides_of(legs, quotes, seconds)
    return {
        "depth_price": np.hstack([buy.price, sell.price]),
        "depth_quantity": np.hstack([buy.quantity, sell.quantity]),
        "depth_orders": np.hstack([buy.orders, sell.orders]),
        "buy_quantity": buy.total,
        "sell_quantity": sell.total,
    }


def _stamps(quotes: Mapping[str, Floats], at: datetime) -> dict[str, Ints]:
    """Return the exchange's stamps in whole seconds; a trade is never stamped later than the quote that has it."""
    asked = at.timestamp()
    traded = quotes["trade_age_seconds"]
    traded_at = units(np.floor(asked - traded))
    quoted_at = units(np.floor(asked - quotes["quote_age_seconds"]))
    return {"quoted_at": np.maximum(quoted_at, traded_at), "traded_at": np.where(np.isfinite(traded), traded_at, 0)}
