"""A part that falls or hangs comes back, at growing distances and so many times; none of it reaches who started it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.model.part_report import PartReport
from g6.resilience.retry import RetryPolicy
from g6.resilience.supervisor import RestartBudget, Supervisor, every

PATIENCE_SECONDS = 30.0
WITHOUT_JITTER = RestartBudget(backoff=RetryPolicy(first_wait_seconds=1.0, maximum_wait_seconds=60.0, jitter=lambda: 0))


@dataclass
class Life:
    stop: threading.Event
    beat: Callable[[], None]
    release: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(default_factory=threading.current_thread)

    def wake(self) -> None:
        """Let what hangs go on to its end."""
        self.release.set()
        self.thread.join()


class Scripted:
    """A body that does in each life what the script says; the last word holds for all that follow."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.lives: list[Life] = []
        self.starts = 0
        self.entered = threading.Event()

    def __call__(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        act = self.script[min(self.starts, len(self.script) - 1)]
        self.starts += 1
        match act:
            case "raise":
                raise RuntimeError("the wire\nis cut")
            case "exit":
                raise SystemExit(3)
            case "return":
                return
        life = Life(stop, beat)
        self.lives.append(life)
        self.entered.set()
        (life.stop if act == "live" else life.release).wait()


class Bench:
    """A supervisor on a clock moved by hand, of which each new thread has come to rest before anything goes on."""

    def __init__(self, budget: RestartBudget = WITHOUT_JITTER, on_change: Callable[[PartReport], None] | None = None):
        self.now = 1000.0
        self.body = Scripted("live")
        self.launches = 0
        self.threads_left = 10_000
        self.supervisor = Supervisor(
            on_change, budget=budget, monotonic=lambda: self.now, launch=self.launch, look_seconds=None
        )

    def launch(self, thread: threading.Thread) -> None:
        self.launches += 1
        if self.launches > self.threads_left:
            raise RuntimeError("can't start new thread")
        thread.start()
        while thread.is_alive() and not self.body.entered.wait(0.001):
            pass
        self.body.entered.clear()

    def run(self, *script: str, silent_limit_seconds: float | None = None) -> Scripted:
        self.body = Scripted(*script)
        self.supervisor.run("part", self.body, silent_limit_seconds=silent_limit_seconds)
        return self.body

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1.0
            self.supervisor.look()

    @property
    def part(self) -> PartReport:
        (report,) = self.supervisor.reports()
        return report


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for life in made.body.lives:
        life.release.set()
    made.supervisor.stop()


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("raise", "RuntimeError: the wire is cut"),
        ("return", "it ended by itself"),
        ("exit", "SystemExit: 3"),
    ],
)
def test_a_body_that_ends_is_started_again_after_a_rest(bench: Bench, act: str, reason: str) -> None:
    body = bench.run(act, "live")
    assert bench.part == PartReport("part", "restarting", 0, reason)
    bench.pass_seconds(1)
    assert bench.part == PartReport("part", "running", 1, reason)
    assert body.starts == 2


def test_a_part_that_does_well_runs_on_in_its_first_thread(bench: Bench) -> None:
    body = bench.run("live")
    bench.pass_seconds(5000)
    assert bench.part == PartReport("part", "running")
    assert body.starts == 1


def test_the_rests_double(bench: Bench) -> None:
    body = bench.run("raise")
    seen, starts = [], 1
    for second in range(1, 60):
        bench.pass_seconds(1)
        if body.starts > starts:
            seen.append(second)
            starts = body.starts
    rests = [after - before for before, after in zip([0, *seen], seen, strict=False)]
    # A fall is seen at the look after the start, a second later; then the rest begins.
    assert rests == [1 + rest for rest in (1, 2, 4, 8, 16)]


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_a_rest_is_shortened_by_at_most_half(jitter: float) -> None:
    policy = RetryPolicy(first_wait_seconds=20.0, maximum_wait_seconds=60.0, jitter=lambda: jitter)
    bench = Bench(RestartBudget(backoff=policy))
    bench.run("raise", "live")
    bench.supervisor.look()
    bench.pass_seconds(int(20 * (1 - jitter / 2)) - 1)
    assert bench.part.state == "restarting"
    bench.pass_seconds(1)
    assert bench.part.state == "running"
    bench.supervisor.stop()


def test_a_part_that_keeps_falling_fails_for_good_with_its_last_reason(bench: Bench) -> None:
    body = bench.run("raise", "raise", "raise", "raise", "raise", "return")
    bench.pass_seconds(100)
    assert bench.part == PartReport("part", "failed", 5, "it ended by itself")
    bench.pass_seconds(5000)
    assert body.starts == 6
    assert bench.part.state == "failed"


