"""What surrounds the options at any instant: quote columns of India VIX, sectors and shares, by a vendor's key."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property, lru_cache

import numpy as np

from g6.market.surroundings import Surroundings
from g6.model.columns import Floats, Ints
from g6.simulator.around import AUCTION_SHARE, OWN_CELLS, Cast, OwnPaths, Walks, cast, day_volumes, stamp_ages
from g6.simulator.grid import SessionGrid, seconds_of
from g6.simulator.hashing import Keys, text_keys
from g6.simulator.paths import DayPaths
from g6.simulator.surface import Surface

TICK = 0.05
VIX_DECIMALS = 2
VIX_YEARS = 30 / 365
WINGS = 1.03  # what strikes away from the money add to it
DAYS_KEPT = 3
COLUMNS = (
    "last", "open", "high", "low", "previous_close", "volume", "average_price", "quote_age_seconds",
    "trade_age_seconds",
)  # fmt: skip

Rows = dict[str, Floats]


@dataclass(frozen=True, slots=True)
class LevelDay:
    """One day of the exchange without its contracts: the paths of its indices, and when they are published."""

    day: date
    paths: DayPaths
    grid: SessionGrid
    rows: Mapping[str, int]  # index name → row of the paths
    auction: tuple[float, float] | None  # while the published level stands still, seconds from midnight

    def log_level(self, index: str, second: float) -> float:
        """Return the log of an index's fair level."""
        levels, _ = self.paths.at(np.array([self.rows[index]]), np.array([second]))
        return math.log(float(levels[0]))


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is needed of the exchange that all this is quoted on."""

    indices: Mapping[str, tuple[float, float]]  # name → level on an ordinary day, annual volatility
    days: Sequence[date]
    day: Callable[[date], LevelDay]


class AroundMarket:
    """Every answer is a pure function of seed, configuration and instant, like the market's own."""

    def __init__(self, seed: int, around: Surroundings, exchange: Exchange, surface: Surface) -> None:
        self._seed = seed
        self._exchange = exchange
        self._surface = surface
        found = cast(around, seed, list(exchange.indices))
        self._cast: Cast | None = found
        self._levels = (*([around.vix] if around.vix else []), *around.sectors)
        self._vix = around.vix.symbol if around.vix is not None and found is not None else ""
        keys = found.instruments.keys if found else ()
        self._places = {key: place for place, key in enumerate(keys)}
        self._symbols = text_keys(np.array(keys, np.str_)) if keys else np.empty(0, np.uint64)
        self._day = lru_cache(maxsize=DAYS_KEPT)(self._make)

    @property
    def levels(self) -> Mapping[str, str]:
        """Return name → key of India VIX and the sectors that are quoted."""
        return {level.name: level.symbol for level in self._levels if level.symbol in {*self._places, self._vix}}

    @property
    def share_keys(self) -> tuple[str, ...]:
        """Return the shares."""
        return self._cast.instruments.keys[: self._cast.instruments.shares] if self._cast else ()

    def columns(self, keys: Sequence[str], day: date, now: datetime, closed_for: float) -> Rows:
        """Return COLUMNS, (n,), at `now`, an instant of the day; NaN for a key that is not quoted here.

        The session ended `closed_for` seconds ago, or 0.
        """
        found = {name: np.full(len(keys), np.nan) for name in COLUMNS}
        here = [place for place, key in enumerate(keys) if key in self._places]
        second = seconds_of(now, day)
        if here:
            rows = np.array([self._places[keys[place]] for place in here], np.int64)
            for name, values in self._day(day).columns(rows, second, closed_for).items():
                found[name][here] = values
        for place, key in enumerate(keys):
            if self._vix and key == self._vix:
                for name, value in self._day(day).vix(second, closed_for).items():
                    found[name][place] = value
        return found

    @cached_property
    def _walks(self) -> Walks:
        assert self._cast is not None  # noqa: S101 - without it there are no keys to ask for
        return Walks(self._cast.sources, self._seed, self._exchange.days)

    def _make(self, day: date) -> "AroundDay":
        place = self._exchange.days.index(day)
        if place == 0:
            return self._alone(day)
        before = self._alone(self._exchange.days[place - 1])
        end = before.today.grid.end
        return replace(self._alone(day), before=(before.published(end), before.vix_level(end)))

    def _alone(self, day: date) -> "AroundDay":
        """Return a day that knows of no day before."""
        found = self._cast
        assert found is not None  # noqa: S101 - as above
        today = self._exchange.day(day)
        return AroundDay(
            today=today,
            cast=found,
            own=OwnPaths(found.sources, self._seed, today.grid, self._walks, day),
            levels={name: self._exchange.indices[name] for name in (found.broad, found.second) if name},
            surface=self._surface,
            volumes=day_volumes(found.instruments, self._seed, day, np.arange(len(found.instruments.keys))),
            symbols=self._symbols,
            before=None,
        )


