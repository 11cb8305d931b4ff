"""The WebSocket as Kite serves it: who may connect, what ticks when, and every way in which it can fail."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime

from aiohttp import WSMsgType, web

from g6.clock import Clock
from g6.simulator.kite_server import replies
from g6.simulator.kite_server.connection import Connection
from g6.simulator.kite_server.faults import NO_FAULTS, Fault, FaultPlan
from g6.simulator.kite_server.sessions import Sessions
from g6.simulator.kite_server.tape import Tape

CONNECTIONS_PER_KEY = 3
INSTRUMENTS_PER_CONNECTION = 3000
LARGEST_MESSAGE_BYTES = 1 << 20
CLOSE_SECONDS = 1.0  # how long a client's answer to a closing frame is waited for


class StreamService:
    """Serves `GET /?api_key=…&access_token=…` upgrades; all calls belong to one event loop.

    A client that reads too slowly is cut off: no more than one message waits for it, and no longer than
    `stall_seconds` (real). Without `enforce_limits` connections and instruments are not counted.
    """

    def __init__(
        self,
        tape: Tape,
        sessions: Sessions,
        clock: Clock,
        faults: FaultPlan = NO_FAULTS,
        *,
        enforce_limits: bool = True,
        connections_per_key: int = CONNECTIONS_PER_KEY,
        instruments_per_connection: int = INSTRUMENTS_PER_CONNECTION,
        stall_seconds: float = 5.0,
    ) -> None:
        self._tape = tape
        self._sessions = sessions
        self._clock = clock
        self._faults = faults
        self._most_connections = connections_per_key if enforce_limits else None
        self._most_instruments = instruments_per_connection if enforce_limits else None
        self._stall_seconds = stall_seconds
        self._connections: set[Connection] = set()

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return len(self._connections)

    async def handle(self, request: web.Request, struck: Sequence[Fault] | None = None) -> web.StreamResponse:
        """Serve one connection until it ends, or refuse it as Kite does: with a status in place of the upgrade.

        `struck` are the faults of the upgrade where the caller has asked the plan for them already.
        """
        api_key, token = (request.query.get(name, "") for name in ("api_key", "access_token"))
        refused = self._refused(api_key, token, struck)
        if refused is not None:
            return refused
        socket = web.WebSocketResponse(
            timeout=CLOSE_SECONDS, autoping=False, compress=False, max_msg_size=LARGEST_MESSAGE_BYTES
        )
        if not socket.can_prepare(request).ok:
            return replies.error(400, "InputException", "A WebSocket upgrade is expected.")
        await socket.prepare(request)
        connection = self._connection(request, socket, api_key, token)
        self._connections.add(connection)
        try:
            await self._serve(connection)
        finally:
            self._connections.discard(connection)
        return socket

    async def close(self) -> None:
        """End every connection: the server goes down."""
        await asyncio.gather(*(connection.end() for connection in self._connections))

    def _refused(self, api_key: str, token: str, struck: Sequence[Fault] | None) -> web.Response | None:
        at = self._clock.now()
        for fault in self._faults.active("connect", at) if struck is None else struck:
            if fault.do == "refuse":
                return replies.error(fault.options["status"], message="Refused.")
        # Unlike in the HTTP API, an unknown key and a dead token look the same here.
        refusal = self._sessions.refusal(api_key, token, at)
        if refusal is not None:
            return replies.error(403, "TokenException", refusal.message)
        refusal = self._sessions.market_data_refusal(api_key, "connect", at)
        if refusal is not None:
            return replies.error(refusal.status, refusal.error_type, refusal.message)
        if self._most_connections is not None and self._of_key(api_key) >= self._most_connections:
            return replies.error(429, "NetworkException", "Too many connections.")
        return None

    def _of_key(self, api_key: str) -> int:
        return sum(connection.api_key == api_key for connection in self._connections)

    def _connection(self, request: web.Request, socket: web.WebSocketResponse, api_key: str, token: str) -> Connection:
        def may_stay(at: datetime) -> bool:
            return self._sessions.valid(api_key, token, at)

        return Connection(
            socket, request.transport, self._tape, self._clock, self._faults,
            api_key=api_key, may_stay=may_stay, instruments=self._most_instruments, stall_seconds=self._stall_seconds,
        )  # fmt: skip

    async def _serve(self, connection: Connection) -> None:
        sender = asyncio.create_task(connection.send_until_closed())
        try:
            async for message in connection.socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    connection.hear(message.data)
                elif message.type is WSMsgType.PING:
                    connection.owe_pong(message.data)
        finally:
            if connection.ender is not sender:  # who is closing is let finish
                sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender
