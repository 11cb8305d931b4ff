"""The agent's health: written by the loop, read by probes and the landing page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from g6.clock import Clock
from g6.health.components import Component, Finding, judge_journal, judge_loop, judge_provider, judge_sink
from g6.model.report import CycleReport

Market = Literal["open", "closed", "unknown"]

SINK = "sink:"
DAY = "%a %d %b %H:%M"
NOT_YET = Finding("unknown", "nothing is known yet")


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
    """Components by name, and two verdicts on them.

    `cycle`, `session` and `waiting` are called by the loop; everything else may be called by any thread at any time:
    each change swaps in a new mapping, none is ever altered.
    """

    def __init__(
        self, clock: Clock, interval_seconds: float, sinks: Sequence[str] = (), patience_intervals: float = 3.0
    ) -> None:
        self._clock = clock
        self._interval = interval_seconds
        self._patience = patience_intervals * interval_seconds
        self._due_back = clock.monotonic() + self._patience
        self._last: CycleReport | None = None
        self._loop = Finding("ok", "no cycle has ended yet")
        self._asleep = False
        self._open: Mapping[str, bool] = {}
        names = ("loop", "session", "provider", "journal", *(SINK + sink for sink in sinks))
        self._components = {name: Component(name, NOT_YET.state, clock.now(), NOT_YET.sentence) for name in names}

    def cycle(self, report: CycleReport) -> None:
        """Take note of a cycle that has ended."""
        self._last, self._loop = report, judge_loop(report)
        self._open, self._asleep = {}, False  # it ran: this is a session minute, whatever was said before it
        self._due_back = self._clock.monotonic() + self._patience
        found = {"loop": self._loop, "provider": judge_provider(report)}
        found["journal"] = judge_journal(report.journal)
        found |= {SINK + sink.name: judge_sink(sink) for sink in report.sinks}
        self._note(found)

    def waiting(self, until: datetime, why: str = "") -> None:
        """Take note that the loop sleeps until `until`; a sleep of several intervals means a closed market."""
        away = max(0.0, (until - self._clock.now()).total_seconds())
        self._due_back = self._clock.monotonic() + away + self._patience
        self._asleep = away > 2 * self._interval
        reason = f": {why}" if why else ""
        # Waiting proves that the loop lives, not that its last minute went well.
        self._note({"loop": Finding(self._loop.state, f"{self._loop.sentence}; waiting until {until:{DAY}}{reason}")})

    def session(self, open_by_exchange: Mapping[str, bool], known_until: date) -> None:
        """Take note of which exchanges are open now, and of the last day that the calendar covers."""
        self._open = dict(open_by_exchange)
        told = ", ".join(f"{name} {'open' if is_open else 'closed'}" for name, is_open in self._open.items())
        if self._clock.now().date() > known_until:
            self._note({"session": Finding("down", f"the calendar ends on {known_until}")})
        else:
            self._note({"session": Finding("ok", f"{told}; calendar known until {known_until}")})

    @property
    def market(self) -> Market:
        """Return closed when no exchange is open or the loop sleeps for several intervals; unknown before it began."""
        if self._asleep or (self._open and not any(self._open.values())):
            return "closed"
        return "open" if self._open or self._last else "unknown"

    @property
    def components(self) -> tuple[Component, ...]:
        """Return the components as they stand."""
        return tuple(self._components.values())

    def live(self) -> Verdict:
        """Return whether the loop has come back when it should have, with `patience_intervals` to spare."""
        late = self._clock.monotonic() - self._due_back
        if late <= 0:
            return Verdict(ok=True, reasons=(), components=self.components)
        overdue = f"the loop has not come back: {late + self._patience:.0f} s late, {self._patience:.0f} s are allowed"
        return Verdict(ok=False, reasons=(overdue,), components=self.components)

    def ready(self) -> Verdict:
        """Return whether there is a minute worth reading, or no market to make one of."""
        reasons = () if self.market == "closed" else self._why_not_ready()
        return Verdict(ok=not reasons, reasons=reasons, components=self.components)

    def _why_not_ready(self) -> tuple[str, ...]:
        last = self._last
        if last is None:
            return ("no cycle has ended yet",)
        return (f"the last cycle failed: {last}",) if last.status == "failed" else ()

    def _note(self, found: Mapping[str, Finding]) -> None:
        changed = {name: self._component(name, finding) for name, finding in found.items()}
        self._components = {**self._components, **changed}

    def _component(self, name: str, finding: Finding) -> Component:
        before = self._components.get(name)
        since = before.since if before and before.state == finding.state else self._clock.now()
        return Component(name, finding.state, since, finding.sentence)
