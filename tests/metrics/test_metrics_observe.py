"""What a report's facts become on the page."""

import dataclasses
import math
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from prometheus_client import REGISTRY

from g6.clock import IST
from g6.metrics.instruments import Instruments
from g6.metrics.observe import Observer
from g6.metrics.process import PsutilProcess, process_collector
from g6.model.anomaly import SERIES, Anomaly
from g6.model.report import CycleReport, IndexReport, JournalReport, SinkReport
from g6.model.snapshot import Refusal

NOW = 1_800_000_000.0

type_of_report = Callable[..., CycleReport]


@pytest.fixture
def value(instruments: Instruments) -> Callable[..., float | None]:
    def read(name: str, **labels: str) -> float | None:
        return instruments.registry.get_sample_value(name, labels)

    return read


def test_counts_start_at_zero_levels_at_nan_and_instants_absent(
    observer: Observer, value: Callable[..., float | None]
) -> None:
    assert value("g6_cycles_failed_total") == 0
    assert value("g6_cycles_skipped_total", reason="overrun") == 0
    assert value("g6_legs_refused_total", index="SENSEX", defect="crossed") == 0
    assert value("g6_sink_errors_total", sink="influx") == 0
    assert value("g6_market_open", exchange="BSE") == 0
    assert math.isnan(value("g6_chain_pcr_oi_ratio", index="SENSEX", expiry_code="next_week") or 0)
    assert value("g6_cycle_last_success_timestamp_seconds") is None
    assert value("g6_sink_last_success_timestamp_seconds", sink="csv") is None


