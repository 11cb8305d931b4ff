"""An endpoint counts what it did, to the last attempt, and keeps the order retry, breaker, limiter, call."""

import math
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.clock import IST, VirtualClock
from g6.errors import AuthError, BadResponse, G6Error, RateLimited, TransientError
from g6.model.provider_report import FAILURE_KINDS, EndpointReport
from g6.resilience.breaker import Breaker, BreakerOpen
from g6.resilience.deadline import Deadline, NoAnswer, OutOfTime
from g6.resilience.endpoint import Endpoint, Hooks, failure_kind
from g6.resilience.limiter import Limiter
from g6.resilience.retry import RetryPolicy

START = datetime(2025, 11, 3, 9, 15, tzinfo=IST)
STEADY = RetryPolicy(jitter=lambda: 0.0)

KINDS: dict[str, Callable[[], Exception | None]] = {
    "": lambda: None,
    "unreachable": lambda: TransientError("refused"),
    "server_error": lambda: TransientError("503", kind="server_error"),
    "timeout": lambda: TransientError("slow", kind="timeout"),
    "rate_limited": lambda: RateLimited("429", 3.0),
    "auth": lambda: AuthError("log in"),
    "bad_response": lambda: BadResponse("html"),
}


def jumping() -> tuple[VirtualClock, Deadline]:
    clock = VirtualClock(START, math.inf)
    return clock, Deadline(clock, 40.0)


def ended(endpoint: Endpoint, function: Callable[[], object]) -> G6Error | None:
    try:
        endpoint.call(function)
    except G6Error as error:
        return error
    return None


