"""What is to be delivered, in order, and how far that is: one feed per journal, and one for what no journal keeps.

A feed's place is a seq. Everything up to `given` was handed out, everything up to `sent` was acknowledged by the
server, and everything up to `confirmed` has been for long enough to have left the server's memory. `restart` takes back
what was only handed out, `rewind` what was only acknowledged.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from g6.errors import SinkError
from g6.model.columns import Aggregate
from g6.model.snapshot import Snapshot
from g6.storage.influx_lines import MasterRows, lines
from g6.storage.journal import Journal

log = logging.getLogger(__name__)

Cycle = tuple[int, list[bytes]]  # seq, lines
# What the weekday masters say of a minute, asked in the thread that reads the feed. It may raise SinkError.
Masters = Callable[[Snapshot], MasterRows]


class Batch(NamedTuple):
    """Lines for one request, and the last seq whose lines have all been given once these are delivered."""

    lines: list[bytes]
    complete: int


def batches(cycles: Iterable[Cycle], start: int, lines_limit: int, bytes_limit: int) -> Iterator[Batch]:
    """Yield the cycles' lines in requests of at most `lines_limit` lines and `bytes_limit` bytes, one line at least.

    `start` is the seq before the first cycle. Cycles share a request, and a large one takes several.
    """
    together: list[bytes] = []
    size, complete = 0, start
    for seq, found in cycles:
        for line in found:
            if together and (len(together) >= lines_limit or size + len(line) >= bytes_limit):
                yield Batch(together, complete)
                together, size = [], 0
            together.append(line)
            size += len(line) + 1
        complete = seq
    if complete > start or together:
        yield Batch(together, complete)


class Feed:
    """The worker's thread reads and moves it; another one may announce what there is, and look at its place."""

    def __init__(self, key: str, start: int, settle_seconds: float) -> None:
        self.key = key
        self.given = self.sent = self.confirmed = start
        self.refused = 0  # lines that became dead letters
        self.error: str | None = None  # why it could not be read
        self.held_until = 0.0  # when it may be read again
        self._settle_seconds = settle_seconds
        self._announced: deque[tuple[int, float]] = deque()
        self._last_announced = start
        self._ready = start  # announced, and settled
        self._last = start  # where the reading under way ends
        self._unconfirmed: deque[tuple[int, float]] = deque()
        self._batches: Iterator[Batch] | None = None

    def announce(self, seq: int, at: float) -> None:
        """Say that there are cycles up to `seq`, at an instant of the worker's clock."""
        if seq > self._last_announced:
            self._last_announced = seq
            self._announced.append((seq, at))

    def due_in_seconds(self, now: float) -> float:
        """Return when there is something to send: 0 at once, infinite for nothing."""
        while self._announced and self._announced[0][1] + self._settle_seconds <= now:
            self._ready = max(self._ready, self._announced.popleft()[0])
        if self._ready > self.given:
            return max(0.0, self.held_until - now)
        return self._announced[0][1] + self._settle_seconds - now if self._announced else float("inf")

    def next_batch(self, lines_limit: int, bytes_limit: int) -> Batch:
        """Return what to send next; after a SinkError, that it cannot be read, it has to be restarted."""
        if self._batches is None:
            self._last = self._ready
            self._batches = batches(self._through(self._last), self.given, lines_limit, bytes_limit)
        batch = next(self._batches, None)
        if batch is None:  # the end: what lies before it and was not given is damaged, or has been replaced
            self._batches = None
            batch = Batch([], max(self.given, self._last))
        self.given = batch.complete
        return batch

    def acknowledge(self, seq: int, at: float) -> None:
        """Note that everything up to `seq` was acknowledged at an instant."""
        if seq > self.sent:
            self.sent = seq
            self.given = max(self.given, seq)
            self._unconfirmed.append((seq, at))

    def restart(self) -> None:
        """Read anew from `sent`: what was given and not delivered was lost on the way."""
        self._batches, self.given = None, self.sent

    def confirm(self, before: float) -> None:
        """Note that what was acknowledged before an instant is safe."""
        while self._unconfirmed and self._unconfirmed[0][1] <= before:
            self.confirmed = self._unconfirmed.popleft()[0]

    def rewind(self) -> int:
        """Go back to what is confirmed; return how many acknowledgements that took back."""
        taken_back = len(self._unconfirmed)
        self._unconfirmed.clear()
        self.sent = self.confirmed
        self.restart()
        return taken_back

    @property
    def complete(self) -> bool:
        """Return whether all that was announced is confirmed."""
        return self.confirmed >= self._last_announced

    @property
    def oldest_unconfirmed(self) -> float:
        """Return when the oldest acknowledgement that is not confirmed came; infinite for none."""
        return self._unconfirmed[0][1] if self._unconfirmed else float("inf")

    @property
    def newest_unconfirmed(self) -> float:
        """Return when the newest acknowledgement that is not confirmed came; minus infinity for none."""
        return self._unconfirmed[-1][1] if self._unconfirmed else float("-inf")

    def _through(self, last: int) -> Iterator[Cycle]:
        """Yield the cycles after `given`, up to `last`."""
        raise NotImplementedError


