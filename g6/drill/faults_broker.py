"""Faults of the broker, by the wire."""

import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from g6.drill.fault import Fault
from g6.drill.world import World

SKEW_SECONDS = 40.0
EARLIER = timedelta(days=2)


def _gone(world: World) -> None:
    world.broker.stop()


def _back(world: World) -> None:
    world.broker.start()


def _puts(*entries: Mapping[str, object]) -> Callable[[World], None]:
    return lambda world: world.broker.faults(*entries)


def _mended(world: World) -> None:
    world.broker.faults()


def _by_plan(says: str, *entries: Mapping[str, object], **more: Any) -> Fault:
    fields: dict[str, Any] = {"provider": "kite", **more}
    return Fault(says, _puts(*entries), _mended, **fields)


def _log_in(world: World) -> None:
    world.broker.login()


def _from_now(do: Mapping[str, object]) -> Callable[[World], None]:
    """Return what puts a fault in force that needs to know its beginning."""
    return lambda world: world.broker.faults({**do, "from": f"{world.broker.now:%H:%M:%S}"})


def _old_list(world: World) -> None:
    """Let the agent get the instruments of a day, and days later no others."""
    world.agent.stop()
    shutil.rmtree(world.instruments)
    world.broker.move_clock(-EARLIER.total_seconds())
    world.agent.start({"storage.data_dir": str(world.folder / "earlier")})
    world.wait_for("the list of an earlier day", lambda: any(world.instruments.rglob("*.gz")))
    world.pause(2)
    world.agent.stop()
    world.broker.move_clock(0)
    world.broker.faults({"do": "status", "on": "instruments", "status": 503})
    world.agent.start()


BROKER: Mapping[str, Fault] = {
    "provider_gone": Fault("the broker's server is gone", _gone, _back, provider="kite", heals=60),
    "batch_lost": _by_plan(
        "four of ten options do not answer", {"do": "missing", "on": "quote", "match": {"kind": "PE", "share": 0.4}},
        {"do": "missing", "on": "quote", "match": {"kind": "CE", "share": 0.4}}, pace=2, fires=65, heals=170,
    ),
    "minutes_failing": _by_plan(
        "the broker fails in every fourth minute",
        {"do": "status", "on": ["quote", "ohlc", "ltp"], "status": 503, "from": "09:15", "until": "09:16",
         "every_minutes": 4}, fires=30, heals=40,
    ),
    "index_missing": _by_plan(
        "no quote of SENSEX comes", {"do": "missing", "on": "quote", "match": {"index": "SENSEX"}}
    ),
    "spot_missing": _by_plan(
        "the level of SENSEX does not come",
        {"do": "missing", "on": ["quote", "ohlc", "ltp"], "match": {"index": "SENSEX", "kind": "INDEX"}},
    ),
    "exchange_mute": Fault(
        "the quotes of BSE stand still", _from_now({"do": "frozen", "on": "quote", "match": {"exchange": "BFO"}}),
        _mended, provider="kite",
    ),
    "legs_frozen": Fault(
        "the quotes of calls stand still", _from_now({"do": "frozen", "on": "quote", "match": {"kind": "CE"}}), _mended,
        provider="kite", fires=30, heals=40,
    ),
    "quotes_crossed": _by_plan("bids are above asks", {"do": "crossed", "on": "quote"}, heals=30),
    "token_dead": Fault(
        "the access token is killed, as by a login elsewhere", lambda world: world.broker.end_token(), _log_in,
        provider="kite", fires=20,
    ),
    "first_provider_gone": Fault(
        "the first of two keys is dead", lambda world: world.broker.end_token(), _log_in,
        provider="kite,kite-second", accounts=("main", "second"),
    ),
    "rate_limited": _by_plan(
        "every minute begins with a 429",
        {
            "do": "status", "on": "quote", "status": 429, "from": "09:15", "until": "09:16", "every_minutes": 1,
            "times": 1,
        },
        heals=30,
    ),
    "clock_skewed": Fault(
        "the exchange's stamps are ahead of the agent's clock",
        lambda world: world.broker.move_clock(SKEW_SECONDS), lambda world: world.broker.move_clock(0), provider="kite",
    ),
    "stream_mute": _by_plan(
        "connections of the stream say nothing any more", {"do": "half_open", "on": "stream"},
        provider="kite-stream",
    ),
    "stream_dropped": _by_plan(
        "the stream is torn every minute",
        {"do": "drop", "on": "stream", "from": "09:15", "until": "09:16", "every_minutes": 2},
        provider="kite-stream", heals=40,
    ),
    "instruments_gone": Fault(
        "the list of instruments is of two days before, and no other comes", _old_list, _mended, provider="kite",
        by_the_calendar=True, at="{today} 10:00", settings={"market.calendar_override_file": "{calendar}"}, fires=30,
    ),
    "token_expiring": Fault(
        "the token's file says that it ends within the hour",
        lambda world: world.broker.login(until=world.machine_now + timedelta(minutes=40)), _log_in,
        provider="kite", by_the_calendar=True,
    ),
}  # fmt: skip
