"""The agent's health: told by the loop, asked by probes, pages and the status.

Each telling swaps in new evidence; the checks of the registry judge it at once, and again when someone asks and a
second has passed since: that the loop has stopped is known without it.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from g6.clock import Clock
from g6.health.components import Component
from g6.health.document import About, LastWords, StatusDocument
from g6.health.evidence import (
    ClockReading,
    Evidence,
    Finding,
    Limits,
    Market,
    QuoteAge,
    Readers,
    SessionState,
    StartReading,
    quote_ages,
)
from g6.health.problems import ProblemBook
from g6.health.registry import CHECKS, Check, Judges, summary
from g6.health.reporting import Reading, status_document, utc
from g6.health.wording import DAY
from g6.model.closing_report import ClosingReport
from g6.model.pressure_report import PressureReport
from g6.model.problem import Problem
from g6.model.provider_report import MarketReport
from g6.model.report import CycleReport
from g6.model.snapshot import Snapshot

REFRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a probe: yes or no, and why not."""

    ok: bool
    reasons: tuple[str, ...]
    components: tuple[Component, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer, ready for JSON."""
        return {
            "status": "ok" if self.ok else "failing",
            "reasons": list(self.reasons),
            "components": {component.name: component.as_dict() for component in self.components},
        }


class Health:
    """Components by name, the problems among them, and two verdicts. Any thread may call anything at any time.

    `exchanges` is index → exchange, for the freshness of market data; `about` says which agent this is.
    """

    def __init__(
        self,
        clock: Clock,
        interval_seconds: float,
        sinks: Sequence[str] = (),
        patience_intervals: float = 3.0,
        *,
        exchanges: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        about: About | None = None,
        readers: Readers | None = None,
        checks: Mapping[str, Check] = CHECKS,
    ) -> None:
        self._clock = clock
        self._interval = interval_seconds
        self._patience = patience_intervals * interval_seconds
        self._due_back = clock.monotonic() + self._patience
        self._about = about or About("", os.getpid(), utc(datetime.now(UTC)), "")
        self._readers = readers or Readers()
        self._judges, self._book = Judges(checks), ProblemBook()
        self._lock = threading.RLock()
        self._asleep = False
        self._ran = False  # since the session was told of last
        self._clocks: tuple[datetime, float] | None = None
        self._collector_errors = 0
        self._ending: tuple[str, bool] | None = None
        self._components: dict[str, Component] = {}
        self._evidence = Evidence(
            now=clock.now(),
            interval_seconds=interval_seconds,
            exchanges=exchanges or {},
            sinks=dict.fromkeys(sinks),
            limits=limits or Limits(),
        )
        self._judge()

    def follow(self, readers: Readers) -> None:
        """Look at these from now on: the server, say, is made after the health that it serves."""
        with self._lock:
            self._readers = readers
            self._judge()

    def start(self, start: StartReading) -> tuple[Component, ...]:
        """Take note of what was found before the first minute, look around, and return every component."""
        with self._lock:
            self._evidence = replace(self._evidence, start=start)
            self._look()
            self._judge()
            return self.components

    def cycle(self, report: CycleReport, snapshot: Snapshot | None = None) -> None:
        """Take note of a cycle that has ended, and of how fresh the quotes of its snapshot were."""
        with self._lock:
            before = self._evidence
            self._asleep, self._ran = False, True
            self._due_back = self._clock.monotonic() + self._patience
            ages: Mapping[str, QuoteAge] = {}
            if snapshot is not None:
                ages = quote_ages(snapshot, before.exchanges, before.quotes)
            self._evidence = replace(
                before,
                report=report,
                asked=report.market or before.asked,
                session=self._in_session(report),
                sinks={**before.sinks, **{sink.name: sink for sink in report.sinks}},
                quotes=ages,
                waiting="",
                held=None,
                pressure=report.pressure or before.pressure,
                parts=report.parts,
            )
            self._look()
            self._judge()

    def waiting(self, until: datetime, why: str = "", *, held: bool = False) -> None:
        """Take note that the loop sleeps until `until`; a sleep of several intervals means a closed market.

        But for one that is `held`, whose clock was set back: it waits for the first minute that is not recorded.
        """
        with self._lock:
            away = max(0.0, (until - self._clock.now()).total_seconds())
            self._due_back = self._clock.monotonic() + away + self._patience
            self._asleep = away > 2 * self._interval and not held
            reason = f": {why}" if why else ""
            # Waiting proves that the loop lives, not that its last minute went well.
            told = f"until {until:{DAY}}{reason}"
            self._evidence = replace(self._evidence, waiting=told, held=until if held else None)
            self._judge()

    def session(self, open_by_exchange: Mapping[str, bool], known_until: date) -> None:
        """Take note of which exchanges are open now, and of the last day that the calendar covers."""
        with self._lock:
            self._ran = False
            self._evidence = replace(self._evidence, session=SessionState(dict(open_by_exchange), known_until))
            self._judge()

    def probed(self, asked: MarketReport) -> None:
        """Take note of how the providers stand before the market opens."""
        self._note(asked=asked)

    def pressure(self, report: PressureReport) -> None:
        """Take note of the memory between the cycles; a cycle's report has its own."""
        self._note(pressure=report)

    def closed(self, report: ClosingReport) -> None:
        """Take note of what was done with a day that is over."""
        self._note(closing=report)

    def look(self) -> None:
        """Look at data directory, disk, clock, server and parts between the cycles, and judge anew."""
        with self._lock:
            self._look()
            self._judge()

    @property
    def market(self) -> Market:
        """Return closed when no exchange is open or the loop sleeps for several intervals; unknown before it began."""
        is_open = self._evidence.session.open if self._evidence.session else {}
        if self._asleep or (is_open and not any(is_open.values()) and not self._ran):
            return "closed"
        return "open" if is_open or self._evidence.report else "unknown"

    @property
    def components(self) -> tuple[Component, ...]:
        """Return the components as they stand, in the order of the registry."""
        self._freshen()
        return tuple(self._components.values())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what a person should know of, the worst first."""
        self._freshen()
        return self._book.active

    def live(self) -> Verdict:
        """Return whether the loop has come back when it should have, with `patience_intervals` to spare."""
        reasons = self._why_not_live()
        return Verdict(ok=not reasons, reasons=reasons, components=self.components)

    def ready(self) -> Verdict:
        """Return whether there is a minute worth reading, or no market to make one of."""
        reasons = self._why_not_ready()
        return Verdict(ok=not reasons, reasons=reasons, components=self.components)

    def reading(self) -> Reading:
        """Return everything at one instant."""
        with self._lock:
            self._freshen()
            late, unready = self._why_not_live(), self._why_not_ready()
            return Reading(self._evidence, self.components, self._book.active, not late, not unready, (*late, *unready))

    def document(self, ended: LastWords | None = None) -> StatusDocument:
        """Return the status document; `ended` when these are the last words."""
        reading = self.reading()
        exporter = reading.evidence.exporter
        about = replace(self._about, url=exporter.url) if exporter else self._about
        return status_document(reading, about, datetime.now(UTC), ended)

    def ending(self, reason: str, *, clean: bool = True) -> None:
        """Take note of why the agent is about to end; what is said first is the cause."""
        with self._lock:
            self._ending = self._ending or (reason, clean)

    def last_words(self) -> StatusDocument:
        """Return the document of an agent that ends here, for the reason that `ending` was told."""
        reason, clean = self._ending or ("it had done its minutes", True)
        return self.document(LastWords(utc(datetime.now(UTC)), clean, reason))

    def _why_not_live(self) -> tuple[str, ...]:
        late = self._clock.monotonic() - self._due_back
        if late <= 0:
            return ()
        return (f"the loop has not come back: {late + self._patience:.0f} s late, {self._patience:.0f} s are allowed",)

    def _why_not_ready(self) -> tuple[str, ...]:
        last = self._evidence.report
        if self.market == "closed":
            return ()
        if last is None:
            return ("no cycle has ended yet",)
        return (f"the last cycle failed: {last}",) if last.status == "failed" else ()

    def _in_session(self, report: CycleReport) -> SessionState | None:
        """Return the session with the exchanges open that were just asked, whatever was said before the minute."""
        before, exchanges = self._evidence.session, self._evidence.exchanges
        asked = {exchanges[index.index]: True for index in report.indices if index.index in exchanges}
        return replace(before, open={**before.open, **asked}) if before else None

    def _note(self, **told: Any) -> None:
        with self._lock:
            self._evidence = replace(self._evidence, **told)
            self._judge()

    def _look(self) -> None:
        """Read what takes a system call. The caller judges."""
        now, elapsed = self._clock.now(), self._clock.elapsed()
        stepped = 0.0
        # A virtual clock cannot be set, and a fast one makes hours of the microseconds between the two readings.
        if self._clocks is not None and self._clock.speed == 1:
            stepped = (now - self._clocks[0]).total_seconds() - (elapsed - self._clocks[1])
        self._clocks = (now, elapsed)
        exporter = self._readers.exporter()
        if exporter is not None:
            total, before = exporter.collector_errors, self._collector_errors
            exporter, self._collector_errors = replace(exporter, collector_errors=total - before), total
        self._evidence = replace(
            self._evidence,
            clock=ClockReading(stepped),
            directory=self._readers.directory(),
            disk=self._readers.disk(),
            exporter=exporter,
            tokens={token.account: token for token in self._readers.tokens()},
        )

    def _freshen(self) -> None:
        with self._lock:
            if self._clock.monotonic() - self._judged_at >= REFRESH_SECONDS:
                self._judge()

    def _judge(self) -> None:
        self._judged_at = self._clock.monotonic()
        now = self._clock.now()
        self._evidence = replace(
            self._evidence,
            now=now,
            market=self.market,
            overdue_seconds=max(0.0, self._judged_at - self._due_back),
            parts=tuple(self._readers.parts()) if self._readers.parts else self._evidence.parts,
        )
        found = self._judges.judge(self._evidence)
        self._book.note((finding for own in found.values() for finding in own), now, self._clock.elapsed())
        self._components = {name: self._component(name, own, now) for name, own in found.items()}

    def _component(self, name: str, findings: Sequence[Finding], now: datetime) -> Component:
        state, sentence = summary(findings)
        before = self._components.get(name)
        since = before.since if before and before.state == state else now
        return Component(name, state, since, sentence)
