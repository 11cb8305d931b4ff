"""A minute's budget runs on the clock; a call that hangs is given up in real seconds."""

import math
import subprocess
import sys
import threading
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.clock import IST, VirtualClock
from g6.errors import BadResponse, TransientError
from g6.resilience.deadline import Deadline, NoAnswer, within

START = datetime(2025, 11, 3, 9, 15, tzinfo=IST)

HANGING_PROCESS = """
import threading
from g6.resilience.deadline import NoAnswer, within
try:
    within(0.01, threading.Event().wait, "kite.quote")
except NoAnswer as error:
    print(error)
"""


def test_deadline_never_started_is_infinite() -> None:
    clock = VirtualClock(START, math.inf)
    deadline = Deadline(clock, 45.0)
    clock.pause(1000.0)
    assert deadline.remaining == math.inf


@given(seconds=st.integers(1, 100), pauses=st.lists(st.integers(0, 50), max_size=8))
def test_remaining_is_the_budget_less_the_clocks_time_and_never_negative(seconds: int, pauses: list[int]) -> None:
    clock = VirtualClock(START, math.inf)
    deadline = Deadline(clock, seconds)
    deadline.restart()
    for pause in pauses:
        clock.pause(pause)
    assert deadline.remaining == max(0, seconds - sum(pauses))
    deadline.restart()
    assert deadline.remaining == seconds


def test_within_returns_what_the_call_returns_from_another_thread() -> None:
    answer, thread = within(60.0, lambda: (7, threading.current_thread()), "kite.quote")
    assert answer == 7
    assert thread is not threading.current_thread()
    assert thread.daemon


@pytest.mark.parametrize("error", [BadResponse("no"), TimeoutError("the call's own"), KeyError("x"), SystemExit(3)])
def test_within_raises_the_calls_own_error_as_it_was(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        within(60.0, fail, "kite.quote")
    assert caught.value is error


def test_within_gives_up_on_a_call_that_hangs() -> None:
    release = threading.Event()
    with pytest.raises(TransientError, match=r"^kite\.quote: no complete answer within 0\.01 s$") as caught:
        within(0.01, release.wait, "kite.quote")
    release.set()
    assert isinstance(caught.value, NoAnswer)
    assert caught.value.kind == "timeout"


def test_process_ends_while_an_abandoned_call_still_hangs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGING_PROCESS], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "kite.quote: no complete answer within 0.01 s\n", "")
