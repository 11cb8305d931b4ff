"""InfluxDB as a store: a reader of the journals with a thread of its own, so that no cycle ever waits for a server.

The loop's thread announces what the journal has (`drain`) and moves the journal's cursor to what is confirmed; a worker
thread reads the journals through connections of its own and makes requests of them (`influx_delivery`), and a second
one waits for the server. While a cycle is under way the worker may `rest`: each of the cycle's file operations would
have to win the interpreter back from it. The cursor that survives a restart moves every `CURSOR_CYCLES` minutes and at
a checkpoint; what lies between is sent again at worst, and a point that is written again is the same point.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from g6.clock import Clock, SystemClock
from g6.errors import SinkError
from g6.model.columns import Aggregate
from g6.model.provider_report import EndpointReport
from g6.model.report import CycleReport, SinkReport
from g6.resilience.supervisor import Supervisor
from g6.storage.influx_carrier import Carrier
from g6.storage.influx_delivery import Delivery, Writer
from g6.storage.influx_feed import HealthFeed, JournalFeed, Masters
from g6.storage.influx_ledger import Ledger
from g6.storage.influx_lines import endpoint_fields, health_lines
from g6.storage.influx_writer import InfluxOptions, InfluxWriter
from g6.storage.journal import Journal
from g6.storage.journal_file import BUSY_TIMEOUT_SECONDS

log = logging.getLogger(__name__)

NAME = "influx"
CURSOR_CYCLES = 15
HEALTH_CYCLES_LIMIT = 1_500  # four trading days of minutes
DEFECT_RETRY_SECONDS = 30.0
PART = "influx_writer"
BEAT_SECONDS = 20.0
SILENT_LIMIT_SECONDS = 60.0  # beyond the longest request and the rest after a defect
REST_LIMIT_SECONDS = 10.0  # of the worker for a cycle; one that fails never drains
SYSTEM_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class InfluxStats:
    """What the delivery amounted to since it began; `endpoint` between the last two drains."""

    endpoint: EndpointReport
    lines: int
    bytes_sent: int
    requests: int
    dead_letters: int
    dead_letters_lost: int  # of those, what the table could not take
    dropped_by_server: int  # rows that the server acknowledged and did not keep, by its own count
    health_dropped: int  # cycles whose health lines did not fit into memory
    server_restarts: int
    taken_back: int  # acknowledgements that a restart made worthless
    unconfirmed_cycles: int  # acknowledged, and not yet safe
    last_success_timestamp_seconds: float | None  # UTC; None before the first


@dataclass(slots=True)
class _Told:
    """What the last report of the sink said already."""

    lines: int = 0
    bytes: int = 0
    dead_letters: int = 0
    dropped: int = 0
    without_masters: int = 0


class InfluxSink:
    """Writes every minute of the journals to InfluxDB 2 or VictoriaMetrics, effectively once.

    `clock` is the machine's also where the market's is virtual: servers live by no other. `masters` says what a minute
    did to the weekday masters; it is asked in the worker's thread alone. `supervisor` keeps that thread alive. `writer`
    is for those who bring one of their own. A server that is absent, slow or full of complaints costs a sentence in
    the report.
    """

    name = NAME

    def __init__(
        self,
        root: Path,
        options: InfluxOptions,
        aggregates: Sequence[Aggregate],
        clock: Clock = SYSTEM_CLOCK,
        *,
        masters: Masters | None = None,
        writer: Writer | None = None,
        supervisor: Supervisor | None = None,
        cursor_cycles: int = CURSOR_CYCLES,
    ) -> None:
        self._options, self._aggregates, self._clock = options, tuple(aggregates), clock
        self._masters, self._cursor_cycles = masters, cursor_cycles
        self._writer = writer or InfluxWriter(options)
        self._ledger = Ledger(root)
        self._carrier = Carrier(f"{NAME} request")
        self._delivery = Delivery(self._writer, self._ledger, options, clock, self._carrier)
        self._endpoint = self._delivery.endpoint.report()
        self._health = HealthFeed(HEALTH_CYCLES_LIMIT)
        self._delivery.add(self._health)
        self._feeds: dict[str, JournalFeed] = {}
        self._told = _Told()
        self._without_masters, self._masters_trouble = 0, ""  # minutes of feeds that are done with; the last reason
        self._defect: str | None = None
        self._wake, self._stopping, self._undisturbed = threading.Event(), threading.Event(), threading.Event()
        self._undisturbed.set()
        self._supervisor = supervisor or Supervisor()
        self._begun = False
        self._life: threading.Event | None = None  # of the worker at work; another one has been given up

    def drain(self, journal: Journal) -> SinkReport:
        """Announce what the journal has, move its cursor if there is cause to, and say how far the delivery is.

        `lag_cycles` counts the day's minutes that the server has not acknowledged. The leftovers of other days are
        delivered meanwhile; one that is whole has its cursor moved. SinkError when the journal cannot be read.
        """
        feed = self._feed(journal)
        last_seq = journal.last_seq
        feed.announce(last_seq, self._clock.monotonic())
        self._go_on()
        if feed.confirmed - feed.moved_to >= self._cursor_cycles or feed.moved_to < feed.confirmed == last_seq:
            self._move_cursor(journal, feed)
        self._settle_other_day(feed)
        self._endpoint = self._delivery.endpoint.report()
        ahead = last_seq - feed.sent  # of which some may have been replaced by a later tick; the last one is there
        report = self._report(journal.count_after(feed.sent) if ahead > 1 else max(0, ahead))
        self._undisturbed.set()
        return report

    def rest(self) -> None:
        """Begin nothing until the cycle that begins now has drained; a request under way goes on."""
        if not self._stopping.is_set():
            self._undisturbed.clear()

    def checkpoint(self, journal: Journal) -> None:
        """Move the cursor to what is confirmed by now; nothing is waited for."""
        feed = self._feed(journal)
        if feed.confirmed > feed.moved_to:
            self._move_cursor(journal, feed)

    def tell(self, report: CycleReport) -> None:
        """Write how the minute went, too. These lines wait in memory and end with the process."""
        stats = self.stats()
        self._health.add(health_lines(report, _stats_fields(stats)), self._clock.monotonic())
        self._go_on()

    def stats(self) -> InfluxStats:
        """Return the counts as they are now, and the endpoint as the last drain found it."""
        delivery, last = self._delivery, self._delivery.last_success
        return InfluxStats(
            endpoint=self._endpoint,
            lines=delivery.lines,
            bytes_sent=delivery.bytes,
            requests=delivery.requests,
            dead_letters=delivery.dead_letters,
            dead_letters_lost=delivery.unburied,
            dropped_by_server=delivery.dropped_by_server,
            health_dropped=self._health.dropped,
            server_restarts=delivery.server_restarts,
            taken_back=delivery.taken_back,
            unconfirmed_cycles=sum(max(0, feed.sent - feed.confirmed) for feed in self._feeds.values()),
            last_success_timestamp_seconds=last.astimezone(UTC).timestamp() if last else None,
        )

    def close(self) -> None:
        """Send what can go out at once, for a few seconds at most, and end the thread; the cursors stay."""
        for event in (self._stopping, self._undisturbed, self._wake):
            event.set()
        if not self._begun:
            self._writer.close()
        elif not self._supervisor.end(PART, self._options.close_seconds):
            log.warning("influx: a request is still under way; what it carries is sent again next time")

    def _feed(self, journal: Journal) -> JournalFeed:
        feed = self._feeds.get(journal.identity)
        if feed is None:
            for other in [f for f in self._feeds.values() if f.path == journal.path]:  # the journal began anew
                self._forget(other)
            cursor = journal.cursor(NAME)
            feed = JournalFeed(journal, cursor, self._aggregates, self._options.settle_seconds, self._masters)
            self._feeds[feed.key] = feed
            self._delivery.add(feed)
        return feed

    def _forget(self, feed: JournalFeed) -> None:
        del self._feeds[feed.key]
        self._delivery.drop(feed)
        self._without_masters += feed.minutes_without_masters
        self._masters_trouble = feed.masters_trouble or self._masters_trouble

    def _move_cursor(self, journal: Journal, feed: JournalFeed) -> None:
        confirmed = feed.confirmed
        journal.advance(NAME, confirmed)
        feed.moved_to = confirmed

    def _settle_other_day(self, present: JournalFeed) -> None:
        """Move the cursor of one other day that is wholly confirmed: the loop has its journal open no more."""
        for feed in self._feeds.values():
            if feed is present or not feed.complete:
                continue
            self._forget(feed)
            if feed.confirmed > feed.moved_to:
                _move_closed(feed)
            return

    def _report(self, lag_cycles: int) -> SinkReport:
        delivery, told = self._delivery, self._told
        now = self._told = _Told(
            delivery.lines, delivery.bytes, delivery.dead_letters, delivery.dropped_by_server, self._lacking_masters()
        )  # fmt: skip
        return SinkReport(
            NAME,
            rows=now.lines - told.lines,
            bytes_written=now.bytes - told.bytes,
            lag_cycles=lag_cycles,
            error=self._error(told, now),
            refused=now.dead_letters - told.dead_letters,
            unconfirmed_cycles=self.stats().unconfirmed_cycles,
        )

    def _lacking_masters(self) -> int:
        """Return how many minutes went out without the points of the weekday masters."""
        return self._without_masters + sum(feed.minutes_without_masters for feed in list(self._feeds.values()))

    def _error(self, told: _Told, now: _Told) -> str | None:
        """Return what a person should know, the most pressing first; what is counted, once."""
        new_dead_letters, newly_dropped = now.dead_letters - told.dead_letters, now.dropped - told.dropped
        error, wait = self._delivery.error, self._delivery.next_attempt_in_seconds
        if error is not None:
            return f"{error}; the minutes wait in the journal, next try in {wait:.0f} s"
        if new_dead_letters:
            return f"{new_dead_letters} lines refused for good, see {self._ledger.path}: {self._delivery.dead_reason}"
        if newly_dropped:
            return f"the server acknowledged {newly_dropped} rows and did not keep them; check its log and retention"
        unreadable = next((feed.error for feed in list(self._feeds.values()) if feed.error), None)
        return self._defect or unreadable or self._masters_error(now.without_masters - told.without_masters)

    def _masters_error(self, newly_lacking: int) -> str | None:
        if newly_lacking <= 0:
            return None
        troubles = [feed.masters_trouble for feed in list(self._feeds.values()) if feed.masters_trouble]
        why = (troubles or [self._masters_trouble])[-1]
        return (
            f"{newly_lacking} minutes went without their weekday masters ({why}); `g6 rebuild --what influx` adds them"
        )

    def _go_on(self) -> None:
        if not self._begun and not self._stopping.is_set():
            self._begun = True
            limit_seconds = SILENT_LIMIT_SECONDS + 2 * self._options.timeout_seconds
            self._supervisor.run(PART, self._work, silent_limit_seconds=limit_seconds)
        self._wake.set()

    def _work(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        """Step by step, until told to stop and nothing can go out at once, or until another worker has taken over."""
        self._life = stop
        self._carrier.close()  # of a worker before this one, it may hang
        self._carrier = Carrier(f"{NAME} request")
        self._delivery.begin_anew(self._carrier, beat)
        while True:
            self._undisturbed.wait(REST_LIMIT_SECONDS)
            self._wake.clear()
            wait = self._step()
            beat()
            if self._life is not stop:
                return
            if wait > 0 and (self._stopping.is_set() or stop.is_set()):
                break
            if wait > 0:
                self._wake.wait(min(wait, BEAT_SECONDS))
        self._delivery.stop()
        self._carrier.close()
        self._writer.close()

    def _step(self) -> float:
        try:
            wait = self._delivery.step()
        except Exception as error:  # per sink: one of the three places where anything may arrive
            log.exception("the delivery to the database failed")
            self._defect = f"{type(error).__name__}: {error}"
            self._stopping.wait(DEFECT_RETRY_SECONDS)
            return DEFECT_RETRY_SECONDS
        self._defect = None
        return wait


def _move_closed(feed: JournalFeed) -> None:
    """Move the cursor in a journal that nobody writes any more. Opening it as a writer would check all of it."""
    uri = f"{feed.path.resolve().as_uri()}?mode=rw"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        journal = Journal(feed.path, connection)
        try:
            if journal.identity == feed.key:
                journal.advance(NAME, feed.confirmed)
        finally:
            journal.close()
    except (SinkError, sqlite3.Error) as error:
        log.warning("the cursor of %s stays where it is: %s", feed.path, error)


def _stats_fields(stats: InfluxStats) -> dict[str, float]:
    return {
        "lines": stats.lines,
        "bytes": stats.bytes_sent,
        "requests": stats.requests,
        "dead_letters": stats.dead_letters,
        "dropped_by_server": stats.dropped_by_server,
        "health_dropped": stats.health_dropped,
        "server_restarts": stats.server_restarts,
        "unconfirmed_cycles": stats.unconfirmed_cycles,
        **endpoint_fields(stats.endpoint),
    }
