"""The session calendar says what the exchanges did, and refuses what it does not know."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.clock import IST
from g6.errors import ConfigError
from g6.market.sessions import OutsideCalendar, Window

EXCHANGES = ["NSE", "BSE"]
MARCH_2024 = datetime(2024, 3, 1, tzinfo=IST)
instants = st.integers(0, 1019 * 86_400_000).map(lambda milliseconds: MARCH_2024 + timedelta(milliseconds=milliseconds))


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_day_of_two_windows_is_closed_between_them(calendar, at, exchange):
    first, second = calendar.windows(date(2024, 3, 2), exchange)
    assert first == Window(at("2024-03-02T09:15"), at("2024-03-02T10:00"))
    assert second == Window(at("2024-03-02T11:30"), at("2024-03-02T12:30"))
    assert calendar.is_open(at("2024-03-02T09:59:59"), exchange)
    assert not calendar.is_open(at("2024-03-02T10:00"), exchange)
    assert calendar.next_open(at("2024-03-02T10:00"), exchange) == at("2024-03-02T11:30")


def test_the_budget_sunday_is_a_whole_session(calendar, at):
    assert calendar.windows(date(2026, 2, 1), "NSE") == (Window(at("2026-02-01T09:15"), at("2026-02-01T15:30")),)
    assert not calendar.is_trading_day(date(2026, 2, 8), "NSE")


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [("2024-11-01", "18:00", "19:00"), ("2025-10-21", "13:45", "14:45"), ("2026-11-08", "18:15", "19:15")],
)
def test_a_muhurat_hour_is_a_session_but_no_expiry_day(calendar, at, day, opens, closes):
    muhurat = date.fromisoformat(day)
    assert calendar.windows(muhurat, "NSE") == (Window(at(f"{day}T{opens}"), at(f"{day}T{closes}")),)
    assert calendar.is_trading_day(muhurat, "BSE")
    assert not calendar.is_expiry_day_allowed(muhurat, "NSE")


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize(
    ("day", "close", "expiring_close"),
    [
        ("2026-07-31", "15:30", "15:30"),
        ("2026-08-03", "15:40", "15:40"),
        ("2026-12-04", "15:40", "15:40"),
        ("2026-12-07", "15:45", "15:30"),
        ("2026-12-31", "15:45", "15:30"),
    ],
)
def test_hours_change_on_their_day(calendar, at, exchange, day, close, expiring_close):
    (window,) = calendar.windows(date.fromisoformat(day), exchange)
    assert window == Window(at(f"{day}T09:15"), at(f"{day}T{close}"))
    assert calendar.expires_at(date.fromisoformat(day), exchange) == at(f"{day}T{expiring_close}")


@pytest.mark.parametrize(
    ("instant", "frozen"),
    [
        ("2026-07-31T15:20", False),  # before there was a closing auction
        ("2026-08-18T15:14:59", False),
        ("2026-08-18T15:15", True),
        ("2026-08-18T15:34:59", True),
        ("2026-08-18T15:35", False),
        ("2026-12-07T15:20", False),
        ("2026-12-07T15:30", True),
        ("2026-12-07T15:40", False),
        ("2026-08-22T15:20", False),  # a Saturday
        ("2026-11-24T15:20", False),  # a holiday
    ],
)
def test_the_spot_stands_still_only_in_the_auction(calendar, at, instant, frozen):
    assert calendar.spot_frozen(at(instant), "NSE") is frozen


@pytest.mark.parametrize(
    ("instant", "settling"),
    [
        ("2026-08-18T15:09:59", False),
        ("2026-08-18T15:10", True),
        ("2026-08-18T15:39:59", True),
        ("2026-08-18T15:40", False),
        ("2026-08-17T15:20", False),
    ],
)
def test_settling_is_the_last_half_hour_of_the_expiry_day(calendar, at, instant, settling):
    assert calendar.settling(at(instant), date(2026, 8, 18), "NSE") is settling


def test_from_december_2026_the_half_hour_ends_at_the_expiring_close(calendar, at):
    assert calendar.settling(at("2026-12-08T15:05"), date(2026, 12, 8), "NSE")
    assert not calendar.settling(at("2026-12-08T15:35"), date(2026, 12, 8), "NSE")
    assert calendar.is_open(at("2026-12-08T15:35"), "NSE")


@pytest.mark.parametrize("day", ["2023-12-31", "2027-01-01"])
def test_a_session_outside_the_table_is_refused_in_one_line(calendar, day):
    beyond = date.fromisoformat(day)
    with pytest.raises(OutsideCalendar, match=f"^{day} .* 2024-01-01 to 2026-12-31: extend .*calendar.yaml$") as told:
        calendar.windows(beyond, "NSE")
    assert isinstance(told.value, ConfigError)
    assert "\n" not in str(told.value)


def test_every_question_about_sessions_is_refused_outside_the_table(calendar, at):
    beyond, before = at("2027-01-04T10:00"), at("2023-12-29T10:00")
    for ask in (calendar.is_open, calendar.spot_frozen, calendar.session_of, calendar.next_open):
        with pytest.raises(OutsideCalendar):
            ask(beyond, "NSE")
    for ask in (calendar.last_minute, calendar.session_of):
        with pytest.raises(OutsideCalendar):
            ask(before, "NSE")
    with pytest.raises(OutsideCalendar):
        calendar.previous_trading_day(date(2024, 1, 1), "NSE")
    with pytest.raises(OutsideCalendar):
        calendar.next_open(at("2026-12-31T10:00"), "NSE")


def test_contracts_that_expire_beyond_the_table_have_a_close(calendar, at):
    assert calendar.expires_at(date(2030, 12, 31), "NSE") == at("2030-12-31T15:30")
    assert calendar.expires_at(date(2023, 12, 28), "BSE") == at("2023-12-28T15:30")


def test_an_expiry_that_fell_on_a_short_day_closes_with_it(calendar, at):
    assert calendar.expires_at(date(2024, 5, 18), "NSE") == at("2024-05-18T12:30")
    assert calendar.expires_at(date(2026, 2, 1), "NSE") == at("2026-02-01T15:30")


@pytest.mark.parametrize(
    ("before", "interval", "expected"),
    [
        ("2026-11-20T10:00:25", 60, "2026-11-20T10:00"),
        ("2026-11-20T10:04:59", 300, "2026-11-20T10:00"),
        ("2026-11-20T09:15", 60, "2026-11-20T09:15"),
        ("2026-11-20T09:14:59", 60, "2026-11-19T15:39"),
        ("2026-11-20T15:40", 60, "2026-11-20T15:39"),
        ("2026-11-22T12:00", 60, "2026-11-20T15:39"),  # a Sunday: Friday's last minute
        ("2026-11-25T08:00", 300, "2026-11-23T15:35"),  # after the holiday of the 24th
        ("2024-03-02T11:00", 60, "2024-03-02T09:59"),  # between the two windows
        ("2025-10-22T11:00", 60, "2025-10-21T14:44"),  # after the Muhurat hour
        ("2026-11-20T09:16", 1200, "2026-11-19T15:20"),  # 09:00 is before the opening, 09:20 not yet come
    ],
)
def test_the_last_minute_is_the_latest_scheduled_one_that_had_begun(calendar, at, before, interval, expected):
    assert calendar.last_minute(at(before), "NSE", interval) == at(expected)


def test_the_opening_after_a_long_weekend(calendar, at):
    assert calendar.next_open(at("2026-11-23T15:40"), "NSE") == at("2026-11-25T09:15")
    assert calendar.next_open(at("2026-11-23T09:15"), "BSE") == at("2026-11-25T09:15")
    assert calendar.previous_trading_day(date(2026, 11, 25), "NSE") == date(2026, 11, 23)


def test_an_instant_of_another_zone_is_the_same_instant(calendar):
    utc = datetime.fromisoformat("2026-11-20T03:45:00+00:00")
    assert calendar.is_open(utc, "NSE")
    assert not calendar.is_open(utc - timedelta(seconds=1), "NSE")


def test_an_instant_without_a_zone_is_refused(calendar):
    with pytest.raises(ValueError, match="no time zone"):
        calendar.is_open(datetime(2026, 11, 20, 10), "NSE")  # noqa: DTZ001  (the fault under test)


@settings(deadline=None)  # the machine may be busy
@given(instant=instants, interval=st.sampled_from([1, 5, 60, 180, 300, 900]))
def test_the_last_minute_is_aligned_open_and_past_with_no_later_one(calendar, instant, interval):
    step = timedelta(seconds=interval)
    last = calendar.last_minute(instant, "NSE", interval)
    assert last <= instant
    assert calendar.is_open(last, "NSE")
    assert (last - last.replace(hour=0, minute=0, second=0)) % step == timedelta()
    assert last + step > instant or not calendar.is_open(last + step, "NSE")


@settings(deadline=None)  # the machine may be busy
@given(instant=instants)
def test_open_means_inside_a_window_and_the_next_opening_begins_one(calendar, instant):
    assert calendar.is_open(instant, "BSE") == any(
        w.open <= instant < w.close for w in calendar.session_of(instant, "BSE")
    )
    opens = calendar.next_open(instant, "BSE")
    assert opens > instant
    assert calendar.is_open(opens, "BSE")
    assert not calendar.is_open(opens - timedelta(microseconds=1), "BSE")


@settings(deadline=None)  # the machine may be busy
@given(instant=instants)
def test_a_frozen_spot_is_one_of_an_open_market(calendar, instant):
    assert calendar.is_open(instant, "NSE") or not calendar.spot_frozen(instant, "NSE")
