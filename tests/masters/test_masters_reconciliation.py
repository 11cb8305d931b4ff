"""Streaming and the end of day agree to the last digit, or the difference is told; the files' word is folded once."""

from contextlib import closing
from datetime import date, timedelta

import pandas as pd
import pytest

from g6.errors import SinkError
from g6.masters.reconciliation import compare, reconcile
from g6.masters.store import MasterStore

FRIDAY = date(2026, 11, 20)
FRIDAYS = [FRIDAY + timedelta(weeks=n) for n in range(3)]


def state(world):
    """Everything that folding can change."""
    with closing(MasterStore.open_read_only(world.root)) as store:
        return store.folded_days(), {d: store.day(d).keys() for d in FRIDAYS}, store.unsettled_days(), world.files()


def bend(path, minute, value):
    """Give a row of a daily file another total; None takes the row away."""
    lines = path.read_text().splitlines()
    place = lines[0].split(",").index("total_premium")
    kept = []
    for line in lines:
        cells = line.split(",")
        if cells[0][11:16] == minute:
            if value is None:
                continue
            cells[place] = value
        kept.append(",".join(cells))
    path.write_text("\n".join(kept) + "\n")


def test_undisturbed_day_agrees_and_its_files_do_not_change_by_folding(world):
    for friday in FRIDAYS:
        world.day(friday, minutes=10)
        streamed = world.files()
        result = reconcile(world.root, friday)
        assert (result.agreed, result.basis, result.folded, result.files_written) == (True, "files", True, 0)
        assert result.compared > 150
        assert world.files() == streamed
        assert "0 differ, folded" in str(result)


def test_files_say_what_pandas_makes_of_the_daily_files(world):
    for number, friday in enumerate(FRIDAYS):
        world.day(friday, minutes=7 - number, seed=number)
        reconcile(world.root, friday)
    for label in ("m2", "atm", "p1"):
        daily = pd.concat([pd.read_csv(world.daily_file("NIFTY", "this_week", label, day=d)) for d in FRIDAYS])
        daily["minute"] = daily["ts"].str[11:16]
        totals = daily.dropna(subset="total_premium").groupby("minute")["total_premium"]
        expected = totals.agg(["count", "sum", "mean", "min", "max"])
        expected["ewm"] = totals.apply(lambda day: day.ewm(alpha=0.2, adjust=False).mean().iloc[-1])
        master = pd.read_csv(world.root / f"masters/NIFTY/this_week/{label}/friday.csv").set_index("minute")
        found = master[["n", "sum", "mean", "min", "max", "exponential_mean"]]
        assert list(found.index) == list(expected.index)
        assert abs(found.to_numpy() - expected.to_numpy()).max() <= 0.00005 + 1e-9


def test_pair_in_the_files_is_the_mean_of_the_two_daily_files(world):
    world.day(FRIDAY, minutes=12)
    reconcile(world.root, FRIDAY)
    above, below = (
        pd.read_csv(world.daily_file("NIFTY", "this_week", label)).set_index("ts")["total_premium"]
        for label in ("p1", "m1")
    )
    expected = ((above + below) / 2).dropna()
    master = pd.read_csv(world.root / "masters/NIFTY/this_week/p1m1/friday.csv")
    assert master["mean"].tolist() == pytest.approx(expected.tolist(), abs=0.00005)
    assert master["minute"].tolist() == [ts[11:16] for ts in expected.index]


def test_doing_it_again_changes_nothing_and_says_the_same(world):
    world.day(FRIDAY)
    first = reconcile(world.root, FRIDAY)
    before = state(world)
    again = reconcile(world.root, FRIDAY)
    assert (again.folded, again.files_written, again.difference_count) == (False, 0, 0)
    assert again.compared == first.compared
    assert state(world) == before


@pytest.mark.parametrize("value", ["123.4567", "", None])
def test_difference_is_named_counted_and_told_again(world, value):
    world.day(FRIDAY)
    path = world.daily_file("SENSEX", "this_week", "atm")
    rows = pd.read_csv(path).dropna(subset="total_premium")
    minute, before = rows["ts"].iloc[0][11:16], rows["total_premium"].iloc[0]
    bend(path, minute, value)
    filed = float(value) if value else None
    for _ in range(2):
        result = reconcile(world.root, FRIDAY)
        assert not result.agreed
        (difference,) = result.differences
        assert (difference.index, difference.offset, difference.minute) == ("SENSEX", "atm", minute)
        assert (difference.streamed, difference.filed) == (pytest.approx(before, abs=1e-9), filed)
        assert f"SENSEX this_week atm {minute}" in str(result)
    master = pd.read_csv(world.root / "masters/SENSEX/this_week/atm/friday.csv").set_index("minute")
    assert (master["mean"].get(minute) == filed) if filed else minute not in master.index


