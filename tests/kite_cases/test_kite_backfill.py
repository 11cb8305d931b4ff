"""Minutes that nobody recorded are fetched as candles: marked, as the market was, and never over a collected one."""

import csv
import re
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from kite_world import World, kite_world

from g6 import unified_main
from g6.errors import ConfigError
from g6.wiring.backfill import Gap, backfill_source, find_gap
from g6.wiring.kite import open_broker
from g6.wiring.sources import load_market

DAY = datetime.fromisoformat("2026-11-20T00:00+05:30")
DOWN = [{"name": "the broker is down", "on": "quote", "do": "status", "status": 503, "from": "10:03", "until": "10:06"}]


def fill(world: World, tmp_path: Path) -> tuple[Gap, int, list[tuple[int, int]]]:
    """Back-fill the day so far, as `g6 backfill` does; return what was missing, the exit code and the progress."""
    told: list[tuple[int, int]] = []
    market = load_market(world.settings)
    environ = {"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}
    broker = open_broker(world.settings, market, world.clock, environ)
    data_dir = world.settings.storage.data_dir
    gap = find_gap(world.settings, market, DAY.date(), world.clock.now(), data_dir)
    source = backfill_source(broker, gap, data_dir, lambda done, wanted: told.append((done, wanted)))
    return gap, unified_main.run(world.settings, cycles=len(gap.missing), source=source), told


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open() as file:
        return {row["ts"][11:16]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory):
    """A collector ran from 10:00 to 10:07 with the broker down for three minutes; then the day was back-filled."""
    tmp_path = tmp_path_factory.mktemp("filled")
    with kite_world(tmp_path, "2026-11-20T10:00", DOWN, {"providers.patience.breaker_open_seconds": "1"}) as world:
        world.run(8)
        csv_file = tmp_path / "data" / "csv" / "NIFTY" / "this_week" / "atm" / "2026-11-20.csv"
        before = rows(csv_file)
        gap, code, told = fill(world, tmp_path)
        yield world, before, rows(csv_file), gap, code, told


def test_exactly_what_is_missing_is_supplied_and_what_was_collected_is_not_touched(filled):
    _, before, after, gap, code, told = filled
    assert code == 0
    assert {"10:03", "10:04", "10:05", "09:16"} <= {f"{minute:%H:%M}" for minute in gap.missing}
    assert not {f"{minute:%H:%M}" for minute in gap.missing} & set(before)
    assert {minute: after[minute] for minute in before} == before
    assert {minute for minute, row in after.items() if row["backfilled"] == "1"} == {
        f"{minute:%H:%M}" for minute in gap.missing
    }
    assert list(after) == sorted(after), "rows stay in the order of time"
    assert told[-1][0] == told[-1][1] > 40


def test_a_supplied_minute_is_what_the_market_was_when_it_began(filled):
    world, _, after, gap, _, _ = filled
    for minute in gap.missing[::9]:
        row = after[f"{minute:%H:%M}"]
        just_before = minute - timedelta(seconds=1)
        assert float(row["spot"]) == pytest.approx(world.truth.spot("NIFTY", just_before).last, rel=2e-4)
        listed = world.truth.contracts("NIFTY", minute.date())
        leg = listed.take((listed.strike == float(row["strike"])) & (listed.kind == "CE")
                          & (listed.expiry == np.datetime64(row["expiry"])))  # fmt: skip
        true = world.truth.quotes(leg, just_before)
        assert float(row["ce_last"]) == pytest.approx(true.last[0], abs=2.0)
        assert float(row["ce_oi"]) == pytest.approx(true.oi[0], rel=0.02)
        assert float(row["ce_volume"]) == pytest.approx(true.volume[0], rel=0.05)
        assert float(row["ce_iv"]) > 0
        assert row["ce_bid"] == row["ce_ask"] == "", "candles have no books"


def test_a_second_back_fill_finds_nothing_to_do(filled):
    world, _, _, _, _, _ = filled
    market = load_market(world.settings)
    now, data_dir = DAY + timedelta(hours=10, minutes=8), world.settings.storage.data_dir
    gap = find_gap(world.settings, market, DAY.date(), now, data_dir)
    assert gap.missing == []
    assert len(gap.minutes) == 52


@pytest.mark.parametrize("day", ["2026-11-21", "2026-11-23"])
def test_a_day_without_minutes_is_refused_in_a_sentence(tmp_path, day):
    with kite_world(tmp_path, "2026-11-20T10:00") as world:
        market = load_market(world.settings)
        with pytest.raises(ConfigError, match=re.escape(day) + " has no minutes to back-fill"):
            find_gap(world.settings, market, datetime.fromisoformat(day).date(), world.clock.now(), tmp_path / "data")
