"""A session of the broker's protocol with something going wrong every tenth minute, and what that must cost."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from kite_world import World, kite_world

OPEN = datetime.fromisoformat("2026-11-20T09:15:00+05:30")
MINUTES = 385
INDICES = ("NIFTY", "SENSEX")
WHOLE, PARTIAL, NOTHING = "whole", "partial", "nothing"

# What goes wrong in a tenth minute, and what that costs each index in it: nothing, all of it, or a share of the legs.
# Every request of the minute is struck, unless `times` says how many.
REST_FAULTS: tuple[tuple[dict[str, object], dict[str, str]], ...] = (
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
    ({"do": "missing", "match": {"index": "NIFTY", "share": 0.1}}, {"NIFTY": PARTIAL}),
    ({"do": "calls_only", "match": {"index": "SENSEX"}}, {"SENSEX": NOTHING}),
    ({"do": "zero_spot", "match": {"index": "NIFTY"}}, {"NIFTY": NOTHING}),
    ({"do": "crossed", "match": {"share": 0.2}}, {}),
    ({"do": "negative", "match": {"kind": "PE", "share": 0.2}}, {}),
    ({"do": "kill_token"}, {"NIFTY": NOTHING, "SENSEX": NOTHING}),
)


# The stream has what REST has of data faults, and its own; REST fills what it lacks, and answers while it is away.
STREAM_FAULTS: tuple[tuple[dict[str, object], dict[str, str]], ...] = (
    ({"do": "drop", "times": 1}, {}),
    ({"do": "garbage"}, {}),
    ({"do": "text_noise"}, {}),
    ({"do": "text_error", "times": 1}, {}),
    ({"do": "mute", "match": {"exchange": "BFO"}}, {}),
    ({"on": "quote", "do": "status", "status": 503}, {}),
    ({"on": "quote", "do": "hang"}, {}),
    ({"on": "quote", "do": "shape", "shape": "broken_json"}, {}),
    ({"do": "kill_token"}, {"NIFTY": NOTHING, "SENSEX": NOTHING}),
    ({"do": "drop", "code": 1011, "times": 1}, {}),
)


def day_plan(
    kinds: Sequence[tuple[dict[str, object], dict[str, str]]],
) -> tuple[list[dict[str, object]], dict[str, dict[str, str]], list[str]]:
    """The faults of the day, minute → what they cost, and the minutes after which a person logs in again."""
    faults, costs, logins = [], {}, []
    for number, minute in enumerate(range(10, MINUTES - 1, 10)):
        fault, cost = kinds[number % len(kinds)]
        begin = OPEN + timedelta(minutes=minute)
        window = {"from": f"{begin:%H:%M}", "until": f"{begin + timedelta(minutes=1):%H:%M}"}
        if fault["do"] == "kill_token":  # the minute that begins half a minute later meets it
            logins.append(window["from"])
            window = {"from": f"{begin - timedelta(seconds=30):%H:%M:%S}"}
        faults.append({"name": f"at {begin:%H:%M}", **fault, **window})
        costs[f"{begin:%H:%M}"] = cost
    return faults, costs, logins


def run_day(folder: Path, transport: str, speed: float) -> dict[str, object]:
    """Run the session; return what was stored per minute and index, and every wrong number."""
    faults, _, logins = day_plan(STREAM_FAULTS if transport == "kite-stream" else REST_FAULTS)
    changes = {"collection.expiries": "this_week,this_month", "providers.order": transport}
    with kite_world(folder, "2026-11-20T09:15", faults, changes, speed=speed) as world:
        for minute in logins:
            world.told.after.setdefault(minute, []).append(world.log_in)
        world.run(MINUTES)
        return {"stored": words_of(world), "wrong": world.wrong_numbers()}


def words_of(world: World) -> dict[str, dict[str, str]]:
    """Minute → index → whole, partial or nothing, by the journal."""
    return {minute: {index: word(legs) for index, legs in row.items()} for minute, row in world.stored().items()}


def word(legs: tuple[int, int]) -> str:
    """Return what a minute has of an index."""
    received, expected = legs
    if expected == 0:
        return NOTHING
    return WHOLE if received == expected else PARTIAL


def main() -> None:
    """Run a day in a process of its own; write what became of it."""
    folder, transport, speed, out = sys.argv[1:]
    Path(out).write_text(json.dumps(run_day(Path(folder), transport, float(speed))))


if __name__ == "__main__":
    main()
