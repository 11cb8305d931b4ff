"""A whole session over the broker's protocol, with something going wrong every tenth minute.

What each fault must cost is known beforehand; everything else of the day has to be there, once, and right.
"""

import csv
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from kite_world import kite_world

OPEN = datetime.fromisoformat("2026-11-20T09:15:00+05:30")
MINUTES = 385
INDICES = ("NIFTY", "SENSEX")
WHOLE, NOTHING = "whole", "nothing"

# What goes wrong in a tenth minute, and what that costs each index in it: nothing, all of it, or a share of the legs.
# Every request of the minute is struck, unless `times` says how many.
FAULTS: tuple[tuple[dict[str, object], dict[str, str]], ...] = (
    ({"on": "quote", "do": "status", "status": 503}, {"NIFTY": NOTHING, "SENSEX": NOTHING}),
    ({"on": "quote", "do": "status", "status": 503, "times": 1}, {}),
    ({"on": "quote", "do": "status", "status": 429, "retry_after": 2, "times": 1}, {}),
    ({"on": "quote", "do": "reset", "times": 1}, {}),
    ({"on": "quote", "do": "truncate", "times": 1}, {}),
    ({"on": "quote", "do": "hang", "times": 1}, {}),
    ({"on": "quote", "do": "latency", "seconds": 0.6, "times": 1}, {}),
    ({"on": "quote", "do": "status", "status": 502, "body": "html"}, {"NIFTY": NOTHING, "SENSEX": NOTHING}),
    ({"on": "quote", "do": "shape", "shape": "broken_json"}, {"NIFTY": NOTHING, "SENSEX": NOTHING}),
    ({"on": "quote", "do": "shape", "shape": "list"}, {"NIFTY": NOTHING, "SENSEX": NOTHING}),
    ({"on": "quote", "do": "shape", "shape": "no_content_type"}, {"NIFTY": NOTHING, "SENSEX": NOTHING}),
    ({"do": "missing", "match": {"exchange": "BFO"}}, {"SENSEX": NOTHING}),
    ({"do": "missing", "match": {"index": "NIFTY", "kind": "CE"}}, {"NIFTY": NOTHING}),
    ({"do": "missing", "match": {"index": "NIFTY", "share": 0.1}}, {"NIFTY": "partial"}),
    ({"do": "calls_only", "match": {"index": "SENSEX"}}, {"SENSEX": NOTHING}),
    ({"do": "zero_spot", "match": {"index": "NIFTY"}}, {"NIFTY": NOTHING}),
    ({"do": "crossed", "match": {"share": 0.2}}, {}),
    ({"do": "negative", "match": {"kind": "PE", "share": 0.2}}, {}),
    ({"do": "kill_token"}, {"NIFTY": NOTHING, "SENSEX": NOTHING}),
)


def day_plan() -> tuple[list[dict[str, object]], dict[str, dict[str, str]], list[str]]:
    """The faults of the day, minute → what they cost, and the minutes after which a person logs in again."""
    faults, costs, logins = [], {}, []
    for number, minute in enumerate(range(10, MINUTES - 1, 10)):
        fault, cost = FAULTS[number % len(FAULTS)]
        begin = OPEN + timedelta(minutes=minute)
        window = {"from": f"{begin:%H:%M}", "until": f"{begin + timedelta(minutes=1):%H:%M}"}
        faults.append({"name": f"at {begin:%H:%M}", **fault, **({} if fault["do"] == "kill_token" else window)})
        if fault["do"] == "kill_token":
            faults[-1]["from"] = window["from"]
            logins.append(window["from"])
        costs[window["from"]] = cost
    return faults, costs, logins


@pytest.mark.long
def test_a_day_with_a_fault_every_tenth_minute_costs_what_the_faults_cost(tmp_path: Path) -> None:
    faults, costs, logins = day_plan()
    changes = {"collection.expiries": "this_week,this_month"}
    with kite_world(tmp_path, "2026-11-20T09:15", faults, changes) as world:
        for minute in logins:
            world.told.after.setdefault(minute, []).append(world.log_in)
        world.run(MINUTES)
        stored, wrong = world.stored(), world.wrong_numbers()
    assert len(stored) == MINUTES
    seen = {(minute, index): word(legs) for minute, row in stored.items() for index, legs in row.items()}
    assert seen == {(minute, index): costs.get(minute, {}).get(index, WHOLE) for minute in stored for index in INDICES}
    assert wrong == []
    for index in INDICES:
        lost = [minute for minute, cost in costs.items() if cost.get(index) == NOTHING]
        rows = rows_of(tmp_path / "data" / "csv" / index / "this_week" / "atm" / "2026-11-20.csv")
        assert len(rows) == len(set(rows)) == MINUTES - len(lost)
        assert rows == sorted(rows)
        assert not {row[11:16] for row in rows} & set(lost)


def word(legs: tuple[int, int]) -> str:
    received, expected = legs
    if expected == 0:
        return NOTHING
    return WHOLE if received == expected else "partial"


def rows_of(path: Path) -> list[str]:
    with path.open() as file:
        return [row["ts"] for row in csv.DictReader(file)]
