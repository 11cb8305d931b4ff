"""The delivery to InfluxDB, one step at a time: what to send next, what became of it, and when it is safe.

An acknowledgement is no promise: the server keeps new lines in memory for seconds, and loses them when it is killed.
So an acknowledged line counts only when `unconfirmed_seconds` have passed and the server is still the process that took
it. What was not confirmed when the server turns out to be another one is sent again, which changes nothing where it
had survived: a point's key is its measurement, tags and minute.

1. Make sure of the server (`_know_server`): at the beginning and whenever the connection was lost.
2. Confirm what is old enough (`_confirm`), after asking the server once more when it was started.
3. Send one batch of the feed that has something to send, the newest day first (`_send_next`). While a request is under
   way the next batch is made ready; it goes out when the one before has arrived (`_arrive`), so that one request is
   under way at a time and a minute that is sent twice ends as its later version.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from itertools import count
from typing import NamedTuple, Protocol

from g6.clock import Clock
from g6.errors import AuthError, SinkError, TransientError
from g6.resilience.breaker import Breaker
from g6.resilience.deadline import Deadline, Refused
from g6.resilience.endpoint import Endpoint
from g6.resilience.retry import RetryPolicy
from g6.storage.influx_carrier import Carry, at_once
from g6.storage.influx_feed import Batch, Feed, JournalFeed
from g6.storage.influx_ledger import Acknowledged, Ledger
from g6.storage.influx_writer import InfluxOptions, Poison, Server

log = logging.getLogger(__name__)

ENDPOINT = "influx.write"
# Requests that are spent on finding the bad lines of one batch; pieces that are still refused then go as a whole.
SPLIT_REQUESTS = 200
# Confirming waits for company: a server is asked when it was started at most this often in a window.
PROBES_PER_WINDOW = 4
JOURNAL_RETRY_SECONDS = 60.0
NEVER = float("inf")


class Writer(Protocol):
    """Who takes lines to the server, and knows when that was started; see `influx_writer`."""

    def write(self, lines: Sequence[bytes]) -> int:
        """Return the bytes sent."""
        ...

    def server(self) -> Server:
        """Return what the server says of itself."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


class _UnderWay(NamedTuple):
    """A request, and what it carries."""

    feed: Feed
    batch: Batch
    done: "Future[None]"
    refused_before: int


