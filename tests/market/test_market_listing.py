"""The listing rules give the expiries that the exchanges listed, holidays and weekday changes included."""

import gzip
import json
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.errors import ConfigError
from g6.market.listing import listed_expiries, lot_on, monthly_expiry


def test_on_20_november_2026_nifty_lists_around_the_holiday(definitions, calendar, days):
    found = listed_expiries(definitions["NIFTY"], date(2026, 11, 20), calendar)
    assert found.weekly == days("2026-12-01 2026-12-08 2026-12-15 2026-12-22")
    # 24 November 2026 and 26 January 2027 are holidays, both Tuesdays.
    assert found.monthly == days("2026-11-23 2026-12-29 2027-01-25")
    assert found.quarterly[:3] == days("2027-03-30 2027-06-29 2027-09-28")


def test_on_20_november_2026_sensex_lists_thursdays(definitions, calendar, days):
    found = listed_expiries(definitions["SENSEX"], date(2026, 11, 20), calendar)
    assert found.weekly[:4] == days("2026-12-03 2026-12-10 2026-12-17 2026-12-24")
    assert found.monthly == days("2026-11-26 2026-12-31 2027-01-28")


@pytest.mark.parametrize(
    "index",
    ["NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "SENSEX", "BANKEX", "SENSEX50"],
)
def test_the_real_contract_file_lists_the_same_expiries(dump, definitions, calendar, index):
    own = dump.of_index(index)
    found = listed_expiries(definitions[index], date(2026, 8, 18), calendar)
    assert found.all == own.option_expiries()
    assert found.monthly == own.future_expiries()


@pytest.mark.parametrize("snapshot", ["20251021_142545", "20251205_093314"])
def test_the_exchanges_own_chains_list_the_same_expiries(market_data, definitions, calendar, snapshot):
    """But for 31 March 2026, which was declared a holiday later; and the Muhurat day's weekly expired before."""
    path = market_data / "nse_option_chain" / f"NIFTY_{snapshot}.json.gz"
    records = json.loads(gzip.decompress(path.read_bytes()))["records"]
    shown = [datetime.strptime(f"{text} +0530", "%d-%b-%Y %z").date() for text in records["expiryDates"]]
    day = datetime.strptime(f"{snapshot[:8]} +0530", "%Y%m%d %z").date()
    moved = {date(2026, 3, 31): date(2026, 3, 30)}
    assert listed_expiries(definitions["NIFTY"], day, calendar).all == tuple(moved.get(d, d) for d in shown)


def expiries_of(index, calendar, begin, end):
    found = set()
    day = begin
    while day <= end:
        listed = listed_expiries(index, day, calendar)
        found |= {expiry for expiry in (*listed.weekly, *listed.monthly) if begin <= expiry <= end}
        day += timedelta(days=7)
    return found


def test_the_shifts_of_2026_are_those_that_the_exchanges_published(definitions, calendar, days):
    """Every expiry off its weekday, and no other, with the monthlies among them."""
    begin, end = date(2026, 1, 1), date(2026, 12, 31)
    nifty = expiries_of(definitions["NIFTY"], calendar, begin, end)
    assert sorted(d for d in nifty if d.weekday() != 1) == list(
        days("2026-03-02 2026-03-30 2026-04-13 2026-10-19 2026-11-09 2026-11-23")
    )
    sensex = expiries_of(definitions["SENSEX"], calendar, begin, end)
    assert sorted(d for d in sensex if d.weekday() != 3) == list(days("2026-01-14 2026-03-25 2026-05-27"))
    assert (len(nifty), len(sensex)) == (52, 53)  # Tuesdays and Thursdays of 2026


def test_the_thursday_holiday_of_may_2025_gives_april_two_late_expiries(definitions, calendar, days):
    found = listed_expiries(definitions["NIFTY"], date(2025, 4, 21), calendar)
    assert found.monthly[0] == date(2025, 4, 24)
    assert found.weekly[0] == date(2025, 4, 30)


def test_a_muhurat_day_moves_the_weekly_to_the_day_before(definitions, calendar):
    assert listed_expiries(definitions["NIFTY"], date(2025, 10, 17), calendar).weekly[0] == date(2025, 10, 20)


def test_banknifty_went_from_thursdays_to_wednesdays_in_march_2024(definitions, calendar, days):
    """The days that NSE's circular of December 2023 names; 25 December 2024 is a holiday."""
    named = days("2024-01-25 2024-02-29 2024-03-27 2024-04-24 2024-05-29 2024-06-26 2024-09-25 2024-12-24")
    index = definitions["BANKNIFTY"]
    assert tuple(monthly_expiry(index, day.year, day.month, calendar) for day in named) == named


def test_monthlies_follow_the_weekday_of_their_period(definitions, calendar):
    nifty, sensex = definitions["NIFTY"], definitions["SENSEX"]
    assert monthly_expiry(nifty, 2025, 8, calendar) == date(2025, 8, 28)  # the last Thursday month
    assert monthly_expiry(nifty, 2025, 9, calendar) == date(2025, 9, 30)  # the first Tuesday month
    assert monthly_expiry(sensex, 2024, 12, calendar) == date(2024, 12, 27)
    assert monthly_expiry(sensex, 2025, 1, calendar) == date(2025, 1, 28)
    assert monthly_expiry(sensex, 2025, 9, calendar) == date(2025, 9, 25)


@pytest.mark.parametrize(
    ("index", "expiry", "lot"),
    [
        ("NIFTY", "2025-12-30", 75), ("NIFTY", "2026-01-06", 65), ("NIFTY", "2030-12-31", 65),
        ("BANKNIFTY", "2025-06-26", 30), ("BANKNIFTY", "2025-07-31", 35), ("BANKNIFTY", "2026-11-23", 30),
        ("MIDCPNIFTY", "2025-07-31", 140), ("SENSEX", "2026-11-26", 20), ("SENSEX", "2024-06-28", 10),
    ],
)  # fmt: skip
def test_lots_follow_their_expiry(definitions, index, expiry, lot):
    assert lot_on(definitions[index], date.fromisoformat(expiry)) == lot


def test_lots_of_the_real_contract_file(dump, definitions):
    for name, definition in definitions.items():
        own = dump.of_index(name)
        for expiry in own.option_expiries():
            assert set(own.lot[own.expiry == expiry].tolist()) == {lot_on(definition, expiry)}


def test_a_lot_before_the_table_is_refused(definitions):
    with pytest.raises(ConfigError, match="NIFTY: no lot size for expiry 2023-12-28"):
        lot_on(definitions["NIFTY"], date(2023, 12, 28))


@settings(deadline=None)  # the machine may be busy
@given(offset=st.integers(0, 1095), name=st.sampled_from(["NIFTY", "BANKNIFTY", "SENSEX", "BANKEX"]))
def test_on_any_day_listed_expiries_are_counted_distinct_and_allowed(definitions, calendar, offset, name):
    day = date(2024, 1, 1) + timedelta(days=offset)
    index = definitions[name]
    found = listed_expiries(index, day, calendar)
    counts = index.simulation
    assert len(found.monthly) == counts.monthlies
    assert len(found.quarterly) == counts.quarterlies + counts.half_yearlies
    assert len(found.weekly) == (counts.weeklies if index.expiry_rules[-1].weekly is not None else 0)
    assert len(found.all) == len(found.weekly) + len(found.monthly) + len(found.quarterly)
    assert found.all[0] >= day
    assert all(calendar.is_expiry_day_allowed(expiry, index.exchange) for expiry in found.all)
    months = [12 * d.year + d.month for d in found.monthly]
    assert months == list(range(months[0], months[0] + len(months)))
