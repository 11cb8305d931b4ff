"""The measures of the market around the options: one table, and the function that walks it."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from math import isfinite
from time import perf_counter
from types import MappingProxyType

import numpy as np

from g6.analytics import mood, sectors
from g6.analytics.breadth import all_breadth
from g6.model.columns import OWN, Aggregate, Floats
from g6.model.market_snapshot import MarketSnapshot
from g6.model.mood import MoodRules

NAN = float("nan")
MarketMeasure = tuple[Aggregate, Callable[[MarketSnapshot, MoodRules], float]]
NSE = "NSE India"


def _vix(values: Callable[[MarketSnapshot], Floats]) -> Callable[[MarketSnapshot, MoodRules], float]:
    return lambda market, _: next(iter(values(market)[market.vix_rows].tolist()), NAN)


def _broad(measure: str) -> Callable[[MarketSnapshot, MoodRules], float]:
    return lambda market, rules: market.breadth.get(f"{rules.index}.{measure}", NAN)


def _sector(function: Callable[[MarketSnapshot], float]) -> Callable[[MarketSnapshot, MoodRules], float]:
    return lambda market, _: function(market)


def _measure(name: str, unit: str, says: str, source: str = OWN) -> Aggregate:
    return Aggregate(name, unit, says, scope="market", source=source)


BREADTH: tuple[Aggregate, ...] = (
    _measure("advances", "shares", "Members above their previous close", NSE),
    _measure("declines", "shares", "Members below their previous close", NSE),
    _measure("unchanged", "shares", "Members at their previous close", NSE),
    _measure("unknown", "shares", "Members not quoted, stale, or held still by the closing auction"),
    _measure("net_advances", "shares", "Advances less declines; its daily sum is the advance-decline line",
             "Edwards and Magee"),
    _measure("advance_decline_ratio", "ratio", "Advances over declines; NaN without a decline", NSE),
    _measure("breadth", "ratio", "Advances less declines over the members of known direction"),
    _measure("advance_volume", "shares", "Shares traded today of members that advance", "Edwards and Magee"),
    _measure("decline_volume", "shares", "Shares traded today of members that decline", "Edwards and Magee"),
    _measure("advance_volume_share", "ratio", "Advance volume over advance and decline volume together"),
)  # fmt: skip

# The breadth here is that of the rules' index (NIFTY); other groups are in `MarketSnapshot.breadth`.
MARKET_AGGREGATES: tuple[MarketMeasure, ...] = (
    (_measure("india_vix", "percent", "India VIX, the volatility of NIFTY over 30 days that its options imply; missing "
              "where its quote is stale", NSE),
     _vix(lambda market: market.last)),
    (_measure("india_vix_change", "percent", "India VIX less its previous close, in points of the index"),
     _vix(lambda market: market.change)),
    (_measure("india_vix_change_ratio", "ratio", "Change of India VIX over its previous close"),
     _vix(lambda market: market.change_ratio)),
    *((descriptor, _broad(descriptor.name)) for descriptor in BREADTH),
    (_measure("sectors_up_share", "ratio", "Sector indices above their previous close over those of known change"),
     _sector(sectors.sectors_up_share)),
    (_measure("leader_change_ratio", "ratio", "Change of the sector index that rose most, over its previous close"),
     _sector(sectors.leader_change_ratio)),
    (_measure("laggard_change_ratio", "ratio", "Change of the sector index that fell most, over its previous close"),
     _sector(sectors.laggard_change_ratio)),
    (_measure("sector_spread", "ratio", "The leading sector's change less the lagging one's"),
     _sector(sectors.sector_spread)),
    (_measure("sector_dispersion", "ratio", "Standard deviation of the sectors' changes, each counted alike"),
     _sector(sectors.sector_dispersion)),
    (_measure("mood_score", "ratio", "Points of the mood's rules over the most they could give, -1 to 1; the rules are "
              "in config/market.yaml"), mood.mood_score),
    (_measure("mood", "code", "-2 bearish, -1 rather bearish, 0 neutral, 1 rather bullish, 2 bullish, by the score"),
     mood.mood),
)  # fmt: skip

MARKET_MEASURES: tuple[Aggregate, ...] = tuple(descriptor for descriptor, _ in MARKET_AGGREGATES)


def survey_market(
    market: MarketSnapshot, rules: MoodRules, spent: MutableMapping[str, float] | None = None
) -> MarketSnapshot:
    """Return the market with its breadth by group and its aggregates; `spent` is told the seconds of it all."""
    begun = perf_counter()
    with np.errstate(all="ignore"):  # what makes no sense is NaN, without a warning
        market = replace(market, breadth=_finite(all_breadth(market)))
        values = {descriptor.name: float(compute(market, rules)) for descriptor, compute in MARKET_AGGREGATES}
    surveyed = replace(market, aggregates=_finite(values))
    if spent is not None:
        spent["market"] = spent.get("market", 0.0) + perf_counter() - begun
    return surveyed


def _finite(values: Mapping[str, float]) -> Mapping[str, float]:
    return MappingProxyType({name: value if isfinite(value) else NAN for name, value in values.items()})
