"""The market around the options as points of `index_overview`: which tags they have, and which fields. No I/O.

| tags | fields |
|---|---|
| index=MARKET | the measures of the whole market |
| index=INDIAVIX, NIFTYIT … and the collected indices | level, previous_close, day's range, change |
| index=NIFTY, BANKNIFTY | the breadth of its shares, beside that |
| index=NIFTY, sector=FINANCIAL_SERVICES … | the breadth of an industry among its shares |
"""

from collections.abc import Mapping

import numpy as np

from g6.model.market_snapshot import SHARE, MarketSnapshot
from g6.storage.csv_market import LEVEL_VALUES, MARKET

IndexAndSector = tuple[str, str]  # sector "" for the index itself


def market_fields(market: MarketSnapshot | None) -> dict[IndexAndSector, dict[str, float]]:
    """Return (index, sector) → fields; NaN among them is not known. Empty without a market."""
    if market is None:
        return {}
    found: dict[IndexAndSector, dict[str, float]] = {(MARKET, ""): dict(market.aggregates)}
    rows = np.flatnonzero(market.kind != SHARE).tolist()
    columns = {name: getattr(market, column) for name, (column, _) in LEVEL_VALUES.items()}
    for row in rows:
        found[str(market.name[row]), ""] = {name: float(values[row]) for name, values in columns.items()}
    indices = list(dict.fromkeys(" ".join(market.groups.tolist()).split()))
    for group in market.breadth_groups:
        place = (group, "") if group in indices else (indices[0], group)
        found.setdefault(place, {}).update(market.breadth_of(group))
    return found


def sector_tags(index: str, sector: str) -> Mapping[str, str]:
    """Return the tags of such a point."""
    return {"index": index, "sector": sector} if sector else {"index": index}
