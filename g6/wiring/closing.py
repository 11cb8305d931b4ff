"""After the close: the day is folded into the masters, verified, archived, and old days go where they are let go.

In this order, since each stands on the one before: the masters settle on what the files say, the verification
compares both with the journal, the archive is checked against the journal, and nothing leaves that is not archived.
A step that fails is told and costs no other one. The database is not compared here: it may still be owed the last
minutes; `g6 verify` asks it.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from g6.analytics import MEASURES
from g6.clock import Clock
from g6.errors import G6Error
from g6.model.closing_report import ClosingReport
from g6.settings import Settings
from g6.storage.sink import Sink
from g6.wiring.sources import Market

log = logging.getLogger(__name__)

Step = Callable[[ClosingReport], ClosingReport]


@dataclass(frozen=True, slots=True)
class Closing:
    """What is done with a day that is over, by the settings. The libraries of it are imported when it is."""

    settings: Settings
    market: Market
    names: Sequence[str]  # the indices that were to be collected
    root: Path
    clock: Clock
    sinks: Sequence[Sink]
    price_basis: str

    def run(self, day: date) -> ClosingReport:
        """Do all of it for one day; raise nothing."""
        report = ClosingReport(day)
        for name, step in self._steps().items():
            try:
                report = step(report)
            except G6Error as error:
                report = _troubled(report, f"{name}: {error}")
            except Exception as error:  # per step, as per sink: what one breaks on may not cost the others
                log.exception("%s of %s failed", name, day)
                report = _troubled(report, f"{name}: {type(error).__name__}: {error}")
        return report

    def _steps(self) -> dict[str, Step]:
        storage, keep = self.settings.storage, self.settings.storage.retention
        steps: dict[str, tuple[bool, Step]] = {
            "masters": (storage.masters.enabled, self._masters),
            "verify": (storage.verify.after_close, self._verify),
            "archive": (storage.archive.enabled, self._archive),
            "retention": (any((keep.journal_days, keep.csv_days, keep.minimum_free_bytes)), self._retention),
        }
        return {name: step for name, (wanted, step) in steps.items() if wanted}

    def _masters(self, report: ClosingReport) -> ClosingReport:
        from g6.masters.reconciliation import reconcile  # noqa: PLC0415

        found = reconcile(self.root, report.day)
        told = replace(report, masters_compared=found.compared, masters_differences=found.difference_count)
        return _troubled(told, str(found)) if found.difference_count else _noted(told, str(found))

    def _verify(self, report: ClosingReport) -> ClosingReport:
        from g6.verification import report_file  # noqa: PLC0415
        from g6.verification.csv_files import CsvLayout  # noqa: PLC0415
        from g6.verification.day import verify  # noqa: PLC0415
        from g6.verification.expected import MarketFacts  # noqa: PLC0415
        from g6.verification.masters_agreement import masters_compare  # noqa: PLC0415

        exchanges = {name: definition.exchange for name, definition in self.market.indices.items()}
        facts = MarketFacts(
            self.market.calendar, exchanges, self.settings.collection.interval_seconds, tuple(self.names)
        )
        layout = CsvLayout(MEASURES, self.price_basis)
        found = verify(
            self.root,
            report.day,
            facts,
            now=self.clock.now(),
            csv=layout if self.settings.storage.csv.enabled else None,
            stores=masters_compare(self.root) if self.settings.storage.masters.enabled else {},
            day_is_over=True,
        )
        report_file.store(self.root, found)
        parts = {part.name: 100 * part.share for part in found.parts if part.checked}
        gaps = max(found.gap_minutes.values(), default=0)
        told = replace(report, score=found.score, score_parts=parts, gap_minutes=gaps)
        said = f"verified, score {found.score:g}, {found.collected_minutes} of {found.expected_minutes} minutes"
        if found.score < self.settings.storage.verify.minimum_score:
            return _troubled(told, f"{said}; `g6 verify --date {report.day}` says what is missing")
        return _noted(told, said)

    def _archive(self, report: ClosingReport) -> ClosingReport:
        from g6.storage.archive import archive_day  # noqa: PLC0415

        day = archive_day(self.root, report.day, self.price_basis)
        return _noted(replace(report, archived_bytes=day.bytes), f"archived, {day.bytes:,} bytes")

    def _retention(self, report: ClosingReport) -> ClosingReport:
        from g6.storage.retention import Policy, retention  # noqa: PLC0415

        keep = self.settings.storage.retention
        policy = Policy(keep.journal_days, keep.csv_days, keep.minimum_free_bytes)
        found = retention(
            self.root, policy, self.clock.now(), sinks=[s.name for s in self.sinks], price_basis=self.price_basis
        )
        removed = {kind: sum(r.bytes for r in found.removed if r.kind == kind) for kind in ("csv", "journal")}
        told = replace(report, removed_bytes=removed)
        return _noted(told, f"{len(found.removed)} old days' files removed") if found.removed else told


def _noted(report: ClosingReport, note: str) -> ClosingReport:
    return replace(report, notes=(*report.notes, note))


def _troubled(report: ClosingReport, trouble: str) -> ClosingReport:
    return replace(report, troubles=(*report.troubles, trouble))
