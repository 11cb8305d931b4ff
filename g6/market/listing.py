"""Which contracts an exchange lists on a day, by its dated weekday rules.

For the simulator, and for recorded sources that name expiries without futures. Expiry codes of a live dump
never come from here: they are resolved from the dump itself (`g6.market.expiries`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from g6.errors import ConfigError
from g6.market.indices import IndexDefinition, Weekday
from g6.market.sessions import SessionCalendar

ONE_DAY = timedelta(days=1)
SATURDAY = 5
QUARTER_MONTHS = (3, 6, 9, 12)
HALF_YEAR_MONTHS = (6, 12)


@dataclass(frozen=True, slots=True)
class ListedExpiries:
    """Expiry days by kind, each ascending; no day is in two of them.

    `quarterly` holds everything beyond the monthlies, half-yearly expiries too.
    """

    weekly: tuple[date, ...]
    monthly: tuple[date, ...]
    quarterly: tuple[date, ...]

    @property
    def all(self) -> tuple[date, ...]:
        """Return every listed expiry, ascending."""
        return tuple(sorted({*self.weekly, *self.monthly, *self.quarterly}))


def listed_expiries(index: IndexDefinition, day: date, calendar: SessionCalendar) -> ListedExpiries:
    """Return the expiries on or after `day` that are listed on it; today's own expiry is still among them.

    The counts are the definition's: so many weeklies beside the monthlies, so many consecutive monthlies,
    then quarterlies, then half-yearlies, as NSE's contract specification words it.
    """
    counts = index.simulation
    upcoming = _months(index, day, calendar)
    monthly = [expiry for _, expiry in (next(upcoming) for _ in range(counts.monthlies))]
    quarterly: list[date] = []
    for months, count in ((QUARTER_MONTHS, counts.quarterlies), (HALF_YEAR_MONTHS, counts.half_yearlies)):
        wanted = len(quarterly) + count
        while len(quarterly) < wanted:
            month, expiry = next(upcoming)
            if month in months:
                quarterly.append(expiry)
    return ListedExpiries(_weeklies(index, day, calendar), tuple(monthly), tuple(quarterly))


def lot_on(index: IndexDefinition, expiry: date) -> int:
    """Return the units per lot of contracts with this expiry. Raises ConfigError before the table begins."""
    for size in reversed(index.lot_sizes):
        if size.expiries_from <= expiry:
            return size.lot
    first = index.lot_sizes[0].expiries_from
    raise ConfigError(f"{index.name}: no lot size for expiry {expiry}, the table begins at {first}: extend lot_sizes")


def monthly_expiry(index: IndexDefinition, year: int, month: int, calendar: SessionCalendar) -> date:
    """Return the month's expiry: its last such weekday, or the trading day before when that one is closed."""
    last = date(year + month // 12, month % 12 + 1, 1) - ONE_DAY
    natural = last - timedelta(days=(last.weekday() - index.rule_on(last).monthly) % 7)
    return move_to_trading_day(natural, index.exchange, calendar)


def move_to_trading_day(natural: date, exchange: str, calendar: SessionCalendar) -> date:
    """Return `natural`, or the nearest day before it on which contracts may expire."""
    while not calendar.is_expiry_day_allowed(natural, exchange):
        natural -= ONE_DAY
    return natural


def _months(index: IndexDefinition, day: date, calendar: SessionCalendar) -> Iterator[tuple[int, date]]:
    year, month = day.year, day.month
    while True:
        expiry = monthly_expiry(index, year, month, calendar)
        if expiry >= day:
            yield month, expiry
        year, month = year + month // 12, month % 12 + 1


def _weeklies(index: IndexDefinition, day: date, calendar: SessionCalendar) -> tuple[date, ...]:
    """Return the weeklies: expiry weekdays that are not the month's own, moved off closed days."""
    found: list[date] = []
    natural = day
    # A natural day may lie days before its month's listing or be moved before `day`; a year is far enough.
    for _ in range(366):
        if len(found) == index.simulation.weeklies:
            break
        if _is_weekly(natural, index.rule_on(natural).weekly, index):
            expiry = move_to_trading_day(natural, index.exchange, calendar)
            if expiry >= day and expiry not in found:
                found.append(expiry)
        natural += ONE_DAY
    return tuple(found)


def _is_weekly(natural: date, weekly: Weekday | None, index: IndexDefinition) -> bool:
    if weekly is None or natural.weekday() != weekly:
        return False
    is_last = (natural + timedelta(days=7)).month != natural.month
    return not (is_last and index.rule_on(natural).monthly == weekly)
