"""Leaving a broken endpoint alone for a while, and asking with one call whether it answers again."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

import pybreaker

from g6.clock import Clock
from g6.errors import RateLimited, TransientError
from g6.model.provider_report import BreakerState
from g6.resilience.deadline import Refused

T = TypeVar("T")
Listener = Callable[[BreakerState, BreakerState, str], None]  # before, after, reason

STATES: dict[str, BreakerState] = {
    pybreaker.STATE_CLOSED: "closed",
    pybreaker.STATE_HALF_OPEN: "half_open",
    pybreaker.STATE_OPEN: "open",
}


class BreakerOpen(Refused):
    """The call was not made: the endpoint failed lately, and its next probe is `retry_after` seconds away."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message, retry_after, kind="breaker_open")


class _Outage(Exception):
    """What pybreaker is told of a failure."""


class Breaker:
    """Opens after `failures` outages in a row; after `open_seconds` of the clock one call probes, the others wait.

    An outage is a TransientError that is neither RateLimited nor held back on this side. Every other error
    (AuthError, BadResponse, a defect) is no evidence: it neither counts, nor resets the count, nor heals.

    pybreaker keeps the count and the state. It is told of outcomes instead of making the calls, because its `call`
    holds a lock as long as the call takes, its half-open state lets through all who come, its clock is the
    machine's, and it takes an error that does not count for a success.
    """

    def __init__(self, name: str, clock: Clock, failures: int = 3, open_seconds: float = 30.0) -> None:
        self._name = name
        self._clock = clock
        self._open_seconds = open_seconds
        self._machine = pybreaker.CircuitBreaker(fail_max=failures, name=name, throw_new_error_on_trip=False)
        self._lock = threading.Lock()
        self._probing = False
        self._epoch = 0  # grows with each change: what was begun before one is no evidence after it
        self._opened_at = 0.0
        self._open_since: datetime | None = None
        self._reason = ""
        self._opens = 0
        self._changes: deque[tuple[BreakerState, BreakerState, str]] = deque()
        self._listeners: list[Listener] = []

    @property
    def state(self) -> BreakerState:
        """Return the state; `open` lasts until a call comes to probe, however long that takes."""
        return STATES[self._machine.current_state]

    @property
    def reason(self) -> str:
        """Return the last outage's text while not closed, else an empty string."""
        return self._reason

    @property
    def opens(self) -> int:
        """Return how often it opened, failed probes included."""
        return self._opens

    def snapshot(self) -> tuple[BreakerState, str, int]:
        """Return state, reason and opens as they were at one instant."""
        with self._lock:
            return self.state, self._reason, self._opens

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of each change from now on: before, after, reason. It is called without a lock held."""
        self._listeners.append(listener)

    def call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns; raise BreakerOpen (a TransientError) without calling it while open."""
        epoch = self._admit()
        try:
            self._announce()
            result = function()
        except BaseException as error:
            self._leave(epoch, error)
            raise
        self._leave(epoch, None)
        return result

    def _admit(self) -> int:
        with self._lock:
            if self.state == "open":
                wait = self._opened_at + self._open_seconds - self._clock.elapsed()
                if wait > 0:
                    raise self._refusal(f"next probe in {wait:.0f} s", wait)
                self._change(self._machine.half_open)
            if self.state == "half_open":
                if self._probing:
                    raise self._refusal("a probe is under way", 0.0)
                self._probing = True
            return self._epoch

    def _leave(self, epoch: int, error: BaseException | None) -> None:
        with self._lock:
            if epoch == self._epoch:
                self._probing = False
                if error is None:
                    self._change(self._tell_success)
                elif is_outage(error):
                    self._change(self._tell_outage, str(error))
        self._announce()

    def _change(self, action: Callable[[], object], reason: str = "") -> None:
        """Let pybreaker act, and note what became of it. The lock is held."""
        before = self.state
        action()
        after = self.state
        if after == before:
            return
        self._epoch += 1
        if after == "open":
            self._opens += 1
            self._opened_at, self._open_since = self._clock.elapsed(), self._clock.now()
            self._reason = reason.removeprefix(f"{self._name}: ")
        elif after == "closed":
            self._reason = ""
        self._changes.append((before, after, self._reason))

    def _tell_success(self) -> None:
        self._machine.call(lambda: None)

    def _tell_outage(self) -> None:
        def fail() -> None:
            raise _Outage

        with suppress(_Outage):
            self._machine.call(fail)

    def _announce(self) -> None:
        """Tell the listeners outside the lock, so that they may look at the breaker."""
        while (change := self._next_change()) is not None:
            for listener in self._listeners:
                listener(*change)

    def _next_change(self) -> tuple[BreakerState, BreakerState, str] | None:
        with self._lock:
            return self._changes.popleft() if self._changes else None

    def _refusal(self, outlook: str, retry_after: float) -> BreakerOpen:
        since = f" since {self._open_since:%H:%M:%S}" if self._open_since else ""
        return BreakerOpen(f"{self._name}: breaker open{since}, {outlook}: {self._reason}", retry_after)


def is_outage(error: BaseException) -> bool:
    """Return whether the error says that the vendor is not there."""
    return isinstance(error, TransientError) and not isinstance(error, RateLimited | Refused)
