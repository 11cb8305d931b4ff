"""What follows from the days: net positions, long-short ratios, and what changed since the stored day before.

Net is long less short, in contracts. The ratio is long over short, NaN where nothing is short. A change is the value of
a day less that of the stored day before it, which is named beside it: where days are missing it spans more than one
session. Lots are revised at times, and a contract is then more or less of the index than it was the day before: across
such a day contracts do not compare.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import NamedTuple, TypeVar

from g6.model.columns import Column
from g6.participants.days import INSTITUTIONS, INSTRUMENTS, PARTICIPANTS, TOTAL, Cash, Contracts, Position

NAN = float("nan")
NSE = "NSE"
T = TypeVar("T")


class PositionRow(NamedTuple):
    """One participant in one instrument on one day; the names are those of the stored columns."""

    date: dt.date
    participant: str
    instrument: str
    long: int
    short: int
    net: int
    long_short_ratio: float
    previous_date: dt.date | None
    change_long: float
    change_short: float
    change_net: float


class CashRow(NamedTuple):
    """One kind of institution on one day, crores of rupees."""

    date: dt.date
    participant: str
    buy: float
    sell: float
    net: float
    previous_date: dt.date | None
    change_net: float


# The columns of these rows as the data dictionary tells of them.
POSITION_COLUMNS: tuple[Column, ...] = (
    Column("date", "identity", "day", "Trading day", source=NSE),
    Column("participant", "identity", "text", "Client, DII, FII, Pro (members on their own account), or TOTAL of them",
           source=NSE),
    Column("instrument", "identity", "text", "future_index, future_stock, option_index_call, option_index_put, "
           "option_stock_call, option_stock_put, or total of them", source=NSE),
    Column("long", "collected", "contracts", "Held long at the end of the day (oi), or bought on it (volume)",
           source=NSE),
    Column("short", "collected", "contracts", "Held short at the end of the day (oi), or sold on it (volume)",
           source=NSE),
    Column("net", "derived", "contracts", "long less short"),
    Column("long_short_ratio", "derived", "ratio", "long over short; missing where nothing is short",
           source="market usage"),
    Column("previous_date", "derived", "day", "The stored day before, which the changes are against"),
    Column("change_long", "derived", "contracts", "long less that of previous_date; across a revision of lots "
           "contracts do not compare"),
    Column("change_short", "derived", "contracts", "short less that of previous_date"),
    Column("change_net", "derived", "contracts", "net less that of previous_date"),
)  # fmt: skip
CASH_COLUMNS: tuple[Column, ...] = (
    Column("date", "identity", "day", "Trading day", source=NSE),
    Column("participant", "identity", "text", "DII (domestic institutions) or FII (foreign ones, FPI)", source=NSE),
    Column("buy", "collected", "crore rupees", "Shares bought in the cash market, provisional", 2, NSE),
    Column("sell", "collected", "crore rupees", "Shares sold in the cash market, provisional", 2, NSE),
    Column("net", "collected", "crore rupees", "Bought less sold, as the exchange says it", 2, NSE),
    Column("previous_date", "derived", "day", "The stored day before, which the change is against"),
    Column("change_net", "derived", "crore rupees", "net less that of previous_date", 2),
)  # fmt: skip


def position_rows(days: Mapping[dt.date, Contracts]) -> Iterator[PositionRow]:
    """Yield the rows of all days, oldest first; each day's changes are against the one before it among these."""
    for before, day in _with_the_one_before(days):
        for participant in PARTICIPANTS:
            for instrument in (*INSTRUMENTS, TOTAL):
                held = day.positions[participant, instrument]
                earlier = None if before is None else before.positions[participant, instrument]
                yield PositionRow(
                    day.day, participant, instrument, held.long, held.short, held.long - held.short,
                    long_short_ratio(held), before.day if before else None, *_changes(held, earlier),
                )  # fmt: skip


def cash_rows(days: Mapping[dt.date, Cash]) -> Iterator[CashRow]:
    """Yield the rows of all days, oldest first."""
    for before, day in _with_the_one_before(days):
        for who in INSTITUTIONS:
            flow = day.flows[who]
            change = NAN if before is None else round(flow.net - before.flows[who].net, 2)
            yield CashRow(day.day, who, *flow, before.day if before else None, change)


def long_short_ratio(held: Position) -> float:
    """Return long over short; NaN where nothing is short."""
    return held.long / held.short if held.short else NAN


def _changes(held: Position, earlier: Position | None) -> tuple[float, float, float]:
    if earlier is None:
        return NAN, NAN, NAN
    long, short = held.long - earlier.long, held.short - earlier.short
    return float(long), float(short), float(long - short)


def _with_the_one_before(days: Mapping[dt.date, T]) -> Iterator[tuple[T | None, T]]:
    before = None
    for _, day in sorted(days.items(), key=itemgetter(0)):
        yield before, day
        before = day
