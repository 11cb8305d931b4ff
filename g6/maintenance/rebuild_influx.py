"""The database made again from the journals: every point of some days sent once more, by the store's own delivery.

1. one feed per day, from its journal's first row to its last            `DayFeed`
2. requests, retries, breaker and dead letters of the store             `g6.storage.influx_delivery`
3. a day is done when its last acknowledgement is confirmed: it was there long enough to be on the server's disk

A point is its measurement, tags and minute, so what is sent again replaces what is there and nothing is there twice.
The journals are only read: no cursor moves, and the place that the collector remembers stays what it is. What no
journal keeps, how the recording itself went (`monitor_status`, `broker_health`, `influx_write_stats`), is not made
again.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

from g6.clock import Clock, SystemClock
from g6.errors import AuthError, G6Error, SinkError
from g6.maintenance.rebuild import Outcome, Rebuilt, Task
from g6.model.columns import Aggregate
from g6.storage.data_directory import JOURNAL
from g6.storage.influx_carrier import Carrier
from g6.storage.influx_delivery import Delivery, Writer
from g6.storage.influx_feed import Cycle, Feed, Masters
from g6.storage.influx_ledger import Ledger
from g6.storage.influx_lines import lines
from g6.storage.influx_writer import InfluxOptions, InfluxWriter
from g6.storage.journal import SUFFIX, Journal

log = logging.getLogger(__name__)

GIVE_UP_SECONDS = 120.0  # without an answer; a database that is started anew is waited for
LOOK_SECONDS = 1.0  # between two looks at how far it is
SYSTEM_CLOCK = SystemClock()


class InfluxDays:
    """Sends days, ascending, through one connection: the runner of a rebuild's tasks.

    `masters_of` gives, for a data directory, what says of a minute what it did to the weekday masters, or None. `note`
    is told in a few words how far it is. With `discard` minutes that the journal cannot supply are given up. `writer`
    is for those who bring one of their own.
    """

    def __init__(
        self,
        options: InfluxOptions,
        aggregates: Sequence[Aggregate],
        masters_of: Callable[[Path], Masters | None] = lambda _root: None,
        *,
        note: Callable[[str], None] = lambda _text: None,
        discard: bool = False,
        clock: Clock = SYSTEM_CLOCK,
        writer: Writer | None = None,
    ) -> None:
        self._options, self._aggregates, self._masters_of = options, aggregates, masters_of
        self._note, self._discard, self._clock, self._writer = note, discard, clock, writer

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Send the days of tasks, which are of one data directory, and yield how it went, day by day."""
        if not tasks:
            return
        masters = self._masters_of(tasks[0].root)
        feeds: dict[Task, DayFeed] = {}
        for task in tasks:
            try:
                feeds[task] = DayFeed(task, self._aggregates, masters, self._clock)
            except G6Error as error:
                yield _failed(task, str(error))
        writer, carrier = self._writer or InfluxWriter(self._options), Carrier("influx rebuild")
        delivery = Delivery(writer, Ledger(tasks[0].root), self._options, self._clock, carrier)
        for feed in reversed(feeds.values()):  # the one added last comes first
            delivery.add(feed)
        try:
            yield from self._delivered(delivery, feeds)
        finally:
            for feed in feeds.values():
                feed.restart()
            carrier.close()
            writer.close()

    def day(self, root: Path, day: date) -> Rebuilt:
        """Send one day alone. SinkError when not all of it is safe in the database."""
        (outcome,) = self((Task("influx", day, root, self.day, "", ""),))
        if outcome.rebuilt is None:
            raise SinkError(outcome.error)
        return outcome.rebuilt

    def _delivered(self, delivery: Delivery, feeds: "dict[Task, DayFeed]") -> Iterator[Outcome]:
        """Take steps until every day is safe, has failed, or the database has not answered for too long."""
        answered_at, dropped_told = self._clock.monotonic(), 0
        while feeds:
            wait = delivery.step()
            now = self._clock.monotonic()
            for task, outcome in self._finished(feeds, delivery.dropped_by_server - dropped_told, now):
                delivery.drop(feeds.pop(task))
                dropped_told = delivery.dropped_by_server
                yield outcome
            failure = delivery.failure
            answered_at = answered_at if failure else now
            if isinstance(failure, AuthError) or now > answered_at + GIVE_UP_SECONDS:
                yield from (_failed(task, str(failure)) for task in feeds)
                return
            if wait > 0 and feeds:
                self._tell(delivery, feeds, wait)
                self._clock.pause(min(wait, LOOK_SECONDS))

    def _finished(self, feeds: "Mapping[Task, DayFeed]", dropped: int, now: float) -> Iterator[tuple[Task, Outcome]]:
        """Yield the days that are safe, or that will not be. `dropped` is what the database lost since the last one."""
        for task, feed in list(feeds.items()):
            feed.watch(now)
            if feed.error is not None:
                yield task, _failed(task, feed.error)
            elif feed.complete:
                trouble = self._trouble(feed, dropped)
                rebuilt = Rebuilt(len(feed.points), 0, feed.rows, feed.rows, "")
                yield task, _failed(task, trouble) if trouble else Outcome(task, rebuilt, None, feed.seconds)

    def _trouble(self, feed: "DayFeed", dropped: int) -> str | None:
        """Return why a day that was sent is not whole in the database."""
        if feed.refused:
            return f"{feed.refused} of {feed.rows} points were refused for good; they are kept with the reason"
        if dropped:
            return f"the database acknowledged {dropped} values and did not keep them; check its log and retention"
        if feed.damaged and not self._discard:
            return f"{feed.damaged} minutes in its journal are damaged, the others were sent; --discard goes on without"
        return None

    def _tell(self, delivery: Delivery, feeds: "Mapping[Task, DayFeed]", wait: float) -> None:
        left = [feed for feed in feeds.values() if feed.sent < feed.last_seq]
        if delivery.failure:
            self._note(f"{delivery.failure}; next try in {wait:.0f} s")
        elif left:
            self._note(f"{left[0].day}: {delivery.lines:,} points sent")
        else:
            self._note(f"all is sent; {len(feeds)} days wait until the database has them on its disk")


