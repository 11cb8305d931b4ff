"""Giving up in time: the minute's budget on the clock, and a single call in real seconds."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from g6.clock import Clock
from g6.errors import TransientError

T = TypeVar("T")


class Refused(TransientError):
    """Held back on this side, so it says nothing of the vendor: no breaker counts it, no retry repeats it."""


class OutOfTime(Refused):
    """The minute's budget is spent, or would be before the call could be over."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind="timeout")


class NoAnswer(TransientError):
    """A call was not over in the seconds it was given; whether it still ends somewhere is unknown."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind="timeout")


class Deadline:
    """The budget of a minute in seconds of the clock; one for all calls, restarted with each minute."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._ends_at = math.inf

    def restart(self) -> None:
        """Begin a new minute: the whole budget is left."""
        self._ends_at = self._clock.elapsed() + self._seconds

    @property
    def remaining(self) -> float:
        """Return the seconds left, never below 0; infinite when never started."""
        if math.isinf(self._ends_at):
            return math.inf
        return max(0.0, self._ends_at - self._clock.elapsed())


def within(seconds: float, call: Callable[[], T], what: str) -> T:
    """Return what `call` returns, or raise what it raises, if it is over within `seconds` of real time.

    It runs in a daemon thread of its own, because a read time-out starts anew with every byte that trickles in.
    A call that is not over in time raises NoAnswer (a TransientError) here; its thread is abandoned, what it still
    returns is dropped, and it does not keep the process from ending.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is the caller's, who raises it from the outcome
            outcome.set_exception(error)

    threading.Thread(target=run, name=f"{what} within {seconds:g} s", daemon=True).start()
    if wait((outcome,), timeout=seconds).not_done:
        raise NoAnswer(f"{what}: no complete answer within {seconds:.3g} s")
    return outcome.result()
