"""One recorded minute, in the shape that a provider answers in, whatever it was recorded as."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from g6.model.chain import OptionChain
from g6.model.columns import Bools, Floats, Ints, Texts
from g6.model.contracts import CALL, EMPTY_CONTRACTS, FUTURE, LEVEL, PUT, SHARE, ContractTable
from g6.model.market_snapshot import ROW_DEFECTS, MarketSnapshot
from g6.model.market_snapshot import SHARE as MARKET_SHARE
from g6.model.quotes import DAY_COLUMNS, QUOTE_COLUMNS, CandleQuotes, Quotes, Spot
from g6.model.snapshot import Snapshot

SHARE_TICK = 0.05  # rupees
MARKET_QUOTES = ("last", "volume", "quote_age_seconds", *DAY_COLUMNS)


@dataclass(frozen=True, slots=True)
class RecordedMinute:
    """What was quoted: `quotes` is parallel to `contracts`, which are those listed (futures included)."""

    at: datetime
    spots: Mapping[str, Spot]
    contracts: ContractTable
    quotes: Quotes


class Recording(Protocol):
    """A source of recorded minutes."""

    def minutes(self) -> Sequence[datetime]:
        """Return the recorded minutes, ascending, IST."""
        ...

    def indices(self) -> Sequence[str]:
        """Return the names of the recorded indices."""
        ...

    def codes(self) -> Sequence[str]:
        """Return the expiry codes that were recorded, nearest first."""
        ...

    def load(self, minute: datetime) -> RecordedMinute:
        """Return one minute; raises BadResponse when it cannot be read."""
        ...


def from_snapshot(snapshot: Snapshot, listed: ContractTable) -> RecordedMinute:
    """Give back what a journal's cycle collected, as the provider had answered it.

    Of a recorded expiry only the recorded legs are offered, whatever else was listed: nothing more can be answered. The
    other listed expiries stay, for an expiry code is a place among all of them. With an empty `listed` (it was not
    kept) the recorded expiries are all there are, those that were called monthly with a future.
    """
    legs = _legs(snapshot.chains)
    known = match(legs, listed)
    unknown = legs.take((known < 0) & ((legs.kind != FUTURE) | (len(listed) == 0)))
    others = np.flatnonzero(~_recorded_options(snapshot.chains, listed))
    around = _surroundings(snapshot.market) if snapshot.market is not None else EMPTY_CONTRACTS
    contracts = ContractTable.concatenate(
        [listed.take(known[(known >= 0) & (legs.kind != FUTURE)]), unknown, listed.take(others), around]
    )
    at = max((chain.at for chain in snapshot.chains), default=snapshot.minute)
    spots = {i.index: Spot(i.spot, _quoted_at(i.chains, at)) for i in snapshot.indices if not np.isnan(i.spot)}
    kind = CandleQuotes if snapshot.backfilled else Quotes
    quotes = _quotes(kind, snapshot.chains, contracts, at, snapshot.market)
    return RecordedMinute(at, spots, contracts, quotes)


def _recorded_options(chains: Iterable[OptionChain], listed: ContractTable) -> Bools:
    found = np.zeros(len(listed), dtype=bool)
    for chain in chains:
        found |= (listed.index == chain.index) & (listed.expiry == np.datetime64(chain.expiry))
    return np.asarray(found & (listed.kind != FUTURE))


def match(wanted: ContractTable, among: ContractTable) -> Ints:
    """Return for each wanted contract its row among others, -1 where there is none."""
    if not len(among):
        return np.full(len(wanted), -1)
    keys, sought = _keys(among), _keys(wanted)
    order = np.argsort(keys)
    place = np.minimum(np.searchsorted(keys, sought, sorter=order), len(keys) - 1)
    rows = order[place]
    return np.where(keys[rows] == sought, rows, -1)


def _keys(contracts: ContractTable) -> Texts:
    parts = (contracts.index, contracts.kind, contracts.expiry.astype("U10"), contracts.strike.astype("U16"))
    key = parts[0]
    for part in parts[1:]:
        key = np.char.add(np.char.add(key, "|"), part)
    return key


def _legs(chains: Iterable[OptionChain]) -> ContractTable:
    return ContractTable.concatenate(table for chain in chains for table in (_options(chain), _future(chain)))


def _options(chain: OptionChain) -> ContractTable:
    kind = np.where(chain.is_call, CALL, PUT)
    return _table(chain, kind, chain.strike)


def _future(chain: OptionChain) -> ContractTable:
    monthly = any(code.endswith("_month") for code in chain.codes)
    return _table(chain, np.full(int(monthly), FUTURE), np.zeros(int(monthly)))


def _table(
    chain: OptionChain,
    kind: Texts,
    strike: Floats,
) -> ContractTable:
    n = len(kind)
    days = f"{chain.expiry:%y%m%d}"
    symbol = [f"{chain.index}{days}{k:g}{side}" for k, side in zip(strike.tolist(), kind.tolist(), strict=True)]
    return ContractTable(
        index=np.full(n, chain.index), exchange=np.full(n, ""), symbol=np.array(symbol, dtype="U40"),
        token=np.zeros(n, np.int64), kind=kind.astype("U3"), expiry=np.full(n, np.datetime64(chain.expiry)),
        strike=strike, lot=np.full(n, chain.lot, np.int64), tick=np.full(n, chain.tick),
    )  # fmt: skip


def _quoted_at(chains: Sequence[OptionChain], default: datetime) -> datetime:
    return chains[0].at if chains else default


def _surroundings(market: MarketSnapshot) -> ContractTable:
    """Return the market's rows, as they are asked for (`collectors.market`)."""
    n, places = len(market), [key.partition(":") for key in market.key.tolist()]
    return ContractTable(
        index=market.name, exchange=np.array([p[0] for p in places], "U4"),
        symbol=np.array([p[2] for p in places], "U40"), token=np.zeros(n, np.int64),
        kind=np.where(market.kind == MARKET_SHARE, SHARE, LEVEL), expiry=np.full(n, np.datetime64("NaT", "D")),
        strike=np.zeros(n), lot=np.ones(n, np.int64), tick=np.full(n, SHARE_TICK),
    )  # fmt: skip


