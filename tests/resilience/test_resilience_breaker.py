"""Only outages open a breaker, only an answer closes it, and one caller at a time finds out."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.clock import IST, VirtualClock
from g6.errors import AuthError, BadResponse, RateLimited, TransientError
from g6.resilience.breaker import Breaker, BreakerOpen
from g6.resilience.deadline import NoAnswer, OutOfTime

START = datetime(2025, 11, 3, 9, 15, tzinfo=IST)
FAILURES, OPEN_SECONDS = 3, 30.0

OUTAGES = (TransientError("connection refused"), NoAnswer("hung"))
NO_EVIDENCE = (
    AuthError("log in"), BadResponse("html"), RateLimited("slow down", 2.0), OutOfTime("late"),
    BreakerOpen("of another", 5.0), KeyError("defect"), KeyboardInterrupt(),
)  # fmt: skip
named = pytest.mark.parametrize("error", NO_EVIDENCE, ids=lambda error: type(error).__name__)


def new(clock: VirtualClock) -> Breaker:
    return Breaker("kite.quote", clock, failures=FAILURES, open_seconds=OPEN_SECONDS)


def end(breaker: Breaker, error: BaseException | None) -> bool:
    """Make a call that ends like this; return whether it was made at all."""
    made = []

    def call() -> None:
        made.append(1)
        if error is not None:
            raise error

    with suppress(BreakerOpen, *([] if error is None else [type(error)])):
        breaker.call(call)
    return bool(made)


def opened(clock: VirtualClock) -> Breaker:
    breaker = new(clock)
    for _ in range(FAILURES):
        end(breaker, OUTAGES[0])
    return breaker


def half_opened(clock: VirtualClock) -> Breaker:
    """Return one whose first probe, after its time, proved nothing."""
    breaker = opened(clock)
    clock.pause(OPEN_SECONDS)
    end(breaker, AuthError("log in"))
    return breaker


class Model:
    """The textbook's breaker, for one caller at a time."""

    def __init__(self) -> None:
        self.state, self.row, self.opens, self.left = "closed", 0, 0, 0.0

    def pause(self, seconds: float) -> None:
        self.left -= seconds

    def end(self, error: BaseException | None) -> bool:
        if self.state == "open" and self.left > 0:
            return False
        if self.state == "open":
            self.state = "half_open"
        if error is None:
            self.state, self.row = "closed", 0
        elif error in OUTAGES:
            self.row += 1
            if self.state == "half_open" or self.row >= FAILURES:
                self.state, self.left, self.opens = "open", OPEN_SECONDS, self.opens + 1
        return True


endings = st.sampled_from((None, *OUTAGES, *OUTAGES, *OUTAGES, *NO_EVIDENCE))


@given(steps=st.lists(endings | st.sampled_from([1.0, 10.0, 29.0, 30.0]), max_size=60))
def test_breaker_is_the_textbooks(steps: list[BaseException | float | None]) -> None:
    clock, model = VirtualClock(START, math.inf), Model()
    breaker = new(clock)
    for step in steps:
        if isinstance(step, float):
            clock.pause(step)
            model.pause(step)
        else:
            assert end(breaker, step) == model.end(step)
        assert (breaker.state, breaker.opens) == (model.state, model.opens)
        assert (breaker.reason == "") == (breaker.state == "closed")


@named
def test_what_is_no_evidence_does_not_open(error: BaseException) -> None:
    breaker = new(VirtualClock(START, math.inf))
    assert all(end(breaker, error) for _ in range(10 * FAILURES))
    assert (breaker.state, breaker.opens, breaker.reason) == ("closed", 0, "")


@named
def test_what_is_no_evidence_leaves_the_count_as_it_is(error: BaseException) -> None:
    breaker = new(VirtualClock(START, math.inf))
    for ending in (OUTAGES[0], error, OUTAGES[0], error):
        end(breaker, ending)
    assert breaker.state == "closed"
    end(breaker, OUTAGES[0])
    assert breaker.state == "open"


