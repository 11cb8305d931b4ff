"""Minutes that nobody recorded, from candles: what was traded is known, what was bid and asked is not.

The state at 10:05:00 is how the candle of 10:04 ended, so a minute is answered from the candles before it. Candles are
fetched once per contract for the whole day, at the broker's pace of three a second.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Protocol

import numpy as np

from g6.clock import IST
from g6.errors import BadResponse
from g6.market.indices import IndexDefinition
from g6.model.columns import Floats
from g6.model.contracts import ContractTable
from g6.model.quotes import CandleQuotes, Quotes, Spot
from g6.providers.kite.candles import Candle

MINUTE_SECONDS = 60.0


class CandleSource(Protocol):
    """What has candles: a session of Kite's REST API."""

    def candles(self, token: int, begin: datetime, end: datetime) -> list[Candle]:
        """Return one-minute candles, ascending; raises the errors of `g6.errors`."""
        ...


@dataclass(frozen=True, slots=True)
class DayOfCandles:
    """One instrument's day: parallel columns, ascending, one row a candle.

    `ends` are epoch seconds at which each candle's minute was over, `volume` counts from the open, and `traded` is
    when the last trade was over at the latest, NaN before the first one.
    """

    ends: Floats
    close: Floats
    volume: Floats
    oi: Floats
    traded: Floats

    @classmethod
    def of(cls, candles: Sequence[Candle]) -> "DayOfCandles":
        """Return the columns of these candles."""
        ends = np.array([candle.at.timestamp() + MINUTE_SECONDS for candle in candles])
        volume = np.array([candle.volume for candle in candles])
        traded = np.maximum.accumulate(np.where(volume > 0, ends, -np.inf))
        return cls(
            ends=ends,
            close=np.array([candle.close for candle in candles]),
            volume=np.cumsum(volume),
            oi=np.array([candle.oi for candle in candles]),
            traded=np.where(np.isinf(traded), np.nan, traded),
        )

    def row_at(self, at: datetime) -> int | None:
        """Return the row of the last candle that was over at `at`; None when none was."""
        row = int(np.searchsorted(self.ends, at.timestamp(), side="right")) - 1
        return row if row >= 0 else None


class CandleProvider:
    """Answers for the minutes of one past day, from the contracts `listed` on it that are still alive.

    `index_tokens` is spot symbol → token. `told` is called with the number of instruments fetched so far and the
    number known to be wanted, as the work goes on. An instrument that the broker has no candles of, or none before the
    minute, does not answer.
    """

    name = "kite-backfill"

    def __init__(
        self,
        source: CandleSource,
        listed: ContractTable,
        index_tokens: Mapping[str, int],
        day: date,
        told: Callable[[int, int], None] = lambda _done, _wanted: None,
    ) -> None:
        self._source = source
        self._listed = listed
        self._index_tokens = index_tokens
        self._begin, self._end = (datetime.combine(day, edge, IST) for edge in (time(9), time(16)))
        self._told = told
        self._days: dict[int, DayOfCandles] = {}

    def contracts(self, indices: Sequence[IndexDefinition], at: datetime) -> ContractTable:  # noqa: ARG002  the Protocol's
        """Return what was listed on the day."""
        return self._listed.take(np.isin(self._listed.index, [index.name for index in indices]))

    def spots(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, Spot]:
        """Return how each index's minute before `at` ended."""
        found: dict[str, Spot] = {}
        for index in indices:
            token = self._index_tokens.get(index.spot_symbol)
            day = self._day(token) if token is not None else None
            row = day.row_at(at) if day else None
            if day and row is not None:
                found[index.name] = Spot(float(day.close[row]), datetime.fromtimestamp(day.ends[row], IST))
        return found

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        """Return closes, volumes and open interest; there are no bids and no asks."""
        at = at.astimezone(IST).replace(second=0, microsecond=0)
        self._fetch(contracts)
        nothing = DayOfCandles.of([])  # of what has no token here, as the market around the options
        days = [self._days.get(token, nothing) for token in contracts.token.tolist()]
        rows = [day.row_at(at) for day in days]
        known = [(place, day, row) for place, (day, row) in enumerate(zip(days, rows, strict=True)) if row is not None]
        columns = {name: np.full(len(contracts), np.nan) for name in ("close", "volume", "oi", "ends", "traded")}
        for place, day, row in known:
            for name, values in columns.items():
                values[place] = getattr(day, name)[row]
        return CandleQuotes(
            at=at,
            answered=np.isfinite(columns["close"]),
            last=np.where(np.isfinite(columns["traded"]), columns["close"], np.nan),
            volume=columns["volume"],
            oi=columns["oi"],
            quote_age_seconds=at.timestamp() - columns["ends"],
            trade_age_seconds=at.timestamp() - columns["traded"],
        )

    def _fetch(self, contracts: ContractTable) -> None:
        missing = [token for token in contracts.token.tolist() if token and token not in self._days]
        for done, token in enumerate(missing):
            self._told(len(self._days), len(self._days) + len(missing) - done)
            self._day(token)
        if missing:
            self._told(len(self._days), len(self._days))

    def _day(self, token: int) -> DayOfCandles:
        if token not in self._days:
            try:
                candles = self._source.candles(token, self._begin, self._end)
            except BadResponse:
                candles = []  # an expired contract, say: what the broker no longer knows stays missing
            self._days[token] = DayOfCandles.of(candles)
        return self._days[token]
