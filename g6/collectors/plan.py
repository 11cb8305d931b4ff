"""The plan of a minute: all indices, expiries and strikes together, so that one round of calls serves all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import islice

import numpy as np

from g6.market.expiries import ExpiryCodes, resolve
from g6.market.indices import IndexDefinition
from g6.market.sessions import SessionCalendar
from g6.market.strikes import nearest
from g6.model.chain import EXPIRY_CODES
from g6.model.columns import Bools, Floats, Ints
from g6.model.contracts import CALL, FUTURE, PUT, ContractTable
from g6.model.snapshot import Refusal

# The last known forward of an index and expiry.
Forwards = Mapping[tuple[str, date], float]


@dataclass(frozen=True, slots=True)
class Depth:
    """How many listed strikes in and out of the money are wanted around the ATM; None is all of them."""

    itm: int | None
    otm: int | None

    def deeper(self, other: "Depth") -> "Depth":
        """Return the depth that holds both, for an expiry that two codes point at."""
        return Depth(_larger(self.itm, other.itm), _larger(self.otm, other.otm))


@dataclass(frozen=True, slots=True)
class IndexOrder:
    """What is wanted of one index: its definition, and the depth per expiry code."""

    definition: IndexDefinition
    depths: Mapping[str, Depth]


@dataclass(frozen=True, slots=True)
class ChainPlan:
    """One expiry of one index: where its legs, and its future, lie among the plan's contracts."""

    definition: IndexDefinition
    expiry: date
    codes: tuple[str, ...]
    legs: slice
    future: int | None
    reference: float  # the level that the strikes were chosen around


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one minute asks for. `contracts` is what goes to the provider, in this order."""

    contracts: ContractTable
    chains: tuple[ChainPlan, ...]
    refusals: tuple[Refusal, ...]
    expected_codes: Mapping[str, tuple[str, ...]]
    # Rows of levels and shares behind the chains' own, see `collectors.market`.
    market: slice = field(default_factory=lambda: slice(0, 0))


def make_plan(
    orders: Sequence[IndexOrder],
    listed: ContractTable,
    spots: Mapping[str, float],
    calendar: SessionCalendar,
    at: datetime,
    forwards: Forwards | None = None,
    nearest: int | None = None,
) -> Plan:
    """Choose the contracts of a minute.

    1. A chain is planned around its index's spot, or around its own last forward where `forwards` has one: that is
       for a spot that stands still. An index that is absent from `spots` was refused already and has no chains.
    2. The expiry codes are resolved from the day's listed contracts, as they stand at `at` (`market.expiries`).
    3. Codes that point at one expiry are one chain, at the deeper of their depths.
    4. Of an index's expiries the first `nearest` are planned, and none beyond them is expected; None is all.
    5. A chain's legs are the listed strikes by rank around the ATM: calls `itm` below to `otm` above, puts mirrored.
    """
    draft = _Draft(listed, forwards or {}, nearest)
    for order in orders:
        draft.add_index(order, spots.get(order.definition.name), calendar, at)
    return draft.finish()


class _Draft:
    """Gathers rows of the listed contracts; they are taken out of the table once, at the end."""

    def __init__(self, listed: ContractTable, forwards: Forwards, nearest: int | None) -> None:
        self.listed = listed
        self.forwards = forwards
        self.nearest = nearest
        self.rows: list[Ints] = []
        self.chains: list[ChainPlan] = []
        self.refusals: list[Refusal] = []
        self.expected: dict[str, tuple[str, ...]] = {}
        self.length = 0

    def add_index(self, order: IndexOrder, spot: float | None, calendar: SessionCalendar, at: datetime) -> None:
        name = order.definition.name
        self.expected[name] = ()
        rows, own = _own(self.listed, name)
        if not len(rows):
            if spot is not None:
                self.refuse(name, "", (), "unknown_index", "the provider lists no contracts of it")
            return
        codes = _codes(own, at, calendar, order.definition.exchange)
        wanted = dict(islice(_by_expiry(order.depths, codes), self.nearest))
        self.expected[name] = tuple(code for of_expiry, _ in wanted.values() for code in of_expiry)
        if spot is None:
            return  # refused already; what was expected of it is known all the same
        strikes = own.strike[own.kind != FUTURE]
        if len(strikes) and not strikes.min() <= spot <= strikes.max():
            among = f"its listed strikes, {strikes.min():g} to {strikes.max():g}"
            self.refuse(name, "", (), "bad_spot", f"its spot of {spot:g} lies outside {among}")
            return
        if not wanted:
            self.refuse(name, "", (), "no_expiries", _why_none(order.depths, codes))
        is_future = own.kind == FUTURE
        for expiry, (of_expiry, depth) in wanted.items():
            on_day = own.expiry == np.datetime64(expiry)
            legs, futures = np.flatnonzero(on_day & ~is_future), np.flatnonzero(on_day & is_future)[:1]
            reference = self.forwards.get((name, expiry), spot)
            chosen = legs[_around(own.strike[legs], own.kind[legs] == CALL, reference, depth)]
            self.add_chain(order.definition, expiry, of_expiry, rows[chosen], rows[futures], reference)

    def add_chain(
        self,
        definition: IndexDefinition,
        expiry: date,
        codes: tuple[str, ...],
        legs: Ints,
        future: Ints,
        reference: float,
    ) -> None:
        if not len(legs):
            self.refuse(definition.name, expiry.isoformat(), codes, "no_contracts", "no option contracts are listed")
            return
        start, stop = self.length, self.length + len(legs)
        self.rows += [legs, future]
        at_future = stop if len(future) else None
        self.chains.append(ChainPlan(definition, expiry, codes, slice(start, stop), at_future, reference))
        self.length = stop + len(future)

    def refuse(self, index: str, expiry: str, codes: tuple[str, ...], reason: str, detail: str) -> None:
        self.refusals.append(Refusal(index, expiry, codes, reason, detail))

    def finish(self) -> Plan:
        rows = np.concatenate([np.empty(0, np.int64), *self.rows])
        return Plan(self.listed.take(rows), tuple(self.chains), tuple(self.refusals), self.expected)


# A table holds for a day, or for a minute of a recording; what is kept is of the last ones, index by index.
@lru_cache(maxsize=16)
def _own(listed: ContractTable, name: str) -> tuple[Ints, ContractTable]:
    """Return the usable rows of an index, and the table of them."""
    rows = _usable_rows(listed, name)
    return rows, listed.take(rows)


def _codes(own: ContractTable, at: datetime, calendar: SessionCalendar, exchange: str) -> ExpiryCodes:
    """Resolve the expiry codes. They change with the day and at the close of today's expiry, and not in between."""
    close = calendar.expires_at(at.date(), exchange)
    since = close if at >= close else close.replace(hour=0, minute=0, second=0, microsecond=0)
    return _resolved(own, since, calendar, exchange)


