"""What the minute in hand is compared with, ready when it asks. Nothing of it can cost a minute."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from g6.background.daily_series import KEPT_DAYS, Daily, read_daily
from g6.background.day_so_far import SERIES, DaySoFar, minute_of_day
from g6.background.previous_day import PreviousDay
from g6.background.recorded import minutes_of
from g6.errors import ConfigError, SinkError
from g6.market.sessions import SessionCalendar
from g6.model.background import NAN, Background, IndexView
from g6.model.chain import NO_AGGREGATES, OptionChain
from g6.model.snapshot import Snapshot

log = logging.getLogger(__name__)


class Follower(Protocol):
    """Who else keeps the day in hand: told of a new day, of its minutes that are recorded already, and of each new."""

    def begin(self, day: date) -> None:
        """Turn to a day."""
        ...

    def remember(self, snapshot: Snapshot) -> None:
        """Add a minute that was stored."""
        ...


class Recollection:
    """Follows the days. `exchanges` says where each index is traded; `followers` are told what it is told.

    `begin` and `remember` are the loop's; `annotate` and `view` change nothing and may be called from its worker.
    """

    def __init__(
        self,
        root: Path,
        calendar: SessionCalendar,
        exchanges: Mapping[str, str],
        followers: Sequence[Follower] = (),
    ) -> None:
        self._root, self._calendar, self._exchanges = root, calendar, exchanges
        self._followers = followers
        self._day: date | None = None
        self._minute: datetime | None = None
        self._previous = PreviousDay()
        self._so_far = DaySoFar({})
        self._daily: dict[str, Daily] = {}
        self._remembered: dict[datetime, int] = {}  # of the day: minute → its chains

    def begin(self, minute: datetime) -> None:
        """Turn to a minute; on a new day read how the one before ended, and what was recorded of this one already."""
        self._minute, day = minute, minute.date()
        if day == self._day:
            return
        self._day, self._previous, self._daily, self._remembered = day, PreviousDay(), {}, {}
        self._so_far = DaySoFar({name: at for name in self._exchanges if (at := self._session(name, day, 0))})
        for follower in self._followers:
            follower.begin(day)
        try:
            self._previous = self._ended_before(day)
            self._daily = {name: self._days_before(day, name) for name in self._exchanges}
            for snapshot in minutes_of(self._root, day):
                self.remember(snapshot)
        except (SinkError, ConfigError, OSError) as error:
            log.warning("what was before %s is not known in full: %s", day, error)

    def annotate(self, chain: OptionChain) -> OptionChain:
        """Return the chain with what it is compared with."""
        opening = self._so_far.opening(chain.index, chain.expiry, self._minute) if self._minute else NO_AGGREGATES
        return replace(self._previous.annotate(chain), opening=opening)

    def view(
        self, index: str, spot: float, chains: Sequence[OptionChain], *, spot_frozen: bool, vix: float = NAN
    ) -> IndexView:
        """Return an index as its measures see it."""
        ordered = tuple(sorted(chains, key=lambda chain: chain.expiry))
        now = minute_of_day(self._minute) if self._minute else NAN
        return IndexView(index, spot, spot_frozen, ordered, self._background(index), vix, now)

    def remember(self, snapshot: Snapshot) -> None:
        """Add the minute that was stored; of two ticks of it, as in the journal, never the one with fewer chains."""
        chains = len(snapshot.chains)
        if chains < self._remembered.get(snapshot.minute, 0):
            return
        self._remembered[snapshot.minute] = chains
        self._so_far.remember(snapshot)
        for follower in self._followers:
            follower.remember(snapshot)

    def _background(self, index: str) -> Background:
        when, frozen, spot, iv, vix = (self._so_far.series(index, name, self._minute) for name in SERIES)
        found = Background(minute_of_day=when, minute_frozen=frozen, minute_spot=spot, minute_iv=iv, minute_vix=vix)
        daily = self._daily.get(index)
        return found if daily is None else replace(found, daily_close=daily.close, daily_iv=daily.iv)

    def _ended_before(self, day: date) -> PreviousDay:
        """Return the end of each index's own trading day before; exchanges may differ in theirs."""
        before: dict[date, dict[str, datetime]] = {}
        for name, exchange in self._exchanges.items():
            previous = self._calendar.previous_trading_day(day, exchange)
            closed = self._session(name, previous, -1)
            if closed is not None:
                before.setdefault(previous, {})[name] = closed
        found = [PreviousDay.read(self._root, previous, closes) for previous, closes in before.items()]
        chains = {key: chain for of in found for key, chain in of.chains.items()}
        return PreviousDay(chains)

    def _days_before(self, day: date, index: str) -> Daily:
        """Return the series of an index on the trading days before, as far as the calendar knows them."""
        return read_daily(self._root, index, self._calendar.trading_days_before(day, self._exchanges[index], KEPT_DAYS))

    def _session(self, index: str, day: date, place: int) -> datetime | None:
        """Return when the first (0) window of an index's day opens, or the last (-1) closes; None on a day off."""
        windows = self._calendar.windows(day, self._exchanges[index])
        if not windows:
            return None
        return windows[0].open if place == 0 else windows[-1].close