def test_a_part_that_falls_seldom_never_uses_its_budget_up(bench: Bench) -> None:
    body = bench.run("hang")
    for _ in range(30):
        body.lives[-1].wake()
        bench.pass_seconds(150)
        assert bench.part.state == "running"
    assert bench.part.restarts == 30


def test_a_silent_part_is_given_up_and_another_thread_takes_over(bench: Bench) -> None:
    body = bench.run("hang", "live", silent_limit_seconds=10.0)
    bench.pass_seconds(10)
    assert bench.part == PartReport("part", "running", silent_seconds=10.0)
    bench.pass_seconds(1)
    assert bench.part.state == "restarting"
    assert bench.part.reason == "no sign of life for 11 s, 10 s are allowed"
    assert body.lives[0].stop.is_set()
    bench.pass_seconds(1)
    assert (bench.part.state, bench.part.restarts, bench.part.silent_seconds) == ("running", 1, 0.0)
    assert not body.lives[1].stop.is_set()


def test_signs_of_life_keep_a_part_from_being_given_up(bench: Bench) -> None:
    body = bench.run("live", silent_limit_seconds=10.0)
    for _ in range(20):
        bench.pass_seconds(9)
        body.lives[0].beat()
    assert body.starts == 1
    assert bench.part.silent_seconds == 0.0


def test_a_part_without_a_limit_may_be_silent_for_ever(bench: Bench) -> None:
    body = bench.run("hang")
    bench.pass_seconds(5000)
    assert body.starts == 1
    assert bench.part.silent_seconds is None


def test_what_an_abandoned_thread_still_does_says_nothing_of_the_one_in_its_place(bench: Bench) -> None:
    body = bench.run("hang", "hang", "live", silent_limit_seconds=10.0)
    bench.pass_seconds(12)
    body.lives[0].beat()
    body.lives[0].wake()
    bench.pass_seconds(5)
    assert (bench.part.state, bench.part.silent_seconds) == ("running", 5.0)
    bench.pass_seconds(6)
    assert bench.part.state == "restarting"


def test_hanging_again_and_again_uses_the_same_budget_up(bench: Bench) -> None:
    body = bench.run("hang", silent_limit_seconds=10.0)
    bench.pass_seconds(400)
    assert (bench.part.state, bench.part.restarts, body.starts) == ("failed", 5, 6)


def test_a_process_that_stood_still_does_not_take_its_parts_for_hung(bench: Bench) -> None:
    body = bench.run("live", silent_limit_seconds=10.0)
    bench.now += 3600.0  # stopped by a signal, or swapped out
    bench.pass_seconds(3)
    assert (bench.part.state, body.starts) == ("running", 1)


def test_a_thread_that_cannot_be_had_is_a_fall_like_another(bench: Bench) -> None:
    bench.threads_left = 0
    body = bench.run("live")
    assert (bench.part.state, bench.part.reason) == ("restarting", "no thread: can't start new thread")
    bench.threads_left = 10
    bench.pass_seconds(1)
    assert (bench.part.state, body.starts) == ("running", 1)


def test_each_change_is_told_once_and_in_order() -> None:
    told: list[tuple[str, str]] = []
    bench = Bench(on_change=lambda report: told.append((report.state, report.reason)))
    body = bench.run("return", "raise", "live")
    bench.pass_seconds(10)
    assert body.starts == 3
    bench.supervisor.stop()
    reason = "RuntimeError: the wire is cut"
    assert told == [
        ("restarting", "it ended by itself"), ("running", "it ended by itself"),
        ("restarting", reason), ("running", reason), ("stopped", reason),
    ]  # fmt: skip


def test_who_breaks_on_being_told_breaks_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_: PartReport) -> None:
        raise ValueError("not now")

    bench = Bench(on_change=refuse)
    bench.run("return", "live")
    bench.pass_seconds(5)
    assert bench.part.state == "running"
    assert "nobody could be told" in caplog.text
    bench.supervisor.stop()


