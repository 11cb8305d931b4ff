"""Kite's rate limits, counted on the server's clock: what comes too soon is refused and not queued."""

import pytest
from kite_clock import ist
from kiteconnect import KiteConnect
from kiteconnect.exceptions import NetworkException

from g6.clock import VirtualClock
from g6.simulator.kite_server.limits import RateLimits
from g6.simulator.kite_server.sessions import App

INDEX = "NSE:NIFTY 50"


def test_a_second_quote_in_the_same_second_is_refused(serve):
    served = serve(enforce_limits=True)
    kite = served.client()
    assert kite.quote(INDEX)
    for _ in range(3):
        with pytest.raises(NetworkException) as refused:
            kite.quote(INDEX)
        assert refused.value.code == 429
    served.clock.pause(1)
    assert kite.quote(INDEX), "refusals do not count"


def test_quote_ohlc_and_ltp_share_one_limit(serve):
    served = serve(enforce_limits=True)
    kite = served.client()
    for first, second in ((kite.quote, kite.ohlc), (kite.ltp, kite.quote), (kite.ohlc, kite.ltp)):
        served.clock.pause(1)
        assert first(INDEX)
        with pytest.raises(NetworkException):
            second(INDEX)


@pytest.mark.parametrize(("call", "most"), [("historical", 3), ("profile", 10)])
def test_other_calls_have_limits_of_their_own(serve, call, most):
    served = serve(enforce_limits=True)
    kite = served.client()
    calls = {
        "profile": kite.profile,
        "historical": lambda: kite.historical_data(256265, "2026-11-20 09:20:00", "2026-11-20 09:21:00", "minute"),
    }
    assert kite.quote(INDEX)
    for _ in range(most):
        assert calls[call]()
    with pytest.raises(NetworkException) as refused:
        calls[call]()
    assert refused.value.code == 429
    served.clock.pause(1)
    assert calls[call]()


def test_limits_hold_for_each_key_by_itself(serve):
    served = serve(enforce_limits=True, apps=[App(), App("second")])
    other = KiteConnect("second", access_token=served.server.issue_token("second"), root=served.server.url)
    assert served.client().quote(INDEX)
    assert other.quote(INDEX)


def test_one_call_a_second_is_never_refused_though_each_is_a_little_late_or_early():
    clock = VirtualClock(ist("2026-11-20T10:00"), float("inf"))
    limits = RateLimits(clock)
    for late in (0.0, 0.08, 0.0, 0.05, 0.09, 0.0):
        clock.pause(late)
        assert limits.admit("k", "quote")
        clock.pause(1 - late)


@pytest.mark.parametrize("every_seconds", [0.0, 0.3, 0.85])
def test_no_pace_above_the_rate_gets_more_than_the_rate(every_seconds):
    clock = VirtualClock(ist("2026-11-20T10:00"), float("inf"))
    limits = RateLimits(clock)
    admitted = 0
    for _ in range(int(60 / max(every_seconds, 0.1))):
        admitted += limits.admit("k", "quote")
        clock.pause(max(every_seconds, 0.1))
    assert admitted <= 60 / 0.9 + 1


class Moving:
    """A clock of a given speed whose time a test sets."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.seconds = 0.0

    def elapsed(self) -> float:
        return self.seconds


def test_on_a_fast_clock_the_rate_holds_over_longer_windows():
    clock = Moving(60.0)
    limits = RateLimits(clock)
    taken = []
    for _ in range(600):
        clock.seconds += 0.5
        if limits.admit("k", "quote"):
            taken.append(clock.seconds)
    assert len(taken) <= 300 / 0.9 + 12
    paced = RateLimits(jittery := Moving(60.0))
    for second in range(120):
        jittery.seconds = second + (0.5 if second % 3 == 0 else 0.0)  # 8 ms of the machine's
        assert paced.admit("k", "quote")
