"""One endpoint of a vendor: paced, guarded, retried and counted."""

import math
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from g6.clock import Clock
from g6.errors import AuthError, RateLimited, TransientError
from g6.model.provider_report import BreakerState, EndpointReport
from g6.resilience.breaker import Breaker
from g6.resilience.deadline import Deadline, NoAnswer, OutOfTime, within
from g6.resilience.limiter import Limiter, acquire_together
from g6.resilience.retry import RetryPolicy, pause_asked_seconds, retrying

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who is told at once of what `report` counts; the first argument is the endpoint's name.

    They are called in the thread of the call, without a lock held, and must not raise.
    """

    on_retry: Callable[[str, float, TransientError], None] | None = None  # seconds until it, what failed
    on_wait: Callable[[str, float], None] | None = None  # seconds the limiter held an attempt back
    on_state_change: Callable[[str, BreakerState, BreakerState, str], None] | None = None  # before, after, reason


NO_HOOKS = Hooks()


def failure_kind(error: Exception) -> str:
    """Return the word of `model.FAILURE_KINDS` that an error is counted under."""
    if isinstance(error, RateLimited):
        return "rate_limited"
    if isinstance(error, TransientError):
        return error.kind
    # Anything unforeseen came of an answer nobody could read.
    return "auth" if isinstance(error, AuthError) else "bad_response"


@dataclass(slots=True)
class _Attempt:
    """What one attempt went through; `latency_seconds` stays None for one that did not go out."""

    waited_seconds: float = 0.0
    latency_seconds: float | None = None


@dataclass(slots=True)
class _Counts:
    """All attempts since the last report."""

    failures: Counter[str] = field(default_factory=Counter)
    latencies_seconds: list[float] = field(default_factory=list)
    retries: int = 0
    waits: int = 0
    wait_seconds: float = 0.0

    def add(self, attempt: _Attempt, failure: str | None) -> None:
        if failure is not None:
            self.failures[failure] += 1
        if attempt.latency_seconds is not None:
            self.latencies_seconds.append(attempt.latency_seconds)
        if attempt.waited_seconds > 0:
            self.waits += 1
            self.wait_seconds += attempt.waited_seconds


class Endpoint:
    """`retry(breaker(limiter(call)))` with one deadline, safe for any number of threads.

    A call gets `timeout_seconds` of real time, or what is left of the deadline where that is less. Cut short by the
    deadline, it says nothing of the vendor and does not count against the breaker; so the time-out should be well
    below the deadline's seconds.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        deadline: Deadline,
        *,
        limiters: Sequence[Limiter] = (),
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen, so one may serve all
        breaker: Breaker | None = None,
        timeout_seconds: float = 15.0,
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self.name = name
        self._clock = clock
        self._deadline = deadline
        self._limiters = tuple(limiters)
        self._retry = retry
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds
        self._hooks = hooks
        self._lock = threading.Lock()
        self._counts = _Counts()
        self._opens_reported = 0
        if breaker is not None and hooks.on_state_change is not None:
            breaker.listen(partial(hooks.on_state_change, name))

    def call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns, tried as often as the policy and the deadline allow.

        `function` runs in another thread. Raises its last error as it was (AuthError and BadResponse at once), and
        TransientError of its own: BreakerOpen while the breaker is open, OutOfTime when the budget is spent,
        NoAnswer when the call hangs.
        """
        attempts = retrying(self._retry, self._clock, self._deadline, self._note_retry)
        result: T = attempts(self._attempt, function)
        return result

    def report(self) -> EndpointReport:
        """Return what was counted since the last report, and the breaker as it is now; an attempt counts at its end.

        Attempts that did not go out are among the failures (`breaker_open`, `timeout`) and not among the calls.
        """
        state, reason, opens = self._breaker.snapshot() if self._breaker else ("closed", "", 0)
        with self._lock:
            counts, self._counts = self._counts, _Counts()
            new_opens = max(0, opens - self._opens_reported)
            self._opens_reported += new_opens
        return EndpointReport(
            name=self.name,
            calls=len(counts.latencies_seconds),
            failures=dict(counts.failures),
            retries=counts.retries,
            waits=counts.waits,
            wait_seconds=counts.wait_seconds,
            latencies_seconds=tuple(counts.latencies_seconds),
            breaker=state,
            breaker_opens=new_opens,
            reason=reason,
        )

    def _attempt(self, function: Callable[[], T]) -> T:
        attempt = _Attempt()
        send = partial(self._send, function, attempt)
        try:
            result = self._breaker.call(send) if self._breaker else send()
        except Exception as error:
            self._note(attempt, failure_kind(error))
            raise
        self._note(attempt, None)
        return result

    def _send(self, function: Callable[[], T], attempt: _Attempt) -> T:
        self._wait_for_slot(attempt)
        seconds = self._allowed_seconds()
        began = self._clock.monotonic()
        try:
            return within(seconds, function, self.name)
        except NoAnswer as error:
            if seconds < self._timeout_seconds:
                raise OutOfTime(f"{error}, all that was left of the minute") from error
            raise
        except RateLimited as error:
            for limiter in self._limiters:
                limiter.penalise(pause_asked_seconds(error), str(error).removeprefix(f"{self.name}: "))
            raise
        finally:
            attempt.latency_seconds = self._clock.monotonic() - began

    def _wait_for_slot(self, attempt: _Attempt) -> None:
        attempt.waited_seconds = acquire_together(self._limiters, self._deadline, self.name)
        if attempt.waited_seconds > 0 and self._hooks.on_wait is not None:
            self._hooks.on_wait(self.name, attempt.waited_seconds)

    def _allowed_seconds(self) -> float:
        """Return the real seconds that a call may take; a clock that jumps stands still during a call."""
        if math.isinf(self._clock.speed):
            return self._timeout_seconds
        return min(self._timeout_seconds, self._deadline.remaining / self._clock.speed)

    def _note(self, attempt: _Attempt, failure: str | None) -> None:
        with self._lock:
            self._counts.add(attempt, failure)

    def _note_retry(self, wait_seconds: float, error: TransientError) -> None:
        with self._lock:
            self._counts.retries += 1
        if self._hooks.on_retry is not None:
            self._hooks.on_retry(self.name, wait_seconds, error)
