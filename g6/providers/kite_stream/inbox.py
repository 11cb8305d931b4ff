"""What connections say, on its way from the reactor's thread to the provider's: bounded, and never waited for."""

import threading
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opened:
    """The upgrade was accepted."""

    connection: int
    at: float


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection ended or was never made. `status` is the HTTP status of a refused upgrade."""

    connection: int
    detail: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A frame as it came; `at` in the machine's seconds."""

    connection: int
    at: float
    payload: bytes
    is_binary: bool


@dataclass(frozen=True, slots=True)
class Overflow:
    """Frames of this connection found no room: what it has said since is incomplete."""

    connection: int


Event = Opened | Closed | Message | Overflow


class Inbox:
    """Holds at most `limit_bytes` of frames; those beyond it are counted and dropped, other events never."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._condition = threading.Condition()
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._awake = False
        self._overflowed: set[int] = set()
        self._dropped = 0

    def put(self, event: Event) -> None:
        """Add an event; returns at once."""
        with self._condition:
            if isinstance(event, Message):
                if self._bytes + len(event.payload) > self._limit:
                    self._drop(event.connection)
                    return
                self._bytes += len(event.payload)
            self._events.append(event)
            self._condition.notify()

    def wake(self) -> None:
        """Have `take` return at once, with whatever there is."""
        with self._condition:
            self._awake = True
            self._condition.notify()

    def take(self, timeout_seconds: float) -> list[Event]:
        """Return all events, oldest first, as soon as there is one; none after this many real seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._events or self._awake, timeout_seconds)
            events = list(self._events)
            self._events.clear()
            self._overflowed.clear()
            self._bytes, self._awake = 0, False
        return events

    def dropped(self) -> int:
        """Return how many frames found no room since this was last asked."""
        with self._condition:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def _drop(self, connection: int) -> None:
        self._dropped += 1
        if connection not in self._overflowed:
            self._overflowed.add(connection)
            self._events.append(Overflow(connection))
            self._condition.notify()
