"""Whatever the server does, what counts as delivered is on its disk, and all of it is there in the end."""

import random
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from g6.errors import AuthError, RateLimited, TransientError
from g6.storage.influx_carrier import Carry, Task, at_once
from g6.storage.influx_delivery import SPLIT_REQUESTS, Delivery
from g6.storage.influx_feed import JournalFeed
from g6.storage.influx_ledger import Ledger
from g6.storage.influx_lines import lines
from g6.storage.influx_writer import InfluxOptions
from g6.storage.journal import Journal

NEVER = float("inf")


class Late(Future):
    """A request that another thread has under way: it arrives when it is waited for, and not before."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task

    def done(self) -> bool:
        return False

    def result(self, timeout: float | None = None) -> None:
        self.task()


@pytest.fixture(params=[at_once, Late])
def carry(request: pytest.FixtureRequest) -> Carry:
    """Requests are waited for at once, or while the next one is made ready."""
    return request.param


@pytest.fixture
def world(
    tmp_path: Path, journal: Journal, sample: ModuleType, options: InfluxOptions, hand_clock: Any, memory_server: Any,
    carry: Carry,
) -> SimpleNamespace:  # fmt: skip
    """A delivery of the sample day to the server in memory."""
    delivery = Delivery(memory_server, Ledger(tmp_path), options, hand_clock, carry)
    feed = JournalFeed(journal, 0, sample.AGGREGATES)
    delivery.add(feed)

    def put(*numbers: int) -> set[bytes]:
        """Record minutes, and return their lines."""
        found = set()
        for number in numbers:
            snapshot = sample.snapshot(number)
            feed.announce(journal.put(snapshot).seq, hand_clock.seconds)
            found |= set(lines(snapshot, sample.AGGREGATES))
        return found

    def work(delivery: Delivery = delivery) -> float:
        """Take steps until none is due; return when the next one is."""
        while (wait := delivery.step()) == 0:
            pass
        return wait

    return SimpleNamespace(
        delivery=delivery, feed=feed, put=put, work=work, clock=hand_clock, server=memory_server, journal=journal,
        ledger=Ledger(tmp_path), options=options, sample=sample,
    )  # fmt: skip


def test_what_is_recorded_arrives_each_line_once(world: SimpleNamespace) -> None:
    put = world.put(0, 1, 2)
    world.work()
    sent = [line for request in world.server.requests for line in request]
    assert sorted(sent) == sorted(put)
    assert max(map(len, world.server.requests)) <= world.options.batch_lines
    assert world.delivery.lines == len(put)


def test_nothing_is_asked_of_the_server_while_there_is_nothing_to_say(world: SimpleNamespace) -> None:
    world.server.go_down()
    assert world.work() == NEVER
    assert world.delivery.error is None


def test_an_outage_is_said_and_everything_arrives_after_it(world: SimpleNamespace) -> None:
    world.server.go_down()
    put = set()
    for number in range(20):
        put |= world.put(number)
        assert 0 < world.work() <= world.options.maximum_wait_seconds
        assert "Connection refused" in world.delivery.error
        world.clock.seconds += 60
    world.server.come_up()
    world.clock.seconds += 60
    world.work()
    assert world.server.held == put
    assert world.delivery.error is None


def test_pauses_grow_and_end_at_their_maximum(world: SimpleNamespace) -> None:
    world.server.go_down()
    world.put(0)
    waits = []
    for _ in range(12):
        waits.append(world.work())
        world.clock.seconds += waits[-1]
    assert waits[0] <= 1
    assert waits[1] > waits[0] / 2
    assert all(wait <= world.options.maximum_wait_seconds for wait in waits)
    assert waits[-1] >= world.options.maximum_wait_seconds / 2


def test_an_acknowledgement_counts_after_the_window_and_not_before(world: SimpleNamespace) -> None:
    world.put(0, 1)
    world.work()
    assert (world.feed.sent, world.feed.confirmed) == (2, 0)
    world.clock.seconds += world.options.unconfirmed_seconds - 1
    world.work()
    assert world.feed.confirmed == 0
    world.clock.seconds += 1
    world.work()
    assert world.feed.confirmed == 2


def test_a_younger_acknowledgement_is_not_confirmed_with_an_older_one(world: SimpleNamespace) -> None:
    world.put(0)
    world.work()
    world.clock.seconds += world.options.unconfirmed_seconds - 1
    world.put(1)
    world.work()
    world.clock.seconds += 1
    world.work()
    assert (world.feed.sent, world.feed.confirmed) == (2, 1)


def test_what_a_killed_server_had_only_in_memory_is_sent_again(world: SimpleNamespace) -> None:
    put = world.put(0, 1)
    world.work()
    world.server.crash()
    assert world.server.held == set()
    world.clock.seconds += world.options.unconfirmed_seconds
    world.work()
    assert world.server.held == put
    assert world.feed.confirmed == 0  # the new acknowledgements are young
    assert world.delivery.server_restarts == 1
    world.clock.seconds += world.options.unconfirmed_seconds
    world.work()
    assert world.feed.confirmed == 2
    assert world.server.durable == put


def test_a_server_that_does_not_tell_its_start_is_believed_until_a_connection_is_lost(world: SimpleNamespace) -> None:
    world.server.started_at = None
    put = world.put(0)
    world.work()
    world.clock.seconds += world.options.unconfirmed_seconds
    world.work()
    assert world.feed.confirmed == 1
    put |= world.put(1)
    world.work()
    world.server.crash()
    world.server.started_at = None
    world.server.go_down()
    put |= world.put(2)
    world.work()
    world.server.come_up()
    world.clock.seconds += 30
    world.work()
    assert world.server.held == put


def test_a_refused_line_is_found_and_the_others_arrive(world: SimpleNamespace) -> None:
    put = world.put(0, 1)
    bad = {line for line in put if b"offset=p1,side=ce" in line and b"index=SENSEX" in line}
    world.server.refuses = bad.__contains__
    world.work()
    assert bad
    assert world.server.held == put - bad
    letters = world.ledger.dead_letters()
    assert {letter.line.encode() for letter in letters} == bad
    assert {(letter.status, letter.reason) for letter in letters} == {(400, "answers 400: cannot parse")}
    assert world.delivery.dead_letters == len(bad)
    assert world.feed.sent == 2


def test_a_request_that_is_too_large_is_cut(world: SimpleNamespace) -> None:
    put = world.put(0, 1)
    world.server.largest = 7
    world.work()
    assert world.server.held == put
    assert world.ledger.dead_letters() == ()


def test_a_server_that_refuses_everything_does_not_hold_up_the_queue(world: SimpleNamespace) -> None:
    put = world.put(*range(8))
    delivery = Delivery(
        world.server, world.ledger, replace(world.options, batch_lines=5000, batch_bytes=10**7), world.clock
    )
    feed = JournalFeed(world.journal, 0, world.sample.AGGREGATES)
    feed.announce(8, world.clock.seconds)
    delivery.add(feed)
    world.server.refuses = lambda line: True
    world.work(delivery)
    assert feed.sent == 8
    assert {letter.line.encode() for letter in world.ledger.dead_letters()} == put
    assert len(world.server.requests) < SPLIT_REQUESTS + 100


def test_a_refused_token_holds_everything_without_hammering(world: SimpleNamespace) -> None:
    put = world.put(0)
    world.server.failing = AuthError("answers 401: unauthorized")
    assert world.work() == world.options.hold_seconds
    assert world.delivery.error == "answers 401: unauthorized"
    world.clock.seconds += world.options.hold_seconds - 1
    assert world.work() == pytest.approx(1)
    world.server.failing = None
    world.clock.seconds += 1
    world.work()
    assert world.server.held == put
    assert world.ledger.dead_letters() == ()


def test_a_pause_that_the_server_asks_for_is_kept(world: SimpleNamespace) -> None:
    world.put(0)
    world.server.failing = RateLimited("answers 429", 47.0)
    assert world.work() == 47
    assert world.delivery.endpoint.report().breaker == "closed"


def test_the_newest_day_comes_first(world: SimpleNamespace, tmp_path: Path) -> None:
    world.put(0)
    path = tmp_path / "2026-11-23.sqlite3"
    later = Journal.open(path, corrupt=tmp_path / "corrupt", max_bytes=10_000_000)
    snapshot = world.sample.snapshot(3 * 24 * 60)
    feed = JournalFeed(later, 0, ())
    feed.announce(later.put(snapshot).seq, world.clock.seconds)
    world.delivery.add(feed)
    world.work()
    later.close()
    stamps = [line.rsplit(b" ", 1)[1] for request in world.server.requests for line in request]
    assert stamps == sorted(stamps, reverse=True)


def test_a_journal_that_cannot_be_read_holds_up_no_other(world: SimpleNamespace, tmp_path: Path) -> None:
    put = world.put(0)
    path = tmp_path / "2026-11-23.sqlite3"
    later = Journal.open(path, corrupt=tmp_path / "corrupt", max_bytes=10_000_000)
    feed = JournalFeed(later, 0, ())
    feed.announce(1, world.clock.seconds)
    later.close()
    path.unlink()
    world.delivery.add(feed)
    world.work()
    assert world.server.held == put
    assert str(path) in feed.error


def test_a_minute_that_waits_for_its_last_tick_is_sent_as_that(world: SimpleNamespace) -> None:
    """Two ticks of a minute would leave the first one's fields where the second has none."""
    feed = JournalFeed(world.journal, 0, (), settle_seconds=60)
    delivery = Delivery(world.server, world.ledger, world.options, world.clock)
    delivery.add(feed)
    for tick in range(3):
        feed.announce(world.journal.put(world.sample.snapshot(0, tick)).seq, world.clock.seconds)
        world.work(delivery)
        world.clock.seconds += 20
    world.work(delivery)
    assert world.server.requests == []  # the last tick is 20 seconds old
    world.clock.seconds += 40
    world.work(delivery)
    assert world.server.held == set(lines(world.sample.snapshot(0, 2), ()))


