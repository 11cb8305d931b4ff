"""One open WebSocket: what it is sent, by one task and one message at a time, and how a fault plan bends it."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta

import orjson
from aiohttp import web

from g6.clock import Clock
from g6.market.sessions import OutsideCalendar
from g6.simulator.kite_server.faults import Fault, FaultPlan
from g6.simulator.kite_server.feed import Feed
from g6.simulator.kite_server.noise import NOT_JSON, garbage
from g6.simulator.kite_server.packets import HEARTBEAT
from g6.simulator.kite_server.subscriptions import Subscriptions
from g6.simulator.kite_server.tape import Tape

HEARTBEAT_SECONDS = 1.0  # real
TICK_INTERVAL = timedelta(seconds=1)  # of the clock, between two ticks of an instrument
SHORTEST_ROUND_SECONDS = 0.05  # real
WORK_SHARE = 3.0  # the pause between two rounds is at least so many times as long as the work in one
MOST_TEXTS = 100  # waiting to be sent
GOING_AWAY, POLICY_VIOLATION, INTERNAL_ERROR = 1001, 1008, 1011
UNSENDABLE_CODES = frozenset({1005, 1006, 1015})  # what a client sees when nothing was said: RFC 6455, 7.4.1


class Connection:
    """Sends until the socket closes; what the client says is heard at once and answered in the next round.

    `may_stay` tells whether the token still lives at an instant. `instruments` None: as many as the client likes.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.BaseTransport | None,
        tape: Tape,
        clock: Clock,
        faults: FaultPlan,
        *,
        api_key: str,
        may_stay: Callable[[datetime], bool],
        instruments: int | None,
        stall_seconds: float,
    ) -> None:
        self.socket = socket
        self.api_key = api_key
        self.ender: asyncio.Task[None] | None = None  # who closes it, where it is not the client
        self._transport = transport
        self._clock = clock
        self._faults = faults
        self._may_stay = may_stay
        self._stall_seconds = stall_seconds
        self._subscriptions = Subscriptions(instruments)
        self._feed = Feed(tape, self._subscriptions)
        listed = len(tape.contracts(clock.now().date()))
        self._texts = deque([orjson.dumps({"type": "instruments_meta", "data": {"count": listed}}).decode()])
        self._pong: bytes | None = None
        self._heard = asyncio.Event()
        self._silent = False  # half open: nothing more is sent or answered
        self._struck: set[tuple[int, datetime]] = set()
        self._ticked: datetime | None = None
        self._sent_at = time.monotonic()  # the last binary message

    def hear(self, text: str | bytes) -> None:
        """Follow a message of the client's; what is wrong with it is owed as a text."""
        wrong = self._subscriptions.obey(text)
        if wrong is not None and len(self._texts) < MOST_TEXTS:
            self._texts.append(_error(wrong))
        self._heard.set()

    def owe_pong(self, payload: bytes) -> None:
        """Answer a ping in the next round; unasked, none is ever sent."""
        self._pong = payload
        self._heard.set()

    async def end(self, code: int = GOING_AWAY) -> None:
        """Close: with a closing frame, where the client may still hear it."""
        self.ender = asyncio.current_task()
        if self._silent or code in UNSENDABLE_CODES:
            self._abort()
            return
        try:
            async with asyncio.timeout(self._stall_seconds):
                await self.socket.close(code=code)
        except TimeoutError:
            self._abort()

    async def send_until_closed(self) -> None:
        """Send what is due, round after round, until either side closes."""
        try:
            while not self.socket.closed and self.ender is None:
                began = time.monotonic()
                self._heard.clear()
                await self._round()
                await self._rest(time.monotonic() - began)
        except ConnectionError:
            self._abort()
        except OutsideCalendar:  # the clock ran past the last day that the market knows
            await self.end(INTERNAL_ERROR)

    async def _round(self) -> None:
        at = self._clock.now()
        faults = self._faults.standing("stream", at)
        self._silent = self._silent or any(fault.do == "half_open" for fault in faults)
        if self._silent:
            return
        if not self._may_stay(at):
            await self.end(POLICY_VIOLATION)
            return
        for fault in faults:
            await self._suffer(fault, at)
        if self.ender is None:
            await self._answer()
            await self._tick(at, faults)
            if time.monotonic() - self._sent_at >= HEARTBEAT_SECONDS:
                await self._send_bytes(HEARTBEAT)

    async def _rest(self, worked_seconds: float) -> None:
        """Wait for the next tick's turn; what the client says shortens that to the shortest pause."""
        shortest = max(SHORTEST_ROUND_SECONDS, WORK_SHARE * worked_seconds)
        await asyncio.sleep(shortest)
        longest = min(TICK_INTERVAL.total_seconds() / self._clock.speed, HEARTBEAT_SECONDS)
        try:
            async with asyncio.timeout(max(0.0, longest - shortest - worked_seconds)):
                await self._heard.wait()
        except TimeoutError:
            return

    async def _suffer(self, fault: Fault, at: datetime) -> None:
        """Let a fault that happens, rather than lasts, happen once in each of its windows."""
        begun = fault.window.begun(at)
        if fault.do not in {"drop", "text_error"} or begun is None or (id(fault), begun) in self._struck:
            return
        self._struck.add((id(fault), begun))
        if fault.times is not None and not any(fault is struck for struck in self._faults.active("stream", at)):
            return
        if fault.do == "drop":
            await self.end(fault.options["code"])
        else:
            self._texts.append(_error(fault.options["message"]))

    async def _answer(self) -> None:
        if self._pong is not None:
            payload, self._pong = self._pong, None
            await self._within_limit(self.socket.pong(payload))
        while self._texts:
            await self._within_limit(self.socket.send_str(self._texts.popleft()))

    async def _tick(self, at: datetime, faults: Sequence[Fault]) -> None:
        """Send the cached ticks that are owed, and when a second of the clock has passed all that changed."""
        await self._send_bytes(self._feed.cached(at, faults))
        due = self._ticked is None or at - self._ticked >= TICK_INTERVAL
        if due:
            self._ticked = at
            await self._disturb(at, faults)
        if due or self._subscriptions.remoded:
            await self._send_bytes(self._feed.changes(at, faults, only_remoded=not due))

    async def _disturb(self, at: datetime, faults: Sequence[Fault]) -> None:
        kinds = {fault.do for fault in faults}
        if "text_noise" in kinds:
            await self._within_limit(self.socket.send_str(NOT_JSON))
        if "garbage" in kinds:
            await self._send_bytes(garbage(int(at.timestamp())))

    async def _send_bytes(self, message: bytes | None) -> None:
        if message is not None and not self.socket.closed:
            await self._within_limit(self.socket.send_bytes(message))
            self._sent_at = time.monotonic()

    async def _within_limit(self, sending: Coroutine[None, None, None]) -> None:
        """Wait until the message is on its way. Raises ConnectionError when the client does not take it in time."""
        try:
            async with asyncio.timeout(self._stall_seconds):
                await sending
        except TimeoutError:
            raise ConnectionAbortedError("the client reads too slowly") from None

    def _abort(self) -> None:
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()


def _error(message: str) -> str:
    return orjson.dumps({"type": "error", "data": message}).decode()