@named
def test_what_is_no_evidence_does_not_heal_and_lets_the_next_one_probe(error: BaseException) -> None:
    breaker = half_opened(VirtualClock(START, math.inf))
    assert end(breaker, error)
    assert breaker.state == "half_open"
    assert end(breaker, None)
    assert breaker.state == "closed"


def test_refusal_says_since_when_why_and_until_when() -> None:
    clock = VirtualClock(START, math.inf)
    breaker = opened(clock)
    clock.pause(18.0)
    with pytest.raises(BreakerOpen) as caught:
        breaker.call(lambda: None)
    assert str(caught.value) == "kite.quote: breaker open since 09:15:00, next probe in 12 s: connection refused"
    assert (caught.value.retry_after, caught.value.kind) == (12.0, "breaker_open")


@pytest.mark.parametrize("threads", [2, 8])
@pytest.mark.parametrize("begin", [opened, half_opened])
def test_one_of_many_threads_probes_and_the_others_are_refused(
    threads: int, begin: Callable[[VirtualClock], Breaker]
) -> None:
    clock = VirtualClock(START, math.inf)
    breaker = begin(clock)
    clock.pause(OPEN_SECONDS)
    together, refused, release = threading.Barrier(threads), threading.Semaphore(0), threading.Event()
    probes = []

    def probe() -> str:
        probes.append(threading.current_thread())
        release.wait(60)
        return "answer"

    def ask() -> str:
        together.wait()
        try:
            return breaker.call(probe)
        except BreakerOpen:
            refused.release()
            return "refused"

    with ThreadPoolExecutor(threads) as pool:
        calls = [pool.submit(ask) for _ in range(threads)]
        try:
            # The probe is let go when all the others have been turned away.
            assert all(refused.acquire(timeout=60) for _ in range(threads - 1))
            assert breaker.state == "half_open"
        finally:
            release.set()
        answers = sorted(call.result() for call in calls)
    assert answers == ["answer"] + ["refused"] * (threads - 1)
    assert len(probes) == 1
    assert breaker.state == "closed"


def test_calls_run_side_by_side_while_closed() -> None:
    breaker = new(VirtualClock(START, math.inf))
    inside = threading.Barrier(4)  # passed only by four who are inside together
    with ThreadPoolExecutor(4) as pool:
        for call in [pool.submit(breaker.call, lambda: inside.wait(60)) for _ in range(4)]:
            call.result()


@pytest.mark.parametrize("late", [None, TransientError("late")])
def test_call_that_began_before_a_change_is_no_evidence_after_it(late: TransientError | None) -> None:
    clock = VirtualClock(START, math.inf)
    breaker = new(clock)
    inside, release = threading.Event(), threading.Event()

    def slow() -> None:
        inside.set()
        release.wait(60)
        if late is not None:
            raise late

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(breaker.call, slow)
        assert inside.wait(60)
        for _ in range(FAILURES):
            end(breaker, OUTAGES[0])
        clock.pause(OPEN_SECONDS)
        end(breaker, AuthError("log in"))  # half open now, nobody probing
        release.set()
        assert call.exception() is late
    assert (breaker.state, breaker.opens) == ("half_open", 1)


def test_listeners_hear_each_change_once_and_may_look_at_the_breaker() -> None:
    clock = VirtualClock(START, math.inf)
    breaker = new(clock)
    heard = []
    breaker.listen(lambda before, after, reason: heard.append((before, after, reason, breaker.snapshot()[0])))
    for ending in (*[OUTAGES[0]] * FAILURES, 30.0, OUTAGES[1], 30.0, None, None):
        if isinstance(ending, float):
            clock.pause(ending)
        else:
            end(breaker, ending)
    assert heard == [
        ("closed", "open", "connection refused", "open"),
        ("open", "half_open", "connection refused", "half_open"),
        ("half_open", "open", "hung", "open"),
        ("open", "half_open", "hung", "half_open"),
        ("half_open", "closed", "", "closed"),
    ]
