"""One-minute candles of the past: prices, volume and open interest, and neither depth nor volatility."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from g6.clock import IST
from g6.errors import BadResponse

INTERVAL = "minute"


@dataclass(frozen=True, slots=True)
class Candle:
    """What was traded in the minute that begins at `at` (aware, IST); prices in rupees, `volume` and `oi` in units.

    `oi` is NaN where the broker gave none.
    """

    at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    oi: float


def candles_of(records: Iterable[Mapping[str, Any]]) -> list[Candle]:
    """Return the client's candle records, ascending; raise BadResponse when one is no candle."""
    try:
        candles = [_candle(record) for record in records]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadResponse(f"a candle makes no sense: {type(error).__name__}") from None
    return sorted(candles, key=lambda candle: candle.at)


def _candle(record: Mapping[str, Any]) -> Candle:
    at: datetime = record["date"]
    at = at.replace(tzinfo=IST) if at.tzinfo is None else at.astimezone(IST)
    first, high, low, last, volume = (float(record[name]) for name in ("open", "high", "low", "close", "volume"))
    if not math.isfinite(first + high + low + last + volume):
        raise ValueError("no number")
    oi = record.get("oi")
    return Candle(at, first, high, low, last, volume, oi=math.nan if oi is None else float(oi))