def test_another_run_of_g6_takes_up_what_the_server_still_has(world: SimpleNamespace) -> None:
    world.put(0, 1)
    world.work()
    world.delivery.stop()
    world.server.requests.clear()
    world.clock.seconds += world.options.unconfirmed_seconds
    again = Delivery(world.server, world.ledger, world.options, world.clock)
    feed = JournalFeed(world.journal, 0, world.sample.AGGREGATES)
    feed.announce(2, world.clock.seconds)
    again.add(feed)
    world.work(again)
    assert world.server.requests == []
    assert feed.confirmed == 2


def test_another_run_of_g6_sends_again_what_another_run_of_the_server_may_lack(world: SimpleNamespace) -> None:
    put = world.put(0, 1)
    world.work()
    world.delivery.stop()
    world.server.crash()
    again = Delivery(world.server, world.ledger, world.options, world.clock)
    feed = JournalFeed(world.journal, 0, world.sample.AGGREGATES)
    feed.announce(2, world.clock.seconds)
    again.add(feed)
    world.work(again)
    assert world.server.held == put


def test_rows_that_the_server_drops_in_silence_are_counted(world: SimpleNamespace) -> None:
    world.server.dropped_rows = 5  # before this writer came
    world.put(0)
    world.work()
    world.server.dropped_rows = 8
    world.clock.seconds += world.options.unconfirmed_seconds
    world.work()
    assert world.delivery.dropped_by_server == 3


