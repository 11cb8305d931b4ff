"""What becomes of a collected minute: one durable transaction, and then each store in its turn."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from g6.cycle.collection import Collected, said
from g6.cycle.stages import Stages
from g6.errors import SinkError
from g6.model.report import CycleReport, JournalReport, SinkReport
from g6.storage.sink import RestingSink, Sink, TellableSink
from g6.wiring import Parts

log = logging.getLogger(__name__)


class Delivery:
    """The journal, and the stores that read it. `day` is the day in hand, None before the first minute."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._repaired: dict[str, int] = {}  # sink → torn files that were repaired before the first minute
        self.day: date | None = None

    def rest(self) -> None:
        """Have the stores that work beside the loop pause until their turn: the minute goes first."""
        for sink in self._parts.sinks:
            if isinstance(sink, RestingSink):
                sink.rest()

    def store(self, collected: Collected, stages: Stages) -> tuple[JournalReport, tuple[SinkReport, ...]]:
        """Make the minute durable, and bring each store up to it or as far as it gets."""
        day, reports = collected.snapshot.minute.date(), []
        if self.day not in {None, day}:
            self.checkpoint()
        self.day = day
        with stages("journal"):
            journal = self._parts.journals.record(collected.snapshot, collected.listed)
        for sink in self._parts.sinks:
            with stages(sink.name):
                report = self._drain(sink, day)
            # What the start repaired is said with the first minute: until then there is no sentence to say it in.
            reports.append(replace(report, repaired=report.repaired + self._repaired.pop(sink.name, 0)))
        return journal, tuple(reports)

    def tell(self, report: CycleReport) -> None:
        """Give the report to the stores that keep the agent's health beside the market's minutes."""
        for sink in self._parts.sinks:
            if isinstance(sink, TellableSink):
                sink.tell(report)

    def catch_up(self, alive: Callable[[], None] = lambda: None) -> None:
        """Give each sink what an earlier run left behind: after a crash this is all the repair there is.

        `alive` is called before each day of each sink.
        """
        for sink in self._parts.sinks:
            for day in self._parts.journals.undrained(sink.name):
                alive()
                report = self._drain(sink, day)
                self._repaired[sink.name] = self._repaired.get(sink.name, 0) + report.repaired
                log.info("%s: %s", sink.name, report.error or f"{report.rows} rows of {day} supplied from the journal")
                self.day = day
                self.checkpoint()

    def checkpoint(self) -> None:
        """Make what the sinks wrote on the day in hand durable, and their cursors with it."""
        if self.day is None:
            return
        for sink in self._parts.sinks:
            try:
                sink.checkpoint(self._parts.journals.journal(self.day))
            except SinkError as error:
                log.warning("%s: %s; the rows that the journal holds are supplied again", sink.name, error)

    def _drain(self, sink: Sink, day: date) -> SinkReport:
        try:
            return sink.drain(self._parts.journals.journal(day))
        except SinkError as error:
            return SinkReport(sink.name, error=str(error))
        except Exception as error:  # per sink: one of the three places where anything may arrive
            log.exception("the sink %s failed", sink.name)
            return SinkReport(sink.name, error=said(error))