class JournalFeed(Feed):
    """The minutes of one day, out of its journal, through a connection that cannot write.

    Masters that cannot be read cost their own points and no others: they are told, and a rebuild supplies them.
    """

    def __init__(
        self,
        journal: Journal,
        start: int,
        aggregates: Sequence[Aggregate],
        settle_seconds: float = 0.0,
        masters: Masters | None = None,
    ) -> None:
        super().__init__(journal.identity, start, settle_seconds)
        self.day, self.path = journal.day, journal.path
        self.moved_to = start  # where the journal's cursor stands
        self.masters_error: str | None = None  # why the last minute has no points of them
        self.masters_trouble = ""  # what was said when that last was so
        self._without_masters: set[int] = set()
        self._aggregates = aggregates
        self._masters = masters

    def _through(self, last: int) -> Iterator[Cycle]:
        journal = Journal.open_read_only(self.path)
        try:
            # One that began anew has a feed of its own.
            cycles = journal.cycles_after(self.given) if journal.identity == self.key else iter(())
            for seq, snapshot in cycles:
                if seq > last:
                    return
                yield seq, lines(snapshot, self._aggregates, self._master_rows(seq, snapshot))
        finally:
            journal.close()

    @property
    def minutes_without_masters(self) -> int:
        """Return how many minutes were given without the points of the masters, though there should be some."""
        return len(self._without_masters)

    def _master_rows(self, seq: int, snapshot: Snapshot) -> MasterRows | None:
        if self._masters is None:
            return None
        try:
            rows = self._masters(snapshot)
        except SinkError as error:
            if self.masters_error is None:
                log.warning("%s; their points are missing in the database until `g6 rebuild --what influx`", error)
            self.masters_error = self.masters_trouble = str(error)
            self._without_masters.add(seq)
            return None
        self.masters_error = None
        self._without_masters.discard(seq)  # one that is read again may have them now
        return rows


class HealthFeed(Feed):
    """What no journal keeps, in memory until confirmed; beyond `limit` cycles the oldest are dropped and counted."""

    def __init__(self, limit: int) -> None:
        super().__init__("", 0, 0.0)
        self.dropped = 0
        self._limit = limit
        self._seq = 0
        self._cycles: deque[Cycle] = deque()
        self._lock = threading.Lock()

    def add(self, found: list[bytes], at: float) -> None:
        """Take the lines of a cycle."""
        with self._lock:
            self._seq += 1
            self._cycles.append((self._seq, found))
            while len(self._cycles) > self._limit:
                if self._cycles.popleft()[0] > self.sent:
                    self.dropped += 1
        self.announce(self._seq, at)

    def confirm(self, before: float) -> None:
        """Forget what is safe."""
        super().confirm(before)
        with self._lock:
            while self._cycles and self._cycles[0][0] <= self.confirmed:
                self._cycles.popleft()

    def _through(self, last: int) -> Iterator[Cycle]:
        with self._lock:
            ready = [cycle for cycle in self._cycles if self.given < cycle[0] <= last]
        yield from ready
