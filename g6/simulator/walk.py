"""Day after day: where each index opened and closed, and how volatile it was, over the whole calendar.

With x = ln(level / reference), ln v the log of the volatility level, and standard normal z, e:

    x_open(d)  = (1 − REVERSION)·x(d−1) + σ·v(d−1)/√252 · √OVERNIGHT_SHARE · z_night
    x(d)       = x_open(d)              + σ·v(d−1)/√252 · √((1 − OVERNIGHT_SHARE)·open_share) · z_day
    ln v(d)    = m + VOL_MEMORY·(ln v(d−1) − m) − LEVERAGE·z + VOL_NOISE·e
    z          = √OVERNIGHT_SHARE·z_night + √(1 − OVERNIGHT_SHARE)·z_day,   m so that E[v²] = 1

so that returns have the annual volatility σ, and volatility rises when they fall. Each z is
loading·common + √(1 − loading²)·own, which makes the correlation of two indices the product of their loadings;
e is common. The walk begins at the reference on the first day that the calendar covers.
"""

import math
from dataclasses import dataclass

import numpy as np

from g6.market.indices import IndexDefinition
from g6.model.columns import Floats, Ints
from g6.simulator.hashing import derive, normal, text_key

TRADING_DAYS = 252.0
OVERNIGHT_SHARE = 0.25  # of a day's variance
REVERSION = 0.01  # of the way back to the reference, per day
VOL_MEMORY = 0.95
LEVERAGE = 0.06
VOL_NOISE = 0.04
VOL_MEAN = -(LEVERAGE**2 + VOL_NOISE**2) / (1 - VOL_MEMORY**2)
MOMENTUM_DAYS = 5

NIGHT, DAY, VOLATILITY = range(3)  # streams of daily draws


@dataclass(frozen=True, slots=True)
class DayEnds:
    """What a day's path is pinned to: logs of the level and of the volatility level, at three moments."""

    scale: float  # standard deviation of the log return from open to close
    previous: float
    open: float
    close: float
    previous_vol: float
    open_vol: float
    close_vol: float
    momentum: float  # log return of the last five days, this one included
    previous_momentum: float  # the same a day before


def factor_key(seed: int, name: str) -> int:
    """Return the key of a source of shocks: an index's own, or the common one by the name ""."""
    return int(derive(text_key(name), seed))


def blend(loading: float, common: Floats, own: Floats) -> Floats:
    """Return shocks of unit variance with correlation `loading` to the common ones."""
    return loading * common + math.sqrt(1 - loading**2) * own


class DailyWalk:
    """One index's days. `days` are ordinals, ascending; `open_share` is each day's length against a full one."""

    def __init__(self, seed: int, index: IndexDefinition, days: Ints, open_share: Floats) -> None:
        night, day = (_shocks(seed, index, stream, days) for stream in (NIGHT, DAY))
        vol_noise = normal(derive(factor_key(seed, ""), VOLATILITY, days))
        self._place = {int(ordinal): place for place, ordinal in enumerate(days)}
        self._reference = math.log(index.simulation.level)
        sigma = index.simulation.annual_volatility / math.sqrt(TRADING_DAYS)
        self._rows = _walk(sigma, night, day, vol_noise, np.sqrt((1 - OVERNIGHT_SHARE) * open_share))
        self._closes = np.array([0.0, *(row[2] for row in self._rows)])

    def ends(self, ordinal: int) -> DayEnds:
        """Return a trading day's ends. Raises KeyError for a day that is none."""
        place = self._place[ordinal]
        scale, opened, closed, open_vol, close_vol = self._rows[place]
        return DayEnds(
            scale=scale,
            previous=self._reference + float(self._closes[place]),
            open=self._reference + opened,
            close=self._reference + closed,
            previous_vol=self._rows[place - 1][4] if place else VOL_MEAN,
            open_vol=open_vol,
            close_vol=close_vol,
            momentum=self._momentum(place + 1),
            previous_momentum=self._momentum(place),
        )

    def _momentum(self, place: int) -> float:
        return float(self._closes[place] - self._closes[max(0, place - MOMENTUM_DAYS)])


def _shocks(seed: int, index: IndexDefinition, stream: int, days: Ints) -> Floats:
    common = normal(derive(factor_key(seed, ""), stream, days))
    own = normal(derive(factor_key(seed, index.name), stream, days))
    return blend(index.simulation.market_loading, common, own)


_Row = tuple[float, float, float, float, float]


def _walk(sigma: float, night: Floats, day: Floats, vol_noise: Floats, day_share: Floats) -> list[_Row]:
    rows: list[_Row] = []
    closed, vol = 0.0, VOL_MEAN
    by_night, by_day = math.sqrt(OVERNIGHT_SHARE), math.sqrt(1 - OVERNIGHT_SHARE)
    for z_night, z_day, e, share in zip(
        night.tolist(), day.tolist(), vol_noise.tolist(), day_share.tolist(), strict=True
    ):
        today = sigma * math.exp(vol)
        opened = (1 - REVERSION) * closed + today * by_night * z_night
        closed = opened + today * share * z_day
        open_vol = vol - LEVERAGE * by_night * z_night
        drawn_back = VOL_MEAN + VOL_MEMORY * (vol - VOL_MEAN)
        vol = drawn_back - LEVERAGE * (by_night * z_night + by_day * z_day) + VOL_NOISE * e
        rows.append((today * share, opened, closed, open_vol, vol))
    return rows