def test_a_hanging_request_is_abandoned_and_sent_again(world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    put, asked = world.put(0), []

    def hang_once(given: list[bytes]) -> int:
        asked.append(given)
        if len(asked) == 1:
            raise TransientError("does not answer within 5 s", kind="timeout")
        return write(given)

    write = world.server.write
    monkeypatch.setattr(world.server, "write", hang_once)
    world.clock.seconds += world.work()
    world.work()
    assert world.server.held == put


def test_the_next_batch_is_ready_before_the_one_under_way_has_arrived(world: SimpleNamespace) -> None:
    under_way: list[Late] = []
    delivery = Delivery(
        world.server, world.ledger, world.options, world.clock,
        lambda task: under_way.append(Late(task)) or under_way[-1],
    )  # fmt: skip
    delivery.add(world.feed)
    world.put(0, 1, 2)
    for _ in range(3):
        delivery.step()
    assert len(under_way) == 3
    assert len(world.server.requests) == 2  # one is under way at a time, and no later one before it
    assert world.feed.given > world.feed.sent


def test_what_was_ready_to_follow_a_request_that_failed_is_sent_again(world: SimpleNamespace) -> None:
    put = world.put(*range(6))
    world.delivery.step()
    world.delivery.step()
    world.server.go_down()
    world.work()
    assert "Connection refused" in world.delivery.error
    world.server.come_up()
    world.clock.seconds += 60
    world.work()
    assert world.server.held == put


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 40))])
def test_whatever_happens_what_counts_is_on_the_disk_and_in_the_end_all_is(world: SimpleNamespace, seed: int) -> None:
    """Minutes, crashes, outages, bad answers and time in any order; the server writes to disk after ten seconds."""

    chance, server, clock = random.Random(seed), world.server, world.clock
    by_seq: dict[int, set[bytes]] = {}
    events: dict[str, Callable[[], object]] = {
        "minute": lambda: by_seq.update({len(by_seq) + 1: world.put(len(by_seq))}),
        "wait": lambda: setattr(clock, "seconds", clock.seconds + chance.uniform(0, 40)),
        "crash": server.crash,
        "down": server.go_down,
        "limited": lambda: setattr(server, "failing", RateLimited("answers 429", 3)),
        "up": server.come_up,
        "small": lambda: setattr(server, "largest", chance.randint(1, 40)),
        "step": world.delivery.step,
    }
    weights = (4, 6, 1, 1, 1, 3, 1, 20)
    for _ in range(250):
        events[chance.choices(list(events), weights)[0]]()
        server.durable  # noqa: B018 - time passes for the server, too
        counted = set().union(*(found for seq, found in by_seq.items() if seq <= world.feed.confirmed))
        assert counted <= server.durable
    server.come_up()
    for _ in range(10):
        clock.seconds += 61
        world.work()
    assert world.feed.confirmed == len(by_seq)
    assert server.durable == set().union(*by_seq.values())
