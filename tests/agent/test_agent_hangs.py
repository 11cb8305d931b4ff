"""Calls that hang: the minute is told of, the next one starts when it is due, and a worn-out process says so."""

import threading

from bent_agent import agent_on, run_bent, two_indices

from g6.resilience.call_watchdog import CallWatchdog
from g6.unified_main import FAILED


class Hanging:
    """An answer that hangs for as long as the test goes on, in the minutes that it is told to."""

    def __init__(self, *minutes: int) -> None:
        self.minutes, self.asked, self.over, self.hangs = minutes, 0, threading.Event(), threading.Event()

    def __call__(self, answer, *_asked):
        self.asked += 1
        if self.asked in self.minutes:
            self.hangs.set()
            self.over.wait()
        return answer

    def watched(self, _parts):
        """The agent's watchdog, whose patience ends when a call hangs, and no sooner however slow the machine is."""
        return {"call_watchdog": CallWatchdog(0.5, wait=self.wait)}

    def wait(self, over, _seconds):
        while not over.wait(0.01):
            if self.hangs.is_set():
                self.hangs.clear()
                return False
        return True


def told(capsys):
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("2026-")]


def test_a_call_that_hangs_costs_its_minute_alone_and_is_named(settings_for, capsys):
    hanging = Hanging(2)
    code, _ = run_bent(two_indices(settings_for), 4, hanging.watched, quotes=hanging)
    hanging.over.set()
    minutes = told(capsys)
    assert [line.split()[2] for line in minutes] == ["ok:", "failed:", "ok:", "ok:"]
    assert "quotes: the provider has not come back for 0.5 s" in minutes[1]
    assert code == FAILED


def test_the_stage_that_hangs_is_the_one_that_is_named(settings_for, capsys):
    hanging = Hanging(1)
    run_bent(two_indices(settings_for), 2, hanging.watched, spots=hanging)
    hanging.over.set()
    assert "spots: the provider has not come back" in told(capsys)[0]


def test_a_process_with_too_many_hanging_calls_ends_and_asks_to_be_started_again(settings_for, capsys):
    hanging = Hanging(2, 3, 4)
    with agent_on(two_indices(settings_for), hanging.watched, quotes=hanging) as (agent, parts):
        code = agent.loop(10)
        ended = parts.observation.health.last_words()
    hanging.over.set()
    assert code == FAILED
    assert len(told(capsys)) == 4, "no minute after the third call that hangs"
    assert "must be restarted" in str(ended)


def test_what_hangs_leaves_no_half_minute_in_any_store(settings_for, tmp_path):
    hanging = Hanging(2)
    run_bent(two_indices(settings_for), 3, hanging.watched, quotes=hanging)
    hanging.over.set()
    rows = (tmp_path / "data/csv/NIFTY/overview/2026-11-20.csv").read_text().splitlines()
    assert [row.split(",")[0][11:16] for row in rows[1:]] == ["10:00", "10:01", "10:02"]
    assert [row.split(",")[4] for row in rows[1:]] == [rows[1].split(",")[4], "0", rows[1].split(",")[4]]
