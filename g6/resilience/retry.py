"""Trying again: how often, after how long, and never past the minute's budget."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, retry_if_exception

from g6.clock import Clock
from g6.errors import RateLimited, TransientError
from g6.resilience.deadline import Deadline, Refused

# How long to keep still when a vendor asks for a pause without saying how long.
PAUSE_SECONDS = 1.0

OnRetry = Callable[[float, TransientError], None]  # seconds until the next attempt, what the last one failed of


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` in all, the first included; waits double from the first to the maximum.

    Each wait is shortened by up to half, by `jitter` (0 to 1), so that callers that failed together come back apart.
    What the vendor asked for (`retry_after`) is kept to in full, beyond the maximum too.
    """

    attempts: int = 2
    first_wait_seconds: float = 0.5
    maximum_wait_seconds: float = 5.0
    jitter: Callable[[], float] = random.random

    def wait_seconds(self, attempt: int, error: BaseException) -> float:
        """Return how long to wait after the failure of attempt number `attempt` (from 1)."""
        # The exponent is capped so that no number of attempts overflows a float.
        backoff = min(self.maximum_wait_seconds, self.first_wait_seconds * 2.0 ** min(attempt - 1, 60))
        return max(backoff * (1 - self.jitter() / 2), pause_asked_seconds(error))


def pause_asked_seconds(error: BaseException) -> float:
    """Return the pause a vendor asked for by this error; 0 when it asked for none."""
    if isinstance(error, RateLimited):
        return error.retry_after or PAUSE_SECONDS
    return (error.retry_after or 0.0) if isinstance(error, TransientError) else 0.0


def may_help(error: BaseException) -> bool:
    """Return whether asking again may end otherwise: the vendor failed, and nothing here held the call back."""
    return isinstance(error, TransientError) and not isinstance(error, Refused)


def retrying(policy: RetryPolicy, clock: Clock, deadline: Deadline, on_retry: OnRetry) -> Retrying:
    """Return a caller for one call: `retrying(...)(function, *arguments)`.

    It waits on the clock, gives up where the wait would reach the deadline, and then raises the last failure as it
    was. `on_retry` is told before each wait.
    """

    def failure(state: RetryCallState) -> BaseException:
        error = state.outcome.exception() if state.outcome else None
        return error or RuntimeError("asked to wait after an attempt that did not fail")

    def tell(state: RetryCallState) -> None:
        error = failure(state)
        if isinstance(error, TransientError):
            on_retry(state.upcoming_sleep, error)

    return Retrying(
        retry=retry_if_exception(may_help),
        wait=lambda state: policy.wait_seconds(state.attempt_number, failure(state)),
        stop=lambda state: state.attempt_number >= policy.attempts or state.upcoming_sleep >= deadline.remaining,
        sleep=clock.pause,
        before_sleep=tell,
        reraise=True,
    )
