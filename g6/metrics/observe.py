"""From the report of a minute to numbers. Told by the loop; never asked for anything by it."""

import math
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Literal

from g6.clock import IST
from g6.metrics.broker import follow_tokens, observe_market
from g6.metrics.catalogue import aggregate_metric
from g6.metrics.instruments import OTHER, Instruments
from g6.metrics.participants import observe_participants
from g6.metrics.pressure import follow_pressure, observe_pressure
from g6.metrics.process import process_collector
from g6.metrics.surroundings import observe_surroundings
from g6.metrics.wanted import LastWanted, Wanted
from g6.model.anomaly import TOGETHER
from g6.model.chain import mask_of
from g6.model.closing_report import ClosingReport
from g6.model.participants_report import ParticipantsReport
from g6.model.pressure_report import PressureReport
from g6.model.provider_report import MarketReport, TokenReport
from g6.model.report import CycleReport, IndexReport, JournalReport, SinkReport, Status

OUTCOMES: Mapping[Status, str] = {
    "ok": "g6_cycles_succeeded_total",
    "partial": "g6_cycles_partial_total",
    "failed": "g6_cycles_failed_total",
}


class Observer:
    """Writes reports into the instruments.

    Instants are the machine's own (`now`, seconds since 1970), whatever clock the minutes follow, so that an age is
    `time() - …` in PromQL. What the last cycle did not see is NaN: a level of the market never outlives its minute.
    Each number is set on its own: a scrape in the middle of `cycle` may see a part of it, and the next one all of it.
    """

    def __init__(
        self,
        instruments: Instruments,
        *,
        version: str,
        clock: Literal["real", "virtual"] = "real",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._to = instruments
        self._now = now
        self._wanted = LastWanted()
        self._aggregates = {a.name: aggregate_metric(a).name for a in instruments.known.exported}
        instruments.registry.register(process_collector())
        instruments.set("g6_build_info", 1, version, platform.python_version())
        instruments.set("g6_clock_info", 1, clock)

    def cycle(self, report: CycleReport) -> None:
        """Count a cycle that has ended."""
        self._outcome(report)
        for stage, seconds in report.stages.items():
            self._to.add("g6_stage_seconds_total", seconds, stage)
            self._to.add("g6_stage_runs_total", 1, stage)
        reports, wanted = {index.index: index for index in report.indices}, self._wanted.of(report)
        for name in (*self._to.known.codes, *(name for name in reports if name not in self._to.known.codes)):
            self._index(name, reports.get(name), wanted.get(name, Wanted()))
        self._chains(report)
        observe_surroundings(self._to, report.surroundings)
        if report.journal:
            self._journal(report.journal)
        for sink in report.sinks:
            self._sink(sink)
        if report.market:
            self.market(report.market)
        if report.status != "failed":
            self._fresh(report)

    def recalled(self, planned: Iterable[IndexReport]) -> None:
        """Take up what was wanted of these indices before this process began; nothing is counted."""
        self._wanted.recall(planned)

    def market(self, report: MarketReport) -> None:
        """Count what asking the providers went through, in a cycle or before the first."""
        observe_market(self._to, report, self._now())

    def pressure(self, report: PressureReport) -> None:
        """Count what the governor did since the cycle before, and set how things stand."""
        observe_pressure(self._to, report)

    def follow_pressure(self, report: Callable[[], PressureReport]) -> None:
        """Ask the governor at each scrape from now on: between two sessions no cycle tells of the memory."""
        follow_pressure(self._to, report)

    def closing(self, report: ClosingReport) -> None:
        """Set what the end of a day amounted to."""
        midnight = datetime.combine(report.day, datetime.min.time(), IST)
        self._to.set("g6_closing_day_timestamp_seconds", midnight.timestamp())
        self._to.set("g6_closing_troubles", len(report.troubles))
        self._to.set("g6_verify_score_ratio", report.score / 100)
        if report.gap_minutes is not None:
            self._to.set("g6_verify_missing_cycles", report.gap_minutes)
        self._to.add("g6_masters_differences_total", report.masters_differences or 0)
        self._to.add("g6_archive_written_bytes_total", report.archived_bytes or 0)
        if report.odd_minutes:
            self._to.add("g6_anomalies_total", report.odd_minutes, TOGETHER)
        for kind, count in report.removed_bytes.items():
            self._to.add("g6_retention_removed_bytes_total", count, kind)

    def participants(self, report: ParticipantsReport) -> None:
        """Set how old what is stored of participants is."""
        observe_participants(self._to, report)

    def participants_fetched(self, missing: int) -> None:
        """Set how many files of participants the last fetch wanted and does not have."""
        self._to.set("g6_participants_missing_files", missing)

    def skipped(self, reason: str, count: int = 1) -> None:
        """Count minutes in which no cycle runs: `closed` once per closure, the others per minute lost.

        What an overrun cost was wanted as much as what the minute beside it asked for.
        """
        self._to.add("g6_cycles_skipped_total", count, reason)
        if reason == "overrun":
            for name, wanted in self._wanted.latest.items():
                self._to.add("g6_legs_expected_total", count * wanted.legs, name)

    def session(self, open_by_exchange: Mapping[str, bool], known_until: date) -> None:
        """Say which exchanges are open now, and the last day that the session calendar covers."""
        for exchange, is_open in open_by_exchange.items():
            self._to.set("g6_market_open", is_open, exchange)
        midnight = datetime.combine(known_until, datetime.min.time(), IST) + timedelta(days=1)
        self._to.set("g6_calendar_known_until_timestamp_seconds", midnight.timestamp())

    def follow_session(self, is_open: Callable[[str], bool], known_until: date) -> None:
        """Ask `is_open(exchange)` at each scrape from now on: a loop asleep for the night cannot tell of the close.

        It is called from the server's thread. Where it raises, the page is served without `g6_market_open`.
        """
        self.session({}, known_until)
        for exchange in self._to.known.exchanges:
            self._to.follow("g6_market_open", partial(is_open, exchange), exchange)

    def follow_next_open(self, seconds: Callable[[], float]) -> None:
        """Ask at each scrape from now on how many seconds of the machine's are left until a session opens."""
        self._to.follow("g6_market_next_open_timestamp_seconds", lambda: self._now() + seconds())

    def follow_tokens(self, reports: Callable[[], Sequence[TokenReport]]) -> None:
        """Ask for the access tokens at each scrape from now on; called from the server's thread."""
        follow_tokens(self._to, reports)

    def _outcome(self, report: CycleReport) -> None:
        self._to.add("g6_cycles_started_total")
        self._to.add(OUTCOMES[report.status])
        self._to.add("g6_cycle_overruns_total", report.missed_minutes > 0 and report.missed_by == "overrun")
        self._to.observe("g6_cycle_duration_seconds", report.seconds)
        self._to.set("g6_cycle_last_minute_timestamp_seconds", report.minute.timestamp())
        self._to.only("g6_provider_info", report.provider)

    def _fresh(self, report: CycleReport) -> None:
        now = self._now()
        self._to.set("g6_cycle_last_success_timestamp_seconds", now)
        for index in report.indices:
            if index.expiries:
                self._to.set("g6_index_last_snapshot_timestamp_seconds", now, index.index)

    def _index(self, name: str, report: IndexReport | None, wanted: Wanted) -> None:
        stored = [code for expiry in report.expiries for code in expiry.codes] if report else []
        self._to.set("g6_index_spot_points", report.spot if report else math.nan, name)
        self._to.set("g6_index_spot_frozen", bool(report and report.spot_frozen), name)
        self._to.set("g6_index_expected_codes_mask", mask_of(wanted.codes), name)
        self._to.set("g6_index_collected_codes_mask", mask_of(tuple(stored)), name)
        self._to.add("g6_legs_expected_total", wanted.legs, name)
        if report:
            self._count(report)

    def _count(self, report: IndexReport) -> None:
        name = report.index
        self._to.add("g6_legs_received_total", report.received, name)
        self._to.add("g6_chains_accepted_total", len(report.expiries), name)
        self._to.add("g6_chains_refused_total", len(report.refusals), name)
        for anomaly in report.anomalies:
            self._to.add("g6_anomalies_total", 1, anomaly.series)
        for refusal in report.refusals:
            known = refusal.reason in self._to.known.refusal_reasons
            self._to.add("g6_refusals_total", 1, refusal.reason if known else OTHER)
        self._to.add("g6_legs_stale_total", sum(expiry.stale for expiry in report.expiries), name)
        for expiry in report.expiries:
            for defect, legs in expiry.defects.items():
                self._to.add("g6_legs_refused_total", legs, name, defect)
            for status, legs in expiry.iv_statuses.items():
                self._to.add("g6_iv_legs_total", legs, name, status)

    def _chains(self, report: CycleReport) -> None:
        seen = {(e.index, code): e for index in report.indices for e in index.expiries for code in e.codes}
        for pair in {**dict.fromkeys(self._to.known.pairs), **seen}:
            values = seen[pair].aggregates if pair in seen else {}
            for name, metric in self._aggregates.items():
                self._to.set(metric, values.get(name, math.nan), *pair)

    def _journal(self, report: JournalReport) -> None:
        self._to.set("g6_journal_pending_cycles", report.pending)
        self._to.add("g6_journal_lost_cycles_total", not report.kept)
        self._to.add("g6_journal_written_bytes_total", report.bytes_written)
        if report.error:
            self._to.add("g6_journal_errors_total")
            return
        self._to.add("g6_journal_cycles_written_total")
        self._to.set("g6_journal_last_write_timestamp_seconds", self._now())

    def _sink(self, report: SinkReport) -> None:
        name = report.name
        self._to.add("g6_sink_runs_total", 1, name)
        self._to.add("g6_sink_rows_written_total", report.rows, name)
        self._to.add("g6_sink_written_bytes_total", report.bytes_written, name)
        self._to.add("g6_sink_files_written_total", report.files, name)
        self._to.add("g6_sink_repaired_files_total", report.repaired, name)
        self._to.add("g6_sink_refused_lines_total", report.refused, name)
        self._to.set("g6_sink_unconfirmed_cycles", report.unconfirmed_cycles, name)
        self._to.set("g6_sink_lag_cycles", report.lag_cycles, name)
        if report.error:
            self._to.add("g6_sink_errors_total", 1, name)
        else:
            self._to.set("g6_sink_last_success_timestamp_seconds", self._now(), name)