class Delivery:
    """Steps are taken by one thread; feeds are added and the counts read by another.

    `carry` says who waits for the server: by default the thread of the steps.
    """

    def __init__(
        self, writer: Writer, ledger: Ledger, options: InfluxOptions, clock: Clock, carry: Carry = at_once
    ) -> None:
        self._writer, self._ledger, self._options, self._clock = writer, ledger, options, clock
        self._carry, self._beat = carry, _nothing
        self._under_way: _UnderWay | None = None
        self._policy = RetryPolicy(
            first_wait_seconds=options.first_wait_seconds, maximum_wait_seconds=options.maximum_wait_seconds
        )
        self.endpoint = Endpoint(
            ENDPOINT, clock, Deadline(clock, NEVER), retry=RetryPolicy(attempts=1),
            breaker=Breaker(ENDPOINT, clock, open_seconds=options.maximum_wait_seconds),
            timeout_seconds=options.timeout_seconds,
        )  # fmt: skip
        self._feeds: tuple[Feed, ...] = ()
        self._restored: set[str] = set()
        self._left: dict[str, Acknowledged] = {}
        self._server, self._met, self._server_in_doubt = Server(), False, True
        self._next_probe = self._not_before = 0.0
        self._failures = 0
        self.failure: Exception | None = None  # why nothing can be sent at present
        self.lines = self.bytes = self.requests = 0
        self.dead_letters = self.unburied = self.taken_back = self.server_restarts = 0
        self.dead_reason = ""  # of the last dead letter
        self.dropped_by_server = 0  # rows that it acknowledged and did not keep, this writer's or another's
        self.last_success: datetime | None = None

    def begin_anew(self, carry: Carry, beat: Callable[[], None]) -> None:
        """Take the steps from now on in the thread that calls this, though one before it may have died or hang.

        What that had in hand is read again. `beat` is told of each request as a sign of life.
        """
        self._carry, self._beat, self._under_way = carry, beat, None
        for feed in self._feeds:
            feed.restart()

    def add(self, feed: Feed) -> None:
        """Deliver this one, too; those added last come first."""
        self._feeds = (feed, *self._feeds)

    def drop(self, feed: Feed) -> None:
        """Deliver it no longer."""
        self._feeds = tuple(other for other in self._feeds if other is not feed)

    def step(self) -> float:
        """Do one thing; return the seconds until there is more to do: 0 at once, infinite for not before news come."""
        now = self._clock.monotonic()
        if now < self._not_before:
            return self._not_before - now
        try:
            return self._one_thing(now)
        except AuthError as error:
            return self._pause(self._options.hold_seconds, error)
        except TransientError as error:
            return self._pause(self._backoff_seconds(error), error)

    def _one_thing(self, now: float) -> float:
        feeds = self._feeds  # another thread may put more in their place
        waits = [feed.due_in_seconds(now) for feed in feeds]
        confirm_in = self._confirm_in_seconds(now)
        if confirm_in <= 0 or min(waits, default=NEVER) > 0:
            if self._under_way:
                self._arrive()
                return 0.0
            if confirm_in > 0:
                return min([confirm_in, *waits])
        self._know_server()
        if confirm_in <= 0:
            self._confirm(now)
        else:
            self._send_next(feeds[waits.index(0)])
        return 0.0

    def _know_server(self) -> None:
        if self._server_in_doubt:
            self._meet(self._ask_server(), doubt=self._met)
            self._server_in_doubt = False
            if not self._met:
                self._met, self._left = True, self._ledger.acknowledged()
        for feed in self._feeds:
            if feed.key not in self._restored:
                self._restored.add(feed.key)
                self._restore(feed)

    def _restore(self, feed: Feed) -> None:
        """Take up what this run of the server acknowledged to an earlier run of G6."""
        left = self._left.get(feed.key)
        if left and left.server_start == self._server.started_at:
            age_seconds = max(0.0, self._clock.now().timestamp() - left.at_seconds)
            feed.acknowledge(left.seq, self._clock.monotonic() - age_seconds)

    def _ask_server(self) -> Server:
        return self.endpoint.call(self._writer.server)

    def _meet(self, server: Server, *, doubt: bool) -> bool:
        """Note what the server says of itself; return whether it is another process, or with `doubt` may be one."""
        before, self._server = self._server, server
        same = server.started_at == before.started_at and not (doubt and server.started_at is None)
        if same:
            self.dropped_by_server += max(0, server.dropped_rows - before.dropped_rows)
        elif doubt:
            taken_back = sum(feed.rewind() for feed in self._feeds)
            self.server_restarts += 1
            self.taken_back += taken_back
            log.info("the database was restarted; %d acknowledgements do not count and are sent again", taken_back)
        return not same

    def _confirm_in_seconds(self, now: float) -> float:
        oldest = min((feed.oldest_unconfirmed for feed in self._feeds), default=NEVER)
        return max(oldest + self._options.unconfirmed_seconds, self._next_probe) - now

    def _confirm(self, now: float) -> None:
        # What was acknowledged before `now` minus the window is safe if the server is still the same after `now`.
        server = self._ask_server()
        self._next_probe = now + self._options.unconfirmed_seconds / PROBES_PER_WINDOW
        silent = server.started_at is None and self._server.started_at is None
        if not self._meet(server, doubt=not silent):
            for feed in self._feeds:
                feed.confirm(now - self._options.unconfirmed_seconds)
        self._failures, self.failure = 0, None

    def _send_next(self, feed: Feed) -> None:
        try:
            batch = feed.next_batch(self._options.batch_lines, self._options.batch_bytes)
        except SinkError as error:
            log.warning("%s", error)
            feed.restart()
            feed.error = str(error)
            feed.held_until = self._clock.monotonic() + JOURNAL_RETRY_SECONDS
            return
        feed.error = None
        self._arrive()
        done = self._carry(partial(self._deliver, batch.lines, count()))
        self._under_way = _UnderWay(feed, batch, done, self.dead_letters)
        if done.done():
            self._arrive()

    def _arrive(self) -> None:
        """Wait for the request under way, and note what it achieved."""
        if self._under_way is None:
            return
        feed, batch, done, refused_before = self._under_way
        self._under_way = None
        try:
            done.result()
        except BaseException:
            for reading in self._feeds:  # what is ready to follow is read again, too
                reading.restart()
            raise
        feed.acknowledge(batch.complete, self._clock.monotonic())
        feed.refused += self.dead_letters - refused_before
        self._failures, self.failure = 0, None

    def _deliver(self, lines: Sequence[bytes], requests: "count[int]") -> None:
        """Send lines; where the server refuses them, their halves, down to the lines that are to blame."""
        if not lines:
            return
        spent = next(requests)
        self._beat()
        try:
            sent_bytes = self.endpoint.call(partial(self._writer.write, lines))
        except Poison as error:
            if len(lines) == 1 or spent >= SPLIT_REQUESTS:
                self._bury(lines, error)
                return
            middle = len(lines) // 2
            self._deliver(lines[:middle], requests)
            self._deliver(lines[middle:], requests)
            return
        finally:
            self.requests += 1
        self.lines += len(lines)
        self.bytes += sent_bytes
        self.last_success = self._clock.now()

    def _bury(self, lines: Sequence[bytes], error: Poison) -> None:
        kept = self._ledger.bury(lines, error.status, str(error))
        log.error("%d lines refused for good, %s in %s: %s", len(lines), "kept" if kept else "not even kept",
                  self._ledger.path, error)  # fmt: skip
        self.dead_letters += len(lines)
        self.unburied += 0 if kept else len(lines)
        self.dead_reason = str(error)

    def _pause(self, seconds: float, error: Exception) -> float:
        if self.failure is None:
            log.warning("%s; what is not delivered stays in the journal", error)
        self.failure = error
        self._not_before = self._clock.monotonic() + seconds
        return seconds

    def _backoff_seconds(self, error: TransientError) -> float:
        if not isinstance(error, Refused):  # a breaker that is open says nothing new
            self._failures += 1
            self._server_in_doubt = True
        return self._policy.wait_seconds(max(1, self._failures), error)

    @property
    def error(self) -> str | None:
        """Return why nothing can be sent at present."""
        return None if self.failure is None else str(self.failure)

    @property
    def next_attempt_in_seconds(self) -> float:
        """Return how long a failure still holds up the delivery; 0 when none does."""
        return max(0.0, self._not_before - self._clock.monotonic())

    def stop(self) -> None:
        """End in the worker's thread: close what is being read, and remember what was acknowledged."""
        for feed in self._feeds:
            feed.restart()
        if self._server.started_at is None:
            return
        now, wall, server = self._clock.monotonic(), self._clock.now().timestamp(), self._server.started_at
        self._ledger.remember(
            {
                feed.key: Acknowledged(feed.sent, wall - (now - feed.newest_unconfirmed), server)
                for feed in self._feeds
                if isinstance(feed, JournalFeed) and feed.sent > feed.confirmed
            }
        )


def _nothing() -> None:
    """Do nothing."""
