"""What surrounds the options in numbers: a few on /metrics, one per level and group of shares on /metrics/options."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import orjson

from g6.metrics.catalogue import GROUP_MEASURES, LEVEL_COLUMNS, Metric, surrounding_metric
from g6.metrics.instruments import Instruments
from g6.model.columns import Floats
from g6.model.market_snapshot import SHARE, MarketSnapshot

# Gauge of /metrics → the measure of the whole market that it shows.
GAUGES: Mapping[str, str] = {
    "g6_market_india_vix_percent": "india_vix",
    "g6_market_advances_shares": "advances",
    "g6_market_declines_shares": "declines",
    "g6_market_unknown_shares": "unknown",
    "g6_market_breadth_ratio": "breadth",
    "g6_market_mood_score_ratio": "mood_score",
}


def observe_surroundings(to: Instruments, aggregates: Mapping[str, float]) -> None:
    """Set the gauges from the measures of the whole market; what is not among them is NaN."""
    for gauge, measure in GAUGES.items():
        to.set(gauge, aggregates.get(measure, math.nan))


def surrounding_lines(market: MarketSnapshot | None) -> tuple[list[bytes], int]:
    """Return the lines of /metrics/options, each with the line end before it, and how many series they are."""
    if market is None:
        return [], 0
    rows = np.flatnonzero(market.kind != SHARE)
    labels = [f'{{name="{name}"}} '.encode() for name in market.name[rows].tolist()]
    pieces: list[bytes] = []
    for column in LEVEL_COLUMNS:
        pieces += _family(surrounding_metric(column), labels, getattr(market, column)[rows])
    groups = market.breadth_groups
    of_groups = [f'{{group="{group}"}} '.encode() for group in groups]
    for measure in GROUP_MEASURES:
        values = np.array([market.breadth.get(f"{group}.{measure}", math.nan) for group in groups])
        pieces += _family(surrounding_metric(measure), of_groups, values)
    return pieces, sum(not piece.startswith(b"\n#") for piece in pieces)


def _family(row: Metric, labels: Sequence[bytes], values: Floats) -> list[bytes]:
    """Return the head and the lines of a metric; a value that is not finite has none."""
    finite = np.flatnonzero(np.isfinite(values))
    if not len(finite):
        return []
    numbers = orjson.dumps(values[finite], option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    head = f"\n# HELP {row.name} {row.help}\n# TYPE {row.name} {row.type}".encode()
    name = b"\n" + row.name.encode()
    return [head, *(name + labels[place] + number for place, number in zip(finite.tolist(), numbers, strict=True))]