class DayFeed(Feed):
    """All minutes of one day's journal. SinkError when it cannot be read."""

    def __init__(
        self, task: Task, aggregates: Sequence[Aggregate], masters: Masters | None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.day, self._path = task.day, task.root / JOURNAL / f"{task.day.isoformat()}{SUFFIX}"
        self._aggregates, self._masters, self._clock = aggregates, masters, clock
        with closing(Journal.open_read_only(self._path)) as journal:
            self._identity, self.last_seq = journal.identity, journal.last_seq
        super().__init__(f"rebuild of {self._identity}", 0, 0.0)
        self.points: dict[int, int] = {}  # seq → points; a minute that is read again counts once
        self.damaged = 0
        self._begun_at: float | None = None
        self.seconds = 0.0  # from the first minute read to the last one acknowledged
        self.announce(self.last_seq, clock.monotonic())

    @property
    def rows(self) -> int:
        """Return the points of what was read so far."""
        return sum(self.points.values())

    def watch(self, now: float) -> None:
        """Note the time that it took, once everything is acknowledged."""
        if self._begun_at is not None and self.sent >= self.last_seq and not self.seconds:
            self.seconds = now - self._begun_at

    def _through(self, last: int) -> Iterator[Cycle]:
        self._begun_at = self._begun_at or self._clock.monotonic()
        with closing(Journal.open_read_only(self._path)) as journal:
            if journal.identity != self._identity:
                raise SinkError(f"{self._path} began anew meanwhile")
            for seq, snapshot in journal.cycles_after(self.given):
                if seq > last:
                    break
                found = lines(snapshot, self._aggregates, self._masters(snapshot) if self._masters else None)
                self.points[seq] = len(found)
                yield seq, found
            self.damaged = max(self.damaged, journal.damaged)


def _failed(task: Task, error: str) -> Outcome:
    return Outcome(task, None, " ".join(error.split()), 0.0)
