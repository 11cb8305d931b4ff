"""What stands in the CSV files of the market around the options. No I/O.

| file below `<root>/csv/MARKET` | a row a minute |
|---|---|
| `overview/<day>.csv` | the measures of the whole market, its mood, the leading and the lagging sector |
| `levels/<NAME>/<day>.csv` | India VIX, an index or a sector: level, day's range, change |
| `breadth/<GROUP>/<day>.csv` | the breadth of an index's shares, or of an industry's |

Cells are as in the other files; where nothing of the market was answered there is no row.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from g6.model.columns import Aggregate
from g6.model.market_snapshot import BREADTH_MEASURES, SHARE, MarketSnapshot
from g6.model.snapshot import Snapshot
from g6.storage.record import minute_text

FileKey = tuple[str, ...]

MARKET = "MARKET"  # no index can have this name
OVERVIEW, LEVELS, BREADTH = "overview", "levels", "breadth"
CONTEXT = ("ts", "frozen", "backfilled", "shed_mask")
WORDS = ("mood_word", "leader", "laggard")
# Column → what it is taken from, and the decimals that are kept.
LEVEL_VALUES: Mapping[str, tuple[str, int]] = {
    "level": ("last", 4), "previous_close": ("previous_close", 4), "open": ("open", 4), "high": ("high", 4),
    "low": ("low", 4), "change": ("change", 4), "change_ratio": ("change_ratio", 8),
    "quote_age_seconds": ("quote_age_seconds", 1),
}  # fmt: skip

LEVEL_HEADER = ",".join([*CONTEXT, *LEVEL_VALUES]).encode()
BREADTH_HEADER = ",".join([*CONTEXT, *BREADTH_MEASURES]).encode()


def market_header(key: FileKey, aggregates: Sequence[Aggregate]) -> bytes:
    """Return the header of one of these files."""
    if key[1] == OVERVIEW:
        return ",".join([*CONTEXT, *(a.name for a in aggregates if a.scope == "market"), *WORDS]).encode()
    return LEVEL_HEADER if key[1] == LEVELS else BREADTH_HEADER


def market_lines(snapshot: Snapshot, aggregates: Sequence[Aggregate]) -> dict[FileKey, bytes]:
    """Return file → line of a minute; none without a market."""
    market = snapshot.market
    if market is None:
        return {}
    minute = minute_text(snapshot.minute).encode()
    context = b"%b,%d,%d,%d" % (minute, market.frozen, snapshot.backfilled, snapshot.shed_mask)
    lines: dict[FileKey, bytes] = {(MARKET, OVERVIEW): _line(context, *_overview(market, aggregates))}
    lines |= {(MARKET, LEVELS, name): _line(context, *cells) for name, cells in _levels(market).items()}
    for group in market.breadth_groups:
        known = market.breadth_of(group)
        lines[MARKET, BREADTH, group] = _line(context, *(_cell(known.get(m, math.nan)) for m in BREADTH_MEASURES))
    return lines


def _overview(market: MarketSnapshot, aggregates: Sequence[Aggregate]) -> list[str]:
    values = [_cell(market.aggregates.get(a.name, math.nan)) for a in aggregates if a.scope == "market"]
    return [*values, market.mood, market.leader, market.laggard]


def _levels(market: MarketSnapshot) -> dict[str, list[str]]:
    rows = np.flatnonzero((market.kind != SHARE) & ~np.isnan(market.last))
    columns = [np.round(getattr(market, name)[rows], decimals).tolist() for name, decimals in LEVEL_VALUES.values()]
    cells = zip(*columns, strict=True)
    return {name: list(map(_cell, row)) for name, row in zip(market.name[rows].tolist(), cells, strict=True)}


def _line(context: bytes, *cells: str) -> bytes:
    return b",".join([context, *(cell.encode() for cell in cells)])


def _cell(value: float) -> str:
    # 15 digits: all that a quotient or a sum means, without the noise of its binary form.
    return repr(float(f"{value:.15g}") + 0.0).removesuffix(".0") if math.isfinite(value) else ""
