"""From what health knows to the status document."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from g6.health.components import Component
from g6.health.document import (
    VERSION,
    About,
    BreakerStatus,
    ClosingStatus,
    ComponentStatus,
    CycleStatus,
    DiskStatus,
    JournalStatus,
    LastWords,
    MemoryStatus,
    Overall,
    PartStatus,
    ProblemStatus,
    ProviderStatus,
    SessionStatus,
    SinkStatus,
    StatusDocument,
    TokenStatus,
)
from g6.health.evidence import Evidence
from g6.health.problems import PROBLEMS
from g6.model.closing_report import ClosingReport
from g6.model.part_report import PartReport
from g6.model.pressure_report import LEVEL_NAMES, PressureReport
from g6.model.problem import Problem
from g6.model.provider_report import MarketReport
from g6.model.report import CycleReport, JournalReport, SinkReport

# Of the measures, how many are named with their own time.
DEAREST = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """Health at one instant: what was told, what it amounts to, and the probes' answers."""

    evidence: Evidence
    components: tuple[Component, ...]
    problems: tuple[Problem, ...]
    live: bool
    ready: bool
    reasons: tuple[str, ...]

    @property
    def overall(self) -> Overall:
        """Return the worst of what is wrong."""
        if any(problem.severity == "down" for problem in self.problems):
            return "down"
        return "degraded" if self.problems else "healthy"


def status_document(
    reading: Reading, about: About, written_at: datetime, ended: LastWords | None = None
) -> StatusDocument:
    """Return the document. `written_at` is the machine's clock; `ended` is said last."""
    e = reading.evidence
    report = e.report
    return StatusDocument(
        version=VERSION,
        status=reading.overall,
        at=utc(e.now),
        written_at=utc(written_at),
        agent=about,
        live=reading.live,
        ready=reading.ready,
        reasons=reading.reasons,
        session=_session(e),
        components=tuple(ComponentStatus(c.name, c.state, utc(c.since), c.sentence) for c in reading.components),
        problems=tuple(map(_problem, reading.problems)),
        cycle=_cycle(report) if report else None,
        provider=_provider(e.asked, e) if e.asked else None,
        journal=_journal(report.journal) if report and report.journal else None,
        sinks=tuple(_sink(sink) for sink in e.sinks.values() if sink),
        memory=_memory(e.pressure) if e.pressure else None,
        disk=DiskStatus(e.disk.free_bytes, e.disk.total_bytes, e.disk.seconds_until_full) if e.disk else None,
        parts=_parts(e.parts),
        closing=_closing(e.closing) if e.closing else None,
        ended=ended,
    )


def utc(instant: datetime) -> datetime:
    """Return the instant in UTC, to the second: finer is noise in a page for people."""
    return instant.astimezone(UTC).replace(microsecond=0)


def _session(e: Evidence) -> SessionStatus:
    if e.session is None:
        return SessionStatus(e.market, {}, None, None, e.waiting)
    known = e.session.known_until
    return SessionStatus(e.market, dict(e.session.open), known.isoformat(), (known - e.now.date()).days, e.waiting)


def _cycle(report: CycleReport) -> CycleStatus:
    return CycleStatus(
        minute=utc(report.minute),
        status=report.status,
        sentence=str(report),
        seconds=round(report.seconds, 6),
        provider=report.provider,
        expected=report.expected,
        received=report.received,
        missed_minutes=report.missed_minutes,
        stages={name: round(seconds, 6) for name, seconds in report.stages.items()},
        measures={name: round(seconds, 6) for name, seconds in report.dearest(DEAREST)},
    )


def _provider(asked: MarketReport, e: Evidence) -> ProviderStatus:
    tokens = [e.token_now(one.token) for one in asked.providers if one.token]
    endpoints = [endpoint for one in asked.providers for endpoint in one.endpoints]
    return ProviderStatus(
        active=asked.active,
        preferred=asked.preferred,
        reason=asked.reason,
        tokens=tuple(
            TokenStatus(one.account, one.state, utc(one.expires_at) if one.expires_at else None, one.reason)
            for one in tokens
        ),
        breakers=tuple(BreakerStatus(one.name, one.breaker, one.reason) for one in endpoints),
    )


def _journal(report: JournalReport) -> JournalStatus:
    return JournalStatus(report.path, report.bytes_written, report.pending, report.error)


def _sink(report: SinkReport) -> SinkStatus:
    return SinkStatus(
        report.name, report.rows, report.lag_cycles, report.unconfirmed_cycles, report.refused, report.error
    )


def _memory(pressure: PressureReport) -> MemoryStatus:
    return MemoryStatus(
        level=pressure.level,
        level_name=LEVEL_NAMES[pressure.level],
        rss_bytes=pressure.rss_bytes,
        limit_bytes=pressure.limit_bytes,
        limit_source=pressure.limit_source,
        shed=pressure.shed,
    )


def _parts(parts: Sequence[PartReport]) -> tuple[PartStatus, ...]:
    return tuple(PartStatus(part.name, part.state, part.restarts, part.reason) for part in parts)


def _closing(report: ClosingReport) -> ClosingStatus:
    score = None if math.isnan(report.score) else report.score
    return ClosingStatus(report.day.isoformat(), score, report.gap_minutes, report.troubles)


def _problem(problem: Problem) -> ProblemStatus:
    kind = PROBLEMS[problem.id]
    return ProblemStatus(
        id=problem.id,
        severity=problem.severity,
        title=kind.title,
        cause=problem.cause,
        subject=problem.subject,
        since=utc(problem.since),
        actions=problem.actions,
        runbook=kind.runbook,
    )
