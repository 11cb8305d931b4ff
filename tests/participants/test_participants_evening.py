"""By itself G6 asks in the evening alone, seldom, and gives up in time."""

import math
from datetime import date, datetime, timedelta

import pytest
from participant_files import cash_json, contracts_text
from supervisor_by_hand import until

from g6.clock import VirtualClock
from g6.market.sessions import SessionCalendar
from g6.participants.evening import Evening
from g6.participants.site import NseSite, SiteOptions
from g6.participants.store import ParticipantStore
from g6.participants.taking import Ask
from g6.resilience.supervisor import Supervisor
from g6.settings import shipped
from g6.settings.sections import Participants
from g6.wiring.participants import fetch_in_the_evening

THURSDAY, FRIDAY = date(2026, 11, 19), date(2026, 11, 20)


def at(text):
    return datetime.fromisoformat(f"{text}+05:30")


@pytest.fixture(scope="module")
def calendar():
    return SessionCalendar.load(shipped("calendar.yaml"))


@pytest.fixture
def evening(serve, tmp_path, calendar):
    def make(answer, now):
        server, clock = serve(answer), VirtualClock(now, math.inf)
        site = NseSite(SiteOptions(server.url, server.url, pause_seconds=0, attempts=1), clock)
        return Evening(site, ParticipantStore(tmp_path), calendar, clock), clock, server

    return make


def exchange(published_until):
    def answer(path, _number):
        for number in range(10):
            day = published_until - timedelta(days=number)
            for word in ("oi", "vol"):
                if f"{word}_{day:%d%m%Y}" in path:
                    return 200, contracts_text(day, word), None
        if path == "/api/fiidiiTradeReact":
            return 200, cash_json(published_until, ("1", "1", "0"), ("1", "1", "0")), None
        return (200, "<html></html>", None) if path == "/reports/fii-dii" else (404, "", None)

    return answer


@pytest.mark.parametrize("moment", ["2026-11-20T09:15", "2026-11-20T12:00", "2026-11-20T15:39:59"])
def test_never_while_the_market_is_open(evening, moment):
    part, _, server = evening(exchange(THURSDAY), at(moment))
    assert part.due(at(moment)) == ()
    assert part.look() is None
    assert server.requests == []


@pytest.mark.parametrize(
    ("moment", "newest"),
    [
        ("2026-11-20T15:45", THURSDAY),  # closed, and not published before the evening
        ("2026-11-20T18:30", FRIDAY),
        ("2026-11-21T10:00", FRIDAY),  # Saturday
        ("2026-11-23T08:00", FRIDAY),
        ("2026-11-25T08:00", date(2026, 11, 23)),  # the 24th is a holiday
    ],
)
def test_days_are_those_that_should_be_published(evening, moment, newest):
    part, _, _ = evening(exchange(THURSDAY), at(moment))
    due = part.due(at(moment))
    assert max(ask.day for ask in due) == newest
    assert [ask for ask in due if ask.kind == "cash"] == [Ask("cash", newest)]
    assert len({ask.day for ask in due}) == 3
    assert all(ask.day.weekday() < 5 for ask in due)


def test_an_evening_brings_everything_and_then_asks_no_more(evening, tmp_path):
    part, clock, server = evening(exchange(FRIDAY), at("2026-11-20T18:30"))
    assert part.look().complete
    assert {*ParticipantStore(tmp_path).contracts("oi")} == {date(2026, 11, 18), THURSDAY, FRIDAY}
    asked = len(server.requests)
    for _ in range(5):
        clock.pause(3600)
        assert part.look() is None
    assert len(server.requests) == asked


def test_a_file_that_is_late_is_asked_for_every_half_hour_a_few_times(evening):
    part, clock, server = evening(exchange(THURSDAY), at("2026-11-20T18:30"))
    wanted = f"oi_{FRIDAY:%d%m%Y}"
    for _ in range(12 * 60):
        part.look()
        clock.pause(60)
    assert sum(wanted in path for path in server.paths) == 6
    assert sum(f"oi_{THURSDAY:%d%m%Y}" in path for path in server.paths) == 1


def test_a_machine_that_is_refused_waits_for_the_next_evening(evening):
    part, clock, server = evening(lambda _path, _number: (403, "", None), at("2026-11-19T19:00"))
    for _ in range(23 * 60):
        part.look()
        clock.pause(60)
    assert len(server.requests) == 1
    clock.pause(3600)
    part.look()
    assert len(server.requests) == 2


def test_what_is_left_when_the_market_opens_is_not_asked_for(evening):
    def slowly(path, number):
        clock.pause(40)
        return exchange(FRIDAY)(path, number)

    part, clock, server = evening(slowly, at("2026-11-23T09:14:00"))
    assert len(part.look().outcomes) == 2
    assert len(server.requests) == 2


def test_who_is_told_to_stop_asks_for_nothing_more(evening):
    part, _, server = evening(exchange(FRIDAY), at("2026-11-20T18:30"))
    signs = []
    part.look(lambda: len(signs) == 2, lambda: signs.append(1))
    assert len(server.requests) == 2


def test_a_day_beyond_the_calendar_is_no_day_to_ask_for(evening, caplog):
    part, _, server = evening(exchange(FRIDAY), at("2035-01-05T19:00"))
    assert part.look() is None
    assert server.requests == []
    assert "nothing is fetched" in caplog.text


def test_a_store_that_fails_is_logged_and_does_not_end_the_part(evening, tmp_path, caplog):
    (tmp_path / "participants").write_text("in its place")
    part, _, _ = evening(exchange(FRIDAY), at("2026-11-20T18:30"))
    assert part.look() is None
    assert "participants" in caplog.text


def test_the_settings_start_it_beside_the_collection(serve, tmp_path, calendar):
    server, supervisor = serve(exchange(FRIDAY)), Supervisor()
    own = Participants(True, server.url, server.url, pause_seconds=0, timeout_seconds=5, attempts=1)
    clock = VirtualClock(at("2026-11-20T18:30"), math.inf)
    try:
        told = []
        fetch_in_the_evening(own, tmp_path, calendar, clock, supervisor, told.append)
        until(lambda: {*ParticipantStore(tmp_path).contracts("volume")} == {date(2026, 11, 18), THURSDAY, FRIDAY})
        until(lambda: [report.missing for report in told] == [0])
        assert [(part.name, part.state) for part in supervisor.reports()] == [("participants", "running")]
    finally:
        supervisor.stop()
