"""Each check is a function of the evidence: what it makes of every state that a part can be in."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from g6.clock import IST
from g6.health.evidence import (
    ClockReading,
    DiskReading,
    Evidence,
    ExporterReading,
    QuoteAge,
    SessionState,
    StartReading,
    quote_ages,
)
from g6.health.problems import PROBLEMS
from g6.health.registry import CHECKS, Judges, summary
from g6.model.chain import OptionChain
from g6.model.closing_report import ClosingReport
from g6.model.part_report import PartReport
from g6.model.pressure_report import PressureReport
from g6.model.provider_report import EndpointReport, MarketReport, ProviderReport, TokenReport
from g6.model.report import CycleReport, IndexReport, SinkReport
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot

NOW = datetime(2026, 11, 20, 10, 0, 20, tzinfo=IST)
OPEN = SessionState({"NSE": True, "BSE": True}, date(2027, 6, 30))
EXCHANGES = {"NIFTY": "NSE", "SENSEX": "BSE"}
FRESH = {"NSE": QuoteAge(0.8), "BSE": QuoteAge(1.4)}
GB = 10**9


def asked(*providers: ProviderReport, active: str = "kite", preferred: str = "kite", reason: str = "") -> MarketReport:
    return MarketReport(active, preferred, reason, providers=providers)


def token(state: str, hours: float | None = 20.0, reason: str = "", account: str = "kite") -> TokenReport:
    expires = None if hours is None else NOW + timedelta(hours=hours)
    return TokenReport(account, state, expires, reason)  # type: ignore[arg-type]


def kite(**changes: Any) -> ProviderReport:
    return ProviderReport(**({"name": "kite", "token": token("valid")} | changes))


def refused(index: str, reason: str, detail: str) -> IndexReport:
    return IndexReport(index, math.nan, False, (), 0, 0, (), (Refusal(index, "", (), reason, detail),))


@pytest.fixture
def well(report: Callable[..., CycleReport]) -> Evidence:
    """All is well, in the middle of a session."""
    nifty = report().indices[0]
    minute = report(
        minute=NOW.replace(second=0), provider="kite", market=asked(kite()),
        indices=(nifty, replace(nifty, index="SENSEX")),
    )  # fmt: skip
    return Evidence(
        NOW, market="open", report=minute, asked=minute.market, session=OPEN, quotes=FRESH, exchanges=EXCHANGES,
        sinks={"csv": SinkReport("csv", 40, 12, 9000)}, pressure=PressureReport(0, 2 * 10**8, 2 * GB, "machine"),
        parts=(PartReport("stream", "running"),), disk=DiskReading(50 * GB, 100 * GB), clock=ClockReading(),
        exporter=ExporterReading("http://127.0.0.1:9108"), closing=ClosingReport(date(2026, 11, 19), 100.0),
        start=StartReading("data/live"), directory="",
    )  # fmt: skip


def judged(evidence: Evidence) -> dict[str, tuple[str, str]]:
    return {name: summary(found) for name, found in Judges().judge(evidence).items()}


def problems(evidence: Evidence) -> list[tuple[str, str, str]]:
    found = Judges().judge(evidence).values()
    return [(f.problem, f.subject, f.state) for findings in found for f in findings if f.problem]


def test_when_all_is_well_nothing_is_wrong_and_every_check_has_spoken(well: Evidence) -> None:
    told = judged(well)
    assert {state for state, _ in told.values()} == {"ok"}
    assert {name.partition(":")[0] for name in told} == set(CHECKS)
    assert {"market_data:NSE", "market_data:BSE", "token:kite", "sink:csv", "part:stream"} <= set(told)
    assert problems(well) == []


def test_before_anything_was_told_nothing_is_wrong_either() -> None:
    told = judged(Evidence(NOW))
    assert {state for state, _ in told.values()} <= {"unknown", "ok"}
    assert all(sentence for _, sentence in told.values())


def minute(**changes: Any) -> Callable[[Evidence], Evidence]:
    def change(e: Evidence) -> Evidence:
        assert e.report is not None
        report = replace(e.report, **changes)
        return replace(e, report=report, asked=report.market)

    return change


def at_night(e: Evidence) -> Evidence:
    return replace(e, market="closed", session=SessionState({"NSE": False, "BSE": False}, OPEN.known_until))


def told(**changes: Any) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, **changes)


FAILED = {"indices": (), "journal": None, "error": "TransientError: timed out"}
DEAD = kite(token=token("dead", -4, "it was refused"), problems=("it was refused; run `g6 login --account second`",))
OPEN_BREAKER = kite(endpoints=(EndpointReport("kite.quote", breaker="open", reason="5 time-outs"),))
SECOND = ProviderReport("kite-second", token=token("absent", None, "nobody has logged in yet", "kite-second"))

# What happens → the component, its state, the problem and its subject, a part of the sentence.
CASES: dict[str, tuple[Callable[[Evidence], Evidence], str, str, str, str, str]] = {
    "no quotes": (
        minute(indices=(refused("NIFTY", "unreachable", "timed out"),)),
        "provider", "down", "provider_silent", "", "timed out",
    ),
    "failing over": (
        minute(market=asked(kite(), preferred="kite-stream", reason="no message for 12 s")),
        "provider", "degraded", "provider_failing_over", "", "kite instead of kite-stream: no message for 12 s",
    ),
    "a complaint": (
        minute(market=asked(kite(problems=("3 of 5 quote requests failed",)))),
        "provider", "degraded", "provider_trouble", "kite", "3 of 5 quote requests failed",
    ),
    "a breaker opens": (
        minute(market=asked(OPEN_BREAKER)), "breakers", "degraded", "breaker_open", "kite.quote", "5 time-outs",
    ),
    "a token dies and all hangs on it": (
        minute(market=asked(DEAD), **FAILED), "token:kite", "down", "token_dead", "kite", "g6 login --account second",
    ),
    "a token dies and another answers": (
        minute(market=asked(DEAD, active="kite-second")), "token:kite", "degraded", "token_dead", "kite", "refused",
    ),
    "a token ends between two minutes": (
        minute(market=asked(kite(token=token("valid", -0.01)))),
        "token:kite", "degraded", "token_dead", "kite", "it ended at 09:59",
    ),
    "a token ends soon": (
        minute(market=asked(kite(token=token("expiring", 0.9)))),
        "token:kite", "degraded", "token_expiring", "kite", "ends at 10:54, in 54 min",
    ),
    "the second account is not logged in": (
        minute(market=asked(kite(), SECOND)),
        "token:kite-second", "degraded", "token_absent", "kite-second", "nobody has logged in yet",
    ),
    "one index has no level": (
        lambda e: minute(indices=(e.report.indices[0], refused("SENSEX", "stale_spot", "its spot is 200 s old")))(e),
        "market_data:BSE", "degraded", "spot_stale", "BSE", "SENSEX refused: its spot is 200 s old",
    ),
    "one exchange stands still": (
        told(quotes={"NSE": QuoteAge(0.8), "BSE": QuoteAge(170.0, 110.0)}),
        "market_data:BSE", "degraded", "quotes_stale", "BSE", "the freshest quote is 2 min old",
    ),
    "a chain is refused": (
        lambda e: minute(indices=(replace(e.report.indices[0], refusals=(
            Refusal("NIFTY", "2026-12-29", ("next_month",), "coverage", "3 of 42 legs answered"),)),))(e),
        "provider", "degraded", "chains_refused", "", "NIFTY 2026-12-29 refused: 3 of 42 legs answered",
    ),
    "the disk is nearly full": (
        told(disk=DiskReading(GB, 100 * GB)), "disk", "degraded", "disk_low", "", "1.0 GB of 100.0 GB free (1%)",
    ),
    "the disk is small and empty": (told(disk=DiskReading(GB, 2 * GB)), "disk", "ok", "", "", "1.0 GB of 2.0 GB"),
    "the disk will be full tonight": (
        told(disk=DiskReading(36 * GB, 100 * GB, None, 10**6)),
        "disk", "degraded", "disk_low", "", "full in 10 h 00 min at this rate",
    ),
    "the disk is full": (told(disk=DiskReading(0, 100 * GB)), "disk", "down", "disk_full", "", "0 kB"),
    "the disk has room for no file": (
        told(disk=DiskReading(50 * GB, 100 * GB, 0)), "disk", "down", "disk_full", "", "room for 0 files",
    ),
    "the directory is not ours": (
        told(directory="data cannot be written: Permission denied"),
        "directory", "down", "data_directory_unwritable", "", "Permission denied",
    ),
    "memory is short": (
        told(pressure=PressureReport(2, 17 * 10**8, 2 * GB, "cgroup", ("options_page", "greeks"))),
        "memory", "degraded", "memory_high", "", "high: 1.7 GB of 2.0 GB (85%, cgroup); left out: options page, greeks",
    ),
    "the clock is set back": (
        told(clock=ClockReading(-3600.0)), "clock", "degraded", "clock_stepped", "", "the clock went 60 min back",
    ),
    "the clock is behind": (
        told(quotes={"NSE": QuoteAge(-9.0), "BSE": QuoteAge(-8.5)}),
        "clock", "degraded", "clock_skewed", "", "9 s behind the stamps of NSE",
    ),
    "the clock is ahead": (
        told(quotes={"NSE": QuoteAge(90.0, 89.0), "BSE": QuoteAge(91.0, 90.5)}),
        "clock", "degraded", "clock_skewed", "", "90 s ahead of the stamps of NSE",
    ),
    "the calendar ends soon": (
        told(session=replace(OPEN, known_until=date(2026, 12, 20))),
        "calendar", "degraded", "calendar_ending", "", "known until 2026-12-20, 30 days ahead",
    ),
    "the calendar ends a day later than that": (
        told(session=replace(OPEN, known_until=date(2026, 12, 21))), "calendar", "ok", "", "", "31 days ahead",
    ),
    "the calendar ends today": (
        told(session=replace(OPEN, known_until=NOW.date())), "calendar", "degraded", "calendar_ending", "", "0 days",
    ),
    "the calendar has ended": (
        told(session=replace(OPEN, known_until=date(2026, 11, 19))),
        "calendar", "down", "calendar_ended", "", "the calendar ends on 2026-11-19",
    ),
    "the server's thread ends": (
        told(exporter=ExporterReading("http://127.0.0.1:9108", alive=False)),
        "exporter", "down", "exporter_down", "", "http://127.0.0.1:9108 does not serve",
    ),
    "a collector fails": (
        told(exporter=ExporterReading("http://127.0.0.1:9108", collector_errors=1)),
        "exporter", "degraded", "exporter_failing", "", "1 part of /metrics",
    ),
    "the server is switched off": (told(exporter=ExporterReading()), "exporter", "ok", "", "", "metrics.enabled"),
    "a part is given up": (
        told(parts=(PartReport("stream", "failed", 5, "OSError: gone"),)),
        "part:stream", "down", "part_failed", "stream", "given up, restarted 5 times: OSError: gone",
    ),
    "a sink fails": (
        told(sinks={"influx": SinkReport("influx", error="refused", lag_cycles=3)}),
        "sink:influx", "down", "sink_failing", "influx", "refused; 3 minutes behind",
    ),
    "a sink is behind": (
        told(sinks={"influx": SinkReport("influx", 80, lag_cycles=2)}),
        "sink:influx", "degraded", "sink_behind", "influx", "2 minutes behind",
    ),
    "a sink refuses lines": (
        told(sinks={"influx": SinkReport("influx", 80, refused=2)}),
        "sink:influx", "degraded", "sink_refusing", "influx", "2 lines refused for good",
    ),
    "a minute takes too long": (
        minute(seconds=75.0, stages={"spots": 1.0, "quotes": 72.0}),
        "loop", "degraded", "cycle_overrun", "", "took 75.00 s, 60 s are allowed, most of it in quotes (72.0 s)",
    ),
    "minutes are missed": (minute(missed_minutes=2), "loop", "degraded", "minutes_missed", "", "2 minutes missed"),
    "a minute fails": (minute(**FAILED), "loop", "down", "cycle_failed", "", "10:00 failed: TransientError"),
    "a minute does not reach the journal": (
        minute(**FAILED), "journal", "down", "journal_not_committing", "", "did not reach the journal",
    ),
    "the loop hangs": (told(overdue_seconds=300.0), "loop", "down", "loop_late", "", "for 5 min longer than it may"),
    "a day is not whole": (
        told(closing=ClosingReport(date(2026, 11, 19), 80.0, troubles=(
            "verified, score 80, 300 of 375 minutes; `g6 verify --date 2026-11-19` says what is missing",))),
        "closing", "degraded", "verification_low", "", "2026-11-19: verified, score 80",
    ),
    "the masters disagree": (
        told(closing=ClosingReport(date(2026, 11, 19), troubles=(
            "masters 2026-11-19: 900 totals compared, 3 differ, folded",))),
        "closing", "degraded", "masters_disagree", "", "3 differ",
    ),
    "the archive fails": (
        told(closing=ClosingReport(date(2026, 11, 19), troubles=("archive: no space",))),
        "closing", "degraded", "closing_incomplete", "", "archive: no space",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_happens_is_told_where_a_person_looks(case: str, well: Evidence) -> None:
    change, component, state, problem, subject, part = CASES[case]
    evidence = change(well)
    found_state, sentence = judged(evidence)[component]
    assert found_state == state
    assert part in sentence
    own = [(p, s) for p, s, _ in problems(evidence)]
    assert (problem, subject) in own if problem else own == []


@pytest.mark.parametrize("case", CASES)
def test_whatever_is_degraded_or_down_is_a_problem_with_a_row_and_the_other_way_round(
    case: str, well: Evidence
) -> None:
    for name, findings in Judges().judge(CASES[case][0](well)).items():
        for finding in findings:
            assert bool(finding.problem) == (finding.state in {"degraded", "down"}), name
            assert finding.problem in {"", *PROBLEMS}
            assert finding.reason.strip() == finding.reason != ""
            assert "\n" not in finding.reason


def test_every_problem_but_a_broken_check_is_provoked_by_a_case(well: Evidence) -> None:
    provoked = {problem for change, *_ in CASES.values() for problem, _, _ in problems(change(well))}
    provoked |= {problem for problem, _, _ in problems(told(parts=(PartReport("x", "restarting", 1),))(well))}
    assert set(PROBLEMS) - provoked == {"check_broken"}


def test_one_cause_is_one_problem(well: Evidence) -> None:
    """A token's end is told by the token and not again as the provider's complaint."""
    assert [p for p, _, _ in problems(minute(market=asked(DEAD, active="b", preferred="b"))(well))] == ["token_dead"]
    healed = kite(problems=("connection 2 was made anew: stalled",))
    assert problems(minute(market=asked(healed))(well)) == []


@pytest.mark.parametrize(
    ("clock_ahead", "ages"),
    [
        (True, {"NSE": QuoteAge(90.0, 90.0), "BSE": QuoteAge(90.5, 90.1)}),
        (False, {"NSE": QuoteAge(90.0, 30.0), "BSE": QuoteAge(90.5, 30.5)}),
        (False, {"NSE": QuoteAge(90.0, 90.0), "BSE": QuoteAge(0.5, 0.4)}),
        (False, {"NSE": QuoteAge(90.0), "BSE": QuoteAge(90.0)}),
    ],
    ids=["all old and no older", "older each minute", "one is fresh", "nothing to compare with"],
)
def test_old_quotes_that_grow_no_older_everywhere_are_our_clock(
    well: Evidence, ages: dict[str, QuoteAge], clock_ahead: bool
) -> None:
    found = {problem for problem, _, _ in problems(told(quotes=ages)(well))}
    assert found == ({"clock_skewed"} if clock_ahead else {"quotes_stale"})


@pytest.mark.parametrize("case", ["no quotes", "failing over", "a complaint", "one index has no level"])
def test_a_closed_market_owes_no_quotes(case: str, well: Evidence) -> None:
    found = {problem for problem, _, state in problems(at_night(CASES[case][0](well))) if state == "down"}
    assert found <= {"journal_not_committing"}
    assert judged(at_night(well))["provider"] == (
        "ok",
        "the market is closed; the last minute had 80/84 quotes from kite",
    )


def test_a_token_that_died_in_the_night_is_no_outage_yet(well: Evidence) -> None:
    before_open = at_night(replace(minute(market=asked(kite(token=token("valid", 20))))(well)))
    morning = replace(before_open, now=NOW + timedelta(hours=21))
    assert ("token_dead", "kite", "degraded") in problems(morning)


def test_a_probe_before_the_open_is_heard_though_the_market_is_closed(well: Evidence) -> None:
    probe = asked(kite(problems=("instruments: NFO: the day before's",)))
    assert ("provider_trouble", "kite", "degraded") in problems(at_night(replace(well, asked=probe)))


def test_an_exchange_that_is_closed_while_the_other_trades_is_not_missed(well: Evidence) -> None:
    one = replace(
        well, session=SessionState({"NSE": True, "BSE": False}, OPEN.known_until), quotes={"NSE": QuoteAge(1)}
    )
    assert judged(one)["market_data:BSE"] == ("ok", "closed")


def chain(index: str, ages: list[float]) -> OptionChain:
    n = len(ages)
    return OptionChain(
        index=index, expiry=date(2026, 11, 24), codes=("this_week",), at=NOW, expires_at=NOW + timedelta(days=4),
        spot=25000.0, spot_frozen=False, expected=n, lot=75, strike=np.arange(n) * 50.0,
        is_call=np.ones(n, dtype=bool), quote_age_seconds=np.array(ages),
    )  # fmt: skip


def test_the_freshest_quote_of_an_exchange_is_that_of_all_its_chains() -> None:
    chains = (chain("NIFTY", [9.0, math.nan]), chain("NIFTY", [4.0, 7.0]), chain("SENSEX", [math.nan, math.nan]))
    indices = tuple(
        IndexSnapshot(name, 1.0, False, (), tuple(c for c in chains if c.index == name)) for name in EXCHANGES
    )
    snapshot = Snapshot(NOW, "kite", indices)
    assert quote_ages(snapshot, EXCHANGES, {"NSE": QuoteAge(3.0)}) == {"NSE": QuoteAge(4.0, 3.0)}
    assert quote_ages(replace(snapshot, backfilled=True), EXCHANGES, {}) == {}
    assert quote_ages(Snapshot(NOW, "kite", ()), EXCHANGES, {}) == {}
