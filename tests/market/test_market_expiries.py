"""Expiry codes mean what the listed contracts say, on a real contract file and on the days that trap."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.market.expiries import resolve
from g6.model.chain import EXPIRY_CODES
from g6.model.contracts import EMPTY_CONTRACTS

MORNING = "2026-08-18T10:00"
NSE_MONTHLY_ONLY = ["BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50"]
BSE_MONTHLY_ONLY = ["BANKEX", "SENSEX50"]
MONTH_LETTERS = "123456789OND"


def weekly(index, text):
    day = date.fromisoformat(text)
    return text, f"{index}{day:%y}{MONTH_LETTERS[day.month - 1]}{day:%d}24000CE"


def monthly(index, text):
    return text, f"{index}{date.fromisoformat(text):%y%b}".upper() + "24000CE"


def future(index, text):
    return text, f"{index}{date.fromisoformat(text):%y%b}FUT".upper()


def codes(found):
    return {code: f"{day}" for code, day in found.dates.items()}


class TestRealContractFile:
    def test_nifty_has_weeks_and_its_second_week_is_the_month(self, dump, calendar, at):
        found = resolve(dump.of_index("NIFTY"), at(MORNING), calendar, "NSE")
        assert codes(found) == {
            "this_week": "2026-08-18", "next_week": "2026-08-25",
            "this_month": "2026-08-25", "next_month": "2026-09-29",
        }  # fmt: skip
        assert found.codes_of(date(2026, 8, 25)) == ("next_week", "this_month")
        assert found.codes_of(date(2026, 12, 29)) == ()

    def test_sensex_has_weeks_and_is_not_sensex50(self, dump, calendar, at):
        found = resolve(dump.of_index("SENSEX"), at(MORNING), calendar, "BSE")
        assert codes(found) == {
            "this_week": "2026-08-20", "next_week": "2026-08-27",
            "this_month": "2026-08-27", "next_month": "2026-09-24",
        }  # fmt: skip

    @pytest.mark.parametrize("index", NSE_MONTHLY_ONLY)
    def test_monthly_indices_of_nse_have_no_week(self, dump, calendar, at, index):
        found = resolve(dump.of_index(index), at(MORNING), calendar, "NSE")
        assert codes(found) == {"this_month": "2026-08-25", "next_month": "2026-09-29"}
        assert found.reasons["this_week"] == found.reasons["next_week"] == "no weekly expiry is listed"

    @pytest.mark.parametrize("index", BSE_MONTHLY_ONLY)
    def test_monthly_indices_of_bse_have_no_week(self, dump, calendar, at, index):
        found = resolve(dump.of_index(index), at(MORNING), calendar, "BSE")
        assert codes(found) == {"this_month": "2026-08-27", "next_month": "2026-09-24"}

    @pytest.mark.parametrize(
        ("index", "exchange", "legs"),
        [
            ("NIFTY", "NSE", (210, 242, 242, 246)), ("SENSEX", "BSE", (268, 352, 352, 320)),
            ("BANKNIFTY", "NSE", (334, 286)), ("FINNIFTY", "NSE", (238, 128)),
            ("MIDCPNIFTY", "NSE", (302, 266)), ("NIFTYNXT50", "NSE", (410, 370)),
            ("BANKEX", "BSE", (382, 290)), ("SENSEX50", "BSE", (150, 122)),
        ],
    )  # fmt: skip
    def test_the_codes_lead_to_as_many_legs_as_were_counted_by_hand(self, dump, calendar, at, index, exchange, legs):
        own = dump.of_index(index)
        found = resolve(own, at(MORNING), calendar, exchange)
        counted = [int(((own.kind != "FUT") & (own.expiry == day)).sum()) for day in found.dates.values()]
        assert counted == list(legs)

    def test_only_the_futures_months_are_monthly(self, dump, calendar, at, days):
        found = resolve(dump.of_index("NIFTY"), at(MORNING), calendar, "NSE")
        assert found.monthly == days("2026-08-25 2026-09-29 2026-10-27")

    def test_the_expiry_day_keeps_its_week_until_its_own_close(self, dump, calendar, at):
        own = dump.of_index("NIFTY")
        last = resolve(own, at("2026-08-18T15:39:59"), calendar, "NSE")
        after = resolve(own, at("2026-08-18T15:40"), calendar, "NSE")
        assert codes(last)["this_week"] == "2026-08-18"
        assert codes(after) == {
            "this_week": "2026-08-25", "next_week": "2026-09-01",
            "this_month": "2026-08-25", "next_month": "2026-09-29",
        }  # fmt: skip
        assert after.codes_of(date(2026, 8, 25)) == ("this_week", "this_month")

    def test_after_the_monthly_close_the_months_roll(self, dump, calendar, at):
        found = resolve(dump.of_index("BANKNIFTY"), at("2026-08-25T15:40"), calendar, "NSE")
        assert codes(found) == {"this_month": "2026-09-29", "next_month": "2026-10-27"}

    def test_a_quarterly_is_never_a_month_even_when_it_is_the_nearest_left(self, dump, calendar, at):
        found = resolve(dump.of_index("BANKNIFTY"), at("2026-10-27T15:40"), calendar, "NSE")
        assert "this_month" not in found.dates
        assert found.reasons["this_month"] == "no monthly expiry is open"

    def test_a_gap_in_the_weeks_is_not_filled(self, dump, calendar, at):
        """The file of August lists no expiry of 22 September."""
        found = resolve(dump.of_index("NIFTY"), at("2026-09-16T10:00"), calendar, "NSE")
        assert "this_week" not in found.dates
        assert codes(found) == {"this_month": "2026-09-29", "next_month": "2026-10-27"}


class TestTraps:
    def test_a_weekly_moved_behind_the_monthly_into_its_month_stays_weekly(self, rows, calendar, at):
        """1 May 2025 was a holiday: NIFTY's weekly expired on 30 April, after April's monthly of the 24th."""
        listed = rows(
            "NIFTY",
            weekly("NIFTY", "2025-04-17"), monthly("NIFTY", "2025-04-24"), weekly("NIFTY", "2025-04-30"),
            weekly("NIFTY", "2025-05-08"), monthly("NIFTY", "2025-05-29"), monthly("NIFTY", "2025-06-26"),
            future("NIFTY", "2025-04-24"), future("NIFTY", "2025-05-29"), future("NIFTY", "2025-06-26"),
        )  # fmt: skip
        before = resolve(listed, at("2025-04-21T10:00"), calendar, "NSE")
        assert codes(before) == {
            "this_week": "2025-04-24", "next_week": "2025-04-30",
            "this_month": "2025-04-24", "next_month": "2025-05-29",
        }  # fmt: skip
        after = resolve(listed, at("2025-04-25T10:00"), calendar, "NSE")
        assert codes(after)["this_week"] == "2025-04-30"
        assert codes(after)["this_month"] == "2025-05-29"

    def test_weeks_are_counted_by_order_not_by_the_calendar(self, rows, calendar, at):
        """On 21 October 2025 no expiry was left in that week: the nearest is the monthly of the 28th."""
        listed = rows(
            "NIFTY", weekly("NIFTY", "2025-10-20"), monthly("NIFTY", "2025-10-28"), weekly("NIFTY", "2025-11-04"),
            monthly("NIFTY", "2025-11-25"), future("NIFTY", "2025-10-28"), future("NIFTY", "2025-11-25"),
        )  # fmt: skip
        found = resolve(listed, at("2025-10-21T14:00"), calendar, "NSE")
        assert codes(found) == {
            "this_week": "2025-10-28", "next_week": "2025-11-04",
            "this_month": "2025-10-28", "next_month": "2025-11-25",
        }  # fmt: skip

    def test_the_year_ends_into_january(self, rows, calendar, at):
        listed = rows(
            "NIFTY", weekly("NIFTY", "2026-12-22"), monthly("NIFTY", "2026-12-29"), weekly("NIFTY", "2027-01-05"),
            monthly("NIFTY", "2027-01-25"), monthly("NIFTY", "2029-12-24"), monthly("NIFTY", "2030-12-31"),
            future("NIFTY", "2026-12-29"), future("NIFTY", "2027-01-25"),
        )  # fmt: skip
        found = resolve(listed, at("2026-12-24T10:00"), calendar, "NSE")
        assert codes(found) == {
            "this_week": "2026-12-29", "next_week": "2027-01-05",
            "this_month": "2026-12-29", "next_month": "2027-01-25",
        }  # fmt: skip

    def test_half_yearly_decembers_are_not_months(self, rows, calendar, at, days):
        listed = rows(
            "NIFTY", monthly("NIFTY", "2026-11-23"), monthly("NIFTY", "2028-12-26"), monthly("NIFTY", "2029-12-24"),
            future("NIFTY", "2026-11-23"),
        )  # fmt: skip
        found = resolve(listed, at("2026-11-20T10:00"), calendar, "NSE")
        assert found.monthly == days("2026-11-23")
        assert codes(found) == {"this_month": "2026-11-23"}
        assert found.reasons["next_month"] == "no second monthly expiry is listed"

    def test_a_month_right_behind_the_futures_joins_by_its_symbol(self, rows, calendar, at):
        listed = rows(
            "NIFTY", monthly("NIFTY", "2026-11-23"), weekly("NIFTY", "2026-12-01"), monthly("NIFTY", "2026-12-29"),
            monthly("NIFTY", "2027-03-30"), future("NIFTY", "2026-11-23"),
        )  # fmt: skip
        found = resolve(listed, at("2026-11-20T10:00"), calendar, "NSE")
        assert codes(found)["next_month"] == "2026-12-29"
        assert found.reasons["next_month"].endswith("named by month")

    def test_a_weekly_future_makes_no_month(self, rows, calendar, at):
        """BSE listed weekly futures until July 2025."""
        listed = rows(
            "SENSEX", weekly("SENSEX", "2025-06-10"), ("2025-06-10", "SENSEX25610FUT"),
            monthly("SENSEX", "2025-06-24"), future("SENSEX", "2025-06-24"),
        )  # fmt: skip
        found = resolve(listed, at("2025-06-09T10:00"), calendar, "BSE")
        assert codes(found) == {
            "this_week": "2025-06-10", "next_week": "2025-06-24", "this_month": "2025-06-24",
        }  # fmt: skip

    def test_the_code_is_dropped_at_the_expiring_close_though_the_market_is_open(self, rows, calendar, at):
        listed = rows("NIFTY", weekly("NIFTY", "2026-12-08"), weekly("NIFTY", "2026-12-15"))
        assert codes(resolve(listed, at("2026-12-08T15:29"), calendar, "NSE"))["this_week"] == "2026-12-08"
        assert codes(resolve(listed, at("2026-12-08T15:30"), calendar, "NSE")) == {"this_week": "2026-12-15"}
        assert calendar.is_open(at("2026-12-08T15:30"), "NSE")


class TestWithoutFutures:
    def test_symbols_alone_tell_months_from_weeks_and_quarters(self, dump, calendar, at):
        own = dump.of_index("NIFTY")
        options = own.take(own.kind != "FUT")
        with_futures, without = (resolve(table, at(MORNING), calendar, "NSE") for table in (own, options))
        assert without.dates == with_futures.dates

    def test_a_quarterly_alone_is_no_month(self, rows, calendar, at):
        listed = rows("BANKNIFTY", monthly("BANKNIFTY", "2026-12-29"), monthly("BANKNIFTY", "2027-03-30"))
        assert not resolve(listed, at(MORNING), calendar, "NSE").dates

    def test_after_this_months_expiry_the_next_months_is_this_month(self, rows, calendar, at):
        listed = rows("BANKNIFTY", monthly("BANKNIFTY", "2026-09-29"), monthly("BANKNIFTY", "2026-10-27"))
        found = resolve(listed, at("2026-08-26T10:00"), calendar, "NSE")
        assert codes(found) == {"this_month": "2026-09-29", "next_month": "2026-10-27"}

    def test_early_in_a_month_without_a_contract_the_next_is_not_taken_for_it(self, rows, calendar, at):
        listed = rows("BANKNIFTY", monthly("BANKNIFTY", "2026-12-29"), monthly("BANKNIFTY", "2027-03-30"))
        assert not resolve(listed, at("2026-11-02T10:00"), calendar, "NSE").dates

    def test_symbols_of_another_form_tell_nothing(self, rows, calendar, at):
        listed = rows("NIFTY", ("2026-08-18", "OPTIDX-A-CE"), ("2026-08-25", "OPTIDX-B-CE"))
        found = resolve(listed, at(MORNING), calendar, "NSE")
        assert not found.dates
        assert set(found.reasons) == set(EXPIRY_CODES)

    def test_no_contract_no_code(self, calendar, at):
        assert not resolve(EMPTY_CONTRACTS, at(MORNING), calendar, "NSE").dates


def test_symbols_of_another_form_are_weeks_before_the_last_future(rows, calendar, at):
    listed = rows(
        "NIFTY", ("2025-12-09", "X-CE"), ("2025-12-16", "X-CE"), ("2025-12-30", "X-CE"), ("2026-03-31", "X-CE"),
        ("2025-12-30", "XFUT"), ("2026-01-27", "XFUT"),
    )  # fmt: skip
    found = resolve(listed, at("2025-12-05T10:00"), calendar, "NSE")
    assert codes(found) == {
        "this_week": "2025-12-09", "next_week": "2025-12-16", "this_month": "2025-12-30", "next_month": "2026-01-27",
    }  # fmt: skip


@settings(deadline=None)  # the machine may be busy
@given(minutes=st.integers(0, 120 * 24 * 60), index=st.sampled_from(["NIFTY", "BANKNIFTY", "SENSEX", "SENSEX50"]))
def test_at_any_instant_codes_are_open_ordered_and_explained(dump, calendar, at, minutes, index):
    instant = at("2026-08-18T00:00") + timedelta(minutes=minutes)
    exchange = "BSE" if index.startswith("SENSEX") else "NSE"
    own = dump.of_index(index)
    found = resolve(own, instant, calendar, exchange)
    assert set(found.reasons) == set(EXPIRY_CODES)
    for this, following in (("this_week", "next_week"), ("this_month", "next_month")):
        if following in found.dates:
            assert found.dates[this] < found.dates[following]
    for code, day in found.dates.items():
        assert day in own.option_expiries()
        assert instant < calendar.expires_at(day, exchange)
        assert code in found.codes_of(day)
        if code.endswith("month"):
            assert day in own.future_expiries()
