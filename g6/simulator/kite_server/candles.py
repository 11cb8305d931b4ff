"""Historical candles with open interest, from the trades that the market makes at any instant of a day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

import numpy as np

from g6.clock import IST
from g6.market.sessions import OutsideCalendar
from g6.model.columns import Bools, Floats, Ints
from g6.model.contracts import ContractTable
from g6.simulator.day import ExchangeDay
from g6.simulator.grid import seconds_of
from g6.simulator.kite_server.tape import Tape
from g6.simulator.legs import contract_keys
from g6.simulator.market import SPOT_TICK
from g6.simulator.trading import interest, trades_until
from g6.simulator.whole import paise, units

ONE_DAY = timedelta(days=1)
LATE = time(23, 59, 59)
DAY_MINUTES = 1440
NEVER = np.iinfo(np.int64).max

# Interval → minutes of a candle, and the longest range of one request, days.
INTERVALS: Mapping[str, tuple[int, int]] = MappingProxyType({
    "minute": (1, 60),
    "3minute": (3, 100),
    "5minute": (5, 100),
    "10minute": (10, 100),
    "15minute": (15, 200),
    "30minute": (30, 200),
    "60minute": (60, 400),
    "day": (DAY_MINUTES, 2000),
})  # fmt: skip

# Where in a minute the last trade is looked up; the last instant is the minute's very end.
LOOKS_SECONDS = (0.0, 6.0, 12.0, 18.0, 24.0, 30.0, 36.0, 42.0, 48.0, 54.0, 59.999)

Candle = list[str | float | int]


@dataclass(frozen=True, slots=True)
class _Bars:
    """One day's candles of an instrument, in rows; `begin` seconds from midnight, prices paise."""

    begin: Floats
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    oi: Ints

    def candles(self, day: date, interval: str, *, with_oi: bool) -> list[Candle]:
        midnight = datetime.combine(day, time(), IST)
        begins = [0.0] if interval == "day" else self.begin.tolist()
        stamps = [f"{midnight + timedelta(seconds=begin):%Y-%m-%dT%H:%M:%S%z}" for begin in begins[: len(self.begin)]]
        columns: list[Sequence[str | float | int]] = [stamps]
        columns += [(column / 100).tolist() for column in (self.open, self.high, self.low, self.close)]
        columns += [self.volume.tolist(), self.oi.tolist()] if with_oi else [self.volume.tolist()]
        return [list(row) for row in zip(*columns, strict=True)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for: an interval, and candles that begin in [begin, until]; `now` is when."""

    interval: str
    begin: datetime
    until: datetime
    now: datetime

    def looks(self, today: ExchangeDay, closes: float) -> tuple[Floats, Floats]:
        """Return where the day's candles begin, and (candles, instants) to look at, all in seconds.

        Candles are counted from the opening; the one at hand is looked at until now.
        """
        horizon = min(today.grid.end, closes, seconds_of(self.now, today.day))
        minutes = min(INTERVALS[self.interval][0], round((today.grid.end - today.grid.begin) / 60))
        begins = np.arange(today.grid.begin, horizon, 60.0 * minutes)
        if self.interval != "day":
            first, last = seconds_of(self.begin, today.day), seconds_of(self.until, today.day)
            begins = begins[(begins >= first) & (begins <= last)]
        looks = (60.0 * np.arange(minutes)[:, None] + np.array(LOOKS_SECONDS)).ravel()
        return begins, np.minimum(begins[:, None] + looks, horizon - 0.001)


class Candles:
    """Candles of what is listed today: an expired contract has no history, as at Kite."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def of(
        self, token: int, interval: str, begin: datetime, until: datetime, now: datetime, *, with_oi: bool
    ) -> list[Candle] | None:
        """Return the candles that begin in [begin, until] and before `now`; None for an unknown token.

        A candle without a trade is left out. Raises KeyError for an unknown interval.
        """
        listing = self._tape.listing(now.astimezone(IST).date())
        row, index = (int(rows(np.array([token]))[0]) for rows in (listing.contract_rows, listing.index_rows))
        if row < 0 and index < 0:
            return None
        asked = _Asked(interval, begin, until, now)
        name = listing.indices[index] if row < 0 else str(listing.contracts.index[row])
        if name not in self._tape.market.indices:
            return []  # shares, sectors and India VIX have no history here
        exchange = self._tape.market.indices[name].exchange
        found: list[Candle] = []
        for day in _days(begin, min(until, now)):
            today = self._session(exchange, day)
            if today is not None:
                contract = listing.contracts.take(np.array([row])) if row >= 0 else None
                bars = _index_bars(today, name, asked) if contract is None else _contract_bars(today, contract, asked)
                found += bars.candles(day, interval, with_oi=with_oi) if bars else []
        return found

    def _session(self, exchange: str, day: date) -> ExchangeDay | None:
        """Return an exchange's day; None where there was none."""
        try:
            today, _ = self._tape.market.exchange_day(exchange, datetime.combine(day, LATE, IST))
        except OutsideCalendar:
            return None
        return today if today.day == day else None


def _days(begin: datetime, until: datetime) -> Iterator[date]:
    day = begin.date()
    while day <= until.date():
        yield day
        day += ONE_DAY


def _contract_bars(today: ExchangeDay, contract: ContractTable, asked: _Asked) -> _Bars | None:
    _, places = today.find(contract_keys(contract))
    if len(places) == 0:
        return None
    legs = today.legs.take(places)
    begins, seconds = asked.looks(today, float(legs.expires[0]))
    many = legs.take(np.zeros(seconds.size, np.int64))
    trades = trades_until(many, seconds.ravel(), today.grid, today.pricer, today.before)
    lots = trades.lots.reshape(seconds.shape)
    held = interest(many, seconds.ravel(), today.grid).reshape(seconds.shape)
    inside = trades.seconds.reshape(seconds.shape) >= begins[:, None]
    volume = units((lots[:, -1] - lots[:, 0]) * legs.lot)
    return _bars(begins, paise(trades.last).reshape(seconds.shape), inside, volume, units(held[:, -1] * legs.lot))


def _index_bars(today: ExchangeDay, name: str, asked: _Asked) -> _Bars:
    begins, seconds = asked.looks(today, today.grid.end)
    levels = [today.published_level(name, second) for second in seconds.ravel().tolist()]
    prices = paise(np.round(np.array(levels) / SPOT_TICK) * SPOT_TICK).reshape(seconds.shape)
    nothing = np.zeros(len(begins), np.int64)
    return _bars(begins, prices, np.ones(seconds.shape, bool), nothing, nothing)


def _bars(begins: Floats, prices: Ints, inside: Bools, volume: Ints, oi: Ints) -> _Bars:
    """Return the candles in which something was traded; `inside` is which prices were made in their candle."""
    some = inside.any(axis=1)
    prices, inside = prices[some], inside[some]
    rows, first = np.arange(len(prices)), np.argmax(inside, axis=1)
    return _Bars(
        begin=begins[some],
        open=prices[rows, first],
        high=np.where(inside, prices, 0).max(axis=1, initial=0),
        low=np.where(inside, prices, NEVER).min(axis=1, initial=NEVER),
        close=prices[:, -1],
        volume=volume[some],
        oi=oi[some],
    )
