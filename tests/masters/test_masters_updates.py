"""The rows of a minute are what the master files say of it, whenever they are asked for."""

import csv
import threading
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from g6.errors import SinkError
from g6.masters.reconciliation import reconcile
from g6.masters.updates import NO_ROWS, MasterUpdates
from g6.model.snapshot import Snapshot
from g6.storage.influx_lines import MasterRows

FRIDAY = date(2026, 11, 20)
FIELDS = ("n", "mean", "min", "max", "exponential_mean")

Key = tuple[str, str, str]  # index, expiry code, offset


def table(rows: MasterRows) -> dict[Key, dict[str, float]]:
    """Rows by what they are of."""
    groups = [group for group, count in rows.groups.items() for _ in range(count)]
    numbers = zip(*(values.tolist() for values in rows.fields.values()), strict=True)
    return {
        (*group, offset): dict(zip(rows.fields, values, strict=True))
        for group, offset, values in zip(groups, rows.offsets, numbers, strict=True)
    }


def in_files(files: Mapping[str, bytes], minute: str) -> dict[Key, dict[str, float]]:
    """What the master files say of a minute."""
    found = {}
    for name, data in files.items():
        index, code, offset, file = name.split("/")
        for row in csv.DictReader(data.decode().splitlines()):
            if file == "friday.csv" and row["minute"] == minute:
                found[index, code, offset] = {field: float(row[field]) for field in FIELDS}
    return found


@pytest.fixture
def past(world: Any) -> Any:
    """Three Fridays folded, one that is not, and a Thursday that is no concern of theirs."""
    for weeks in (4, 3, 2):
        world.day(FRIDAY - timedelta(weeks=weeks), seed=weeks)
        reconcile(world.root, FRIDAY - timedelta(weeks=weeks))
    world.day(FRIDAY - timedelta(weeks=1), seed=9)
    world.day(FRIDAY - timedelta(days=1), seed=8)
    return world


def test_rows_are_what_the_files_say_after_the_minute(past: Any, wild_minute: Callable[..., Snapshot]) -> None:
    updates = MasterUpdates(past.root, "last")
    for number in range(4):
        minute = wild_minute(FRIDAY, number)
        found = table(updates(minute))
        past.minute(minute)
        past.checkpoint(FRIDAY)
        said = in_files(past.files(), f"09:{15 + number}")
        assert {key: {name: row[name] for name in FIELDS} for key, row in found.items()} == {
            key: row for key, row in said.items() if key in found
        }
        assert max(row["n"] for row in found.values()) == 5


def test_the_total_premium_is_that_of_the_daily_file(past: Any, wild_minute: Callable[..., Snapshot]) -> None:
    past.minute(wild_minute(FRIDAY, 0))
    found = table(MasterUpdates(past.root, "last")(wild_minute(FRIDAY, 0)))
    for (index, code, offset), row in found.items():
        if "p" in offset and "m" in offset and offset != "atm":
            distance = offset[1:].split("m")[0]
            sides = [found[index, code, side + distance]["total_premium"] for side in "pm"]
            assert row["total_premium"] == pytest.approx(sum(sides) / 2, abs=0.00005)
        else:
            lines = past.daily_file(index, code, offset).read_text().splitlines()
            (cells,) = csv.DictReader(lines)
            assert row["total_premium"] == float(cells["total_premium"])
    assert any(offset == "p1m1" for _, _, offset in found)


def test_they_are_the_same_after_the_day_and_later_days_are_folded(
    past: Any, wild_minute: Callable[..., Snapshot]
) -> None:
    live = [table(MasterUpdates(past.root, "last")(wild_minute(FRIDAY, number))) for number in range(6)]
    past.day(FRIDAY)
    for day in (FRIDAY - timedelta(weeks=1), FRIDAY, FRIDAY + timedelta(weeks=1)):
        if day > FRIDAY:
            past.day(day, seed=3)
        reconcile(past.root, day)
    updates = MasterUpdates(past.root, "last")
    assert [table(updates(wild_minute(FRIDAY, number))) for number in range(6)] == live


def test_a_day_before_that_is_folded_meanwhile_is_taken_in(past: Any, wild_minute: Callable[..., Snapshot]) -> None:
    minute = wild_minute(FRIDAY, 0)
    updates = MasterUpdates(past.root, "last")
    assert max(row["n"] for row in table(updates(minute)).values()) == 5
    past.day(FRIDAY - timedelta(weeks=5), seed=5)
    reconcile(past.root, FRIDAY - timedelta(weeks=5))
    assert max(row["n"] for row in table(updates(minute)).values()) == 6


def test_the_first_day_of_all_is_its_own_mean(world: Any, wild_minute: Callable[..., Snapshot]) -> None:
    world.masters.close()
    found = table(MasterUpdates(world.root, "last")(wild_minute(FRIDAY, 0)))
    assert found
    for row in found.values():
        assert row["n"] == 1
        assert {row[name] for name in ("mean", "min", "max", "exponential_mean")} == {row["total_premium"]}


def test_a_minute_without_a_price_has_no_rows(past: Any, minute_of_prices: Callable[..., Snapshot]) -> None:
    minute = minute_of_prices(FRIDAY, "09:15", {("NIFTY", ("this_week",)): {0: (float("nan"), 3.0)}})
    assert MasterUpdates(past.root, "last")(minute) is NO_ROWS


def test_they_are_read_in_another_thread_while_the_loop_writes(past: Any, wild_minute: Callable[..., Snapshot]) -> None:
    updates, found, failed = MasterUpdates(past.root, "last"), [], []

    def read() -> None:
        try:
            found.extend(table(updates(wild_minute(FRIDAY, number))) for number in range(6))
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    past.day(FRIDAY)
    reader.join()
    assert failed == []
    assert found == [table(updates(wild_minute(FRIDAY, number))) for number in range(6)]


def test_masters_that_cannot_be_read_are_said_in_one_line(past: Any, wild_minute: Callable[..., Snapshot]) -> None:
    past.masters.close()
    for path in (past.root / "masters").glob("masters.sqlite3*"):
        path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(SinkError, match=r"masters\.sqlite3"):
        MasterUpdates(past.root, "last")(wild_minute(FRIDAY, 0))
