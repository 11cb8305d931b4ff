"""The shipped calendar equals the collected facts and another library's holidays; an override lies on top."""

import json
from datetime import date, time, timedelta

import exchange_calendars
import pytest

from g6.errors import ConfigError
from g6.market.sessions import SessionCalendar
from g6.market.timetable import load_timetable

EXCHANGES = ["NSE", "BSE"]


def special(windows):
    row = f"{{day: 2026-12-05, windows: [{windows}], kind: budget, confidence: A, source: x}}"
    return f"special_sessions: [{row}]"


def every_day():
    return (date(2024, 1, 1) + timedelta(days=n) for n in range(366 + 365 + 365))


@pytest.fixture(scope="module")
def facts(market_data):
    return json.loads((market_data / "calendar" / "nse_bse_fo_calendar_facts.json").read_text())


@pytest.fixture(scope="module")
def timetable(project):
    return load_timetable(project / "config" / "calendar.yaml")


@pytest.fixture
def override(tmp_path):
    def write(text):
        path = tmp_path / "override.yaml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_holidays_are_the_collected_ones(timetable, facts, exchange):
    known = {date.fromisoformat(day) for year in facts["weekday_holidays"].values() for day in year}
    assert set(timetable.exchanges[exchange].holidays) == known


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_special_sessions_are_the_collected_ones(timetable, facts, exchange):
    known = {
        date.fromisoformat(row["date"]): tuple(
            (time.fromisoformat(begin), time.fromisoformat(end)) for begin, end in row["windows"]
        )
        for row in facts["special_sessions"]
    }
    special = timetable.exchanges[exchange].special
    assert {day: row.windows for day, row in special.items()} == known
    for row in facts["special_sessions"]:
        ours = special[date.fromisoformat(row["date"])]
        assert ours.confidence == row["conf"]
        assert (ours.kind == "muhurat") == (row["kind"] == "muhurat")


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_hours_are_the_collected_ones(timetable, facts, exchange):
    for row, rule in zip(facts["fo_session_rules"], timetable.exchanges[exchange].rules, strict=True):
        assert rule.from_day == date.fromisoformat(row["from"])
        ours = [f"{t:%H:%M}" for t in (rule.open, rule.close, rule.expiring_close)]
        assert ours == [row["open"], row["close"], row["expiring_index_close"]]
        assert rule.confidence == row["conf"]
        assert (rule.spot_frozen is not None) == ("index_frozen" in row)
        if rule.spot_frozen:
            assert f"{rule.spot_frozen[0]:%H:%M}" == row["index_frozen"][0]


@pytest.mark.filterwarnings("ignore:Series.values returning:DeprecationWarning")  # of the library's own pandas
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_weekdays_agree_with_an_independent_calendar(calendar, exchange):
    """exchange_calendars knows neither Muhurat hours nor weekend sessions, so these are set aside."""
    bombay = exchange_calendars.get_calendar("XBOM", start="2024-01-01", end="2026-12-31")
    sessions = {session.date() for session in bombay.sessions}
    muhurat = {date(2024, 11, 1), date(2025, 10, 21)}
    for day in every_day():
        if day.weekday() >= 5:
            continue
        assert calendar.is_trading_day(day, exchange) == (day in sessions or day in muhurat), day


def test_weekends_trade_only_on_the_six_special_days(calendar):
    assert [f"{day}" for day in every_day() if day.weekday() >= 5 and calendar.is_trading_day(day, "NSE")] == [
        "2024-01-20", "2024-03-02", "2024-05-18", "2025-02-01", "2026-02-01", "2026-11-08",
    ]  # fmt: skip


def test_a_settlement_holiday_trades(calendar):
    assert calendar.is_trading_day(date(2026, 8, 26), "NSE")


def test_an_override_decides_the_whole_day_for_the_exchanges_it_names(project, override, at):
    path = override(
        """
        holidays:
          - {day: 2026-12-02, name: Mourning, exchanges: [BSE], confidence: A, source: notice}
          - {day: 2025-10-21, name: No Muhurat after all, confidence: A, source: notice}
        special_sessions:
          - {day: 2026-11-24, windows: [["10:00", "11:00"]], kind: regular, confidence: A, source: notice}
        """
    )
    calendar = SessionCalendar.load(project / "config" / "calendar.yaml", path)
    assert not calendar.is_trading_day(date(2026, 12, 2), "BSE")
    assert calendar.is_trading_day(date(2026, 12, 2), "NSE")
    assert not calendar.is_trading_day(date(2025, 10, 21), "NSE")
    assert calendar.is_open(at("2026-11-24T10:30"), "NSE")
    assert not calendar.is_trading_day(date(2026, 11, 10), "NSE")


def test_an_override_replaces_a_rule_and_extends_the_table(project, override, at):
    path = override(
        """
        covers: {from: 2024-01-01, until: 2027-12-31}
        rules:
          - {from_day: 2026-12-07, open: "09:15", close: "15:50", expiring_close: "15:35", confidence: A, source: x}
        holidays:
          - {day: "2027-01-26", name: Republic Day, confidence: A, source: notice}
        """
    )
    calendar = SessionCalendar.load(project / "config" / "calendar.yaml", path)
    assert calendar.windows(date(2027, 1, 27), "NSE")[0].close == at("2027-01-27T15:50")
    assert calendar.expires_at(date(2027, 1, 25), "NSE") == at("2027-01-25T15:35")
    assert not calendar.is_trading_day(date(2027, 1, 26), "BSE")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("holidais: []", "top level: unknown key 'holidais', did you mean 'holidays'\\?"),
        ("holidays: [{day: 2026-13-01, name: x, confidence: A, source: x}]", "not readable as YAML"),
        ("holidays: [{day: soon, name: x, confidence: A, source: x}]", "holidays.0.day: 'soon' is not a 'date'"),
        ("holidays: [{day: 2026-12-01, confidence: A, source: x}]", "holidays.0: 'name' is a required property"),
        (
            "holidays: [{day: 2026-12-01, name: x, confidence: Z, source: x}]",
            "holidays.0.confidence: 'Z' is not one of",
        ),
        (
            special("['10:00', '09:00']"),
            "special_sessions 2026-12-05: 10:00 is not before 09:00",
        ),
        (special("['10:00', '12:00'], ['11:00', '13:00']"), "window at 11:00:00 begins before 12:00:00"),
        ("special_sessions: [{day: 2026-12-05, windows: [[15:30, 16:30]], kind: budget}]", "special_sessions.0"),
        ("covers: {from: 2027-01-01, until: 2026-01-01}", "covers: 2027-01-01 is after 2026-01-01"),
        ("covers: {from: 2001-01-01, until: 2026-01-01}", "no hours of NSE from 2001-01-01 on"),
        ("[1, 2", "not readable as YAML"),
        ("just text", "top level: 'just text' is not of type 'object'"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line_with_key_and_value(project, override, text, told):
    with pytest.raises(ConfigError, match=told) as refused:
        SessionCalendar.load(project / "config" / "calendar.yaml", override(text))
    assert "\n" not in str(refused.value)
    assert "override.yaml" in str(refused.value)


def test_an_absent_table_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        SessionCalendar.load(tmp_path / "none.yaml")


def test_a_huge_table_is_not_even_parsed(tmp_path):
    path = tmp_path / "huge.yaml"
    path.write_text("# " + "x" * 1_000_000)
    with pytest.raises(ConfigError, match="larger than"):
        SessionCalendar.load(path)