_resolved = lru_cache(maxsize=16)(resolve)


def forget_listed() -> None:
    """Give back what is kept of the listed contracts; the next plan works it out again."""
    _own.cache_clear()
    _resolved.cache_clear()


def _usable_rows(listed: ContractTable, name: str) -> Ints:
    """Return the rows of an index, each contract once; a row without an expiry or of no known kind is none."""
    rows = np.flatnonzero(listed.index == name)
    kind, expiry, strike = listed.kind[rows], listed.expiry[rows], listed.strike[rows]
    sound = np.isin(kind, (CALL, PUT, FUTURE)) & ~np.isnat(expiry) & np.isfinite(strike)
    order = np.lexsort((rows, kind, strike, expiry))
    repeats = np.zeros(len(rows), dtype=bool)
    same = [column[order][1:] == column[order][:-1] for column in (kind, strike, expiry)]
    repeats[order[1:]] = same[0] & same[1] & same[2]
    return rows[sound & ~repeats]


def _by_expiry(depths: Mapping[str, Depth], codes: ExpiryCodes) -> Iterator[tuple[date, tuple[tuple[str, ...], Depth]]]:
    """Yield each wanted expiry once, nearest first, with the codes that point at it and the deepest of their depths."""
    wanted = [code for code in EXPIRY_CODES if code in depths and code in codes.dates]
    for expiry in sorted({codes.dates[code] for code in wanted}):
        same = tuple(code for code in wanted if codes.dates[code] == expiry)
        depth = depths[same[0]]
        for code in same[1:]:
            depth = depth.deeper(depths[code])
        yield expiry, (same, depth)


def _why_none(depths: Mapping[str, Depth], codes: ExpiryCodes) -> str:
    return "; ".join(f"{code}: {codes.reasons.get(code, 'not listed')}" for code in depths) or "no expiry is configured"


def _around(strike: Floats, is_call: Bools, reference: float, depth: Depth) -> Ints:
    """Return rows of the wanted legs, by strike and then call before put; none when no strike has both legs."""
    strikes, rank = np.unique(strike, return_inverse=True)
    both = _has_both(rank, is_call, len(strikes))
    if not both.any():
        return np.empty(0, np.int64)
    atm = int(np.searchsorted(strikes, strikes[both][nearest(strikes[both], reference)]))
    moneyness = np.where(is_call, atm - rank, rank - atm)  # listed strikes in the money
    chosen = np.flatnonzero(_within(moneyness, depth))
    return chosen[np.lexsort((~is_call[chosen], strike[chosen]))]


def _has_both(rank: Ints, is_call: Bools, count: int) -> Bools:
    calls = np.bincount(rank[is_call], minlength=count)
    puts = np.bincount(rank[~is_call], minlength=count)
    return (calls > 0) & (puts > 0)


def _within(moneyness: Ints, depth: Depth) -> Bools:
    itm = np.inf if depth.itm is None else depth.itm
    otm = np.inf if depth.otm is None else depth.otm
    bounded: Bools = (moneyness <= itm) & (moneyness >= -otm)
    return bounded


def _larger(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)
