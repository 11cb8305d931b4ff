"""Breadth: how many shares of a group rose, fell or stood still, and how much was traded of them.

Counts and the volume measures follow the exchanges' daily tables and Edwards and Magee, "Technical Analysis of Stock
Trends": a share advances when its last price is above the close of the day before. A share whose direction nobody
knows (not quoted, as a demerger's dummy, without a close, stale, or held still by the closing auction) is neither an
advance nor unchanged: it is counted as unknown and taken into nothing else.
"""

import re
from collections.abc import Mapping

import numpy as np

from g6.model.columns import Bools, Floats
from g6.model.market_snapshot import BREADTH_MEASURES, SHARE, MarketSnapshot

NAN = float("nan")
NO_INDUSTRY = "OTHER"
NAME_MAX_CHARACTERS = 32  # of a group, which is a folder's name, too


def directions(market: MarketSnapshot) -> Floats:
    """Return 1 for a row above its previous close, -1 below, 0 at it, NaN where its direction is not known."""
    known = market.defect == 0
    sign: Floats = np.where(known, np.sign(market.change), np.nan)
    return sign


def breadth(market: MarketSnapshot, rows: Bools) -> Mapping[str, float]:
    """Return BREADTH_MEASURES of the shares in `rows`, (n,) bool.

    `breadth` is advances less declines over the shares of known direction; the ratio is advances over declines, NaN
    without a decline. Volumes are in shares, of advancing and of declining ones; their share is advance volume over
    both together. All of them but the counts are NaN where nothing is known.
    """
    direction, volume = directions(market)[rows], np.nan_to_num(market.volume[rows])
    advancing, declining = direction > 0, direction < 0
    advances, declines = int(advancing.sum()), int(declining.sum())
    unchanged = int((direction == 0).sum())
    known = advances + declines + unchanged
    up, down = float(volume[advancing].sum()), float(volume[declining].sum())
    values = (
        advances,
        declines,
        unchanged,
        len(direction) - known,
        advances - declines if known else NAN,
        _over(advances, declines),
        _over(advances - declines, known),
        up if known else NAN,
        down if known else NAN,
        _over(up, up + down),
    )
    return dict(zip(BREADTH_MEASURES, map(float, values), strict=True))


def groups(market: MarketSnapshot) -> Mapping[str, Bools]:
    """Return group → its rows: the indices whose members are quoted, then the industries of the first of them.

    An industry's group has its name in capital letters, digits and `_` (FINANCIAL_SERVICES).
    """
    indices = list(dict.fromkeys(" ".join(market.groups.tolist()).split()))
    found = {index: market.members(index) for index in indices}
    if indices:
        broad = found[indices[0]]
        names = np.array([group_name(industry) for industry in market.industry.tolist()])
        found |= {str(name): broad & (names == name) for name in np.unique(names[broad])}
    return found


def group_name(industry: str) -> str:
    """Return an industry's name as files, tags and labels have it."""
    words = re.findall(r"[A-Z0-9]+", industry.upper())
    return "_".join(words)[:NAME_MAX_CHARACTERS].rstrip("_") or NO_INDUSTRY


def all_breadth(market: MarketSnapshot) -> Mapping[str, float]:
    """Return GROUP.measure → value of every group; empty without shares."""
    if not (market.kind == SHARE).any():
        return {}
    return {
        f"{group}.{name}": value
        for group, rows in groups(market).items()
        for name, value in breadth(market, rows).items()
    }


def _over(part: float, whole: float) -> float:
    return part / whole if whole else NAN