def test_files_that_were_mended_replace_what_was_folded(new_world):
    world, clean = new_world("bent"), new_world("clean")
    for one in (world, clean):
        for friday in FRIDAYS:
            one.day(friday)
    for friday in FRIDAYS:
        reconcile(clean.root, friday)
    path = world.daily_file("NIFTY", "next_week", "p1", day=FRIDAYS[1])
    whole = path.read_bytes()
    bend(path, "09:17", "1")
    for friday in FRIDAYS:
        reconcile(world.root, friday)
    assert world.files() != clean.files()
    path.write_bytes(whole)
    assert reconcile(world.root, FRIDAYS[1]).agreed
    assert world.files() == clean.files()


def test_file_that_lost_everything_takes_its_master_file_with_it(world):
    world.day(FRIDAY)
    assert "NIFTY/next_week/p2/friday.csv" in world.files()
    world.daily_file("NIFTY", "next_week", "p2").unlink()
    assert not reconcile(world.root, FRIDAY).agreed
    assert "NIFTY/next_week/p2/friday.csv" not in world.files()
    assert "NIFTY/next_week/p2m2/friday.csv" not in world.files()


def test_minutes_that_come_after_the_fold_are_shown_and_then_folded(new_world, wild_minute):
    world, clean = new_world("late"), new_world("clean")
    world.day(FRIDAY, minutes=6)
    world.day(FRIDAYS[1], minutes=8)
    for friday in FRIDAYS[:2]:
        reconcile(world.root, friday)
    for number in (6, 7):
        world.minute(wild_minute(FRIDAY, number))
    world.minute(wild_minute(FRIDAY, 2, 9))
    world.checkpoint(FRIDAY)
    for number in range(8):
        clean.minute(wild_minute(FRIDAY, number, 9 if number == 2 else 0))
    clean.checkpoint(FRIDAY)
    clean.day(FRIDAYS[1], minutes=8)
    for friday in FRIDAYS[:2]:
        reconcile(clean.root, friday)
    assert world.files() == clean.files()
    assert reconcile(world.root, FRIDAY).agreed
    assert world.files() == clean.files()


def test_days_may_be_folded_in_any_order(new_world):
    straight, crooked = new_world("straight"), new_world("crooked")
    for one, order in ((straight, (0, 1, 2)), (crooked, (2, 0, 1))):
        for number in range(3):
            one.day(FRIDAYS[number], seed=number)
        for number in order:
            reconcile(one.root, FRIDAYS[number])
    assert straight.files() == crooked.files()


def test_without_daily_files_the_day_is_folded_as_it_streamed_in(new_world):
    world, clean = new_world("bare"), new_world("clean")
    for one in (world, clean):
        one.day(FRIDAY)
    for path in (world.root / "csv").rglob("*.csv"):
        path.unlink()
    result = reconcile(world.root, FRIDAY)
    assert (result.basis, result.folded, result.agreed) == ("streamed", True, True)
    reconcile(clean.root, FRIDAY)
    assert world.files() == clean.files()


def test_folded_day_stays_when_its_daily_files_are_gone(world):
    world.day(FRIDAY)
    path = world.daily_file("NIFTY", "this_week", "atm")
    bend(path, "09:15", "7")
    differing = reconcile(world.root, FRIDAY)
    before = state(world)
    for path in (world.root / "csv").rglob("*.csv"):
        path.unlink()
    for result in (reconcile(world.root, FRIDAY), compare(world.root, FRIDAY)):
        assert (result.basis, result.folded) == ("kept", False)
        assert result.difference_count == differing.difference_count > 0
    assert state(world) == before


def test_masters_that_were_lost_are_folded_again_from_the_daily_files(world):
    for friday in FRIDAYS:
        world.day(friday)
        reconcile(world.root, friday)
    before = world.files()
    world.masters.close()
    for path in (world.root / "masters").rglob("*"):
        if path.is_file():
            path.unlink()
    for friday in FRIDAYS:
        reconcile(world.root, friday, display_names={"NIFTY": "NIFTY 50"})
    assert world.files() == before


def test_day_of_which_nothing_is_known_is_told_so(world):
    result = reconcile(world.root, FRIDAY)
    assert (result.basis, result.folded, result.compared) == ("nothing", False, 0)
    assert str(compare(world.root, FRIDAY)).endswith("nothing was recorded")


def test_comparing_changes_nothing(world):
    world.day(FRIDAY)
    before = state(world)
    assert compare(world.root, FRIDAY).compared > 0
    bend(world.daily_file("NIFTY", "this_week", "atm"), "09:15", "7")
    assert compare(world.root, FRIDAY).difference_count == 1
    assert state(world) == before


def test_torn_last_line_of_a_daily_file_does_not_count(world):
    world.day(FRIDAY)
    with world.daily_file("NIFTY", "this_week", "atm").open("ab") as file:
        file.write(b"2026-11-20T09:59:00+05:30,2027-01-0")
    assert reconcile(world.root, FRIDAY).agreed


def test_file_of_another_make_is_told_and_nothing_is_folded(world):
    world.day(FRIDAY)
    before = state(world)
    world.daily_file("NIFTY", "this_week", "atm").write_text("time,price\n09:15,7\n")
    with pytest.raises(SinkError, match="not a daily file"):
        reconcile(world.root, FRIDAY)
    assert state(world) == before
