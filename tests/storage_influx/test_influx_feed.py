"""Requests hold every line once and in order; a feed's place goes forward with what is acknowledged, and back."""

from collections.abc import Iterator
from types import ModuleType

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from g6.errors import SinkError
from g6.model.snapshot import Snapshot
from g6.storage.influx_feed import Batch, Feed, HealthFeed, JournalFeed, batches
from g6.storage.influx_lines import MasterRows, lines
from g6.storage.journal import Journal

NEVER = float("inf")


@given(st.lists(st.lists(st.binary(min_size=1, max_size=9), max_size=7)), st.integers(1, 5), st.integers(1, 30))
def test_requests_hold_every_line_once_in_order_within_their_limits(
    minutes: list[list[bytes]], lines_limit: int, bytes_limit: int
) -> None:
    found = list(batches(enumerate(minutes, 11), 10, lines_limit, bytes_limit))
    assert [line for batch in found for line in batch.lines] == [line for minute in minutes for line in minute]
    for batch in found:
        assert len(batch.lines) <= lines_limit
        assert len(batch.lines) <= 1 or len(b"\n".join(batch.lines)) <= bytes_limit


@given(st.lists(st.lists(st.binary(min_size=1, max_size=9), max_size=7), min_size=1), st.integers(1, 5))
def test_a_minute_is_complete_when_its_last_line_is_given_and_not_before(
    minutes: list[list[bytes]], lines_limit: int
) -> None:
    given_lines = 0
    found = list(batches(enumerate(minutes, 11), 10, lines_limit, 10_000))
    for batch in found:
        given_lines += len(batch.lines)
        assert sum(map(len, minutes[: batch.complete - 10])) <= given_lines
    assert found[-1].complete == 10 + len(minutes)


def drained(feed: HealthFeed, at: float) -> list[bytes]:
    """All that a feed gives, acknowledged at an instant."""
    found: list[bytes] = []
    while feed.due_in_seconds(at) == 0:
        batch = feed.next_batch(2, 1000)
        found += batch.lines
        feed.acknowledge(batch.complete, at)
    return found


def filled(count: int) -> HealthFeed:
    feed = HealthFeed(limit=5)
    for number in range(count):
        feed.add([b"%d" % number], at=number)
    return feed


def test_what_is_taken_back_is_given_again_and_what_is_confirmed_is_not() -> None:
    feed = filled(2)
    assert drained(feed, at=10) == [b"0", b"1"]
    feed.confirm(before=10)
    feed.add([b"2"], at=20)
    assert drained(feed, at=20) == [b"2"]
    assert feed.rewind() == 1
    assert drained(feed, at=30) == [b"2"]
    assert feed.due_in_seconds(31) == NEVER


def test_reading_anew_loses_nothing_of_what_was_read_and_not_acknowledged() -> None:
    feed = filled(4)
    assert feed.due_in_seconds(5) == 0
    assert feed.next_batch(2, 1000) == Batch([b"0", b"1"], 2)
    feed.restart()
    assert drained(feed, at=5) == [b"0", b"1", b"2", b"3"]


def test_what_comes_while_a_reading_is_under_way_is_not_passed_over() -> None:
    feed = filled(3)
    feed.due_in_seconds(5)
    feed.acknowledge(feed.next_batch(2, 1000).complete, at=5)
    feed.add([b"3"], at=5)
    assert drained(feed, at=6) == [b"2", b"3"]


class Minutes(Feed):
    """A line for each seq."""

    def _through(self, last: int) -> Iterator[tuple[int, list[bytes]]]:
        for seq in range(self.given + 1, last + 1):
            yield seq, [b"%d" % seq]


def test_what_was_given_is_not_given_again_while_it_is_under_way() -> None:
    feed = Minutes("", 0, 0.0)
    feed.announce(4, 0)
    given: list[bytes] = []
    while feed.due_in_seconds(1) == 0:
        given += feed.next_batch(2, 1000).lines
    assert given == [b"1", b"2", b"3", b"4"]
    feed.announce(5, 1)
    while feed.due_in_seconds(2) == 0:
        given += feed.next_batch(2, 1000).lines
    assert given[4:] == [b"5"]
    feed.acknowledge(2, 3)
    feed.restart()
    assert feed.due_in_seconds(4) == 0
    assert feed.next_batch(9, 1000).lines == [b"3", b"4", b"5"]


def test_masters_that_cannot_be_read_cost_their_own_points_only(journal: Journal, sample: ModuleType) -> None:
    rows = MasterRows({("NIFTY", "this_week"): 1}, ("atm",), {"mean": np.array([7.5])})
    answers = iter([SinkError("the masters are locked"), rows])

    def masters(_snapshot: Snapshot) -> MasterRows:
        answer = next(answers)
        if isinstance(answer, SinkError):
            raise answer
        return answer

    journal.put(sample.snapshot(0))
    journal.put(sample.snapshot(1))
    feed = JournalFeed(journal, 0, (), masters=masters)
    feed.announce(2, 0)
    feed.due_in_seconds(1)
    without, with_them = set(lines(sample.snapshot(0), ())), set(lines(sample.snapshot(1), (), rows))
    assert set(feed.next_batch(10_000, 10**9).lines) == without | with_them
    assert feed.masters_error is None  # the last minute had them
    assert (feed.minutes_without_masters, feed.masters_trouble) == (1, "the masters are locked")
    feed.restart()  # as when the request was lost on the way: what is read again has them now
    answers = iter([rows, rows])
    feed.next_batch(10_000, 10**9)
    assert feed.minutes_without_masters == 0


def test_health_beyond_its_limit_drops_the_oldest_and_counts_what_was_not_sent() -> None:
    feed = filled(8)
    assert drained(feed, at=10) == [b"3", b"4", b"5", b"6", b"7"]
    assert feed.dropped == 3
    for number in range(5):
        feed.add([b"x%d" % number], at=11)
    assert feed.dropped == 3  # those had been sent
