"""After the close: the day is folded into the masters, verified, archived, and old days go where they are let go.

In this order, since each stands on the one before: the masters settle on what the files say, the verification
compares all stores with the journal, the archive is checked against the journal, the day is judged as a whole where
that is wanted, and nothing leaves that is not archived, or that the masters, the verification or a store still need. A
step that fails is told and costs no other one.

All of it runs in the loop's thread, when the market is closed: some twenty seconds for a day of 1,100 legs, and half a
minute of work for each further thousand. Signs of life follow it, a minute or a file at a time. Of the day only some
minutes are in memory at once, fewer when that is short; where it is critical what needs most of it waits. The
database, which may still be owed the last minutes, is waited for at most `DATABASE_PATIENCE_SECONDS`, and each request
to it at most `DATABASE_TIMEOUT_SECONDS`: half a minute in all, if it is slow, and nothing if it is not there. Whoever
is told to stop has the rest done at the next start (`overdue`).
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from g6.analytics import MEASURES
from g6.background.daily_series import write_day
from g6.background.recorded import minutes_of
from g6.clock import Clock, SystemClock
from g6.errors import G6Error
from g6.governor.levels import CRITICAL
from g6.governor.reclaim import collect_and_trim
from g6.market.sessions import OutsideCalendar
from g6.model.anomaly import JudgedDay
from g6.model.closing_report import ClosingReport
from g6.model.snapshot import Snapshot
from g6.settings import Settings
from g6.storage import judged_file
from g6.storage.archive_manifest import JournalFacts, Manifest, journal_path, why_outdated
from g6.storage.care import CAREFREE, Care
from g6.storage.data_directory import JOURNAL
from g6.storage.journal_set import days_in
from g6.storage.sink import Sink
from g6.wiring.sources import Market

if TYPE_CHECKING:
    from g6.verification.expected import MarketFacts
    from g6.verification.result import Compare

log = logging.getLogger(__name__)

DATABASE = "influx"
DATABASE_PATIENCE_SECONDS = 10.0
DATABASE_TIMEOUT_SECONDS = 3.0
SYSTEM_CLOCK = SystemClock()

# What takes the more memory the larger the day is; `overdue` names the day until they are done.
HEAVY = frozenset({"verify", "archive", "together"})

Step = Callable[[ClosingReport, Care], ClosingReport]


def _never() -> bool:
    return False


def _no_pressure() -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Closing:
    """What is done with a day that is over, by the settings. The libraries of it are imported when it is.

    `server_clock` is the machine's, also where the market's is virtual: servers live by no other. `why_away` says why
    the data directory is not in its place. `level` looks at the memory and returns the governor's level, 0 to 3.
    """

    settings: Settings
    market: Market
    names: Sequence[str]  # the indices that were to be collected
    root: Path
    clock: Clock
    sinks: Sequence[Sink]
    price_basis: str
    server_clock: Clock = SYSTEM_CLOCK
    why_away: Callable[[], str] = str
    level: Callable[[], int] = _no_pressure

    def run(
        self, day: date, stopping: Callable[[], bool] = _never, alive: Callable[[], None] = CAREFREE.alive
    ) -> ClosingReport:
        """Do all of it for one day; raise nothing. Doing so again does no harm, and only what is not done yet.

        Once `stopping` says so no further step is begun. `alive` is called as the work proceeds, never by a timer.
        """
        care = Care(alive, is_short=lambda: self.level() > 0, give_back=collect_and_trim)
        report = ClosingReport(day)
        if why := self.why_away():  # what is made of the day would be made elsewhere, of nothing
            return _troubled(report, f"{why}; the day is closed when it is back")
        for name, step in self._steps().items():
            if stopping():
                return _noted(report, f"told to stop before {name}: the rest is done at the next start")
            alive()
            if name in HEAVY and self.level() >= CRITICAL:
                report = _troubled(report, f"{name}: memory is critical; it is done when there is some")
                continue
            try:
                report = step(report, care)
            except G6Error as error:
                report = _troubled(report, f"{name}: {error}")
            except Exception as error:  # per step, as per sink: what one breaks on may not cost the others
                log.exception("%s of %s failed", name, day)
                report = _troubled(report, f"{name}: {type(error).__name__}: {error}")
            collect_and_trim()  # what one step held is not to stand beside what the next one needs
        return report

    def overdue(self, before: date) -> tuple[date, ...]:
        """Return the days before a day that `run` has something to do for, ascending: what a crash or a stop left.

        They have minutes that were never folded, no archive, or no report. Only the heads of files are read, some
        milliseconds a day; what cannot be read is logged and left out.
        """
        asked: dict[str, tuple[bool, Callable[[date], Iterator[date]]]] = {
            "masters": (self.settings.storage.masters.enabled, self._unsettled),
            "archive": (self.settings.storage.archive.enabled, self._unarchived),
            "verify": (self.settings.storage.verify.after_close, self._unverified),
            "together": (self.settings.anomalies.multivariate_after_close, self._unjudged),
        }
        days: set[date] = set()
        for name, (wanted, ask) in asked.items():
            try:
                days.update(ask(before) if wanted else ())
            except G6Error as error:
                log.warning("what %s has left to do cannot be told: %s", name, error)
        return tuple(sorted(days))

    def _unsettled(self, before: date) -> Iterator[date]:
        from g6.masters.holds import unsettled_days  # noqa: PLC0415

        yield from unsettled_days(self.root, before)

    def _unarchived(self, before: date) -> Iterator[date]:
        from g6.storage.archive import unarchived  # noqa: PLC0415

        yield from unarchived(self.root, before)

    def _unverified(self, before: date) -> Iterator[date]:
        from g6.verification.holds import unverified  # noqa: PLC0415

        for day in days_in(self.root / JOURNAL):
            if day < before and unverified(self.root, day) and self._is_known(day) and self._has_minutes(day):
                yield day

    def _unjudged(self, before: date) -> Iterator[date]:
        """Yield the last day before, if it is to be judged: older ones are history, to be asked about."""
        days = [day for day in days_in(self.root / JOURNAL) if day < before]
        if days and judged_file.load(self.root, days[-1]) is None:
            yield days[-1]

    def _is_known(self, day: date) -> bool:
        """Return whether the calendar reaches as far as a day; where it does not, nothing can be said to be missing."""
        try:
            self.market.calendar.is_trading_day(day, next(iter(self.market.indices.values())).exchange)
        except OutsideCalendar:
            return False
        return True

    def _has_minutes(self, day: date) -> bool:
        try:
            return bool(JournalFacts.read(self.root, day).seqs)
        except G6Error:
            return True  # the report will say what is wrong with it

    def _steps(self) -> dict[str, Step]:
        storage, keep = self.settings.storage, self.settings.storage.retention
        steps: dict[str, tuple[bool, Step]] = {
            "daily": (True, self._daily),
            "masters": (storage.masters.enabled, self._masters),
            "verify": (storage.verify.after_close, self._verify),
            "archive": (storage.archive.enabled, self._archive),
            "together": (self.settings.anomalies.multivariate_after_close, self._together),
            "retention": (any((keep.journal_days, keep.csv_days, keep.minimum_free_bytes)), self._retention),
        }
        return {name: step for name, (wanted, step) in steps.items() if wanted}

    def _daily(self, report: ClosingReport, care: Care) -> ClosingReport:
        written = write_day(self.root, report.day, _followed(minutes_of(self.root, report.day), care.alive))
        return _noted(report, f"daily values of {len(written)} indices kept")

    def _masters(self, report: ClosingReport, care: Care) -> ClosingReport:
        from g6.masters.reconciliation import reconcile  # noqa: PLC0415

        found = reconcile(self.root, report.day, alive=care.alive)
        told = replace(report, masters_compared=found.compared, masters_differences=found.difference_count)
        return _troubled(told, str(found)) if found.difference_count else _noted(told, str(found))

    def _verify(self, report: ClosingReport, care: Care) -> ClosingReport:
        from g6.verification import report_file  # noqa: PLC0415
        from g6.verification.csv_files import CsvLayout  # noqa: PLC0415
        from g6.verification.day import verify  # noqa: PLC0415

        layout = CsvLayout(MEASURES, self.price_basis)
        found = verify(
            self.root,
            report.day,
            self._facts(report.day),
            now=self.clock.now(),
            csv=layout if self.settings.storage.csv.enabled else None,
            stores=self._stores(),
            day_is_over=True,
            on_minute=lambda _: care.alive(),
            on_file=care.alive,
        )
        report_file.store(self.root, found)
        parts = {part.name: 100 * part.share for part in found.parts if part.checked}
        gaps = max(found.gap_minutes.values(), default=0)
        told = replace(report, score=found.score, score_parts=parts, gap_minutes=gaps)
        told = _noted(told, *(f"not judged: {said}" for said in found.unjudged))
        said = f"verified, score {found.score:g}, {found.collected_minutes} of {found.expected_minutes} minutes"
        if found.score < self.settings.storage.verify.minimum_score:
            return _troubled(told, f"{said}; `g6 verify --date {report.day}` says what is missing")
        return _noted(told, said)

    def _facts(self, day: date) -> "MarketFacts":
        from g6.verification.expected import MarketFacts  # noqa: PLC0415

        exchanges = {name: definition.exchange for name, definition in self.market.indices.items()}
        # A journal says itself what was asked for; of a day left behind long ago that may be something else than today.
        names = () if journal_path(self.root, day).exists() else tuple(self.names)
        return MarketFacts(self.market.calendar, exchanges, self.settings.collection.interval_seconds, names)

    def _stores(self) -> "Mapping[str, Compare]":
        """Return how the other stores are compared: those that are kept."""
        from g6.verification.masters_agreement import masters_compare  # noqa: PLC0415

        masters = masters_compare(self.root) if self.settings.storage.masters.enabled else {}
        if not self.settings.storage.influx.enabled:
            return masters
        from g6.verification.influx_counts import influx_compare  # noqa: PLC0415
        from g6.verification.patience import patiently  # noqa: PLC0415
        from g6.wiring.influx import influx_options  # noqa: PLC0415

        options = influx_options(self.settings)
        quick = replace(options, timeout_seconds=min(options.timeout_seconds, DATABASE_TIMEOUT_SECONDS))
        compare = patiently(influx_compare(quick), self._owed, self.server_clock, DATABASE_PATIENCE_SECONDS)
        return {**masters, DATABASE: compare}

    def _owed(self, day: date) -> int:
        """Return how many of a day's minutes the database has not confirmed; 0 where the journal has gone."""
        return JournalFacts.read(self.root, day).owed_to(DATABASE) if journal_path(self.root, day).exists() else 0

    def _archive(self, report: ClosingReport, care: Care) -> ClosingReport:
        from g6.storage.archive import archive_day  # noqa: PLC0415

        before = Manifest.read(self.root, report.day)
        if before is not None and why_outdated(self.root, before) is None:
            return _noted(replace(report, archived_bytes=before.bytes), "archived before")
        day = archive_day(self.root, report.day, self.price_basis, care)
        return _noted(replace(report, archived_bytes=day.bytes), f"archived, {day.bytes:,} bytes")

    def _together(self, report: ClosingReport, care: Care) -> ClosingReport:
        from g6.wiring.judging import judge_day  # noqa: PLC0415

        if judged_file.load(self.root, report.day) is not None:
            return _noted(report, "judged as a whole before")
        found = judge_day(self.root, report.day, self.names, care.alive)
        judged_file.store(self.root, found)
        told = replace(report, odd_minutes=len(found.anomalies))
        return _noted(told, f"{len(found.anomalies)} minutes odd as a whole", *_why_unjudged(found))

    def _retention(self, report: ClosingReport, care: Care) -> ClosingReport:
        from g6.masters.holds import masters_hold  # noqa: PLC0415
        from g6.storage.retention import Policy, retention  # noqa: PLC0415
        from g6.verification.holds import verification_hold  # noqa: PLC0415

        storage = self.settings.storage
        keep, verified = storage.retention, storage.verify
        found = retention(
            self.root,
            Policy(keep.journal_days, keep.csv_days, keep.minimum_free_bytes),
            self.clock.now(),
            sinks=[sink.name for sink in self.sinks],
            holds=(
                masters_hold(self.root, kept=storage.masters.enabled),
                verification_hold(self.root, verified.minimum_score, required=verified.after_close),
            ),
            price_basis=self.price_basis,
            care=care,
        )
        removed = {kind: sum(r.bytes for r in found.removed if r.kind == kind) for kind in ("csv", "journal")}
        told = _noted(replace(report, removed_bytes=removed), *found.said_kept())
        if found.short_bytes:
            told = _troubled(told, f"the disk is {found.short_bytes / 1e6:,.0f} MB below its floor of free space")
        return _noted(told, f"{len(found.removed)} old days' files removed") if found.removed else told


def _followed(snapshots: Iterator[Snapshot], alive: Callable[[], None]) -> Iterator[Snapshot]:
    for snapshot in snapshots:
        alive()
        yield snapshot


def _why_unjudged(found: JudgedDay) -> Iterator[str]:
    return (f"{name} is not judged: {why}" for name, why in found.unjudged.items())


def _noted(report: ClosingReport, *notes: str) -> ClosingReport:
    return replace(report, notes=(*report.notes, *notes))


def _troubled(report: ClosingReport, trouble: str) -> ClosingReport:
    return replace(report, troubles=(*report.troubles, trouble))
