"""Never two slots within one interval, whoever asks; what cannot be had in time is not taken."""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.clock import IST, VirtualClock
from g6.resilience.deadline import Deadline, OutOfTime
from g6.resilience.limiter import Limiter, acquire_together

START = datetime(2025, 11, 3, 9, 15, tzinfo=IST)
# What a virtual clock cannot tell apart.
TICK = 1e-6

seconds = st.floats(0, 5, allow_nan=False).map(lambda value: round(value, 6))
intervals = st.floats(0.01, 3, allow_nan=False)
steps = st.lists(st.tuples(st.sampled_from(["pause", "penalise", "acquire"]), seconds), max_size=30)


class WitnessClock(VirtualClock):
    """Remembers what each thread read last: for a thread that was granted a slot, the instant of the grant."""

    def __init__(self) -> None:
        super().__init__(START, math.inf)
        self._read = threading.local()

    def elapsed(self) -> float:
        self._read.last = super().elapsed()
        return float(self._read.last)

    @property
    def last_read(self) -> float:
        return float(self._read.last)


class HesitantLimiter(Limiter):
    """Lets the other threads go between seeing a free slot and taking it, the worst moment to be overtaken."""

    def take(self, now: float) -> None:
        time.sleep(1e-5)
        super().take(now)


def unlimited(clock: VirtualClock) -> Deadline:
    return Deadline(clock, 1.0)


def granted(acquire: Callable[[], float], clock: WitnessClock) -> float:
    acquire()
    return clock.last_read


def gaps(grants: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(sorted(grants))]


@given(interval=intervals, steps=steps)
def test_slots_are_an_interval_apart_and_outlast_every_penalty(interval: float, steps: list[tuple[str, float]]) -> None:
    clock = WitnessClock()
    limiter, deadline = Limiter(interval, clock), unlimited(clock)
    earliest = 0.0
    for step, amount in steps:
        if step == "pause":
            clock.pause(amount)
        elif step == "penalise":
            limiter.penalise(amount)
            earliest = max(earliest, clock.elapsed() + amount)
        else:
            came = clock.elapsed()
            waited = limiter.acquire(deadline)
            # It waits until it may, and not longer.
            assert clock.last_read == pytest.approx(max(came, earliest), abs=3 * TICK)
            assert clock.last_read >= earliest
            assert waited == pytest.approx(clock.last_read - came, abs=TICK)
            earliest = clock.last_read + interval


@settings(max_examples=20, deadline=None)
@given(interval=intervals, threads=st.integers(2, 8), each=st.integers(1, 6))
def test_threads_together_get_one_slot_an_interval(interval: float, threads: int, each: int) -> None:
    clock = WitnessClock()
    limiter, deadline = HesitantLimiter(interval, clock), unlimited(clock)
    together = threading.Barrier(threads)

    def take() -> list[float]:
        together.wait()
        return [granted(lambda: limiter.acquire(deadline), clock) for _ in range(each)]

    with ThreadPoolExecutor(threads) as pool:
        grants = [grant for taken in [pool.submit(take) for _ in range(threads)] for grant in taken.result()]
    assert len(grants) == threads * each
    assert all(gap >= interval - 1e-9 for gap in gaps(grants))


@settings(max_examples=20, deadline=None)
@given(pair=st.tuples(intervals, intervals))
def test_several_limiters_are_taken_at_one_instant_and_each_keeps_its_interval(pair: tuple[float, float]) -> None:
    clock = WitnessClock()
    deadline = unlimited(clock)
    first, second = HesitantLimiter(pair[0], clock), HesitantLimiter(pair[1], clock)
    together = threading.Barrier(3)

    def take(limiters: tuple[Limiter, ...]) -> list[float]:
        together.wait()
        return [granted(lambda: acquire_together(limiters, deadline), clock) for _ in range(5)]

    with ThreadPoolExecutor(3) as pool:
        both, other_order, alone = (pool.submit(take, group) for group in ((first, second), (second, first), (second,)))
        shared = both.result() + other_order.result()
    assert all(gap >= pair[0] - 1e-9 for gap in gaps(shared))
    assert all(gap >= pair[1] - 1e-9 for gap in gaps(shared + alone.result()))


def test_idle_time_saves_nothing_up() -> None:
    clock = WitnessClock()
    limiter, deadline = Limiter(1.0, clock), unlimited(clock)
    limiter.acquire(deadline)
    clock.pause(100.0)
    assert [limiter.acquire(deadline) for _ in range(3)] == [0.0, 1.0, 1.0]


@given(interval=st.floats(1, 100), budget=st.floats(0.1, 100))
def test_slot_beyond_the_deadline_is_neither_waited_for_nor_taken(interval: float, budget: float) -> None:
    clock = WitnessClock()
    limiter, deadline = Limiter(interval, clock), Deadline(clock, budget)
    limiter.acquire(deadline)
    deadline.restart()
    if interval < budget - TICK:
        limiter.acquire(deadline)
        assert clock.elapsed() <= budget
    elif interval > budget:
        with pytest.raises(OutOfTime) as caught:
            limiter.acquire(deadline)
        assert caught.value.kind == "timeout"
        assert clock.elapsed() == 0.0
        # The slot is still there: with time enough, it is had when it would have been.
        limiter.acquire(unlimited(clock))
        assert clock.elapsed() == pytest.approx(interval, abs=3 * TICK)


def test_slot_is_not_taken_when_no_time_is_left() -> None:
    clock = WitnessClock()
    limiter, deadline = Limiter(1.0, clock), Deadline(clock, 5.0)
    deadline.restart()
    clock.pause(5.0)
    with pytest.raises(OutOfTime, match=r"nothing is left of the minute's time"):
        limiter.acquire(deadline)
    deadline.restart()
    assert limiter.acquire(deadline) == 0.0


def test_penalty_that_came_while_waiting_is_kept_to() -> None:
    class PenalisingClock(WitnessClock):
        def pause(self, seconds: float) -> None:
            super().pause(seconds)
            if self.elapsed() < 2.0:
                limiter.penalise(7.0)

    clock = PenalisingClock()
    limiter, deadline = Limiter(1.0, clock), unlimited(clock)
    limiter.acquire(deadline)
    assert limiter.acquire(deadline) == 8.0
