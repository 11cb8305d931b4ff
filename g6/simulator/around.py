"""The market around the options: shares that move with their index by weight, sectors that move with their shares.

With x the log of the broad index's fair level, w the weights of its members (summing to 1) and previous closes as they
were, every instrument i has

    ln P_i(t) = ln P_i(0) + x(t) − x(0) + o_i(t),        Σ w_i·o_i(t) = 0

so that the weighted sum of the members' log returns is the index's own, at every instant and over any number of days.
o_i is a share's own path and its industry's; a member of a second index (BANKNIFTY) has that one's departure from the
first for its industry's. A sector's o is the weighted mean of its shares'. Own paths are mean-reverting walks from day
to day and Brownian bridges within the day, in cells of 30 s. India VIX is what the surface implies of the broad index
at the money over 30 days, with a little on top for the wings.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from g6.market.constituents import Share
from g6.market.surroundings import QuotedLevel, Surroundings
from g6.model.columns import Floats, Ints, Texts
from g6.simulator.grid import CELL_SECONDS, SessionGrid
from g6.simulator.hashing import Keys, derive, normal, text_key, text_keys, uniform
from g6.simulator.walk import OVERNIGHT_SHARE, TRADING_DAYS

OWN_CELLS = 6  # cells of the market's own grid to one of these
SHARE_VOLATILITY, INDUSTRY_VOLATILITY, SECTOR_VOLATILITY = 0.16, 0.11, 0.09  # annual, beside the index's
OWN_REVERSION = 0.02  # of the way back, per day
CHEAPEST, DEAREST = 150.0, 8000.0  # rupees, of a share
DAILY_TURNOVER = 3.0e11  # rupees, of the broad index's members together
AUCTION_SHARE = 0.06  # of the day's volume
VOLUME_NOISE = 0.3  # standard deviation of its log

NIGHT, DAY, CELL, PRICE, VOLUME, STAMP = range(64, 70)  # streams of an instrument's draws


@dataclass(frozen=True, slots=True)
class Instruments:
    """Shares first, then sectors. `mix` makes o out of sources: (instruments, sources)."""

    keys: tuple[str, ...]
    levels: Floats  # on an ordinary day
    mix: Floats
    volumes: Floats  # shares traded on an ordinary day; 0 for sectors
    shares: int


@dataclass(frozen=True, slots=True)
class Sources:
    """Where own movements come from: names of walks with their annual volatilities; a walk per name."""

    names: tuple[str, ...]
    volatility: Floats

    def keys(self, seed: int) -> Keys:
        """Return what each walk's draws hang from."""
        return derive(text_keys(np.array(self.names, np.str_)), seed)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: the instruments, the walks, and the indices whose paths they follow.

    The last column of `mix` is the departure of the second index from the broad one.
    """

    instruments: Instruments
    sources: Sources
    broad: str
    second: str  # index whose departure from the broad one moves its members; "" for none


def cast(around: Surroundings, seed: int, known: Sequence[str]) -> Cast | None:
    """Return the instruments of a configuration; None where the broad index is not simulated."""
    groups = around.constituents
    broad = next(iter(groups), "NIFTY")
    if broad not in known:
        return None
    second = next((name for name in list(groups)[1:] if name in known), "")
    shares: dict[str, Share] = {}
    for share in (share for group in groups.values() for share in group):
        shares.setdefault(share.symbol, share)
    own = list(shares)
    industries = list(dict.fromkeys(share.industry for share in shares.values()))
    sectors = [sector for sector in around.sectors if sector.simulation is not None]
    names = [f"share {symbol}" for symbol in own]
    names += [f"industry {industry}" for industry in industries]
    names += [f"sector {sector.name}" for sector in sectors]
    volatility = np.repeat(
        [SHARE_VOLATILITY, INDUSTRY_VOLATILITY, SECTOR_VOLATILITY], [len(own), len(industries), len(sectors)]
    )
    weights = _weights(groups.get(broad, ()), own)
    mix = _share_mix(shares, industries, len(sectors), {s.symbol for s in groups.get(second, ())} if second else set())
    mix = mix - weights @ mix  # what the members have in common is the index's
    of_sectors = len(own) + len(industries)  # where the sectors' own walks begin
    mix = np.vstack([mix, *(_sector_row(s, shares, mix, of_sectors + place) for place, s in enumerate(sectors))])
    prices = CHEAPEST * (DEAREST / CHEAPEST) ** uniform(derive(text_keys(_symbols(own)), seed, PRICE))
    turnover = DAILY_TURNOVER * np.array([share.weight for share in shares.values()]) / 100
    return Cast(
        instruments=Instruments(
            keys=(*(share.key for share in shares.values()), *(sector.symbol for sector in sectors)),
            levels=np.array([*prices, *(s.simulation.level for s in sectors if s.simulation)]),
            mix=mix,
            volumes=np.array([*np.floor(turnover / prices), *(0.0 for _ in sectors)]),
            shares=len(own),
        ),
        sources=Sources(tuple(names), volatility),
        broad=broad,
        second=second,
    )


def _symbols(own: Sequence[str]) -> Texts:
    return np.array(own, np.str_) if own else np.empty(0, "U1")


def _weights(members: Sequence[Share], own: Sequence[str]) -> Floats:
    weight = {share.symbol: share.weight for share in members}
    weights = np.array([weight.get(symbol, 0.0) for symbol in own])
    normed: Floats = weights / max(weights.sum(), 1e-12)
    return normed


def _share_mix(shares: Mapping[str, Share], industries: Sequence[str], sectors: int, banks: set[str]) -> Floats:
    """Return (shares, sources + 1): each share its own walk and its industry's; the second index's are its last."""
    mix = np.zeros((len(shares), len(shares) + len(industries) + sectors + 1))
    for row, share in enumerate(shares.values()):
        mix[row, row] = 1.0
        in_second = share.symbol in banks
        mix[row, -1 if in_second else len(shares) + industries.index(share.industry)] = 1.0
    return mix


def _sector_row(sector: QuotedLevel, shares: Mapping[str, Share], mix: Floats, own: int) -> Floats:
    """Return a sector's row: the weighted mean of its shares', or a walk of its own where it has none."""
    of = sector.simulation
    assert of is not None  # noqa: S101 - those without were left out
    within = [s.symbol in of.shares or s.industry in of.industries for s in shares.values()]
    weight = np.array([share.weight for share in shares.values()]) * within
    if weight.sum():
        mean: Floats = weight / weight.sum() @ mix
        return mean
    row = np.zeros(mix.shape[1])
    row[own] = 1.0
    return row


class Walks:
    """The walks' closes over the whole calendar: (days + 1, sources), zero before the first day."""

    def __init__(self, sources: Sources, seed: int, days: Sequence[date]) -> None:
        self._place = {day: place for place, day in enumerate(days)}
        ordinals = np.array([day.toordinal() for day in days], np.int64)
        keys = sources.keys(seed)[None, :]
        step = sources.volatility / math.sqrt(TRADING_DAYS)
        night = step * math.sqrt(OVERNIGHT_SHARE) * normal(derive(keys, NIGHT, ordinals[:, None]))
        session = step * math.sqrt(1 - OVERNIGHT_SHARE) * normal(derive(keys, DAY, ordinals[:, None]))
        self._opens = np.empty_like(night)
        self._closes = np.zeros((len(days) + 1, len(sources.names)))
        for place in range(len(days)):
            self._opens[place] = (1 - OWN_REVERSION) * self._closes[place] + night[place]
            self._closes[place + 1] = self._opens[place] + session[place]

    def ends(self, day: date) -> tuple[Floats, Floats, Floats]:
        """Return each source at the close before, the open and the close of a trading day."""
        place = self._place[day]
        return self._closes[place], self._opens[place], self._closes[place + 1]


