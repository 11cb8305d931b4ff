"""The orchestrator: settings → parts → loop → shutdown. It orders the steps of a minute and catches what is left.

One minute goes one way:

1. governor              `governor`              how much memory there is decides what is left out
2. contracts, spots      `providers.facade`      what is listed, and where the indices stand
3. plan                  `collectors.plan`       all indices, expiries and strikes together
4. quotes                `providers.facade`      one call
5. chains                `collectors.build`      columns per index and expiry, or a refusal
6. enrich, aggregate     `analytics`             forward, IV, Greeks; PCR, max pain …
7. journal               `storage.journal`       one durable transaction; from here nothing can be lost
8. sinks                 `storage`               each a reader of the journal with its own cursor
9. report                `model.report`          one record, told to metrics, health, page, console and log

2 to 6 are `cycle.collection`, 7 and 8 `cycle.delivery`.
"""

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from types import FrameType

from g6.cycle.agenda import Agenda
from g6.cycle.between import Between
from g6.cycle.collection import Collected, Collection, said
from g6.cycle.delivery import Delivery
from g6.cycle.stages import Stages
from g6.errors import AuthError, ConfigError, G6Error
from g6.health.service import ServiceNotifier
from g6.logs import cycle, redact
from g6.model.pressure_report import PressureReport
from g6.model.report import CycleReport, IndexReport, JournalReport, SinkReport
from g6.model.snapshot import Snapshot, cycle_id_of
from g6.resilience.call_watchdog import RestartNeeded, exit_at_latest
from g6.settings import Settings
from g6.wiring import Parts, wire
from g6.wiring.sources import Run, Source

log = logging.getLogger(__name__)

DONE, FAILED, LOGIN_NEEDED = 0, 3, 4

SHUTDOWN_SECONDS = 10.0


def run(settings: Settings, *, run_once: bool = False, cycles: int | None = None, source: Source | None = None) -> int:
    """Run the agent until a signal, the end of a recording or `cycles` minutes; return the exit code.

    Without a `source` it is the one that the settings name.
    """
    limit = 1 if run_once else cycles
    ended = threading.Event()
    try:
        with wire(settings, Run(limit, once=run_once), source) as parts:
            agent = Agent(parts, ended)
            with agent.signals():
                return agent.loop(limit)
    finally:
        ended.set()


