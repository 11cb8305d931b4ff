"""Within the day: Brownian bridges with jumps from each index's open to its close, every five seconds.

The level at clock W (0 at the open, 1 at the close, fast in the morning and before the close) is
exp(open + scale·(C(W) + W·(target − C(1)))): C sums the cells' shocks, its normal part has variance W, and the
target makes the last cell end at the walk's close. Jumps come at JUMPS_A_DAY on that clock and carry JUMP_SHARE
of the variance; a jump of the common factor moves all indices at once. The volatility level is pinned likewise
and leans against the same bridge.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from g6.market.indices import IndexDefinition
from g6.model.columns import Floats, Ints
from g6.simulator.grid import CELL_SECONDS, SessionGrid
from g6.simulator.hashing import derive, normal, uniform
from g6.simulator.walk import LEVERAGE, OVERNIGHT_SHARE, DayEnds, blend, factor_key

JUMP_SHARE = 0.10  # of a session's variance
JUMPS_A_DAY = 0.5  # of the common factor, and as many of each index's own

CELL, JUMP, JUMP_SIZE = range(16, 19)  # streams of draws within a day, apart from the daily ones


@dataclass(frozen=True, slots=True)
class DayPaths:
    """Levels and volatility levels of several indices on one day, one row per index, one column per cell edge."""

    begin: float  # seconds from midnight of the first column
    levels: Floats
    log_vols: Floats
    previous: Floats  # per index: what holds before `begin`
    previous_log_vols: Floats

    def at(self, rows: Ints, seconds: Floats) -> tuple[Floats, Floats]:
        """Return the fair level (points) and the volatility level (1 is average) of `rows` at `seconds`.

        Linear between cell edges; the previous close before the open, the close after the end.
        """
        place = np.clip((seconds - self.begin) / CELL_SECONDS, 0, self.levels.shape[1] - 1)
        left = np.minimum(place.astype(np.int64), self.levels.shape[1] - 2)
        flat, part = rows * self.levels.shape[1] + left, place - left
        level, log_vol = (_between(table.ravel(), flat, part) for table in (self.levels, self.log_vols))
        early = seconds < self.begin
        level = np.where(early, self.previous[rows], level)
        return level, np.exp(np.where(early, self.previous_log_vols[rows], log_vol))


def _between(table: Floats, left: Ints, part: Floats) -> Floats:
    begin = table[left]
    between: Floats = begin + part * (table[left + 1] - begin)
    return between


def draw_day(
    seed: int, ordinal: int, grid: SessionGrid, indices: Sequence[IndexDefinition], ends: Sequence[DayEnds]
) -> DayPaths:
    """Draw one day of these indices, whose order is that of `ends` and of the rows."""
    clock = grid.variance_clock
    common = _cell_shocks(factor_key(seed, ""), ordinal, grid)
    levels, log_vols = np.empty((2, len(indices), len(clock)))
    for row, (index, end) in enumerate(zip(indices, ends, strict=True)):
        own = _cell_shocks(factor_key(seed, index.name), ordinal, grid)
        walked = np.concatenate([[0.0], np.cumsum(blend(index.simulation.market_loading, common, own))])
        bridge = walked - clock * walked[-1]
        levels[row] = np.exp(end.open + (end.close - end.open) * clock + end.scale * bridge)
        drift = end.open_vol + (end.close_vol - end.open_vol) * clock
        log_vols[row] = drift - LEVERAGE * math.sqrt(1 - OVERNIGHT_SHARE) * bridge
    return DayPaths(
        begin=grid.begin,
        levels=levels,
        log_vols=log_vols,
        previous=np.exp([end.previous for end in ends]),
        previous_log_vols=np.array([end.previous_vol for end in ends]),
    )


def _cell_shocks(key: int, ordinal: int, grid: SessionGrid) -> Floats:
    """Return each cell's shock; their variances sum to 1. Keyed by time of day, so that exchanges agree."""
    pace = np.diff(grid.variance_clock)
    cells = derive(derive(key, ordinal), grid.first_cell + np.arange(grid.cells))
    shocks = np.sqrt((1 - JUMP_SHARE) * pace) * normal(derive(cells, CELL))
    jumps = uniform(derive(cells, JUMP)) < JUMPS_A_DAY * pace
    shocks[jumps] += math.sqrt(JUMP_SHARE / JUMPS_A_DAY) * normal(derive(cells[jumps], JUMP_SIZE))
    return shocks
