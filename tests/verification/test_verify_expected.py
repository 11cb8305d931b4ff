"""What a day should hold: its minutes by the calendar, its expiries by what the minutes themselves say."""

from datetime import date, datetime, timedelta

import pytest
from bent_agent import run_bent

from g6.clock import IST
from g6.errors import ConfigError
from g6.market.sessions import SessionCalendar
from g6.model.snapshot import Refusal
from g6.settings import shipped
from g6.verification.day import verify
from g6.verification.expected import MarketFacts, last_due
from g6.verification.plans import UNKNOWN, IndexPlans
from g6.verification.recorded import ChainSeen, IndexSeen, MinuteSeen, RecordedDay
from g6.wiring.sources import load_market


@pytest.fixture(scope="module")
def calendar():
    return SessionCalendar.load(shipped("calendar.yaml"))


def instant(text):
    return datetime.fromisoformat(f"{text}+05:30")


# NSE: 09:15 to 15:30 until July 2026, to 15:40 since; Muhurat of 2025 from 13:45 to 14:45; two windows on 2024-01-20.
@pytest.mark.parametrize(
    ("day", "interval", "minutes"),
    [
        ("2026-07-31", 60, 375), ("2026-11-20", 60, 385), ("2026-11-20", 300, 77), ("2026-11-20", 20, 385),
        ("2025-10-21", 60, 60), ("2024-01-20", 60, 105), ("2026-11-21", 60, 0), ("2026-11-24", 60, 0),
    ],
)  # fmt: skip
def test_the_minutes_of_a_session_are_due(calendar, day, interval, minutes):
    due = MarketFacts(calendar, {"NIFTY": "NSE"}, interval).due(date.fromisoformat(day), "NIFTY", None)
    assert len(due) == len(set(due)) == minutes
    assert list(due) == sorted(due)
    assert all(calendar.is_open(minute, "NSE") and minute.second == 0 for minute in due)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-20T10:00:30", "2026-11-20T09:58"), ("2026-11-20T15:40:30", "2026-11-20T15:38"),
        ("2026-11-20T15:41", None), ("2026-11-21T09:00", None), ("2026-11-19T12:00", None),
    ],
)  # fmt: skip
def test_a_minute_is_due_once_it_had_its_time(calendar, now, until):
    found = last_due(date(2026, 11, 20), MarketFacts(calendar, {}), instant(now))
    assert found == (instant(until) if until else None)


def test_a_day_that_has_not_begun_is_refused(calendar, tmp_path):
    facts = MarketFacts(calendar, {"NIFTY": "NSE"})
    with pytest.raises(ConfigError, match="no minute of it is due yet"):
        verify(tmp_path, date(2026, 11, 20), facts, now=instant("2026-11-20T09:16"))


# Expiries: near closes at 15:30 while the session goes on, the codes then move on.

DAY = date(2026, 12, 8)
END = datetime(2026, 12, 8, 15, 30, tzinfo=IST)
LATER = datetime(2026, 12, 15, 15, 30, tzinfo=IST)
CHAINS_BEFORE = {
    "2026-12-08": ChainSeen(("this_week",), END, 14, 14, 0),
    "2026-12-15": ChainSeen(("next_week",), LATER, 12, 12, 0),
}
CHAINS_AFTER = {"2026-12-15": ChainSeen(("this_week",), LATER, 12, 12, 0)}


def recorded_day(minutes):
    """A day of these minutes: minutes from 15:30 → what is told of NIFTY."""
    return RecordedDay(
        {
            END + timedelta(minutes=n): MinuteSeen(backfilled=False, indices={"NIFTY": seen})
            for n, seen in minutes.items()
        }
    )


def seen(chains, codes=("this_week", "next_week"), refusals=()):
    return IndexSeen(codes, chains, refusals)


def expiries(plans, number):
    return {expiry: planned.codes for expiry, planned in plans.at(END + timedelta(minutes=number)).items()}


def test_a_missing_minute_has_the_expiries_of_its_own_side_of_the_expiry():
    plans = IndexPlans("NIFTY", recorded_day({-9: seen(CHAINS_BEFORE), 2: seen(CHAINS_AFTER, ("this_week",))}))
    assert expiries(plans, -1) == {"2026-12-08": ("this_week",), "2026-12-15": ("next_week",)}
    assert expiries(plans, 0) == {"2026-12-15": ("this_week",)}