@dataclass(frozen=True)
class AroundDay:
    """One day; `before` is the last prices and India VIX of the day before, None where nothing is known of it."""

    today: LevelDay
    cast: Cast
    own: OwnPaths
    levels: Mapping[str, tuple[float, float]]
    surface: Surface
    volumes: Floats
    symbols: Keys
    before: tuple[Floats, float] | None

    def columns(self, rows: Ints, second: float, closed_for: float) -> Rows:
        """Return the columns of instruments at a second of the day."""
        published = self._published_second(second)
        edge = int(np.searchsorted(self.own.seconds, published, side="right"))
        last = self.published(second)[rows]
        seen = self._edges[:, : max(1, edge)][rows]
        share = rows < self.cast.instruments.shares
        age = closed_for + second - published + np.where(share, stamp_ages(self.symbols[rows], second), 0.0)
        done = self._business(second)
        return {
            "last": last,
            "open": self._edges[rows, 0],
            "high": np.maximum(seen.max(axis=1), last),
            "low": np.minimum(seen.min(axis=1), last),
            "previous_close": self._previous[rows],
            "volume": np.where(share, np.floor(self.volumes[rows] * done), np.nan),
            "average_price": np.where(share, np.round(seen.mean(axis=1), 2), np.nan),
            "quote_age_seconds": age,
            "trade_age_seconds": np.where(share, age, np.nan),
        }

    def vix(self, second: float, closed_for: float) -> Mapping[str, float]:
        """Return India VIX's columns; it moves on while shares stand still."""
        edges = self._vix_edges[: max(1, int(np.searchsorted(self.own.seconds, second, side="right")))]
        last = self.vix_level(second)
        return {
            "last": last,
            "open": float(edges[0]),
            "high": max(float(edges.max()), last),
            "low": min(float(edges.min()), last),
            "previous_close": self.before[1] if self.before else float(edges[0]),
            "quote_age_seconds": closed_for,
        }

    def vix_level(self, second: float) -> float:
        """Return India VIX in percent."""
        row = np.array([self.today.rows[self.cast.broad]])
        _, vol = self.today.paths.at(row, np.array([second]))
        return float(self._implied(vol)[0])

    def published(self, second: float) -> Floats:
        """Return every instrument's price as it is published: still during the auction, its one print afterwards."""
        second = self._published_second(second)
        logs = {
            name: np.array([self.today.log_level(name, second) - math.log(level)])
            for name, (level, _) in self.levels.items()
        }
        return self._prices(self.own.at(second)[:, None], logs)[:, 0]

    @cached_property
    def _edges(self) -> Floats:
        """Return every instrument's price at each edge, (instruments, edges)."""
        paths = self.today.paths
        logs = {
            name: np.log(paths.levels[self.today.rows[name], ::OWN_CELLS] / level)
            for name, (level, _) in self.levels.items()
        }
        return self._prices(self.own.edges, logs)

    @cached_property
    def _vix_edges(self) -> Floats:
        log_vols = self.today.paths.log_vols[self.today.rows[self.cast.broad], ::OWN_CELLS]
        return self._implied(np.exp(log_vols))

    @property
    def _previous(self) -> Floats:
        return self._edges[:, 0] if self.before is None else self.before[0]

    def _prices(self, sources: Floats, logs: Mapping[str, Floats]) -> Floats:
        broad = logs[self.cast.broad]
        apart = logs[self.cast.second] - broad if self.cast.second else np.zeros_like(broad)
        moved = self.cast.instruments.mix @ np.vstack([sources, apart[None, :]])
        prices = self.cast.instruments.levels[:, None] * np.exp(broad[None, :] + moved)
        rounded: Floats = np.round(np.round(prices / TICK) * TICK, 2)
        return rounded

    def _implied(self, vol_level: Floats) -> Floats:
        _, volatility = self.levels[self.cast.broad]
        theta = self.surface.atm_variance(np.array([volatility]), vol_level, np.array([VIX_YEARS]))
        return np.round(100 * WINGS * np.sqrt(theta / VIX_YEARS), VIX_DECIMALS)

    def _published_second(self, second: float) -> float:
        if self.today.auction is None or second < self.today.auction[0]:
            return second
        began, ended = self.today.auction
        return began if second < ended else ended

    def _business(self, second: float) -> float:
        """Return the share of the day's volume done by then; the auction's comes with its print."""
        grid, auction = self.today.grid, self.today.auction
        if auction is None:
            return float(grid.activity(np.array([second]))[0])
        began, ended = auction
        continuous = float(grid.activity(np.array([min(second, began)]))[0] / grid.activity(np.array([began]))[0])
        return (1 - AUCTION_SHARE) * continuous + (AUCTION_SHARE if second >= ended else 0.0)
