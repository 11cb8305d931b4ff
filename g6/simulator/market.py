"""The simulated market: contracts, spots and quotes as a pure function of seed, instant and contract."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial

import numpy as np

from g6.clock import IST
from g6.market.indices import DERIVATIVE_EXCHANGES, IndexDefinition
from g6.market.listing import listed_expiries
from g6.market.sessions import SessionCalendar
from g6.market.surroundings import Surroundings
from g6.model.columns import Bools, Floats
from g6.model.contracts import EMPTY_CONTRACTS, LEVEL, SHARE, ContractTable
from g6.model.quotes import DAY_COLUMNS, QUOTE_COLUMNS, Quotes, Spot
from g6.simulator.around_market import COLUMNS as AROUND_COLUMNS
from g6.simulator.around_market import AroundMarket, Exchange, LevelDay
from g6.simulator.book import Carry, Pricer, Underlying
from g6.simulator.contracts import contract_table, expiries_of
from g6.simulator.day import ExchangeDay, ListedContracts
from g6.simulator.grid import CELL_SECONDS, SessionGrid, seconds_of
from g6.simulator.history import ExchangeHistory
from g6.simulator.legs import IndexDay, Legs, contract_keys, legs_of
from g6.simulator.paths import draw_day
from g6.simulator.surface import Surface

SPOT_TICK = 0.05
DAYS_KEPT = 4  # of each exchange
HOME = "NSE"  # where India VIX, sectors and shares are quoted


class SimulatedMarket:
    """Every index of `indices`, on the days that the calendar covers; beyond them it raises OutsideCalendar.

    An instant outside a session is answered as the last session second before it, with ages counted from the
    asked instant. `surface` and `carry` are what the true prices follow; see the package's README. With `around`
    India VIX, sectors and shares are quoted, too (kinds IDX and EQ), and the indices themselves.
    """

    def __init__(
        self,
        seed: int,
        indices: Mapping[str, IndexDefinition],
        calendar: SessionCalendar,
        surface: Surface | None = None,
        carry: Carry | None = None,
        around: Surroundings | None = None,
    ) -> None:
        self.seed = seed
        self.indices = indices
        self.surface = surface or Surface()
        self.carry = carry or Carry()
        self._calendar = calendar
        self._numbers = {name: number for number, name in enumerate(sorted(indices))}
        exchanges = dict.fromkeys(index.exchange for index in indices.values())
        self._histories = {name: ExchangeHistory(name, seed, indices, calendar) for name in exchanges}
        # Caches of this instance, so that a market and its days are freed together.
        self._listed = lru_cache(maxsize=DAYS_KEPT * max(1, len(indices)))(self._list)
        self._day = lru_cache(maxsize=DAYS_KEPT * max(1, len(exchanges)))(self._draw)
        self._levels = lru_cache(maxsize=DAYS_KEPT * max(1, len(exchanges)))(self._level_day)
        self._close_before = lru_cache(maxsize=DAYS_KEPT * max(1, len(indices)))(self._find_close)
        self.around = self._surrounded(around) if around is not None and HOME in self._histories else None

    def contracts(self, index: str, day: date) -> ContractTable:
        """Return the contracts of one index that are listed on a day, or on the last trading day before it.

        An unknown index has none. Raises OutsideCalendar.
        """
        if index not in self.indices:
            return EMPTY_CONTRACTS
        exchange = self.indices[index].exchange
        if not self._calendar.is_trading_day(day, exchange):
            day = self._calendar.previous_trading_day(day, exchange)
        return self._listed(index, day).table

    def spot(self, index: str, at: datetime) -> Spot | None:
        """Return the index as it is published; None for an unknown one.

        While the calendar's closing auction holds the index still that is its level when the auction began;
        afterwards it is the one auction print, the fair level when it ended. Raises OutsideCalendar.
        """
        if index not in self.indices:
            return None
        day, now = self.exchange_day(self.indices[index].exchange, at)
        level = day.published_level(index, seconds_of(now, day.day))
        return Spot(_on_tick(level), now.replace(microsecond=0))

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        """Return one row per contract; those not listed, and a few in the far wings, do not answer."""
        columns = {name: np.full(len(contracts), np.nan) for name in (*QUOTE_COLUMNS, *DAY_COLUMNS)}
        answered = np.zeros(len(contracts), dtype=bool)
        keys = contract_keys(contracts)
        for exchange in self._histories:
            asked = np.flatnonzero(contracts.exchange == DERIVATIVE_EXCHANGES[exchange])
            if len(asked) == 0:
                continue
            day, now = self.exchange_day(exchange, at)
            found, places = day.find(keys[asked])
            legs, here = day.legs.take(places), asked[found]
            legs, here = legs.take(legs.answers), here[legs.answers]
            answered[here] = True
            quotes = day.quotes(legs, now, (at - now).total_seconds())
            for name, values in {**quotes, **day.depths(legs, quotes, now)}.items():
                columns[name][here] = values
        self._add_surroundings(contracts, at, columns, answered)
        return Quotes(at=at, answered=answered, **columns)

    def level_range(self, index: str, at: datetime) -> tuple[float, float, float, float]:
        """Return an index's published open, high and low up to an instant of its day, and the close before that."""
        day, now = self.exchange_day(self.indices[index].exchange, at)
        paths, second = day.pricer.paths, seconds_of(now, day.day)
        second = second if day.auction is None else min(second, day.auction[0])
        edges = max(1, int((second - paths.begin) // CELL_SECONDS) + 1)
        seen = paths.levels[day.rows[index], :edges]
        opened, high, low = (_on_tick(float(level)) for level in (seen[0], seen.max(), seen.min()))
        return opened, high, low, self._close_before(index, day.day)

    def fair_level(self, index: str, at: datetime) -> float:
        """Return the level that derivatives are priced on; it moves on while the published one stands still."""
        day, now = self.exchange_day(self.indices[index].exchange, at)
        return day.level(index, seconds_of(now, day.day))

    def true_forward(self, index: str, expiry: date, at: datetime) -> float:
        """Return the forward to an expiry, listed or not, in index points."""
        _, of = self._underlying(index, expiry, at)
        return float(of.forward[0])

    def true_iv(self, index: str, expiry: date, strike: Floats, at: datetime) -> Floats:
        """Return the implied volatility at these strikes, listed or not: what solving exact prices must give.

        Black-76 on `true_forward`, discounted at the carry's rate, time in seconds to the contract's own close
        over 365 days.
        """
        pricer, of = self._underlying(index, expiry, at)
        volatility: Floats = pricer.deviation(of, np.asarray(strike, np.float64)) / np.sqrt(of.years)
        return volatility

    def true_prices(self, contracts: ContractTable, at: datetime) -> Floats:
        """Return exact prices in rupees, before ticks and spreads; NaN for contracts that are not listed."""
        prices = np.full(len(contracts), np.nan)
        keys = contract_keys(contracts)
        for exchange in self._histories:
            day, now = self.exchange_day(exchange, at)
            here, places = day.find(keys)
            prices[here] = day.true_prices(day.legs.take(places), now)
        return prices

    def around_columns(self, keys: Sequence[str], at: datetime) -> Mapping[str, Floats]:
        """Return the columns of shares, sectors and India VIX by a vendor's key; NaN for a key that is none of them."""
        if self.around is None:
            return {name: np.full(len(keys), np.nan) for name in AROUND_COLUMNS}
        day, now = self.exchange_day(HOME, at)
        return self.around.columns(keys, day.day, now, (at - now).total_seconds())

    def _add_surroundings(
        self, contracts: ContractTable, at: datetime, columns: Mapping[str, Floats], answered: Bools
    ) -> None:
        """Answer the rows of levels and shares; an index's own level is as `spot` has it."""
        asked = np.flatnonzero(np.isin(contracts.kind, (LEVEL, SHARE)))
        if self.around is None or len(asked) == 0:
            return
        symbols = {index.spot_symbol: index.name for index in self.indices.values()}
        pairs = zip(contracts.exchange[asked].tolist(), contracts.symbol[asked].tolist(), strict=True)
        keys = [f"{exchange}:{symbol}" for exchange, symbol in pairs]
        for name, values in self.around_columns(keys, at).items():
            columns[name][asked] = values
        for row, key in zip(asked.tolist(), keys, strict=True):
            spot = self.spot(symbols[key], at) if key in symbols else None
            if spot is not None:
                columns["last"][row] = spot.last
                columns["quote_age_seconds"][row] = (at - spot.quoted_at).total_seconds()
                day = self.level_range(symbols[key], at)
                for name, value in zip(("open", "high", "low", "previous_close"), day, strict=True):
                    columns[name][row] = value
                columns["high"][row] = max(columns["high"][row], spot.last)
                columns["low"][row] = min(columns["low"][row], spot.last)
        answered[asked] = np.isfinite(columns["last"][asked])

    def _surrounded(self, around: Surroundings) -> AroundMarket:
        history = self._histories[HOME]
        sizes = {i.name: (i.simulation.level, i.simulation.annual_volatility) for i in history.indices}
        levels = partial(self._levels, HOME)
        return AroundMarket(self.seed, around, Exchange(sizes, history.days, levels), self.surface)

    def _find_close(self, index: str, day: date) -> float:
        """Return an index's published level at the end of the session before; where paths came from on the first day.

        Without the contracts of that day, which take ten times as long to find out.
        """
        history = self._histories[self.indices[index].exchange]
        place = history.days.index(day)
        if place == 0:
            return _on_tick(float(np.exp(history.ends(day)[index].previous)))
        before = self._levels(history.exchange, history.days[place - 1])
        end = before.grid.end if before.auction is None else before.auction[1]
        return _on_tick(math.exp(before.log_level(index, min(end, before.grid.end))))

    def _level_day(self, exchange: str, day: date) -> LevelDay:
        history = self._histories[exchange]
        grid = SessionGrid(day, history.windows(day))
        paths = draw_day(self.seed, day.toordinal(), grid, history.indices, tuple(history.ends(day).values()))
        rows = {index.name: row for row, index in enumerate(history.indices)}
        return LevelDay(day, paths, grid, rows, self._auction(exchange, day, grid))

    def _underlying(self, index: str, expiry: date, at: datetime) -> tuple[Pricer, Underlying]:
        definition = self.indices[index]
        day, now = self.exchange_day(definition.exchange, at)
        closes = seconds_of(self._calendar.expires_at(expiry, definition.exchange), day.day)
        volatility = np.array([definition.simulation.annual_volatility])
        seconds = np.array([min(seconds_of(now, day.day), closes)])
        row = np.array([day.rows[index]])
        return day.pricer, day.pricer.underlying(row, np.array([closes]), volatility, seconds)

    def exchange_day(self, exchange: str, at: datetime) -> tuple[ExchangeDay, datetime]:
        """Return the exchange's day and the session instant that answers for `at`. Raises OutsideCalendar."""
        now = at.astimezone(IST)
        if not self._calendar.is_open(now, exchange):
            now = self._calendar.last_minute(now, exchange, interval_seconds=1)
        return self._day(exchange, now.date()), now

    def _list(self, name: str, day: date) -> ListedContracts:
        index = self.indices[name]
        history = self._histories[index.exchange]
        listed = listed_expiries(index, day, self._calendar)
        close = float(np.exp(history.ends(day)[name].previous))
        return ListedContracts(contract_table(index, self._numbers[name], listed, close), expiries_of(listed))

    def _draw(self, exchange: str, day: date) -> ExchangeDay:
        history = self._histories[exchange]
        grid = SessionGrid(day, history.windows(day))
        paths = draw_day(self.seed, day.toordinal(), grid, history.indices, tuple(history.ends(day).values()))
        parts = [
            (contract_keys(rows), legs_of(today, expiry, self._closes(expiry.day, exchange, day), rows))
            for today in self._index_days(history, grid, day)
            for expiry, rows in self._listed(today.index.name, day).by_expiry()
        ]
        keys = np.concatenate([part for part, _ in parts])
        order = np.argsort(keys)
        return ExchangeDay(
            day=day,
            before=history.before(day),
            grid=grid,
            pricer=Pricer(paths, self.surface, self.carry),
            legs=Legs.concatenate([part for _, part in parts]).take(order),
            keys=keys[order],
            rows={index.name: row for row, index in enumerate(history.indices)},
            auction=self._auction(exchange, day, grid),
        )

    def _index_days(self, history: ExchangeHistory, grid: SessionGrid, day: date) -> list[IndexDay]:
        ends, since = history.ends(day), history.days_since(day)
        return [
            IndexDay(index, row, day, since, grid.open_share, ends[index.name], self.seed)
            for row, index in enumerate(history.indices)
        ]

    def _closes(self, expiry: date, exchange: str, day: date) -> float:
        return seconds_of(self._calendar.expires_at(expiry, exchange), day)

    def _auction(self, exchange: str, day: date, grid: SessionGrid) -> tuple[float, float] | None:
        """Return when the calendar holds the index still; its table has whole minutes, so minutes are asked."""
        midnight = datetime.combine(day, time(), IST)
        minutes = [grid.begin + 60.0 * place for place in range(int((grid.end - grid.begin) // 60))]
        still = [s for s in minutes if self._calendar.spot_frozen(midnight + timedelta(seconds=s), exchange)]
        return (still[0], still[-1] + 60.0) if still else None


def _on_tick(level: float) -> float:
    return round(round(level / SPOT_TICK) * SPOT_TICK, 2)