def _quotes(
    kind: type[Quotes],
    chains: Sequence[OptionChain],
    contracts: ContractTable,
    at: datetime,
    market: MarketSnapshot | None,
) -> Quotes:
    n = len(contracts)
    columns = {name: np.full(n, np.nan) for name in (*QUOTE_COLUMNS, *DAY_COLUMNS)}
    answered = np.zeros(n, dtype=bool)
    for chain in chains:
        rows = match(_options(chain), contracts)
        answered[rows] = chain.answered == 1
        for name in QUOTE_COLUMNS:
            columns[name][rows] = getattr(chain, name)
        _add_future(chain, contracts, answered, columns["last"])
    if market is not None:
        begin = n - len(market)  # they stand behind all contracts
        answered[begin:] = market.defect != ROW_DEFECTS.index("absent")
        for name in MARKET_QUOTES:
            columns[name][begin:] = getattr(market, name)
    return kind(at=at, answered=answered, **columns)


def _add_future(
    chain: OptionChain,
    contracts: ContractTable,
    answered: Bools,
    last: Floats,
) -> None:
    if np.isnan(chain.future):
        return
    same = (contracts.kind == FUTURE) & (contracts.index == chain.index)
    rows = np.flatnonzero(same & (contracts.expiry == np.datetime64(chain.expiry)))
    answered[rows], last[rows] = True, chain.future


def minute_of(instant: datetime) -> datetime:
    """Return the floor of an instant to its minute."""
    return instant - timedelta(seconds=instant.second, microseconds=instant.microsecond)
