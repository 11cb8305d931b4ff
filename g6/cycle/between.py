"""What the loop does between the minutes: it waits for the next one, and while there is time closes days and probes."""

import logging
import threading
from datetime import date, datetime, timedelta

from g6.cycle.agenda import Agenda
from g6.cycle.delivery import Delivery
from g6.health.service import ServiceNotifier
from g6.wiring import Parts

log = logging.getLogger(__name__)

# No day is closed so shortly before a minute; one takes some twenty seconds.
CLOSING_MARGIN = timedelta(minutes=5)
# Time enough for a person to log in.
PROBE_BEFORE_OPEN = timedelta(minutes=30)


class Between:
    """For the loop's own thread. `stop` ends every wait."""

    def __init__(
        self, parts: Parts, delivery: Delivery, agenda: Agenda, service: ServiceNotifier, stop: threading.Event
    ) -> None:
        self._parts, self._delivery, self._agenda = parts, delivery, agenda
        self._service, self._stop = service, stop

    def wait(self, due: datetime) -> tuple[datetime | None, int]:
        """Sleep until a minute is due; return it, and how many are missed by that; None when told to stop.

        It is another one where the clock was set meanwhile, or the machine slept.
        """
        missed = 0
        while True:
            held = self._agenda.look(due).held
            self._before(due, held=held)
            if not self._sleep_until(due, due, held=held) or self._stop.is_set():
                return None, missed
            look = self._agenda.look(due)
            if look.due is None:
                return None, missed
            if look.due != due:
                log.warning("the clock was set, or the machine slept: the next minute is %s", f"{look.due:%d %b %H:%M}")
            due, missed = look.due, missed + look.missed
            if due <= self._parts.clock.now():
                return due, missed

    def _before(self, due: datetime, *, held: bool) -> None:
        """Tell what is waited for, and do what there is time for."""
        parts = self._parts
        now = parts.clock.now()
        closed = parts.schedule.is_pause(now, due)
        if closed:
            log.info("closed; the next minute is %s", f"{due:%a %d %b %Y %H:%M}")
        parts.observation.waiting(due, now, closed=closed, held=held)
        if self._delivery.day is not None and due.date() > self._delivery.day:
            self.close_day(self._delivery.day)
        if closed:
            self._close_overdue(due)
            self._service.waiting(f"closed; the next minute is {due:%a %d %b %Y %H:%M}")
        probe_at = due - PROBE_BEFORE_OPEN
        if closed and now < probe_at and self._sleep_until(probe_at, due, held=held):
            self.probe()

    def _sleep_until(self, instant: datetime, due: datetime, *, held: bool) -> bool:
        """Wait, giving the service manager signs of life, as long as what is due stays so; False when told to stop."""

        def is_over() -> bool:
            look = self._agenda.look(due)
            return (look.due, look.held) != (due, held)

        return self._service.wait_until(self._parts.clock, instant, self._stop, is_over)

    def close_day(self, day: date) -> None:
        """Do what is done with a day that is over: once, when the loop comes to a later one or ends behind it."""
        self._delivery.checkpoint()
        self._delivery.day = None
        self._closed(day)

    def _close_overdue(self, due: datetime) -> None:
        """Close the days that a crash or a stop left behind, as long as the pause before `due` lasts."""
        for day in self._parts.closing.overdue(due.date()):
            if self._stop.is_set() or due - self._parts.clock.now() < CLOSING_MARGIN:
                return
            self._closed(day)

    def _closed(self, day: date) -> None:
        # A large day takes longer than a service manager's patience: each minute of it is a sign of life.
        self._parts.observation.closed(self._parts.closing.run(day, self._stop.is_set, self._service.alive))

    def probe(self) -> None:
        """Find out before it matters whether a person must log in."""
        self._parts.deadline.restart()
        self._parts.observation.probed(self._parts.provider.probe())
