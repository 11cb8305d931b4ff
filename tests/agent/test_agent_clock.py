"""A clock that is set while the agent runs: each minute is recorded once, as the one that it is, and the step told."""

from datetime import datetime, timedelta

import pytest
from agent_process import rows_of
from bent_agent import DAY, minutes, overview
from set_clock import SetClock, agent_by

HOUR = timedelta(hours=1)


@pytest.fixture
def nifty(settings_for):
    return settings_for(clock__speed="1", collection__indices="NIFTY", collection__expiries="this_week")


def told(capsys):
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("2026-")]
    return {line[11:16]: line for line in lines}


def clock_of(parts):
    return next(component.sentence for component in parts.observation.health.components if component.name == "clock")


def skipped(parts):
    page = parts.observation.exposition.page()[0].decode()
    lines = [line for line in page.splitlines() if line.startswith("g6_cycles_skipped_total")]
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines}


def test_an_hour_forward_and_back_costs_the_minutes_that_it_covers_and_none_is_out_of_order(nifty, tmp_path, capsys):
    clock = SetClock(f"{DAY}T10:00:00+05:30", {"10:02:20": HOUR, "11:04:20": -HOUR})
    with agent_by(clock, nifty) as (agent, parts):
        assert agent.loop(9) == 0
        assert skipped(parts) == {"closed": 0, "clock": 59, "overrun": 0}
        assert {problem.id for problem in parts.observation.health.problems} >= {"clock_stepped", "minutes_missed"}
    said = told(capsys)
    assert list(said) == ["10:00", "10:01", "10:02", "11:02", "11:03", "11:04", "10:04", "10:05", "10:06"]
    assert said["11:02"].endswith("; 59 minutes missed: the clock went 60 min forward, or the machine slept")
    assert said["10:04"].endswith("; the clock went 60 min back")
    assert all(" ok: " in line for line in said.values())
    assert minutes(overview(tmp_path, "NIFTY")) == sorted(said)
    atm = rows_of(tmp_path / "data" / "csv" / "NIFTY" / "this_week" / "atm" / f"{DAY}.csv")
    assert minutes(atm) == sorted(said)


def test_a_minute_that_is_recorded_is_not_recorded_again_and_the_wait_is_told(nifty, tmp_path, capsys):
    seen = {}

    def looks(parts):
        health = parts.observation.health
        health.look()  # as it does beside the loop, twice in the time of one such piece
        seen[clock.now()] = (clock_of(parts), health.market, health.document().session.waiting, health.live().ok)

    clock = SetClock(f"{DAY}T10:00:00+05:30", {"10:04:20": timedelta(minutes=-4)})
    with agent_by(clock, nifty, looks) as (agent, _):
        assert agent.loop(7) == 0
    said = told(capsys)
    assert list(said) == ["10:00", "10:01", "10:02", "10:03", "10:04", "10:05", "10:06"]
    assert said["10:05"].endswith("; the clock went 4 min back")
    assert minutes(overview(tmp_path, "NIFTY")) == list(said)
    held = [reading for reading in seen.values() if "every minute is recorded already" in reading[0]]
    assert len(held) >= 4
    assert held[-1][0].startswith("it was set back; until Fri 20 Nov 10:05 every minute is recorded already")
    assert {market for _, market, _, _ in held} == {"open"}
    assert all(live for _, _, _, live in held)
    assert all(waiting.startswith("until Fri 20 Nov 10:05") for _, _, waiting, _ in held)


def test_an_agent_that_waits_for_monday_by_a_wrong_clock_records_today_once_it_is_right(nifty, tmp_path, capsys):
    clock = SetClock(f"{DAY}T16:30:00+05:30", {"16:40:00": -6 * HOUR})
    with agent_by(clock, nifty) as (agent, _):
        assert agent.loop(3) == 0
    assert list(told(capsys)) == minutes(overview(tmp_path, "NIFTY")) == ["10:40", "10:41", "10:42"]


@pytest.mark.long
def test_a_machine_that_slept_over_the_close_goes_on_the_next_morning(nifty, tmp_path, capsys):
    clock = SetClock(f"{DAY}T15:30:00+05:30", {"15:31:10": timedelta(hours=16)})
    with agent_by(clock, nifty) as (agent, parts):
        assert agent.loop(4) == 0
        assert skipped(parts)["clock"] == 8  # to the close at 15:40
    monday = told(capsys)
    assert list(monday) == ["15:30", "15:31", "09:15", "09:16"]
    assert "8 minutes missed: the clock went 960 min forward" in monday["09:15"]
    assert minutes(overview(tmp_path, "NIFTY")) == ["15:30", "15:31"]
    assert datetime.fromisoformat(overview(tmp_path, "NIFTY", "2026-11-23")[0]["ts"]).day == 23
