"""Cycles are due at every interval of every session, once, whatever the clock does."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.clock import IST
from g6.market.schedule import RecordedSchedule, SessionSchedule
from g6.market.sessions import OutsideCalendar, SessionCalendar

MINUTE = timedelta(minutes=1)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=IST)


@pytest.fixture(scope="module")
def session_calendar(project):
    return SessionCalendar.load(project / "config" / "calendar.yaml")


@pytest.fixture(scope="module")
def schedule(session_calendar):
    return SessionSchedule(session_calendar, ["NSE", "BSE"], 60)


def whole_day(schedule, start):
    due = schedule.first(start)
    day = due.date()
    while due.date() == day:
        yield due
        due, missed = schedule.following(due, due)
        assert missed == 0


def test_a_session_of_the_longer_hours_has_385_minutes(schedule):
    minutes = list(whole_day(schedule, at("2026-11-20T00:00")))
    assert (minutes[0], minutes[-1], len(minutes)) == (at("2026-11-20T09:15"), at("2026-11-20T15:39"), 385)


def test_a_day_of_two_windows_leaves_the_break_out(schedule):
    minutes = list(whole_day(schedule, at("2024-03-02T00:00")))
    assert len(minutes) == 45 + 60
    assert at("2024-03-02T09:59") in minutes
    assert at("2024-03-02T10:00") not in minutes
    assert at("2024-03-02T11:30") in minutes


def test_the_minute_in_hand_comes_first_when_the_market_is_open(schedule):
    assert schedule.first(at("2026-11-20T10:00:25")) == at("2026-11-20T10:00")


def test_over_the_weekend_the_next_minute_is_mondays_first(schedule):
    assert schedule.following(at("2026-11-20T15:39"), at("2026-11-20T15:39:01")) == (at("2026-11-23T09:15"), 0)


def test_an_overrun_loses_the_minutes_it_covered_and_keeps_the_one_it_ends_in(schedule):
    done = at("2026-11-20T10:00")
    assert schedule.following(done, at("2026-11-20T10:00:59")) == (at("2026-11-20T10:01"), 0)
    assert schedule.following(done, at("2026-11-20T10:01:20")) == (at("2026-11-20T10:01"), 0)
    assert schedule.following(done, at("2026-11-20T10:03:20")) == (at("2026-11-20T10:03"), 2)


def test_minutes_slept_through_after_the_close_are_not_missed(schedule):
    due, missed = schedule.following(at("2026-11-20T15:38"), at("2026-11-20T20:00"))
    assert (due, missed) == (at("2026-11-23T09:15"), 1)


def test_past_the_table_it_refuses(schedule):
    with pytest.raises(OutsideCalendar):
        schedule.following(at("2026-12-31T15:44"), at("2026-12-31T15:44"))


@given(interval=st.sampled_from([5, 15, 60, 120, 300, 900]), seconds=st.integers(0, 4 * 86400))
def test_due_instants_are_aligned_open_and_strictly_later(session_calendar, interval, seconds):
    schedule = SessionSchedule(session_calendar, ["NSE"], interval)
    now = at("2026-11-19T00:00") + timedelta(seconds=seconds)
    due = schedule.first(now)
    following, _ = schedule.following(due, due)
    for instant in (due, following):
        midnight = instant.replace(hour=0, minute=0, second=0)
        assert (instant - midnight).total_seconds() % interval == 0
        assert session_calendar.is_open(instant, "NSE")
    assert following > due
    assert due > now - timedelta(seconds=interval)


def test_a_recording_gives_each_instant_once_however_late(schedule):
    instants = [at("2025-12-05T15:30"), at("2025-10-21T14:45"), at("2025-12-05T09:33")]
    recorded = RecordedSchedule(instants)
    far_ahead = at("2026-01-01T00:00")
    assert recorded.first(at("2025-01-01T00:00")) == at("2025-10-21T14:45")
    assert recorded.following(at("2025-10-21T14:45"), far_ahead) == (at("2025-12-05T09:33"), 0)
    assert recorded.following(at("2025-12-05T15:30"), far_ahead) == (None, 0)


def test_a_minute_whose_time_is_over_gives_way_to_the_present_one(schedule):
    due = at("2026-11-20T10:00")
    assert schedule.catch_up(due, at("2026-11-20T10:00:59")) == (due, 0)
    assert schedule.catch_up(due, at("2026-11-20T11:00:10")) == (at("2026-11-20T11:00"), 60)
    assert schedule.catch_up(at("2026-11-20T15:38"), at("2026-11-21T07:30")) == (at("2026-11-23T09:15"), 2)


def test_no_minute_of_a_recording_gives_way():
    instants = [at("2025-10-21T14:45"), at("2025-12-05T09:33")]
    assert RecordedSchedule(instants).catch_up(instants[0], at("2026-01-01T00:00")) == (instants[0], 0)