def test_what_has_expired_is_not_expected_even_when_nothing_was_recorded_since():
    plans = IndexPlans("NIFTY", recorded_day({-9: seen(CHAINS_BEFORE)}))
    assert expiries(plans, 5) == {"2026-12-15": ("next_week",)}


def test_a_minute_that_tells_of_some_codes_is_given_the_rest_by_its_neighbour():
    half = {"2026-12-08": CHAINS_BEFORE["2026-12-08"]}
    plans = IndexPlans("NIFTY", recorded_day({-9: seen(CHAINS_BEFORE), -8: seen(half), -7: seen(half)}))
    assert set(expiries(plans, -7)) == {"2026-12-08", "2026-12-15"}


def test_a_refused_expiry_is_expected_with_the_legs_that_it_had_in_other_minutes():
    refusal = Refusal("NIFTY", "2026-12-15", ("next_week",), "coverage", "")
    half = {"2026-12-08": CHAINS_BEFORE["2026-12-08"]}
    plans = IndexPlans("NIFTY", recorded_day({-9: seen(CHAINS_BEFORE), -8: seen(half, refusals=(refusal,))}))
    assert plans.at(END - timedelta(minutes=8))["2026-12-15"] == (("next_week",), 12)


def test_an_index_of_which_nothing_is_told_is_one_place():
    assert IndexPlans("NIFTY", RecordedDay()).at(END) == UNKNOWN


def test_an_expiry_day_on_which_the_codes_move_on_is_whole(settings_for, tmp_path):
    calendar_file = tmp_path / "expiry_day.yaml"
    windows = "windows: [['15:25', '15:35']], kind: regular, confidence: C, source: a test"
    calendar_file.write_text(f"special_sessions:\n  - {{day: {DAY}, {windows}}}\n")
    changes = {"market__calendar_override_file": str(calendar_file), "clock__at": f"{DAY}T15:25+05:30"}
    settings = settings_for(**changes, collection__indices="NIFTY")
    assert run_bent(settings, 10)[0] == 0
    facts = MarketFacts(load_market(settings).calendar, {"NIFTY": "NSE"})
    verification = verify(tmp_path / "data", DAY, facts, now=instant("2026-12-09T09:00"))
    assert verification.whole
    minutes = {count.expiry: (count.expected_minutes, count.codes) for count in verification.expiries}
    # Five minutes until 15:30, then the next weekly follows.
    assert minutes["2026-12-08"] == (5, ("this_week",))
    assert minutes["2026-12-15"] == (10, ("next_week", "this_week"))
    assert verification.expected_minutes == 10


def test_minutes_of_a_day_without_a_session_are_their_own_measure(day, at):
    verification = day.verify()
    facts = MarketFacts(SessionCalendar.load(shipped("calendar.yaml"), _closed(day)), {})
    alone = verify(day.root, at(0).date(), facts, now=at(500))
    assert (alone.expected_minutes, alone.score) == (verification.expected_minutes, 100.0)


def _closed(day):
    file = day.root.parent / "closed.yaml"
    file.write_text("holidays:\n  - {day: 2026-11-20, name: Closed, confidence: C, source: a test}\n")
    return file


def test_minutes_outside_the_session_are_noted_and_judged_by_nobody(record, at):
    recorded = record()
    calendar_file = recorded.root.parent / "longer.yaml"
    calendar_file.write_text(
        "special_sessions:\n"
        "  - {day: 2026-11-20, windows: [['10:02', '10:18']], kind: regular, confidence: C, source: a test}\n"
    )
    facts = MarketFacts(
        SessionCalendar.load(shipped("calendar.yaml"), calendar_file), {"NIFTY": "NSE", "SENSEX": "BSE"}
    )
    verification = verify(recorded.root, at(0).date(), facts, now=at(500))
    assert (verification.score, verification.expected_minutes) == (100.0, 16)
    assert verification.notes == ("4 minutes outside the session: 10:00, 10:01, 10:18 and 1 more",)
