"""The trading days that the calendar knows, and each index's walk over them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from g6.market.indices import IndexDefinition
from g6.market.sessions import SessionCalendar, Window
from g6.simulator.grid import FULL_SESSION_SECONDS, seconds_of
from g6.simulator.walk import DailyWalk, DayEnds

ONE_DAY = timedelta(days=1)
# The close before the calendar's first day, of which nothing else is known: 15:30 on the eve.
FIRST_EVE_SECONDS = -8.5 * 3600


class ExchangeHistory:
    """One exchange's days, from the first that the calendar covers to the last."""

    def __init__(
        self, exchange: str, seed: int, indices: Mapping[str, IndexDefinition], calendar: SessionCalendar
    ) -> None:
        self.exchange = exchange
        self.indices = tuple(index for index in indices.values() if index.exchange == exchange)
        self._windows = _all_windows(calendar, exchange)
        self._days = tuple(self._windows)
        self._place = {day: place for place, day in enumerate(self._days)}
        ordinals = np.array([day.toordinal() for day in self._days], np.int64)
        open_share = np.array([_open_share(windows) for windows in self._windows.values()])
        self._walks = {i.name: DailyWalk(seed, i, ordinals, open_share) for i in self.indices}

    @property
    def days(self) -> Sequence[date]:
        """Return the trading days, ascending."""
        return self._days

    def windows(self, day: date) -> Sequence[Window]:
        """Return a trading day's windows."""
        return self._windows[day]

    def ends(self, day: date) -> Mapping[str, DayEnds]:
        """Return where each index began and ended a trading day, in the order of `indices`."""
        return {name: walk.ends(day.toordinal()) for name, walk in self._walks.items()}

    def days_since(self, day: date) -> int:
        """Return how many calendar days lie between a trading day and the one before it."""
        place = self._place[day]
        return (day - self._days[place - 1]).days if place else 1

    def before(self, day: date) -> float:
        """Return when the session before ended, in seconds from the day's midnight: negative."""
        place = self._place[day]
        return seconds_of(self._windows[self._days[place - 1]][-1].close, day) if place else FIRST_EVE_SECONDS


def _all_windows(calendar: SessionCalendar, exchange: str) -> dict[date, Sequence[Window]]:
    count = (calendar.known_until - calendar.known_from).days + 1
    days = (calendar.known_from + place * ONE_DAY for place in range(count))
    return {day: windows for day in days if (windows := calendar.windows(day, exchange))}


def _open_share(windows: Sequence[Window]) -> float:
    return min(1.0, sum((w.close - w.open).total_seconds() for w in windows) / FULL_SESSION_SECONDS)
