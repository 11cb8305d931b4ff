"""Connections that are allowed only so much time and number: a silent client must not cost a scrape."""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What clients may hold. An idle connection outlives a scrape interval, so that Prometheus re-uses its own."""

    connections: int = 64
    exchange_seconds: float = 20.0  # from the first byte, or the connection, until the whole answer is taken
    keep_alive_seconds: int = 75
    head_bytes: int = 16 * 1024  # of a request's line and headers


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with a deadline per exchange and a place for every new client.

    uvicorn waits without end for a first request, for the rest of one, and for a client that does not read, and
    counts such connections against its limit until it refuses everyone. Here each exchange has a deadline, and where
    the number is reached, the connection that has been idle longest makes room.
    """

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._quiet_since = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn itself
        """Make room if there is none, and start the deadline."""
        if len(self.connections) >= self.limits.connections:
            self._make_room()
        super().connection_made(transport)
        self._start_deadline()

    def data_received(self, data: bytes) -> None:
        """Start the deadline with the first byte of a request."""
        if self._deadline is None:
            self._start_deadline()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """End the deadline, unless the connection is closing: then it bounds how long the client may take to read."""
        self._quiet_since = self.loop.time()
        if not self.transport.is_closing():
            self._end_deadline()
        super().on_response_complete()
        if self.in_exchange and self._deadline is None:  # a pipelined request was waiting
            self._start_deadline()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, and abort it if the client has not read all by the deadline."""
        super().timeout_keep_alive_handler()
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the deadline."""
        self._end_deadline()
        super().connection_lost(exc)

    @property
    def in_exchange(self) -> bool:
        """Return whether a request is being answered."""
        # uvicorn declares `cycle` as always set, and sets it with the first request.
        return bool(self.cycle) and not self.cycle.response_complete

    def _make_room(self) -> None:
        idle = [c for c in self.connections if isinstance(c, BoundedProtocol) and not c.in_exchange]
        if idle:
            longest = min(idle, key=lambda connection: connection._quiet_since)  # noqa: SLF001 - of its own kind
            self.connections.discard(longest)
            longest.transport.abort()

    def _start_deadline(self) -> None:
        self._end_deadline()
        self._deadline = self.loop.call_later(self.limits.exchange_seconds, self.transport.abort)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def protocol_with(limits: ConnectionLimits) -> type[BoundedProtocol]:
    """Return the protocol with these limits; uvicorn makes one instance per connection and passes none of ours."""
    return type("LimitedProtocol", (BoundedProtocol,), {"limits": limits})
