"""Everything a Kite quote or tick says, at any instant, as a pure function of the simulated market.

A contract here carries the token that goes on the wire (`wire_tokens.py`), not the market's own: whoever writes
a dump, a quote or a tick takes contracts from `Tape.contracts` or `Tape.listing`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

from g6.clock import IST
from g6.market.indices import DERIVATIVE_EXCHANGES
from g6.market.sessions import OutsideCalendar
from g6.model.columns import Ints, Texts
from g6.model.contracts import SHARE, ContractTable
from g6.simulator.kite_server.session_day import SessionDay
from g6.simulator.kite_server.ticks import DEPTH, TICK_COLUMNS, IndexTicks, Ticks
from g6.simulator.kite_server.wire_tokens import contract_tokens, index_token
from g6.simulator.legs import contract_keys
from g6.simulator.market import SPOT_TICK, SimulatedMarket
from g6.simulator.whole import paise, units

DAYS_KEPT = 4
SHARE_TICK_PAISE, SHARE_QUANTITY = 5, 100
LAST_SECOND = timedelta(hours=23, minutes=59, seconds=59)


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """All that is listed on a day: contracts of every index, shares among them, and everything that has a level."""

    day: date
    contracts: ContractTable
    indices: tuple[str, ...]
    symbols: tuple[str, ...]  # of the indices: NSE:NIFTY 50
    index_tokens: Ints
    _tokens: Ints  # of contracts, ascending
    _rows: Ints  # where those are in `contracts`

    def contract_rows(self, tokens: Ints) -> Ints:
        """Return the row of each contract token; -1 for one that is not a listed contract's."""
        places = np.minimum(np.searchsorted(self._tokens, tokens), max(0, len(self._tokens) - 1))
        if len(self._tokens) == 0:
            return np.full(len(tokens), -1)
        return np.where(self._tokens[places] == tokens, self._rows[places], -1)

    def index_rows(self, tokens: Ints) -> Ints:
        """Return each token's place among `indices`; -1 for one that is not an index's."""
        rows = {int(token): row for row, token in enumerate(self.index_tokens)}
        return np.array([rows.get(token, -1) for token in tokens.tolist()], np.int64)