def test_every_known_word_has_its_series_from_the_start(
    observer: Observer, value: Callable[..., float | None], all_words: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    defects, statuses = all_words
    assert [value("g6_legs_refused_total", index="NIFTY", defect=word) for word in defects] == [0] * len(defects)
    assert [value("g6_iv_legs_total", index="NIFTY", status=word) for word in statuses] == [0] * len(statuses)


def test_cycles_are_counted_by_outcome(
    observer: Observer, report: type_of_report, value: Callable[..., float | None]
) -> None:
    observer.cycle(report())
    observer.cycle(report(sinks=(SinkReport("csv", error="disk full", lag_cycles=1),)))
    observer.cycle(report(error="TransientError: timed out", indices=(), journal=None))
    outcomes = [value(f"g6_cycles_{word}_total") for word in ("started", "succeeded", "partial", "failed")]
    assert outcomes == [3, 1, 1, 1]
    assert value("g6_cycle_duration_seconds_count") == 3
    assert value("g6_cycle_duration_seconds_bucket", le="0.5") == 3
    assert value("g6_cycle_duration_seconds_bucket", le="0.25") == 0
    assert value("g6_stage_seconds_total", stage="quotes") == pytest.approx(0.375)
    assert value("g6_stage_runs_total", stage="quotes") == 3


def test_legs_are_summed_over_the_expiries_of_an_index(
    observer: Observer, report: type_of_report, value: Callable[..., float | None]
) -> None:
    observer.cycle(report())
    assert value("g6_legs_expected_total", index="NIFTY") == 3 * 42
    assert value("g6_legs_received_total", index="NIFTY") == 3 * 40
    assert value("g6_legs_refused_total", index="NIFTY", defect="absent") == 3 * 2
    assert value("g6_iv_legs_total", index="BANKEX", status="solved") == 2 * 30
    assert value("g6_chains_accepted_total", index="NIFTY") == 3


def test_an_expiry_with_two_codes_is_shown_under_both(
    observer: Observer, report: type_of_report, value: Callable[..., float | None]
) -> None:
    observer.cycle(report())
    weekly = value("g6_chain_pcr_oi_ratio", index="NIFTY", expiry_code="this_week")
    assert weekly == value("g6_chain_pcr_oi_ratio", index="NIFTY", expiry_code="this_month") == 1.25
    # this_week 1, next_week 2, this_month 4, next_month 8
    assert value("g6_index_collected_codes_mask", index="NIFTY") == 15
    assert value("g6_index_collected_codes_mask", index="BANKEX") == 12


def test_what_a_cycle_did_not_see_is_nan_and_not_the_minute_before(
    observer: Observer,
    report: type_of_report,
    one_index: Callable[..., IndexReport],
    value: Callable[..., float | None],
) -> None:
    observer.cycle(report())
    first = one_index("NIFTY")
    refusal = Refusal("NIFTY", "2026-12-29", ("next_month",), "coverage", "3 of 42 legs answered")
    observer.cycle(report(indices=(dataclasses.replace(first, expiries=first.expiries[:2], refusals=(refusal,)),)))
    assert math.isnan(value("g6_chain_max_pain_points", index="NIFTY", expiry_code="next_month") or 0)
    assert value("g6_chain_max_pain_points", index="NIFTY", expiry_code="next_week") == 3.25
    assert value("g6_index_expected_codes_mask", index="NIFTY") == 15
    assert value("g6_index_collected_codes_mask", index="NIFTY") == 7
    assert math.isnan(value("g6_index_spot_points", index="SENSEX") or 0)
    assert math.isnan(value("g6_chain_atm_strike_points", index="SENSEX", expiry_code="this_week") or 0)
    assert value("g6_chains_refused_total", index="NIFTY") == 1
    assert value("g6_refusals_total", reason="coverage") == 1


def test_anomalies_are_counted_by_their_series(
    observer: Observer,
    report: type_of_report,
    one_index: Callable[..., IndexReport],
    value: Callable[..., float | None],
) -> None:
    minute = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
    odd = Anomaly("NIFTY", None, "pcr", minute, 1.2, 1.0, 9.0, "out of the ordinary")
    assert value("g6_anomalies_total", series="pcr") == 0
    observer.cycle(report(indices=(one_index("NIFTY", anomalies=(odd, odd)), one_index("SENSEX", anomalies=(odd,)))))
    assert [value("g6_anomalies_total", series=name) for name in SERIES] == [0, 0, 0, 0, 3]


def test_a_reason_that_nobody_announced_makes_no_new_series(
    observer: Observer,
    report: type_of_report,
    one_index: Callable[..., IndexReport],
    value: Callable[..., float | None],
) -> None:
    odd = Refusal("NIFTY", "", (), "legs 17 and 18 were late", "…")
    observer.cycle(report(indices=(one_index("NIFTY", refusals=(odd,)),)))
    assert value("g6_refusals_total", reason="other") == 1
    assert value("g6_refusals_total", reason="legs 17 and 18 were late") is None


def test_a_failed_cycle_moves_no_success_instant(
    observer: Observer, report: type_of_report, value: Callable[..., float | None]
) -> None:
    observer.cycle(report(journal=JournalReport("x", 0, pending=2, error="disk full")))
    assert value("g6_cycle_last_success_timestamp_seconds") is None
    assert value("g6_index_last_snapshot_timestamp_seconds", index="NIFTY") is None
    assert value("g6_journal_last_write_timestamp_seconds") is None
    assert value("g6_journal_errors_total") == 1
    assert value("g6_journal_pending_cycles") == 2
    observer.cycle(report())
    assert value("g6_cycle_last_success_timestamp_seconds") == NOW
    assert value("g6_index_last_snapshot_timestamp_seconds", index="NIFTY") == NOW
    assert value("g6_journal_last_write_timestamp_seconds") == NOW
    assert value("g6_journal_pending_cycles") == 0


def test_a_sink_that_fails_keeps_its_last_success_and_shows_its_lag(
    observer: Observer, report: type_of_report, value: Callable[..., float | None]
) -> None:
    failing = SinkReport("influx", lag_cycles=3, error="refused")
    observer.cycle(report(sinks=(SinkReport("csv", 40, 12, 9_000, repaired=1), failing)))
    assert value("g6_sink_last_success_timestamp_seconds", sink="csv") == NOW
    assert value("g6_sink_last_success_timestamp_seconds", sink="influx") is None
    assert value("g6_sink_lag_cycles", sink="influx") == 3
    assert value("g6_sink_errors_total", sink="influx") == 1
    assert value("g6_sink_runs_total", sink="influx") == 1
    assert value("g6_sink_repaired_files_total", sink="csv") == 1
    assert value("g6_sink_written_bytes_total", sink="csv") == 9_000


def test_skipped_minutes_are_counted_once_and_overruns_by_cycle(
    observer: Observer, report: type_of_report, value: Callable[..., float | None]
) -> None:
    observer.skipped("overrun", 2)
    observer.cycle(report(missed_minutes=2))
    observer.skipped("closed")
    assert value("g6_cycles_skipped_total", reason="overrun") == 2
    assert value("g6_cycles_skipped_total", reason="closed") == 1
    assert value("g6_cycle_overruns_total") == 1


def test_the_calendar_is_known_until_the_end_of_its_last_day(
    observer: Observer, value: Callable[..., float | None]
) -> None:
    observer.session({"NSE": True, "BSE": False}, date(2026, 12, 31))
    # 2027-01-01 00:00 in India is 18:30 of the day before in UTC.
    assert value("g6_calendar_known_until_timestamp_seconds") == datetime(2026, 12, 31, 18, 30, tzinfo=UTC).timestamp()
    assert value("g6_market_open", exchange="NSE") == 1
    assert value("g6_market_open", exchange="BSE") == 0


def test_a_session_that_is_followed_closes_by_itself(observer: Observer, value: Callable[..., float | None]) -> None:
    opened = {"NSE": True, "BSE": False}
    observer.follow_session(opened.__getitem__, date(2026, 12, 31))
    assert value("g6_market_open", exchange="NSE") == 1
    assert value("g6_market_open", exchange="BSE") == 0
    opened["NSE"] = False
    assert value("g6_market_open", exchange="NSE") == 0
    assert value("g6_calendar_known_until_timestamp_seconds") is not None


def test_only_the_provider_that_answered_last_is_named(
    observer: Observer, report: type_of_report, value: Callable[..., float | None]
) -> None:
    observer.cycle(report())
    observer.cycle(report(provider="replay"))
    assert value("g6_provider_info", provider="replay") == 1
    assert value("g6_provider_info", provider="simulated") is None


def test_what_runs_is_told_as_labels(
    observer: Observer, instruments: Instruments, value: Callable[..., float | None]
) -> None:
    build = next(family for family in instruments.registry.collect() if family.name == "g6_build_info")
    assert [sample.labels["version"] for sample in build.samples] == ["1.2.3"]
    assert value("g6_clock_info", kind="real") == 1


def test_nothing_is_put_into_the_global_registry(observer: Observer) -> None:
    assert [name for name in REGISTRY._names_to_collectors if name.startswith("g6_")] == []


def test_a_machine_without_proc_still_tells_memory_and_processor_time(tmp_path: object) -> None:
    collector = process_collector(tmp_path)  # type: ignore[arg-type]
    assert isinstance(collector, PsutilProcess)
    told = {sample.name: sample.value for family in collector.collect() for sample in family.samples}
    assert told["process_resident_memory_bytes"] > 1_000_000
    assert told["process_cpu_seconds_total"] > 0
    assert told["process_start_time_seconds"] > 1_600_000_000
