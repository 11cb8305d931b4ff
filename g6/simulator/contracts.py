"""What is listed on a day: expiries by the exchange's rules, uneven strikes around yesterday's close."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

import numpy as np

from g6.market.indices import IndexDefinition, Simulation
from g6.market.listing import ListedExpiries, lot_on
from g6.model.columns import Floats, Ints, Texts
from g6.model.contracts import CALL, FUTURE, PUT, ContractTable
from g6.simulator.hashing import derive, text_key, uniform

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKLY_MONTHS = "123456789OND"

# The fine step reaches this many near_widths to either side, the nearest expiry of a kind first; the last
# number holds for all later ones. Wings reach WING_REACH times as far, in monthlies only.
WEEKLY_WIDTHS = (1.25, 1.1, 0.85)
MONTHLY_WIDTHS = (1.4, 1.25, 1.0)
WING_REACH = 1.4
FAR_WIDTH = 0.25  # share of the level that quarterlies are listed over, to either side
EXTRA_STRIKE_SHARE = 0.25  # of the places between quarterly strikes that one side alone has


class Kind(Enum):
    """Which cycle an expiry belongs to; only monthlies have futures."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


@dataclass(frozen=True, slots=True)
class Expiry:
    """One listed expiry and its place among those of its kind, nearest 0."""

    day: date
    kind: Kind
    place: int


def expiries_of(listed: ListedExpiries) -> tuple[Expiry, ...]:
    """Return every listed expiry with its kind, ascending."""
    kinds = ((Kind.WEEKLY, listed.weekly), (Kind.MONTHLY, listed.monthly), (Kind.QUARTERLY, listed.quarterly))
    found = [Expiry(day, kind, place) for kind, days in kinds for place, day in enumerate(days)]
    return tuple(sorted(found, key=lambda expiry: expiry.day))


def contract_table(index: IndexDefinition, number: int, listed: ListedExpiries, close: float) -> ContractTable:
    """Return the day's rows: monthly futures, then options by expiry, calls before puts, strikes ascending.

    `number` is the index's place among all simulated ones, for tokens; `close` is yesterday's level.
    """
    rows = [row for expiry in expiries_of(listed) for row in _rows(index, expiry, close)]
    kinds, expiries, strikes, symbols = zip(*sorted(rows, key=lambda row: row[0] != FUTURE), strict=True)
    days = np.array(expiries, "datetime64[D]")
    strike = np.array(strikes, np.float64)
    kind = np.array(kinds)
    lots = {day: lot_on(index, day) for day in set(expiries)}
    return ContractTable(
        index=np.full(len(rows), index.name),
        exchange=np.full(len(rows), index.derivative_exchange),
        symbol=np.array(symbols),
        token=_tokens(number, kind, days.astype(np.int64), strike / index.simulation.strike_step),
        kind=kind,
        expiry=days,
        strike=strike,
        lot=np.array([lots[day] for day in expiries], np.int64),
        tick=np.where(kind == FUTURE, index.future_tick, index.option_tick),
    )


def _rows(index: IndexDefinition, expiry: Expiry, close: float) -> Iterator[tuple[str, date, float, str]]:
    by_day = f"{expiry.day:%y}{WEEKLY_MONTHS[expiry.day.month - 1]}{expiry.day:%d}"
    by_month = f"{expiry.day:%y}{MONTHS[expiry.day.month - 1]}"
    stem = index.name + (by_day if expiry.kind is Kind.WEEKLY else by_month)
    if expiry.kind is Kind.MONTHLY:
        yield FUTURE, expiry.day, 0.0, f"{stem}FUT"
    for kind, strikes in zip((CALL, PUT), strikes_of(index, expiry, close), strict=True):
        for strike in strikes.tolist():
            yield kind, expiry.day, strike, f"{stem}{strike:.10g}{kind}"


def strikes_of(index: IndexDefinition, expiry: Expiry, close: float) -> tuple[Floats, Floats]:
    """Return the strikes of calls and of puts, each ascending; only far expiries have different ones."""
    market = index.simulation
    if expiry.kind is Kind.QUARTERLY:
        return _far_strikes(index, expiry, close)
    widths = WEEKLY_WIDTHS if expiry.kind is Kind.WEEKLY else MONTHLY_WIDTHS
    width = close * market.near_width * widths[min(expiry.place, len(widths) - 1)]
    near = _multiples(close - width, close + width, market.strike_step)
    if expiry.kind is Kind.MONTHLY:
        near = _with_wings(near, close, WING_REACH * width, market)
    return near, near


def _with_wings(near: Floats, close: float, reach: float, market: Simulation) -> Floats:
    wings = _multiples(close - reach, close + reach, market.wing_step)
    beyond = (wings < near[0] - market.strike_step) | (wings > near[-1] + market.strike_step)
    return np.sort(np.concatenate([wings[beyond], near]))


def _far_strikes(index: IndexDefinition, expiry: Expiry, close: float) -> tuple[Floats, Floats]:
    """Return coarse strikes, and between them a few in the wing's step that only the out-of-the-money side has."""
    market = index.simulation
    coarse = _multiples(close * (1 - FAR_WIDTH), close * (1 + FAR_WIDTH), market.far_step)
    between = np.round((coarse + market.far_step / 2) / market.wing_step) * market.wing_step
    drawn = uniform(derive(text_key(index.name), expiry.day.toordinal(), between.astype(np.int64)))
    extra = between[(drawn < EXTRA_STRIKE_SHARE) & (between % market.far_step != 0)]
    return np.union1d(coarse, extra[extra > close]), np.union1d(coarse, extra[extra <= close])


def _multiples(low: float, high: float, step: float) -> Floats:
    numbers = np.arange(max(1.0, np.ceil(low / step)), np.floor(high / step) + 1, dtype=np.float64)
    return np.round(step * numbers, 2)  # 3 × 0.1 is 0.30000000000000004


def _tokens(number: int, kind: Texts, expiry: Ints, steps: Floats) -> Ints:
    """Return 32-bit numbers, the same every day: index 6 bits, kind 2, expiry 12, strike in steps 12.

    They repeat after 4,096 days or strikes of 4,096 steps, as an exchange's own do.
    """
    side = np.select([kind == CALL, kind == PUT], [1, 2], 0)
    folded = (number % 64) << 2 | side
    folded = folded << 12 | expiry % 4096
    token: Ints = folded << 12 | np.floor(steps + 1e-6).astype(np.int64) % 4096
    return token
