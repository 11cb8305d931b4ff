"""Attempts are bounded, waits stay within the budget, and a vendor's Retry-After is kept to."""

import math
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.clock import IST, VirtualClock
from g6.errors import AuthError, BadResponse, RateLimited, TransientError
from g6.resilience.breaker import BreakerOpen
from g6.resilience.deadline import Deadline, OutOfTime
from g6.resilience.retry import RetryPolicy, retrying

START = datetime(2025, 11, 3, 9, 15, tzinfo=IST)

# TransientError, or RateLimited, with or without a Retry-After.
failures = st.builds(
    lambda kind, after: kind("no", after),
    st.sampled_from([TransientError, RateLimited]),
    st.none() | st.floats(0, 60),
)
policies = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 6),
    first_wait_seconds=st.floats(0, 4),
    maximum_wait_seconds=st.floats(0, 10),
    jitter=st.floats(0, 1).map(lambda share: lambda: share),
)


class Failing:
    """Raises the errors in turn, the last for ever, and notes when it was called."""

    def __init__(self, clock: VirtualClock, *errors: BaseException) -> None:
        self._clock, self._errors = clock, errors
        self.called_at: list[float] = []

    def __call__(self) -> None:
        self.called_at.append(self._clock.elapsed())
        raise self._errors[min(len(self.called_at), len(self._errors)) - 1]


def ask(policy: RetryPolicy, clock: VirtualClock, deadline: Deadline, call: Callable[[], object]) -> list[float]:
    told: list[float] = []
    retrying(policy, clock, deadline, lambda wait, error: told.append(wait))(call)
    return told


@given(policy=policies, errors=st.lists(failures, min_size=1, max_size=6), budget=st.floats(0, 30))
def test_attempts_are_bounded_and_nobody_sleeps_beyond_the_deadline(
    policy: RetryPolicy, errors: list[TransientError], budget: float
) -> None:
    clock = VirtualClock(START, math.inf)
    deadline = Deadline(clock, budget)
    deadline.restart()
    call = Failing(clock, *errors)
    with pytest.raises(TransientError) as caught:
        ask(policy, clock, deadline, call)
    assert 1 <= len(call.called_at) <= policy.attempts
    assert clock.elapsed() <= budget
    assert caught.value is errors[min(len(call.called_at), len(errors)) - 1]


@given(policy=policies, error=failures)
def test_without_a_deadline_every_attempt_is_made_and_none_sooner_than_the_vendor_asked(
    policy: RetryPolicy, error: TransientError
) -> None:
    clock = VirtualClock(START, math.inf)
    call = Failing(clock, error)
    with pytest.raises(TransientError):
        ask(policy, clock, Deadline(clock, 1.0), call)
    assert len(call.called_at) == policy.attempts
    pauses = [after - before for before, after in pairwise(call.called_at)]
    assert all(pause >= (error.retry_after or 0.0) - 1e-5 for pause in pauses)
    if isinstance(error, RateLimited) and not error.retry_after:
        assert all(pause >= 1.0 - 1e-5 for pause in pauses)


def test_waits_double_up_to_the_maximum_and_are_told_beforehand() -> None:
    clock = VirtualClock(START, math.inf)
    call = Failing(clock, TransientError("no"))
    told: list[float] = []
    policy = RetryPolicy(attempts=6, first_wait_seconds=0.5, maximum_wait_seconds=3.0, jitter=lambda: 0.0)
    with pytest.raises(TransientError):
        retrying(policy, clock, Deadline(clock, 1.0), lambda wait, error: told.append(wait))(call)
    assert told == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert call.called_at == [0.0, 0.5, 1.5, 3.5, 6.5, 9.5]


@given(attempt=st.integers(1, 2000), jitter=st.floats(0, 1))
def test_jitter_shortens_a_wait_by_half_at_most(attempt: int, jitter: float) -> None:
    whole = RetryPolicy(jitter=lambda: 0.0).wait_seconds(attempt, TransientError("no"))
    shortened = RetryPolicy(jitter=lambda: jitter).wait_seconds(attempt, TransientError("no"))
    assert whole / 2 <= shortened <= whole <= 5.0


@pytest.mark.parametrize(
    "error",
    [AuthError("log in"), BadResponse("no"), OutOfTime("late"), BreakerOpen("open", 12.0), KeyError("defect")],
    ids=lambda error: type(error).__name__,
)
def test_what_asking_again_cannot_mend_is_asked_once(error: Exception) -> None:
    clock = VirtualClock(START, math.inf)
    call = Failing(clock, error)
    with pytest.raises(type(error)) as caught:
        ask(RetryPolicy(attempts=5), clock, Deadline(clock, 1.0), call)
    assert caught.value is error
    assert call.called_at == [0.0]


def test_success_ends_the_asking() -> None:
    clock = VirtualClock(START, math.inf)
    answers = iter([TransientError("no"), None, None])

    def call() -> None:
        if error := next(answers):
            raise error

    assert len(ask(RetryPolicy(attempts=5), clock, Deadline(clock, 1.0), call)) == 1
    assert list(answers) == [None]