def test_a_fall_is_in_the_log_with_its_traceback(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.run("raise", "live")
    bench.pass_seconds(1)
    assert "part fell: RuntimeError: the wire is cut; it is started again in 1.0 s" in caplog.text
    assert "in __call__" in caplog.text
    bench.supervisor.stop()


def test_parts_do_not_hinder_one_another(bench: Bench) -> None:
    failing = Scripted("raise")
    bench.supervisor.run("failing", failing)
    bench.run("live")
    bench.pass_seconds(100)
    assert {report.name: report.state for report in bench.supervisor.reports()} == {
        "failing": "failed",
        "part": "running",
    }


def test_a_name_is_used_once_at_a_time(bench: Bench) -> None:
    bench.run("live")
    with pytest.raises(ValueError, match="part is running already"):
        bench.supervisor.run("part", Scripted("live"))
    assert bench.supervisor.end("part", PATIENCE_SECONDS)
    assert bench.part.state == "stopped"
    bench.run("live")
    assert bench.part == PartReport("part", "running")


def test_a_part_that_was_stopped_is_not_started_again(bench: Bench) -> None:
    body = bench.run("live")
    assert bench.supervisor.stop(PATIENCE_SECONDS)
    bench.pass_seconds(1000)
    assert (bench.part.state, bench.part.reason, body.starts) == ("stopped", "", 1)


def test_a_part_that_rests_when_all_are_stopped_is_not_started_again(bench: Bench) -> None:
    body = bench.run("raise")
    assert bench.part.state == "restarting"
    assert bench.supervisor.stop(0.0)
    bench.pass_seconds(1000)
    assert (bench.part.state, body.starts) == ("stopped", 1)


def test_a_part_that_hangs_does_not_hold_up_the_stop(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.run("hang")
    assert not bench.supervisor.stop(0.0)
    assert "part did not end within 0 s; what is left ends with the process" in caplog.text


def test_stopping_nothing_is_done_at_once() -> None:
    supervisor = Supervisor()
    assert supervisor.end("nobody", 0.0)
    assert supervisor.stop(0.0)
    assert supervisor.reports() == ()


def test_by_itself_it_brings_back_what_fell_and_leaves_no_thread_behind() -> None:
    back = threading.Event()
    lives: list[int] = []

    def body(stop: threading.Event, _: Callable[[], None]) -> None:
        lives.append(1)
        if len(lives) < 3:
            raise RuntimeError("again")
        back.set()
        stop.wait()

    before = set(threading.enumerate())
    no_rest = RestartBudget(backoff=RetryPolicy(first_wait_seconds=0.0, maximum_wait_seconds=0.0))
    supervisor = Supervisor(budget=no_rest, look_seconds=0.01)
    supervisor.run("part", body)
    assert back.wait(PATIENCE_SECONDS)
    assert supervisor.stop(PATIENCE_SECONDS)
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_SECONDS)
    assert set(threading.enumerate()) <= before


def test_every_gives_a_sign_each_time_and_ends_when_told() -> None:
    done, beats, stop = [], [], threading.Event()

    def action() -> None:
        done.append(1)
        if len(done) == 3:
            stop.set()

    every(0.0, action)(stop, lambda: beats.append(1))
    assert (len(done), len(beats)) == (3, 3)


@settings(max_examples=40, deadline=None)
@given(
    script=st.lists(st.sampled_from(["raise", "return", "hang"]), min_size=1, max_size=12),
    restarts=st.integers(0, 4),
    window=st.sampled_from([20, 60, 600]),
)
def test_no_window_ever_sees_more_restarts_than_the_budget_has(script: list[str], restarts: int, window: int) -> None:
    logging.getLogger("g6.resilience.supervisor").setLevel(logging.CRITICAL)
    bench = Bench(RestartBudget(restarts, float(window), WITHOUT_JITTER.backoff))
    body, at = bench.run(*script, silent_limit_seconds=5.0), []
    for second in range(400):
        before = body.starts
        bench.pass_seconds(1)
        at += [second] * (body.starts - before)
    assert all(sum(start <= other < start + window for other in at) <= restarts for start in at)
    for life in body.lives:
        life.release.set()
    bench.supervisor.stop()
    logging.getLogger("g6.resilience.supervisor").setLevel(logging.NOTSET)


def test_reading_the_reports_looks_too() -> None:
    bench = Bench()
    bench.run("raise", "live")
    bench.now += 1.0
    assert bench.part.state == "restarting"
    bench.now += 1.0
    assert bench.part.state == "running"
    bench.supervisor.stop()


def test_time_is_the_machines_by_default() -> None:
    supervisor = Supervisor(look_seconds=None)
    stop = threading.Event()
    supervisor.run("part", lambda end, _: end.wait(), silent_limit_seconds=1e9)
    begun = time.monotonic()
    stop.wait(0.001)
    (report,) = supervisor.reports()
    assert report.silent_seconds is not None
    assert 0.0 <= report.silent_seconds <= time.monotonic() - begun + 2.0
    assert supervisor.stop(PATIENCE_SECONDS)
