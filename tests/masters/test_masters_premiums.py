"""A minute's totals are the numbers that its daily files show."""

import importlib.util
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from g6.masters.premiums import minute_of_day, tick_of
from g6.masters.totals import PER_RUPEE, Group
from g6.storage.csv_layout import LEG_HEADER, PRICE_BASES, leg_lines


def storage_minutes():
    """The minutes of the tests of the stores: two expiry codes on one chain, a strike without a put, gaps."""
    path = Path(__file__).parents[1] / "storage" / "sample_minutes.py"
    spec = importlib.util.spec_from_file_location("sample_minutes_for_masters", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_filed(snapshot, basis):
    """The totals as the lines of the daily files say them."""
    place = LEG_HEADER.split(b",").index(b"total_premium")
    cells = {key: line.split(b",")[place] for key, line in leg_lines(snapshot, basis).items()}
    return {key: round(float(cell) * PER_RUPEE) for key, cell in cells.items() if cell}


@pytest.mark.parametrize("basis", PRICE_BASES)
@pytest.mark.parametrize("tick", range(3))
def test_totals_are_those_of_the_daily_files(basis, tick):
    sample = storage_minutes()
    minute = sample.snapshot(tick, tick, expiries=(sample.MONTH, sample.NEXT), shift=tick, width=4)
    found = {(*group, label): v for group, totals in tick_of(minute, basis).items() for label, v in totals.items()}
    assert found == as_filed(minute, basis)
    assert len(found) == 2 * 3 * 8


def test_total_is_call_and_put_together(minute_of_prices):
    minute = minute_of_prices(
        date(2026, 11, 20), "09:15", {("NIFTY", ("this_week",)): {0: (101.35, 98.7), 1: (70, 20)}}
    )
    assert tick_of(minute, "last") == {Group("NIFTY", "this_week"): {"atm": 2000500, "p1": 900000}}


def test_strike_without_one_of_its_prices_or_without_a_place_has_no_total(minute_of_prices):
    prices = {-1: (np.nan, 3.0), 0: (1.0, np.inf), 1: (2.0, 3.0), np.nan: (4.0, 5.0)}
    minute = minute_of_prices(date(2026, 11, 20), "09:15", {("NIFTY", ("this_week",)): prices})
    assert tick_of(minute, "last") == {Group("NIFTY", "this_week"): {"p1": 50000}}


def test_chain_of_two_codes_is_there_under_both(minute_of_prices):
    minute = minute_of_prices(date(2026, 11, 20), "15:29", {("NIFTY", ("this_week", "this_month")): {0: (1.0, 2.0)}})
    assert {group.expiry_code for group in tick_of(minute, "last")} == {"this_week", "this_month"}
    assert minute_of_day(minute.minute) == 15 * 60 + 29
