"""When a cycle is due: every interval of a session on the wall clock, or the instants of a recording."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from g6.clock import IST
from g6.market.sessions import SessionCalendar


class Schedule(Protocol):
    """Gives the due instants, one after the other. None means that there will be no more."""

    def first(self, now: datetime) -> datetime | None:
        """Return the first instant to run: the interval that `now` lies in, or the next."""
        ...

    def following(self, done: datetime, now: datetime) -> tuple[datetime | None, int]:
        """Return the instant to run after `done`, and how many were missed because `now` is past them."""
        ...

    def catch_up(self, due: datetime, now: datetime) -> tuple[datetime | None, int]:
        """Return the instant to run now that this one is due: itself, or a later one, and how many were missed."""
        ...

    def includes(self, exchange: str, due: datetime) -> bool:
        """Return whether this exchange's indices are to be collected at a due instant."""
        ...

    def is_pause(self, now: datetime, due: datetime) -> bool:
        """Return whether the market is, or will be, closed between now and the due instant."""
        ...


class SessionSchedule:
    """Instants aligned to `interval_seconds` from midnight IST at which one of the exchanges is open."""

    def __init__(self, calendar: SessionCalendar, exchanges: Sequence[str], interval_seconds: int) -> None:
        self._calendar = calendar
        self._exchanges = tuple(dict.fromkeys(exchanges))
        self._interval = timedelta(seconds=interval_seconds)

    def first(self, now: datetime) -> datetime | None:
        """Return the interval that `now` lies in if the market is open, else the next open one."""
        current = self.floor(now)
        return current if self._is_open(current) else self._next(current)

    def following(self, done: datetime, now: datetime) -> tuple[datetime, int]:
        """Return the next instant. After an overrun that is the interval `now` lies in, so that it is kept."""
        return self.catch_up(self._next(done), now)

    def catch_up(self, due: datetime, now: datetime) -> tuple[datetime, int]:
        """Return the instant itself; where its interval is over, that of `now` or the next open one."""
        current, missed = self.floor(now), 0
        while due < current:
            missed, due = missed + 1, self._next(due)
        return due, missed

    def includes(self, exchange: str, due: datetime) -> bool:
        """Return whether this exchange is open at a due instant."""
        return self._calendar.is_open(due, exchange)

    def is_pause(self, now: datetime, due: datetime) -> bool:
        """Return whether an interval before the due instant has every exchange closed."""
        return due - self._interval > now and not self._is_open(due - self._interval)

    def floor(self, instant: datetime) -> datetime:
        """Return the latest aligned instant at or before this one."""
        local = instant.astimezone(IST)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + (local - midnight) // self._interval * self._interval

    def _is_open(self, instant: datetime) -> bool:
        return any(self._calendar.is_open(instant, exchange) for exchange in self._exchanges)

    def _next(self, instant: datetime) -> datetime:
        due = self.floor(instant) + self._interval
        while not self._is_open(due):
            opens = min(self._calendar.next_open(due, exchange) for exchange in self._exchanges)
            due = self.floor(opens)
            if due < opens:
                due += self._interval
        return due


class RecordedSchedule:
    """The instants of a recording, each once, however far apart. No minute of it is ever late."""

    def __init__(self, instants: Sequence[datetime]) -> None:
        self._instants = sorted(instants)

    def first(self, now: datetime) -> datetime | None:
        """Return the first recorded instant at or after `now`."""
        return next((instant for instant in self._instants if instant >= now), None)

    def following(self, done: datetime, now: datetime) -> tuple[datetime | None, int]:  # noqa: ARG002  (Schedule's)
        """Return the recorded instant after `done`."""
        position = bisect_right(self._instants, done)
        return (self._instants[position], 0) if position < len(self._instants) else (None, 0)

    def catch_up(self, due: datetime, now: datetime) -> tuple[datetime, int]:  # noqa: ARG002  (Schedule's)
        """Return the instant itself."""
        return due, 0

    def includes(self, exchange: str, due: datetime) -> bool:  # noqa: ARG002  (Schedule's)
        """Return True: what was recorded is collected, session table or not."""
        return True

    def is_pause(self, now: datetime, due: datetime) -> bool:  # noqa: ARG002  (Schedule's)
        """Return False: a recording has no hours."""
        return False


class ChosenSchedule(RecordedSchedule):
    """Chosen minutes of past sessions: each once, for the exchanges that were open then."""

    def __init__(self, instants: Sequence[datetime], calendar: SessionCalendar) -> None:
        super().__init__(instants)
        self._calendar = calendar

    def includes(self, exchange: str, due: datetime) -> bool:
        """Return whether this exchange was open at a due instant."""
        return self._calendar.is_open(due, exchange)