class Script:
    """Ends as written, call after call; then answers."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self.ended: list[str] = []

    def __call__(self) -> None:
        word = self._words[len(self.ended)] if len(self.ended) < len(self._words) else ""
        self.ended.append(word)
        if (error := KINDS[word]()) is not None:
            raise error


@settings(max_examples=50, deadline=None)
@given(words=st.lists(st.sampled_from(sorted(KINDS)), max_size=20), attempts=st.integers(1, 4))
def test_every_attempt_is_counted_once_and_a_report_begins_anew(words: list[str], attempts: int) -> None:
    clock, deadline = jumping()
    policy = RetryPolicy(attempts=attempts, jitter=lambda: 0.0)
    endpoint = Endpoint("kite.quote", clock, deadline, retry=policy, limiters=[Limiter(1.0, clock)])
    script, calls = Script(words), 0
    while len(script.ended) < len(words):
        ended(endpoint, script)
        calls += 1
    report = endpoint.report()
    assert report.calls == len(report.latencies_seconds) == len(script.ended)
    assert report.failures == {kind: n for kind, n in Counter(script.ended).items() if kind}
    assert report.retries == len(script.ended) - calls <= calls * (attempts - 1)
    assert report.waits <= report.calls
    assert (report.waits == 0) == (report.wait_seconds == 0.0)
    assert set(report.failures) <= set(FAILURE_KINDS)
    assert endpoint.report() == EndpointReport("kite.quote")


def test_reports_read_while_threads_call_add_up_to_everything() -> None:
    clock, deadline = jumping()
    endpoint = Endpoint("kite.quote", clock, deadline, limiters=[Limiter(0.001, clock)], retry=STEADY)
    words = ["", "unreachable", "", "bad_response", "rate_limited"] * 4
    threads, done, reports = 6, threading.Semaphore(0), []

    def work() -> list[str]:
        script = Script(words)
        while len(script.ended) < len(words):
            ended(endpoint, script)
            done.release()
        return script.ended

    with ThreadPoolExecutor(threads) as pool:
        calls = [pool.submit(work) for _ in range(threads)]
        for _ in range(threads * 10):
            assert done.acquire(timeout=60)
            reports.append(endpoint.report())
        attempts = [word for call in calls for word in call.result()]
    reports.append(endpoint.report())
    failures: Counter[str] = sum((Counter(report.failures) for report in reports), Counter())
    assert failures == Counter(word for word in attempts if word)
    assert sum(report.calls for report in reports) == len(attempts)
    assert all(report.calls == len(report.latencies_seconds) >= sum(report.failures.values()) for report in reports)


def test_open_breaker_counts_refusals_apart_from_calls_and_asks_nothing() -> None:
    clock, deadline = jumping()
    limiter = Limiter(1.0, clock)
    breaker = Breaker("kite.quote", clock, failures=3, open_seconds=30.0)
    endpoint = Endpoint("kite.quote", clock, deadline, limiters=[limiter], retry=STEADY, breaker=breaker)
    script = Script(["unreachable"] * 100)
    errors = [ended(endpoint, script) for _ in range(4)]
    assert [type(error) for error in errors] == [TransientError, BreakerOpen, BreakerOpen, BreakerOpen]
    report = endpoint.report()
    assert (report.calls, report.failures) == (3, {"unreachable": 3, "breaker_open": 3})
    assert (report.breaker, report.breaker_opens, report.reason) == ("open", 1, "refused")
    assert endpoint.report() == EndpointReport("kite.quote", breaker="open", reason="refused")
    clock.pause(30.0)
    assert ended(endpoint, lambda: None) is None
    assert (endpoint.report().breaker, len(script.ended)) == ("closed", 3)


def test_retry_after_holds_back_everyone_who_shares_the_limiter() -> None:
    clock, deadline = jumping()
    limiter = Limiter(1.0, clock)
    once = RetryPolicy(attempts=1)
    quote, ohlc = (Endpoint(name, clock, deadline, limiters=[limiter], retry=once) for name in ("quote", "ohlc"))
    assert isinstance(ended(quote, Script(["rate_limited"])), RateLimited)
    at = ohlc.call(clock.elapsed)
    assert at == pytest.approx(3.0, abs=1e-5)
    assert ohlc.report().wait_seconds == pytest.approx(3.0, abs=1e-5)


def test_rate_limit_without_a_time_costs_a_second_and_never_opens_the_breaker() -> None:
    clock, deadline = jumping()
    breaker = Breaker("kite.quote", clock, failures=1)
    endpoint = Endpoint("kite.quote", clock, deadline, breaker=breaker, retry=RetryPolicy(5, jitter=lambda: 0.0))
    answers = iter([RateLimited("429"), RateLimited("429")])

    def call() -> float:
        if error := next(answers, None):
            raise error
        return clock.elapsed()

    assert endpoint.call(call) == pytest.approx(2.0)
    assert endpoint.report().failures == {"rate_limited": 2}
    assert breaker.state == "closed"


@settings(max_examples=50, deadline=None)
@given(budget=st.floats(0.5, 20), interval=st.floats(0.1, 5), word=st.sampled_from(["", "rate_limited", "timeout"]))
def test_minute_ends_within_its_budget_whatever_fails(budget: float, interval: float, word: str) -> None:
    clock = VirtualClock(START, math.inf)
    deadline = Deadline(clock, budget)
    breaker = Breaker("kite.quote", clock, failures=3, open_seconds=1.0)
    endpoint = Endpoint("kite.quote", clock, deadline, limiters=[Limiter(interval, clock)], breaker=breaker)
    deadline.restart()
    script = Script([word] * 200)
    for _ in range(100):
        ended(endpoint, script)
    assert clock.elapsed() <= budget
    report = endpoint.report()
    assert report.calls == len(script.ended) <= budget / interval + 1
    refused = sum(report.failures.values()) - sum(1 for ending in script.ended if ending)
    assert report.calls + refused == 100 + report.retries


def test_nothing_goes_out_once_the_budget_is_spent() -> None:
    clock, deadline = jumping()
    breaker = Breaker("kite.quote", clock, failures=1)
    endpoint = Endpoint("kite.quote", clock, deadline, breaker=breaker)
    deadline.restart()
    clock.pause(40.0)
    script = Script([])
    assert isinstance(ended(endpoint, script), OutOfTime)
    assert script.ended == []
    report = endpoint.report()
    assert (report.calls, report.failures, report.breaker) == (0, {"timeout": 1}, "closed")


def test_hanging_call_is_given_up_retried_and_held_against_the_endpoint() -> None:
    clock, deadline = jumping()
    breaker = Breaker("kite.quote", clock, failures=2)
    endpoint = Endpoint("kite.quote", clock, deadline, breaker=breaker, retry=STEADY, timeout_seconds=0.01)
    release = threading.Event()
    assert isinstance(ended(endpoint, release.wait), NoAnswer)
    release.set()
    report = endpoint.report()
    assert (report.calls, report.failures, report.breaker) == (2, {"timeout": 2}, "open")


def test_call_cut_short_by_the_minute_is_not_held_against_the_endpoint() -> None:
    clock = VirtualClock(START, 100.0)
    deadline = Deadline(clock, 10.0)  # a tenth of a real second
    breaker = Breaker("kite.quote", clock, failures=1)
    endpoint = Endpoint("kite.quote", clock, deadline, breaker=breaker, timeout_seconds=60.0)
    deadline.restart()
    release = threading.Event()
    assert isinstance(ended(endpoint, release.wait), OutOfTime)
    release.set()
    report = endpoint.report()
    assert (report.failures, report.breaker) == ({"timeout": 1}, "closed")


def test_hooks_hear_what_the_report_counts() -> None:
    clock, deadline = jumping()
    heard: list[tuple[object, ...]] = []
    hooks = Hooks(
        on_retry=lambda name, wait, error: heard.append(("retry", name, wait, str(error))),
        on_wait=lambda name, wait: heard.append(("wait", name, round(wait, 3))),
        on_state_change=lambda *change: heard.append(("state", *change)),
    )
    breaker = Breaker("kite.quote", clock, failures=2)
    endpoint = Endpoint(
        "kite.quote", clock, deadline, limiters=[Limiter(1.0, clock)], retry=STEADY, breaker=breaker, hooks=hooks
    )
    ended(endpoint, Script(["unreachable"] * 2))
    assert heard == [
        ("retry", "kite.quote", 0.5, "refused"),
        ("wait", "kite.quote", 0.5),
        ("state", "kite.quote", "closed", "open", "refused"),
    ]
    report = endpoint.report()
    assert (report.retries, report.waits, report.wait_seconds, report.breaker_opens) == (1, 1, 0.5, 1)


def test_unforeseen_errors_have_a_kind_too() -> None:
    assert failure_kind(KeyError("defect")) == "bad_response"
    assert {failure_kind(error) for kind in KINDS.values() if (error := kind())} <= set(FAILURE_KINDS)
