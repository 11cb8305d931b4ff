"""When the agent is alive, when it is ready, and what its parts say."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from g6.clock import IST
from g6.health import DiskReading, ExporterReading, Health, Readers, StartReading
from g6.health.evidence import Evidence, Finding
from g6.health.registry import CHECKS
from g6.model.part_report import PartReport
from g6.model.provider_report import MarketReport
from g6.model.report import CycleReport, JournalReport, SinkReport
from g6.model.snapshot import Refusal

KNOWN_UNTIL = date(2026, 12, 31)

type_of_report = Callable[..., CycleReport]


@pytest.fixture
def health(clock: Any) -> Health:
    return Health(clock, interval_seconds=60, sinks=("csv",), patience_intervals=3, exchanges={"NIFTY": "NSE"})


def state(health: Health, name: str) -> str:
    return next(component.state for component in health.components if component.name == name)


def sentence(health: Health, name: str) -> str:
    return next(component.sentence for component in health.components if component.name == name)


def test_before_the_first_cycle_it_lives_and_is_not_ready(health: Health) -> None:
    assert health.live().ok
    assert not health.ready().ok
    assert health.ready().reasons == ("no cycle has ended yet",)
    assert health.market == "unknown"
    assert {component.state for component in health.components} <= {"unknown", "ok"}
    assert [state(health, name) for name in ("session", "provider", "journal", "sink:csv")] == ["unknown"] * 4


def test_after_a_good_cycle_it_is_ready_and_every_part_is_well(health: Health, report: type_of_report) -> None:
    health.session({"NSE": True}, KNOWN_UNTIL)
    health.cycle(report())
    assert health.ready().ok
    assert health.market == "open"
    told = ("loop", "session", "provider", "journal", "sink:csv", "market_data:NSE")
    assert {name: state(health, name) for name in told} == dict.fromkeys(told, "ok")
    assert health.problems == ()
    assert sentence(health, "provider") == "40/42 quotes from simulated"


def test_a_failed_cycle_makes_it_not_ready_and_still_alive(health: Health, report: type_of_report) -> None:
    health.cycle(report())
    health.cycle(report(error="TransientError: timed out", indices=(), journal=None))
    assert not health.ready().ok
    assert "timed out" in health.ready().reasons[0]
    assert health.live().ok
    assert [state(health, name) for name in ("loop", "provider", "journal")] == ["down", "unknown", "down"]
    health.cycle(report())
    assert health.ready().ok


def test_a_partial_cycle_is_still_worth_reading(health: Health, report: type_of_report) -> None:
    health.cycle(report(sinks=(SinkReport("csv", error="disk full", lag_cycles=2),)))
    assert health.ready().ok
    assert state(health, "sink:csv") == "down"
    assert sentence(health, "sink:csv") == "disk full; 2 minutes behind"


def test_another_provider_than_the_best_is_degraded_and_says_why(health: Health, report: type_of_report) -> None:
    health.cycle(report(market=MarketReport("kite", "kite-stream", reason="no message for 12 s")))
    assert state(health, "provider") == "degraded"
    assert sentence(health, "provider").endswith("; kite instead of kite-stream: no message for 12 s")
    health.cycle(report(market=MarketReport("kite-stream", "kite-stream")))
    assert state(health, "provider") == "ok"


def test_a_refused_chain_degrades_the_provider(health: Health, report: type_of_report) -> None:
    good = report()
    refusal = Refusal("NIFTY", "2026-12-29", ("next_month",), "coverage", "3 of 42 legs answered, 80% are needed")
    health.cycle(report(indices=(replace(good.indices[0], refusals=(refusal,)),)))
    assert state(health, "provider") == "degraded"
    assert "NIFTY 2026-12-29 refused: 3 of 42 legs" in sentence(health, "provider")


@pytest.mark.parametrize(
    ("journal", "expected"),
    [
        (JournalReport("x", 10), "ok"),
        (JournalReport("x", 10, pending=2), "degraded"),
        (JournalReport("x", 0, pending=1, error="No space left on device"), "down"),
        (None, "down"),
    ],
    ids=["written", "catching up", "refused", "never reached"],
)
def test_the_journal_is_as_well_as_its_minute_is_durable(
    health: Health, report: type_of_report, journal: JournalReport | None, expected: str
) -> None:
    health.cycle(report(journal=journal))
    assert state(health, "journal") == expected


def test_a_sink_behind_the_journal_is_degraded_and_one_without_a_report_keeps_its_state(
    health: Health, report: type_of_report
) -> None:
    health.cycle(report(sinks=(SinkReport("csv", lag_cycles=4),)))
    assert state(health, "sink:csv") == "degraded"
    health.cycle(report(sinks=()))
    assert state(health, "sink:csv") == "degraded"


def test_missed_minutes_degrade_the_loop(health: Health, report: type_of_report) -> None:
    health.cycle(report(missed_minutes=2))
    assert state(health, "loop") == "degraded"


def test_a_state_is_dated_from_its_change_and_not_from_its_last_mention(
    health: Health, report: type_of_report, clock: Any
) -> None:
    began = clock.now()
    health.cycle(report())
    clock.pass_seconds(60)
    health.cycle(report())
    since = {component.name: component.since for component in health.components}
    assert since["provider"] == began
    clock.pass_seconds(60)
    health.cycle(report(error="no", indices=(), journal=None))
    since = {component.name: component.since for component in health.components}
    assert since["provider"] == began + timedelta(minutes=2)


def test_a_loop_that_does_not_come_back_is_dead_after_the_allowed_intervals(
    health: Health, report: type_of_report, clock: Any
) -> None:
    health.cycle(report())
    health.waiting(clock.now() + timedelta(seconds=30))
    clock.pass_seconds(30 + 3 * 60)
    assert health.live().ok, "exactly as late as it may be"
    clock.pass_seconds(1)
    verdict = health.live()
    assert not verdict.ok
    assert verdict.reasons == ("the loop has not come back: 181 s late, 180 s are allowed",)
    health.cycle(report())
    assert health.live().ok


def test_a_night_is_no_death_and_a_closed_market_is_ready(health: Health, report: type_of_report, clock: Any) -> None:
    health.session({"NSE": True}, KNOWN_UNTIL)
    health.cycle(report(error="no", indices=(), journal=None))
    assert not health.ready().ok
    health.waiting(clock.now() + timedelta(hours=17), "the market is closed")
    assert health.market == "closed"
    assert health.ready().ok
    clock.pass_seconds(17 * 3600)
    assert health.live().ok
    health.cycle(report(error="no", indices=(), journal=None))
    assert not health.ready().ok, "the first minute of the next session counts again"


def test_no_exchange_in_session_means_closed(health: Health, report: type_of_report) -> None:
    health.session({"NSE": False, "BSE": False}, KNOWN_UNTIL)
    assert health.market == "closed"
    assert health.ready().ok
    health.session({"NSE": False, "BSE": True}, KNOWN_UNTIL)
    assert health.market == "open"
    assert not health.ready().ok


def test_a_stepped_wall_clock_does_not_kill_the_loop(health: Health, clock: Any) -> None:
    health.waiting(clock.now() + timedelta(seconds=60))
    clock.wall += timedelta(days=1)
    assert health.live().ok


def test_a_calendar_past_its_end_is_down(health: Health, clock: Any) -> None:
    clock.wall = datetime(2027, 1, 1, 9, 0, tzinfo=IST)
    health.session({"NSE": False}, KNOWN_UNTIL)
    assert state(health, "calendar") == "down"
    assert sentence(health, "calendar") == "the calendar ends on 2026-12-31"


def test_waiting_does_not_hide_why_the_last_minute_failed(health: Health, report: type_of_report, clock: Any) -> None:
    health.cycle(report(error="SinkError: torn", indices=(), journal=None))
    for minutes in (1, 2):
        health.waiting(clock.now() + timedelta(minutes=minutes))
    assert state(health, "loop") == "down"
    assert sentence(health, "loop") == "10:00 failed: SinkError: torn; waiting until Fri 20 Nov 10:02"


def test_verdicts_are_json(health: Health, report: type_of_report) -> None:
    health.cycle(report())
    told = json.loads(json.dumps(health.ready().as_dict()))
    assert told["status"] == "ok"
    assert told["reasons"] == []
    assert told["components"]["sink:csv"] == {
        "state": "ok", "since": "2026-11-20T10:00:00+05:30", "sentence": "40 rows written",
    }  # fmt: skip


def test_components_in_a_readers_hands_do_not_change(health: Health, report: type_of_report) -> None:
    before = health.components
    health.cycle(report())
    assert next(component for component in before if component.name == "provider").state == "unknown"


def test_a_problem_is_over_in_the_minute_in_which_its_cause_is(
    health: Health, report: type_of_report, clock: Any
) -> None:
    health.cycle(report(journal=JournalReport("x", 0, pending=1, error="No space left on device")))
    assert [(problem.id, problem.severity) for problem in health.problems] == [
        ("journal_not_committing", "down")
    ]  # fmt: skip
    clock.pass_seconds(60)
    health.cycle(report())
    assert health.problems == ()


def test_that_the_loop_hangs_is_known_to_who_asks_without_any_cycle(
    health: Health, report: type_of_report, clock: Any
) -> None:
    health.cycle(report())
    clock.pass_seconds(3 * 60 + 90)
    assert [problem.id for problem in health.problems] == ["loop_late"]
    assert sentence(health, "loop").startswith("the loop has not come back for 90 s longer than it may")
    assert health.document().status == "down"


def test_a_clock_that_is_set_is_told_of_for_ten_minutes(health: Health, report: type_of_report, clock: Any) -> None:
    health.cycle(report())
    clock.pass_seconds(60)
    clock.wall += timedelta(hours=1)
    health.cycle(report())
    assert [problem.id for problem in health.problems] == ["clock_stepped"]
    assert sentence(health, "clock") == "the clock went 60 min forward, or the machine slept"
    for _ in range(9):
        clock.pass_seconds(60)
        health.cycle(report())
        assert [problem.id for problem in health.problems] == ["clock_stepped"]
    clock.pass_seconds(61)
    health.cycle(report())
    assert health.problems == ()


def test_the_readers_are_asked_after_each_cycle_and_in_between(clock: Any, report: type_of_report) -> None:
    free, errors, directory = [5 * 10**10], [0], [""]
    readers = Readers(
        directory=lambda: directory[0],
        disk=lambda: DiskReading(free[0], 10**11),
        parts=lambda: (PartReport("stream", "restarting", 2, "OSError: gone"),),
        exporter=lambda: ExporterReading("http://127.0.0.1:9108", alive=True, collector_errors=errors[0]),
    )
    health = Health(clock, 60.0, readers=readers)
    health.start(StartReading("data"))
    assert (state(health, "directory"), state(health, "disk")) == ("ok", "ok")
    assert sentence(health, "part:stream") == "being restarted, restarted 2 times: OSError: gone"
    free[0], errors[0], directory[0] = 10**6, 3, "data is gone"
    health.look()
    assert (state(health, "directory"), sentence(health, "directory")) == ("down", "data is gone")
    directory[0] = ""
    assert sentence(health, "disk") == "1.0 MB of 100.0 GB free (0%)"
    assert sentence(health, "exporter").endswith("3 parts of /metrics could not be rendered")
    health.cycle(report())
    assert state(health, "exporter") == "ok", "no further one failed since"
    assert {problem.id for problem in health.problems} == {"disk_full", "part_restarting", "exporter_failing"}


def test_after_a_cycle_the_exchanges_that_were_asked_are_open(health: Health, report: type_of_report) -> None:
    health.session({"NSE": False, "BSE": False}, KNOWN_UNTIL)
    health.cycle(report())
    assert health.market == "open"
    assert sentence(health, "session") == "NSE open, BSE closed"


def test_a_check_that_breaks_costs_no_other_and_is_logged_once(
    clock: Any, report: type_of_report, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(evidence: Evidence) -> list[Finding]:
        raise ValueError("what a day")

    health = Health(clock, 60.0, checks={"loop": CHECKS["loop"], "weather": broken})
    health.cycle(report())
    assert state(health, "loop") == "ok"
    assert sentence(health, "weather") == "the check broke: ValueError: what a day"
    assert len([record for record in caplog.records if "weather" in record.message]) == 1


def test_readers_and_tellers_may_be_in_several_threads(health: Health, report: type_of_report) -> None:
    with ThreadPoolExecutor(4) as pool:
        told = [pool.submit(health.cycle, report()) for _ in range(50)]
        asked = [pool.submit(health.document) for _ in range(50)]
    assert all(future.exception() is None for future in (*told, *asked))