class Tape:
    """The market as Kite shows it. Raises OutsideCalendar for days that the calendar does not cover.

    Nothing is remembered but what a day's constants cost to find out, so the order of questions does not matter.
    """

    def __init__(self, market: SimulatedMarket) -> None:
        self.market = market
        self._exchanges = tuple(dict.fromkeys(index.exchange for index in market.indices.values()))
        # Everything that has a level: name → EXCHANGE:SYMBOL.
        around = market.around.levels if market.around else {}
        self._symbols = {index.name: index.spot_symbol for index in market.indices.values()} | dict(around)
        self._share_keys = market.around.share_keys if market.around else ()
        self._list = lru_cache(maxsize=DAYS_KEPT)(self._listing)
        self._session = lru_cache(maxsize=DAYS_KEPT * max(1, len(self._exchanges)))(self._session_day)

    def listing(self, day: date) -> Listing:
        """Return what is listed on a day, or on the last trading day before it; the same object all day."""
        return self._list(day)

    def contracts(self, day: date) -> ContractTable:
        """Return the contracts of every index on a day, with the tokens of the wire."""
        return self._list(day).contracts

    def ticks(self, contracts: ContractTable, at: datetime) -> Ticks:
        """Return one row per contract; those not listed, and a few in the far wings, do not answer."""
        n = len(contracts)
        columns: dict[str, Ints] = {name: np.zeros(_shape(name, n), np.int64) for name in TICK_COLUMNS}
        answered = np.zeros(n, dtype=bool)
        keys = contract_keys(contracts)
        for exchange in self._exchanges:
            asked = np.flatnonzero(contracts.exchange == DERIVATIVE_EXCHANGES[exchange])
            if len(asked) == 0:
                continue
            day, now = self.market.exchange_day(exchange, at)
            session = self._session(exchange, day.day)
            found, places = session.day.find(keys[asked])
            answers = session.day.legs.answers[places]
            here = asked[found[answers]]
            answered[here] = True
            for name, values in session.columns(places[answers], now, at).items():
                columns[name][here] = values
        shares = np.flatnonzero((contracts.kind == SHARE) & np.isin(_keys(contracts), self._share_keys))
        if len(shares):
            answered[shares] = True
            for name, values in self._share_columns(contracts.take(shares), at).items():
                columns[name][shares] = values
        return Ticks(at=at, **{**columns, "answered": answered, "token": contracts.token})

    def index_ticks(self, names: Sequence[str], at: datetime) -> IndexTicks:
        """Return one row per index known to the market, in the order asked; unknown names have no row."""
        known = [name for name in names if name in self._symbols]
        rows = np.array([self._level_row(name, at) for name in known], np.int64).reshape(len(known), 6)
        last, opened, high, low, close, stamp = rows.T
        symbols = [self._symbols[name] for name in known]
        return IndexTicks(
            at=at,
            index=_texts(known),
            symbol=_texts(symbols),
            answered=np.ones(len(known), dtype=bool),
            token=np.array([index_token(symbol) for symbol in symbols], np.int64),
            last=last, open=opened, high=high, low=low, close=close, change=last - close, quoted_at=stamp,
        )  # fmt: skip

    def _level_row(self, name: str, at: datetime) -> tuple[int, ...]:
        if name in self.market.indices:
            return self._index_row(name, at)
        columns = self.market.around_columns([self._symbols[name]], at)
        prices = (int(paise(columns[column])[0]) for column in ("last", "open", "high", "low", "previous_close"))
        return *prices, int(at.timestamp() - columns["quote_age_seconds"][0])

    def _share_columns(self, contracts: ContractTable, at: datetime) -> Mapping[str, Ints]:
        """Return the columns of shares; their books are one level deep, a tick about the last price."""
        columns = self.market.around_columns(_keys(contracts), at)
        prices = {name: paise(columns[name]) for name in ("last", "open", "high", "low")}
        depth = np.zeros((len(contracts), DEPTH), np.int64)
        price, quantity = depth.copy(), depth.copy()
        price[:, 0], price[:, DEPTH // 2] = prices["last"] - SHARE_TICK_PAISE, prices["last"] + SHARE_TICK_PAISE
        quantity[:, [0, DEPTH // 2]] = SHARE_QUANTITY
        stamp = units(at.timestamp() - columns["quote_age_seconds"])
        return {
            **prices,
            "close": paise(columns["previous_close"]),
            "average": paise(columns["average_price"]),
            "volume": units(columns["volume"]),
            "last_quantity": np.full(len(contracts), SHARE_QUANTITY),
            "buy_quantity": np.full(len(contracts), SHARE_QUANTITY),
            "sell_quantity": np.full(len(contracts), SHARE_QUANTITY),
            "quoted_at": stamp,
            "traded_at": stamp,
            "depth_price": price,
            "depth_quantity": quantity,
            "depth_orders": np.minimum(quantity, 1),
        }

    def _index_row(self, name: str, at: datetime) -> tuple[int, ...]:
        """Return last, open, high, low, close (paise) and the stamp of one index.

        The range is that of the published level at the edges of the paths' cells, and of the instant itself.
        """
        spot = self.market.spot(name, at)
        assert spot is not None  # noqa: S101  the name was looked up before
        exchange = self.market.indices[name].exchange
        day, now = self.market.exchange_day(exchange, at)
        session = self._session(exchange, day.day)
        last = round(spot.last * 100)
        opened, high, low = (_level_paise(level) for level in session.published_range(name, now))
        return last, opened, max(high, last), min(low, last), session.index_close(name), int(spot.quoted_at.timestamp())

    def _listing(self, day: date) -> Listing:
        names = tuple(self._symbols)
        table = ContractTable.concatenate(
            [*(self.market.contracts(name, day) for name in self.market.indices), _shares(self._share_keys)]
        )
        table = replace(table, token=contract_tokens(table))
        order = np.argsort(table.token)
        symbols = tuple(self._symbols.values())
        tokens = np.array([index_token(symbol) for symbol in symbols], np.int64)
        return Listing(day, table, names, symbols, tokens, table.token[order], order)

    def _session_day(self, exchange: str, day: date) -> SessionDay:
        midnight = datetime.combine(day, time(), IST)
        # After the close the day itself still answers.
        today, _ = self.market.exchange_day(exchange, midnight + LAST_SECOND)
        try:
            before = self.market.exchange_day(exchange, midnight)
        except OutsideCalendar:  # the calendar's first day: what was before it is not known
            return SessionDay(today, None, {})
        closes = {name: self.market.spot(name, midnight) for name in today.rows}
        return SessionDay(today, before, {name: round(s.last * 100) for name, s in closes.items() if s is not None})


def _keys(contracts: ContractTable) -> list[str]:
    pairs = zip(contracts.exchange.tolist(), contracts.symbol.tolist(), strict=True)
    return [f"{exchange}:{symbol}" for exchange, symbol in pairs]


def _shares(keys: Sequence[str]) -> ContractTable:
    n = len(keys)
    symbols = [key.partition(":")[2] for key in keys]
    return ContractTable(
        index=_texts(symbols),
        exchange=_texts([key.partition(":")[0] for key in keys]),
        symbol=_texts(symbols),
        token=np.zeros(n, np.int64),
        kind=_texts([SHARE] * n),
        expiry=np.full(n, np.datetime64("NaT", "D")),
        strike=np.zeros(n),
        lot=np.ones(n, np.int64),
        tick=np.full(n, SHARE_TICK_PAISE / 100),
    )


def _shape(name: str, n: int) -> tuple[int, ...]:
    return (n, DEPTH) if name.startswith("depth_") else (n,)


def _level_paise(level: float) -> int:
    return int(paise(np.array([round(level / SPOT_TICK) * SPOT_TICK]))[0])


def _texts(texts: Sequence[str]) -> Texts:
    return np.array(texts, dtype=np.str_) if texts else np.empty(0, "U1")
