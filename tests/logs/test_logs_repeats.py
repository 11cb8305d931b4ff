"""What comes again is counted; what is different, in whatever, is shown."""

import io
import logging
import random
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.logs import MINUTES, cycle, set_up_logs, sweep_logs, take_down_logs
from g6.logs.repeats import LARGEST_COUNT, QUIET_SECONDS, WINDOW_SECONDS, Repeats

log = logging.getLogger("g6.x")


@pytest.fixture
def said(monkeypatch, hand_clock):
    """Lines since the last look, without their time."""
    monkeypatch.setattr(sys, "stderr", printed := io.StringIO())
    set_up_logs("INFO", "text", None, monotonic=hand_clock)

    def look() -> list[str]:
        lines = [line[9:] for line in printed.getvalue().splitlines()]
        printed.truncate(printed.seek(0))
        return lines

    return look


def test_a_failure_of_every_minute_is_shown_once_a_window_and_counted(said, hand_clock):
    for minute in range(11):
        with cycle(f"2026-11-20T10:{minute:02d}/v1"):
            log.warning("kite.quote: the broker cannot be reached")
        hand_clock.seconds += 60
    assert said() == [
        "WARNING [10:00] kite.quote: the broker cannot be reached",
        "WARNING [10:09] … repeated 9 times in 9 min: kite.quote: the broker cannot be reached",
        "WARNING [10:10] kite.quote: the broker cannot be reached",
    ]


def test_the_count_is_shown_when_it_has_stopped(said, hand_clock):
    for _ in range(18):
        log.error("refused")
        hand_clock.seconds += 2
    assert said() == ["ERROR refused"]
    hand_clock.seconds += QUIET_SECONDS
    sweep_logs()
    assert said() == ["ERROR … repeated 17 times in 34 s: refused"]
    log.error("refused")
    assert said() == ["ERROR refused"]


def test_the_end_of_a_cycle_shows_the_counts_that_are_due(said, hand_clock):
    log.error("refused")
    log.error("refused")
    hand_clock.seconds += QUIET_SECONDS
    with cycle("2026-11-20T10:05/v1"):
        pass
    assert said() == ["ERROR refused", "ERROR … repeated once in 1 s: refused"]


def test_the_end_of_the_process_shows_every_count(said):
    for _ in range(3):
        log.error("refused")
    take_down_logs()
    assert said() == ["ERROR refused", "ERROR … repeated 2 times in 1 s: refused"]


def test_how_long_and_how_large_may_differ(said):
    for seconds in (0.5, 1.25, 4):
        log.info("kite.quote: tried again in %.2f s: HTTP 503", seconds)
    log.info("12.5 MB in <Journal object at 0x7f01>")
    log.info("13 MB in <Journal object at 0x7f02>")
    assert said() == [
        "INFO kite.quote: tried again in 0.50 s: HTTP 503",
        "INFO 12.5 MB in <Journal object at 0x7f01>",
    ]


@pytest.mark.parametrize(
    "others",
    [
        ["HTTP 502", "HTTP 503"],
        ["NIFTY 2026-11-24 could not be valued", "NIFTY 2026-12-01 could not be valued"],
        ["stream connection 1 is down", "stream connection 2 is down"],
        ["minute 2026-11-20 10:03 is lost", "minute 2026-11-20 10:04 is lost"],
        ["strike 24500", "strike 24550"],
    ],
)
def test_a_number_that_names_something_makes_a_difference(said, others):
    for text in others:
        log.error("%s", text)
    assert said() == [f"ERROR {text}" for text in others]


def test_loggers_and_levels_make_a_difference(said):
    log.error("the same")
    log.warning("the same")
    logging.getLogger("g6.y").error("the same")
    assert said() == ["ERROR the same", "WARNING the same", "ERROR the same"]


def test_another_traceback_makes_a_difference_and_the_same_does_not(said):
    def fail(kind: type[Exception]) -> None:
        try:
            raise kind("x")
        except kind:
            log.exception("the minute failed")

    def elsewhere() -> None:
        try:
            raise ValueError("x")
        except ValueError:
            log.exception("the minute failed")

    for _ in range(3):
        fail(ValueError)
        fail(KeyError)
    elsewhere()
    assert said().count("ERROR the minute failed") == 3  # a ValueError, a KeyError, a ValueError of another place


def test_what_a_call_gave_beside_its_text_makes_a_difference(said):
    log.error("failed", extra={"index": "NIFTY"})
    log.error("failed", extra={"index": "SENSEX"})
    assert said() == ["ERROR failed"] * 2


def test_debug_and_the_minutes_own_sentences_are_all_shown(hand_clock, tmp_path):
    set_up_logs("INFO", "text", tmp_path / "g6.log", verbose=True, monotonic=hand_clock)
    for _ in range(3):
        log.debug("detail")
        logging.getLogger(MINUTES).error("failed: nothing")
    lines = (tmp_path / "g6.log").read_text().splitlines()
    assert len(lines) == 6


def record_of(text: str) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "g6.x", "levelno": logging.ERROR, "levelname": "ERROR", "msg": text})


def test_memory_is_bounded_and_nothing_counted_is_forgotten_unsaid(hand_clock):
    repeats = Repeats(hand_clock)
    shown: list[logging.LogRecord] = []
    for number in range(3 * LARGEST_COUNT):
        for _ in range(2):
            shown += repeats.passed(record_of(f"message {number}"))
    assert len(repeats._seen) == LARGEST_COUNT
    shown += repeats.rest()
    assert len([r for r in shown if not hasattr(r, "repeated")]) == 3 * LARGEST_COUNT
    assert sum(r.repeated for r in shown if hasattr(r, "repeated")) == 3 * LARGEST_COUNT


def test_what_is_remembered_holds_on_to_no_frame(hand_clock):
    class Heavy:
        pass

    heavy = Heavy()
    repeats, before = Repeats(hand_clock), sys.getrefcount(heavy)
    try:
        raise ValueError(heavy)
    except ValueError:
        exc_info = sys.exc_info()
    record = record_of("failed")
    record.exc_info, record.args = exc_info, (heavy,)
    repeats.passed(record)
    del exc_info, record
    assert sys.getrefcount(heavy) == before


messages = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 400)), max_size=60)


@given(messages, st.integers(0, 2**32))
def test_shown_and_counted_are_all_that_was_logged_and_the_first_of_each_is_shown(events, seed):
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    shown: list[logging.LogRecord] = []
    waits = random.Random(seed)
    for text, seconds in events:
        now[0] += seconds * waits.random()
        shown += repeats.passed(record_of(text))
    shown += repeats.rest()
    for text in {text for text, _ in events}:
        own = [r for r in shown if re.search(rf"(^|: ){text}$", r.msg)]
        assert own[0].msg == text
        assert sum(getattr(r, "repeated", 1) for r in own) == sum(text == t for t, _ in events)


@given(st.lists(st.floats(1, WINDOW_SECONDS / 2), min_size=2, max_size=200))
def test_a_storm_is_two_lines_a_window_at_most(pauses):
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    shown = 0
    for seconds in pauses:
        shown += len(repeats.passed(record_of("refused")))
        now[0] += min(seconds, QUIET_SECONDS - 1)
    assert shown <= 2 * (now[0] // WINDOW_SECONDS + 1)
