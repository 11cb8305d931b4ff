"""When each exchange trades its derivatives: the session calendar, from a dated table with a horizon.

All instants are aware and IST; windows are half-open, `open <= at < close`. A day that the table does not
cover is refused, never guessed: a calendar past its data would call every weekday a session.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from g6.clock import IST
from g6.errors import ConfigError
from g6.market.timetable import SATURDAY, Hours, SessionRule, Timetable, load_timetable

ONE_DAY = timedelta(days=1)
SETTLING = timedelta(minutes=30)


class OutsideCalendar(ConfigError):
    """A session was asked for on a day that the table does not cover: a person must extend the file."""


@dataclass(frozen=True, slots=True)
class Window:
    """One uninterrupted stretch of trading; open at `open`, no longer at `close`."""

    open: datetime
    close: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.open <= at < self.close


class SessionCalendar:
    """Sessions, holidays and special hours of NSE and BSE derivatives, for the days it knows."""

    def __init__(self, timetable: Timetable) -> None:
        self._table = timetable
        self.known_from = timetable.known_from
        self.known_until = timetable.known_until

    @classmethod
    def load(cls, path: Path, override: Path | None = None) -> "SessionCalendar":
        """Read the table and, on top of it, an override file of the same form. Raises ConfigError."""
        return cls(load_timetable(path, override))

    def windows(self, day: date, exchange: str) -> tuple[Window, ...]:
        """Return the day's windows, ascending; none on a closed day. Raises OutsideCalendar."""
        self._require_known(day)
        return tuple(Window(_at(day, begin), _at(day, end)) for begin, end in self._hours(day, exchange))

    def session_of(self, at: datetime, exchange: str) -> tuple[Window, ...]:
        """Return the windows of the day that `at` falls on. Raises OutsideCalendar."""
        return self.windows(_ist(at).date(), exchange)

    def is_trading_day(self, day: date, exchange: str) -> bool:
        """Return whether there is any session, a Muhurat hour included. Raises OutsideCalendar."""
        return bool(self.windows(day, exchange))

    def is_expiry_day_allowed(self, day: date, exchange: str) -> bool:
        """Return whether contracts may expire on this day: a trading day that is more than a Muhurat hour.

        Outside the table, for far expiries, Monday to Friday count but for the recurring holidays; this
        never raises. (NIFTY's weekly of Tuesday 2025-10-21, a Muhurat day, expired on the 20th.)
        """
        if not self.covers(day):
            return day.weekday() < SATURDAY and (day.month, day.day) not in self._table.recurring_holidays
        special = self._table.exchanges[exchange].special.get(day)
        if special is not None and special.kind == "muhurat":
            return False
        return self.is_trading_day(day, exchange)

    def is_open(self, at: datetime, exchange: str) -> bool:
        """Return whether derivatives trade at this instant. Raises OutsideCalendar."""
        at = _ist(at)
        return any(at in window for window in self.windows(at.date(), exchange))

    def expires_at(self, expiry: date, exchange: str) -> datetime:
        """Return the expiring contract's own close on its expiry day.

        The rule's in force, the nearest known rule's for days outside the table; on a day with hours of its
        own that do not reach it, their end. Never raises: far contracts expire years ahead.
        """
        close = self._rule(expiry, exchange).expiring_close
        special = self._table.exchanges[exchange].special.get(expiry)
        if special is not None and special.windows:
            begin, end = special.windows[-1]
            close = close if begin < close <= end else end
        return _at(expiry, close)

    def spot_frozen(self, at: datetime, exchange: str) -> bool:
        """Return whether a closing auction holds the index still while options trade. Raises OutsideCalendar."""
        at = _ist(at)
        frozen = self._rule(at.date(), exchange).spot_frozen
        return self.is_open(at, exchange) and frozen is not None and frozen[0] <= at.time() < frozen[1]

    def still_seconds(self, at: datetime, exchange: str) -> float:
        """Return for how long shares and indices have not traded on, since the closing auction of the day began.

        0 before it, and on a day whose hours have none: a Muhurat hour. Raises OutsideCalendar.
        """
        at = _ist(at)
        frozen = self._rule(at.date(), exchange).spot_frozen
        if frozen is None or not self.is_open(began := _at(at.date(), frozen[0]), exchange):
            return 0.0
        return max(0.0, (at - began).total_seconds())

    def settling(self, at: datetime, expiry: date, exchange: str) -> bool:
        """Return whether this is the last half hour of the expiry's own trading, when IV is unreliable.

        Options that settle on an average of the index then price that average, not the index.
        """
        close = self.expires_at(expiry, exchange)
        return close - SETTLING <= _ist(at) < close

    def next_open(self, after: datetime, exchange: str) -> datetime:
        """Return the first opening strictly later than `after`. Raises OutsideCalendar past the table."""
        after = _ist(after)
        day = after.date()
        while True:
            for window in self.windows(day, exchange):
                if window.open > after:
                    return window.open
            day += ONE_DAY

    def last_minute(self, before: datetime, exchange: str, interval_seconds: int = 60) -> datetime:
        """Return the latest scheduled instant inside a session, at or before `before`.

        Scheduled instants are multiples of the interval since midnight IST. Raises OutsideCalendar when the
        table has no such session.
        """
        before = _ist(before)
        day = before.date()
        while True:
            for window in reversed(self.windows(day, exchange)):
                last = _floor(min(before, window.close - timedelta(microseconds=1)), interval_seconds)
                if last >= window.open:
                    return last
            day -= ONE_DAY

    def previous_trading_day(self, day: date, exchange: str) -> date:
        """Return the latest trading day strictly before `day`. Raises OutsideCalendar."""
        day -= ONE_DAY
        while not self.is_trading_day(day, exchange):
            day -= ONE_DAY
        return day

    def trading_days_before(self, day: date, exchange: str, count: int) -> tuple[date, ...]:
        """Return the last `count` trading days before `day`, ascending; fewer where the table begins later.

        Raises OutsideCalendar where the table does not cover the day before.
        """
        self._require_known(day - ONE_DAY)
        found: list[date] = []
        while len(found) < count and self.covers(day := day - ONE_DAY):
            if self.is_trading_day(day, exchange):
                found.append(day)
        return tuple(reversed(found))

    def covers(self, day: date) -> bool:
        """Return whether the table speaks of this day."""
        return self.known_from <= day <= self.known_until

    def _hours(self, day: date, exchange: str) -> tuple[Hours, ...]:
        rows = self._table.exchanges[exchange]
        special = rows.special.get(day)
        if special is not None:
            return special.windows
        if day in rows.holidays or day.weekday() >= SATURDAY:
            return ()
        rule = self._rule(day, exchange)
        return ((rule.open, rule.close),)

    def _rule(self, day: date, exchange: str) -> SessionRule:
        rules = self._table.exchanges[exchange].rules
        return next((rule for rule in reversed(rules) if rule.from_day <= day), rules[0])

    def _require_known(self, day: date) -> None:
        if not self.covers(day):
            raise OutsideCalendar(
                f"{day} is outside the session calendar, which covers {self.known_from} to {self.known_until}:"
                f" extend {self._table.path}"
            )


def _at(day: date, clock_time: time) -> datetime:
    return datetime.combine(day, clock_time, IST)


def _ist(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone; instants are aware")
    return at.astimezone(IST)


def _floor(at: datetime, interval_seconds: int) -> datetime:
    midnight = _at(at.date(), time())
    return at - (at - midnight) % timedelta(seconds=interval_seconds)
