"""Sector indices: how many are up, who leads, who lags, and how far they are apart."""

import numpy as np

from g6.model.market_snapshot import MarketSnapshot

NAN = float("nan")


def sectors_up_share(market: MarketSnapshot) -> float:
    """Return the share of the sector indices of known change that are above their previous close; NaN without any."""
    ratios = _ratios(market)
    return sum(ratio > 0 for ratio in ratios) / len(ratios) if ratios else NAN


def leader_change_ratio(market: MarketSnapshot) -> float:
    """Return the change of the sector that rose most, over its previous close."""
    return max(_ratios(market), default=NAN)


def laggard_change_ratio(market: MarketSnapshot) -> float:
    """Return the change of the sector that fell most, over its previous close."""
    return min(_ratios(market), default=NAN)


def sector_spread(market: MarketSnapshot) -> float:
    """Return the leader's change less the laggard's; NaN with fewer than two sectors."""
    ratios = _ratios(market)
    return max(ratios) - min(ratios) if len(ratios) > 1 else NAN


def sector_dispersion(market: MarketSnapshot) -> float:
    """Return the standard deviation of the sectors' changes, each counted alike; NaN with fewer than two."""
    ratios = _ratios(market)
    return float(np.std(ratios)) if len(ratios) > 1 else NAN


def _ratios(market: MarketSnapshot) -> list[float]:
    return [ratio for _, ratio in market.sectors_ranked]
