"""The watchdogs, on times that are arguments."""

from hypothesis import assume, given
from hypothesis import strategies as st

from g6.providers.kite_stream.watchdog import ExchangeWatch, Silence, wait_seconds

SECONDS = st.floats(0, 1e6)
LIMIT = 10.0


@given(SECONDS, st.lists(st.floats(0, LIMIT), max_size=20), st.floats(0, 3 * LIMIT))
def test_silence_is_too_long_exactly_when_the_last_sound_is_longer_ago_than_the_limit(start, gaps, after):
    silence, now = Silence(LIMIT), start
    silence.heard("it", now)
    for gap in gaps:
        now += gap
        assert silence.too_long("it", now) is None or gap + 1e-6 > LIMIT
        silence.heard("it", now)
    assume(abs(after - LIMIT) > 1e-6)
    assert (silence.too_long("it", now + after) is not None) == (after > LIMIT)


@given(SECONDS, st.floats(LIMIT, 1e5))
def test_where_no_sound_is_expected_silence_begins_with_the_expectation(start, closed):
    silence = Silence(LIMIT)
    silence.heard("it", start)
    assert silence.too_long("it", start + closed, expected=False) is None
    assert silence.too_long("it", start + closed + 1) is None
    assert silence.too_long("it", start + closed + 1 + 2 * LIMIT) is not None


def test_an_exchange_is_mute_while_it_should_tick_and_does_not():
    watch = ExchangeWatch(LIMIT)
    watch.heard(["NFO", "BFO"], 0.0)
    watch.heard(["NFO"], 20.0)
    assert watch.check({"NFO": True, "BFO": True, "NSE": False}, 21.0) == ["BFO"]
    assert watch.mute == {"BFO": 21.0}
    assert watch.ages(["NFO", "BFO", "NSE"], 21.0) == {"NFO": 1.0, "BFO": 21.0}
    watch.heard(["BFO"], 22.0)
    assert watch.check({"NFO": True, "BFO": True}, 23.0) == []
    assert watch.mute == {}


def test_a_mute_exchange_is_asked_for_afresh_once_in_each_limit():
    watch = ExchangeWatch(LIMIT)
    asked = [now for now in range(60) if watch.check({"BFO": True}, float(now))]
    assert asked == [11, 22, 33, 44, 55]


def test_an_exchange_that_comes_back_after_an_outage_has_its_time_to_tick():
    watch = ExchangeWatch(LIMIT)
    watch.heard(["BFO"], 0.0)
    watch.check({"BFO": False}, 500.0)
    assert watch.check({"BFO": True}, 501.0) == []


@given(st.integers(0, 10_000))
def test_waits_double_up_to_the_limit(failures):
    wait = wait_seconds(failures, 1.0, 30.0)
    assert wait == min(30.0, 2.0 ** min(failures, 5))