class Agent:
    """The loop over minutes, and the minute. `ended` is set when all has come down: what hangs may hang that, too.

    `stop` ends the loop after the minute in hand; its waits are the loop's sleep.
    """

    def __init__(
        self, parts: Parts, ended: threading.Event | None = None, *, stop: threading.Event | None = None
    ) -> None:
        self._parts = parts
        self._ended = ended
        self.collection = Collection(parts)
        self.delivery = Delivery(parts)
        self._stop = stop or threading.Event()
        self._told_to_stop = False
        self._service = ServiceNotifier(clean=redact)
        self._agenda = Agenda(parts.schedule, parts.clock)
        self._between = Between(parts, self.delivery, self._agenda, self._service, self._stop)
        self._clock_step_seconds = 0.0
        self._last_due: datetime | None = None
        self._exit = DONE

    def loop(self, limit: int | None) -> int:
        """Run minutes as the schedule gives them. A minute in hand is finished before anything ends."""
        self.delivery.catch_up(self._service.alive)
        try:
            self._minutes(limit)
        except ConfigError:  # the end of the calendar, say: what was written until then is made durable all the same
            self._finish(closing=False)
            raise
        except RestartNeeded as error:
            log.error("%s", error)  # noqa: TRY400 - one line says it; where it hangs was logged when it did
            self._parts.observation.ending(str(error), clean=False)
            if self._ended is not None:
                exit_at_latest(SHUTDOWN_SECONDS, FAILED, self._ended)
            self._finish(closing=False)
            return FAILED
        self._finish(closing=limit != 1)  # one minute alone is no day
        # A collector that was told to stop has done its work; a bounded run is judged by its minutes.
        return DONE if self._stop.is_set() and limit is None else self._exit

    def _minutes(self, limit: int | None) -> None:
        parts, agenda, done, missed = self._parts, self._agenda, 0, 0
        self._between.probe()
        due = agenda.first()
        parts.observation.recalled(self.collection.recall(due))
        while due is not None:
            due, late = self._between.wait(due)
            if due is None:
                return
            missed, self._last_due, self._clock_step_seconds = missed + late, due, agenda.begin()
            with cycle(cycle_id_of(due)):
                report, snapshot = self.minute(due, missed)
                self._tell(report, snapshot, first=done == 0)
            if missed:
                parts.observation.missed(missed, report.missed_by)
            self._service.cycle(report)
            parts.governor.reclaim()
            parts.call_watchdog.check()
            agenda.done(due, recorded=report.status != "failed")
            done += 1
            if done == limit:
                return  # without a look at what would follow: the calendar may end here
            due, missed = agenda.following(due)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Let SIGTERM and Ctrl-C finish the minute in hand; a second Ctrl-C ends at once."""

        def on_signal(number: int, _frame: FrameType | None) -> None:
            if self._told_to_stop and number == signal.SIGINT:
                raise KeyboardInterrupt
            self._told_to_stop = True
            # The code that a signal interrupts may hold the event's lock: taking it here would wait for itself, for
            # ever. A thread takes it when it is free.
            threading.Thread(target=self._stop_for, args=(signal.Signals(number).name,), daemon=True).start()

        if threading.current_thread() is not threading.main_thread():
            yield  # Python delivers signals to the main thread only
            return
        before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Ask the loop to end after the minute in hand."""
        self._stop.set()

    def _stop_for(self, signal_name: str) -> None:
        self._stop.set()
        self._service.stopping()
        self._parts.observation.ending(signal_name)
        log.info("%s: finishing the minute in hand", signal_name)

    def minute(self, due: datetime, missed: int = 0) -> tuple[CycleReport, Snapshot | None]:
        """Run one minute, whatever happens in it, and say how it went."""
        stages = Stages(self._parts.clock)
        self._parts.provider.begin_minute()
        self._parts.deadline.restart()
        self.delivery.rest()
        pressure = self._parts.governor.begin_cycle()
        try:
            collected = self.collection.collect(due, stages, pressure)
            journal, sinks = self.delivery.store(collected, stages)
            if journal.kept:  # what is stored follows from what is stored
                self.collection.remember(collected.snapshot)
            report = self._report(stages, missed, collected, journal, sinks, pressure)
        except (ConfigError, RestartNeeded):
            raise  # only a person, or another process, can mend it
        except Exception as error:  # per cycle: one of the three places where anything may arrive
            log.exception("the minute failed")
            self._exit = FAILED
            return self._failed(due, stages, missed, error, pressure), None
        self._judge(report, collected.error)
        return report, collected.snapshot

    def _failed(
        self, due: datetime, stages: Stages, missed: int, error: Exception, pressure: PressureReport
    ) -> CycleReport:
        return CycleReport(
            minute=due,
            provider=self._parts.provider.name,
            seconds=sum(stages.seconds.values()),
            stages=stages.seconds,
            indices=(),
            journal=None,
            missed_minutes=missed,
            clock_step_seconds=self._clock_step_seconds,
            error=said(error),
            market=self._parts.provider.report(),
            pressure=pressure,
            parts=self._parts.supervisor.reports(),
        )

    def _report(
        self,
        stages: Stages,
        missed: int,
        collected: Collected,
        journal: JournalReport,
        sinks: tuple[SinkReport, ...],
        pressure: PressureReport,
    ) -> CycleReport:
        stale = self._parts.limits.stale_after_seconds
        return CycleReport(
            minute=collected.snapshot.minute,
            provider=collected.snapshot.provider,
            seconds=sum(stages.seconds.values()),
            stages=stages.seconds,
            indices=tuple(IndexReport.of(index, stale) for index in collected.snapshot.indices),
            journal=journal,
            sinks=sinks,
            missed_minutes=missed,
            clock_step_seconds=self._clock_step_seconds,
            error=str(collected.error) if collected.error else None,
            market=self._parts.provider.report(),
            pressure=pressure,
            parts=self._parts.supervisor.reports(),
            measure_seconds=collected.measure_seconds,
            surroundings=collected.snapshot.market.aggregates if collected.snapshot.market else {},
        )

    def _tell(self, report: CycleReport, snapshot: Snapshot | None, *, first: bool) -> None:
        self._parts.observation.tell(report, snapshot, first=first)
        self.delivery.tell(report)

    def _finish(self, *, closing: bool) -> None:
        day = self.delivery.day
        if closing and day is not None and self._is_over(day):
            self._between.close_day(day)
        self.delivery.checkpoint()
        if self._parts.unreadable:
            self._exit = self._exit or FAILED
            log.error("%d recordings could not be read and were left out", len(self._parts.unreadable))

    def _is_over(self, day: date) -> bool:
        """Return whether no minute of this day is left to run."""
        try:
            due, _ = self._parts.schedule.following(self._last_due or self._parts.clock.now(), self._parts.clock.now())
        except ConfigError:  # the calendar ends with this day
            return True
        return due is None or due.date() > day

    def _judge(self, report: CycleReport, error: G6Error | None) -> None:
        if isinstance(error, AuthError):
            self._exit = LOGIN_NEEDED
        elif report.status == "failed":
            self._exit = self._exit or FAILED


if __name__ == "__main__":
    from g6.cli import main

    sys.exit(main())