class OwnPaths:
    """The sources within one day: (sources, edges), an edge every 30 s from the day's first second."""

    def __init__(self, sources: Sources, seed: int, grid: SessionGrid, walks: Walks, day: date) -> None:
        self.previous, opened, closed = walks.ends(day)
        clock = grid.variance_clock[::OWN_CELLS]
        pace = np.diff(clock)
        keys = derive(sources.keys(seed)[:, None], CELL, day.toordinal(), np.arange(len(pace))[None, :])
        step = sources.volatility / math.sqrt(TRADING_DAYS) * math.sqrt(1 - OVERNIGHT_SHARE)
        shocks = step[:, None] * np.sqrt(pace) * normal(keys)
        walked = np.hstack([np.zeros((len(shocks), 1)), np.cumsum(shocks, axis=1)])
        target = (closed - opened)[:, None]
        self.edges: Floats = opened[:, None] + walked + (clock / clock[-1]) * (target - walked[:, -1:])
        self._begin = grid.begin

    @property
    def seconds(self) -> Floats:
        """Return the second of each edge."""
        seconds: Floats = self._begin + OWN_CELLS * CELL_SECONDS * np.arange(self.edges.shape[1], dtype=np.float64)
        return seconds

    def at(self, second: float) -> Floats:
        """Return each source at a second: linear between edges, the close before ahead of the first."""
        if second < self._begin:
            return self.previous
        place = min((second - self._begin) / (OWN_CELLS * CELL_SECONDS), self.edges.shape[1] - 1.000001)
        left = int(place)
        between: Floats = self.edges[:, left] + (place - left) * (self.edges[:, left + 1] - self.edges[:, left])
        return between


def stamp_ages(keys: Keys, second: float) -> Floats:
    """Return the age of each share's last quote: fractions of a second up to three."""
    ages: Floats = 3.0 * uniform(derive(keys, STAMP, int(second)))
    return ages


def day_volumes(instruments: Instruments, seed: int, day: date, rows: Ints) -> Floats:
    """Return how many shares change hands on a day."""
    drawn = normal(derive(text_key("volume"), seed, VOLUME, day.toordinal(), rows))
    volumes: Floats = np.floor(instruments.volumes[rows] * np.exp(VOLUME_NOISE * drawn))
    return volumes
