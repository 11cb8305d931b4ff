"""What a day should hold: the minutes that were due, by the calendar, for the indices that were asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from g6.market.schedule import SessionSchedule
from g6.market.sessions import SessionCalendar

USUAL_EXCHANGE = "NSE"  # of an index that is defined no more
ONE_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """The calendar, the exchange of each index, and how often was collected.

    What was asked for is what the journal's minutes say, wherever they were recorded by which settings; `indices` are
    those that must be there beside them.
    """

    calendar: SessionCalendar
    exchanges: Mapping[str, str]
    interval_seconds: int = 60
    indices: tuple[str, ...] = ()

    def due(self, day: date, index: str, until: datetime | None) -> tuple[datetime, ...]:
        """Return an index's minutes of a day, IST, ascending, those after `until` left out; OutsideCalendar."""
        exchange = self.exchanges.get(index, USUAL_EXCHANGE)
        minutes: dict[datetime, None] = {}
        for window in self.calendar.windows(day, exchange):
            schedule = SessionSchedule(self.calendar, (exchange,), self.interval_seconds)
            due = schedule.floor(window.open)
            while due < window.close:
                if due >= window.open and (until is None or due <= until):
                    minutes[due.replace(second=0)] = None
                due += timedelta(seconds=self.interval_seconds)
        return tuple(minutes)


def last_due(day: date, facts: MarketFacts, now: datetime | None) -> datetime | None:
    """Return the last minute that can be there while a session of the day still runs; None when the day is over.

    A minute needs its own time: the one that `now` lies in, and the one before, may still be on their way.
    """
    closes = [w.close for exchange in ("NSE", "BSE") for w in facts.calendar.windows(day, exchange)]
    if now is None or now.date() != day or not closes or now >= max(closes) + ONE_MINUTE:
        return None
    return now.replace(second=0, microsecond=0) - 2 * ONE_MINUTE
