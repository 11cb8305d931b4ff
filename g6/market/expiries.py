"""Which expiry each code (`this_week` … `next_month`) means, resolved from the contracts that are listed.

The rules, in order:

1. Expiries that have closed at the asked instant are dropped; an expiry day's own contracts stay until their
   own close                                                                          → `_still_open`
2. The monthly set is the futures' expiries, since futures are listed for months only (BSE's weekly futures
   ended in July 2025; an expiry whose options carry a weekly symbol is not taken)     → `_monthlies`
3. Months directly after the last future, whose options carry a monthly symbol (`NIFTY26NOV…`, against
   `NIFTY26N17…`), join it. A month that would leave a gap is a quarterly and does not  → `_months_without_gap`
4. this_month and next_month are the first two of that set                               → `resolve`
5. this_week and next_week are the nearest two of weeklies and monthlies together, by order and not by
   calendar week, and exist only where a weekly is listed                              → `_weeklies`

Never by weekday, nor by "the last expiry of the calendar month": holidays move contracts, and NIFTY's weekly
of Thursday 2025-05-01 expired on 2025-04-30, after April's monthly of the 24th.

Where no future is listed at all, only the symbols can tell months from weeks, beginning with the month of the
asked instant or, in its last days, the one after it. Where the symbols are of another form too, nothing is
known to be monthly or weekly and no code exists.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

import numpy as np

from g6.clock import IST
from g6.market.sessions import SessionCalendar
from g6.model.chain import EXPIRY_CODES
from g6.model.contracts import FUTURE, ContractTable

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKLY_MONTHS = "123456789OND"
LATEST_DAYS_OF_MONTH = timedelta(days=10)  # the last of a weekday, and a long weekend before it


@dataclass(frozen=True, slots=True)
class ExpiryCodes:
    """One index's answer: code → expiry, and why. A code that does not exist is absent from `dates`."""

    dates: Mapping[str, date]
    monthly: tuple[date, ...]  # open monthly expiries, ascending
    reasons: Mapping[str, str]  # every code, present or absent → a short sentence

    def codes_of(self, expiry: date) -> tuple[str, ...]:
        """Return the codes that mean this expiry, nearest first; none for an expiry without a code."""
        return tuple(code for code, day in self.dates.items() if day == expiry)


def resolve(contracts: ContractTable, at: datetime, calendar: SessionCalendar, exchange: str) -> ExpiryCodes:
    """Return the expiry codes of one index at one instant (aware).

    `contracts` are that index's rows, options and futures; `exchange` is the index's own, NSE or BSE. An
    index with no rows has no codes. Never raises for dates beyond the calendar: far contracts are listed.
    """
    futures = _still_open(contracts.future_expiries(), at, calendar, exchange)
    options = _still_open(contracts.option_expiries(), at, calendar, exchange)
    forms = _SymbolForms.of(contracts)
    months = _monthlies(contracts.future_expiries(), options, forms, at)
    monthly = tuple(day for day in months if day in futures or day in options)
    weekly = _weeklies(options, monthly, forms)
    ordinal = sorted({*weekly, *(day for day in options if day in monthly)}) if weekly else []
    found = zip(EXPIRY_CODES, (*_first_two(ordinal), *_first_two(monthly)), strict=True)
    dates = {code: day for code, day in found if day is not None}
    reasons = {code: _reason(code, dates, futures, has_weekly=bool(weekly)) for code in EXPIRY_CODES}
    return ExpiryCodes(MappingProxyType(dates), monthly, MappingProxyType(reasons))


@dataclass(frozen=True, slots=True)
class _SymbolForms:
    """The expiries whose options are named by month, and those whose options are named by day."""

    monthly: frozenset[date]
    weekly: frozenset[date]

    @classmethod
    def of(cls, contracts: ContractTable) -> "_SymbolForms":
        """Look at one option per expiry; the underlying's exact name keeps SENSEX50 apart from SENSEX."""
        options = contracts.take(contracts.kind != FUTURE)
        days, rows = np.unique(options.expiry, return_index=True)
        named = list(zip(days.tolist(), options.index[rows], options.symbol[rows], strict=True))
        return cls(
            frozenset(day for day, name, symbol in named if symbol.startswith(f"{name}{_by_month(day)}")),
            frozenset(day for day, name, symbol in named if symbol.startswith(f"{name}{_by_day(day)}")),
        )


def _by_month(expiry: date) -> str:
    return f"{expiry:%y}{MONTHS[expiry.month - 1]}"


def _by_day(expiry: date) -> str:
    return f"{expiry:%y}{WEEKLY_MONTHS[expiry.month - 1]}{expiry:%d}"


def _still_open(expiries: Iterable[date], at: datetime, calendar: SessionCalendar, exchange: str) -> tuple[date, ...]:
    return tuple(day for day in expiries if at < calendar.expires_at(day, exchange))


def _monthlies(futures: Sequence[date], options: Sequence[date], forms: _SymbolForms, at: datetime) -> tuple[date, ...]:
    """Return the monthly expiries among `futures` (closed ones too), then those that symbols add."""
    listed = [day for day in futures if day not in forms.weekly]
    named = [day for day in options if day in forms.monthly and (not listed or day > listed[-1])]
    following = _month_number(listed[-1]) + 1 if listed else _first_month(named, at.astimezone(IST).date())
    return (*listed, *_months_without_gap(named, following))


def _first_month(named: Sequence[date], today: date) -> int:
    """Return the month that the first monthly may be of, where no future says so: this one or the next.

    The next one only when this month's may have expired, which it does in the month's last ten days.
    """
    this_month = _month_number(today)
    gone = _month_number(today + LATEST_DAYS_OF_MONTH) > this_month
    return this_month + 1 if gone and this_month not in map(_month_number, named) else this_month


def _months_without_gap(named: Iterable[date], month: int) -> list[date]:
    """Return the expiries of `month` and of those right behind it; a gap ends them, quarterlies lie behind one."""
    found: list[date] = []
    for day in named:
        if _month_number(day) == month + len(found):
            found.append(day)
    return found


def _month_number(day: date) -> int:
    return 12 * day.year + day.month


def _weeklies(options: Iterable[date], monthly: Sequence[date], forms: _SymbolForms) -> list[date]:
    """Return option expiries that are neither monthly nor a quarterly beyond the months.

    The symbol says so, or, where its form is another, an expiry between today and the last monthly.
    """
    unnamed_before = monthly[-1] if monthly else date.min
    return [
        day
        for day in options
        if day not in monthly and (day in forms.weekly or (day not in forms.monthly and day < unnamed_before))
    ]


def _first_two(days: Sequence[date]) -> tuple[date | None, date | None]:
    return (days[0] if days else None, days[1] if len(days) > 1 else None)


def _reason(code: str, dates: Mapping[str, date], futures: Sequence[date], *, has_weekly: bool) -> str:
    ordinal = "nearest" if code.startswith("this") else "second nearest"
    if code.endswith("week"):
        if not has_weekly:
            return "no weekly expiry is listed"
        return f"{ordinal} open expiry" if code in dates else "only one expiry is open"
    if code in dates:
        source = "a future expires on it" if dates[code] in futures else "its symbols are named by month"
        return f"{ordinal} open monthly expiry: {source}"
    return "no monthly expiry is open" if code == "this_month" else "no second monthly expiry is listed"
