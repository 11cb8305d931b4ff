"""The exchange's files by themselves, in the evening: never while the market is open, and never in a hurry.

NSE publishes a day's files some three hours after the close. From then on what is missing of the last trading days is
asked for every half hour, a few times at most, until it is there. A machine that the exchange does not serve is told
so once and asks no more before the next evening.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import takewhile

from g6.clock import IST, Clock
from g6.errors import G6Error
from g6.market.sessions import OutsideCalendar, SessionCalendar
from g6.participants.days import KINDS
from g6.participants.site import NseSite
from g6.participants.store import ParticipantStore
from g6.participants.taking import Ask, Report, fetch, has

log = logging.getLogger(__name__)

PUBLISHED = time(18, 30)
PAUSE = timedelta(minutes=30)
ATTEMPTS = 6
LOOK_SECONDS = 60.0
DAYS = 3
EXCHANGE = "NSE"


def last_published(calendar: SessionCalendar, now: datetime) -> date:
    """Return the last trading day whose files should be there by now. Raises OutsideCalendar."""
    local = now.astimezone(IST)
    if calendar.is_trading_day(local.date(), EXCHANGE) and local.time() >= PUBLISHED:
        return local.date()
    return calendar.previous_trading_day(local.date(), EXCHANGE)


class Evening:
    """Keeps the store up to date; `run` is the body of a supervised part. Errors are logged, never raised."""

    def __init__(
        self,
        site: NseSite,
        store: ParticipantStore,
        calendar: SessionCalendar,
        clock: Clock,
        on_report: Callable[[Report], None] = lambda _report: None,
    ) -> None:
        self._site, self._store, self._calendar, self._clock = site, store, calendar, clock
        self._on_report = on_report
        self._attempts: Counter[Ask] = Counter()
        self._not_before: datetime | None = None

    def run(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        """Look once a minute until told to stop."""
        while not stop.is_set():
            self.look(stop.is_set, beat)
            beat()
            stop.wait(LOOK_SECONDS)

    def look(
        self, stopping: Callable[[], bool] = lambda: False, beat: Callable[[], None] = lambda: None
    ) -> Report | None:
        """Fetch what is due now; None when nothing is. Between two files it may be told to stop, or the market open."""
        now = self._clock.now()
        if self._not_before is not None and now < self._not_before:
            return None
        try:
            asks = self.due(now)
            if not asks:
                self._not_before = now + PAUSE
                return None
            allowed = takewhile(lambda _ask: not stopping() and not self._is_open(), asks)
            report = fetch(allowed, self._site, self._store, on_outcome=lambda _outcome: beat())
            self._attempts.update(asks)
        except G6Error as error:
            log.warning("participants: %s", error)
            self._not_before = now + PAUSE
            return None
        self._not_before = self._next_evening(now) if report.barred else now + PAUSE
        log.log(logging.INFO if report.complete else logging.WARNING, "participants: %s", report)
        self._on_report(report)
        return report

    def due(self, now: datetime) -> tuple[Ask, ...]:
        """Return what is to be asked for at an instant, newest day first: nothing while the market is open."""
        try:
            if self._calendar.is_open(now, EXCHANGE):
                return ()
            day = last_published(self._calendar, now)
            days = [day]
            while len(days) < DAYS:
                days.append(self._calendar.previous_trading_day(days[-1], EXCHANGE))
        except OutsideCalendar as error:
            log.warning("participants: nothing is fetched: %s", error)
            return ()
        asks = [Ask(kind, one) for one in days for kind in KINDS] + [Ask("cash", day)]
        return tuple(ask for ask in asks if self._attempts[ask] < ATTEMPTS and not has(self._store, ask))

    def _is_open(self) -> bool:
        return self._calendar.is_open(self._clock.now(), EXCHANGE)

    def _next_evening(self, now: datetime) -> datetime:
        evening = datetime.combine(now.astimezone(IST).date(), PUBLISHED, IST)
        return evening if evening > now else evening + timedelta(days=1)
