"""What surrounds the options joins their minute: rows behind the plan's own, and what was answered as one record.

It costs no request of its own where it fits into the last batch, and no chain anything where it fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from g6.collectors.plan import Plan
from g6.market.indices import IndexDefinition
from g6.market.sessions import SessionCalendar
from g6.market.surroundings import Surroundings
from g6.model.columns import Bools, Floats, Texts
from g6.model.contracts import LEVEL as LEVEL_ROW
from g6.model.contracts import SHARE as SHARE_ROW
from g6.model.contracts import ContractTable
from g6.model.market_snapshot import INDEX, ROW_DEFECTS, SECTOR, SHARE, VIX, MarketSnapshot
from g6.model.quotes import Quotes

HOME = "NSE"  # whose hours shares, sectors and India VIX have
SHARE_TICK = 0.05
NO_EXPIRY = np.datetime64("NaT", "D")


@dataclass(frozen=True, slots=True, eq=False)
class MarketOrder:
    """What is wanted beside the options: `rows` is what goes to the provider, the texts say what each row is."""

    rows: ContractTable
    kind: Texts
    industry: Texts
    groups: Texts

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def key(self) -> Texts:
        """Return what a vendor calls each row: NSE:INDIA VIX."""
        return np.char.add(np.char.add(self.rows.exchange, ":"), self.rows.symbol)

    def open_at(self, at: datetime, calendar: SessionCalendar) -> "MarketOrder":
        """Return the rows whose exchange trades at an instant."""
        exchanges = [name for name in np.unique(self.rows.exchange).tolist() if calendar.is_open(at, name)]
        mine = np.isin(self.rows.exchange, exchanges)
        return MarketOrder(self.rows.take(mine), self.kind[mine], self.industry[mine], self.groups[mine])


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    kind: str
    name: str
    industry: str = ""
    groups: tuple[str, ...] = ()


def order_market(
    surroundings: Surroundings,
    indices: Sequence[IndexDefinition],
    *,
    vix: bool = True,
    sectors: bool = True,
    breadth: bool = True,
) -> MarketOrder:
    """Return the order of a configuration: the levels of `indices`, and what is switched on; each symbol once."""
    rows = [_Row(index.spot_symbol, INDEX, index.name) for index in indices]
    if vix and surroundings.vix is not None:
        rows.append(_Row(surroundings.vix.symbol, VIX, surroundings.vix.name))
    if sectors:
        rows += [_Row(sector.symbol, SECTOR, sector.name) for sector in surroundings.sectors]
    if breadth:
        rows += _share_rows(surroundings)
    first = {row.key: row for row in reversed(rows)}
    return _order(sorted(first.values(), key=rows.index))


def _share_rows(surroundings: Surroundings) -> list[_Row]:
    found: dict[str, _Row] = {}
    for group, shares in surroundings.constituents.items():
        for share in shares:
            known = found.get(share.key) or _Row(share.key, SHARE, share.symbol, share.industry)
            found[share.key] = replace(known, groups=(*known.groups, group))
    return list(found.values())


def _order(rows: Sequence[_Row]) -> MarketOrder:
    n = len(rows)
    places = [row.key.partition(":") for row in rows]
    table = ContractTable(
        index=_texts([row.name for row in rows]),
        exchange=_texts([exchange for exchange, _, _ in places]),
        symbol=_texts([symbol for _, _, symbol in places]),
        token=np.zeros(n, np.int64),  # the vendor's own, which only the vendor knows
        kind=_texts([SHARE_ROW if row.kind == SHARE else LEVEL_ROW for row in rows]),
        expiry=np.full(n, NO_EXPIRY),
        strike=np.zeros(n),
        lot=np.ones(n, np.int64),
        tick=np.full(n, SHARE_TICK),
    )
    groups = [" ".join(row.groups) for row in rows]
    kinds, industries = [row.kind for row in rows], [row.industry for row in rows]
    return MarketOrder(table, *(_texts(texts) for texts in (kinds, industries, groups)))


def _texts(texts: Sequence[str]) -> Texts:
    return np.array(texts, dtype=np.str_) if texts else np.empty(0, "U1")


def with_market(plan: Plan, order: MarketOrder | None) -> Plan:
    """Return the plan with the order's rows behind its own. A plan without any chain stays as it is: nothing trades."""
    if order is None or not len(order) or not plan.chains:
        return plan
    start = len(plan.contracts)
    return replace(
        plan,
        contracts=ContractTable.concatenate([plan.contracts, order.rows]),
        market=slice(start, start + len(order)),
    )


def build_market(
    plan: Plan, quotes: Quotes, order: MarketOrder | None, calendar: SessionCalendar, stale_after_seconds: float
) -> MarketSnapshot | None:
    """Return what was answered of the market; None where nothing was asked or answered.

    A share or a level whose quote is older than `stale_after_seconds` says nothing about the direction of the market,
    nor does any while the closing auction holds them still. From the auction on the last quotes before it are the
    day's: they may be older by the time since it began. India VIX, which is made from options, moves on throughout.
    """
    rows, at = plan.market, quotes.at
    if order is None or rows.stop == rows.start or not quotes.answered[rows].any():
        return None
    frozen = calendar.spot_frozen(at, HOME)
    last, close = _positive(quotes.last[rows]), _positive(quotes.previous_close[rows])
    age, moving = quotes.quote_age_seconds[rows], order.kind != VIX
    oldest = stale_after_seconds + moving * calendar.still_seconds(at, HOME)
    found = {
        "frozen": moving & frozen,
        "no_close": np.isnan(close),
        "stale": age > oldest,
        "no_price": np.isnan(last),
        "absent": ~quotes.answered[rows],
    }
    return MarketSnapshot(
        at=at,
        frozen=frozen,
        key=order.key,
        kind=order.kind,
        name=order.rows.index,
        industry=order.industry,
        groups=order.groups,
        last=last,
        previous_close=close,
        open=_positive(quotes.open[rows]),
        high=_positive(quotes.high[rows]),
        low=_positive(quotes.low[rows]),
        volume=quotes.volume[rows],
        quote_age_seconds=age,
        defect=_defects(found, len(order)),
    )


def _positive(values: Floats) -> Floats:
    """Return prices and levels; what a vendor writes for "none" (0 before the open), or is no price, is NaN."""
    sound: Floats = np.where((values > 0) & np.isfinite(values), values, np.nan)
    return sound


def _defects(found: dict[str, Bools], count: int) -> Floats:
    """Return one code per row; where several hold, the last one named in `found`."""
    codes = np.zeros(count)
    for word, where in found.items():
        codes[where] = ROW_DEFECTS.index(word)
    return codes
