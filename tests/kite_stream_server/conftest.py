"""A tape of the project's own market, and a stream service on real sockets in the test's own loop."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestServer
from kiteconnect import KiteTicker

from g6.clock import IST, VirtualClock
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.model.contracts import ContractTable
from g6.simulator.kite_server.faults import FaultPlan
from g6.simulator.kite_server.sessions import App, Sessions
from g6.simulator.kite_server.stream import StreamService
from g6.simulator.kite_server.tape import Tape
from g6.simulator.market import SimulatedMarket

SEED = 20260803
MORNING = datetime(2026, 11, 20, 11, 23, 45, tzinfo=IST)
KEY = "simulated"
APPS = (App(),)
ANSWER_SECONDS = 20.0  # the longest that a test waits for a message

Tick = Mapping[str, object]


@pytest.fixture(scope="session")
def market(project: Path) -> SimulatedMarket:
    indices = load_indices(project / "config" / "indices.yaml")
    return SimulatedMarket(SEED, indices, SessionCalendar.load(project / "config" / "calendar.yaml"))


@pytest.fixture(scope="session")
def tape(market: SimulatedMarket) -> Tape:
    return Tape(market)


@pytest.fixture(scope="session")
def table(tape: Tape) -> ContractTable:
    return tape.contracts(MORNING.date())


@pytest.fixture(scope="session")
def parse() -> Callable[[bytes], list[Tick]]:
    """The official client's parser."""
    return KiteTicker(KEY, "token")._parse_binary


@dataclass
class Stand:
    """A service with its clock and sessions, and what a test does with them."""

    tape: Tape
    clock: VirtualClock
    sessions: Sessions
    service: StreamService
    url: str = ""
    token: str = ""
    http: ClientSession | None = None
    parse: Callable[[bytes], list[Tick]] = field(default=lambda _: [])

    @property
    def at(self) -> datetime:
        return self.clock.now()

    async def connect(self, token: str | None = None, key: str = KEY) -> ClientWebSocketResponse:
        query = f"api_key={key}&access_token={self.token if token is None else token}"
        return await self.http.ws_connect(f"{self.url}/?{query}", autoping=False, max_msg_size=0)

    async def subscribed(self, tokens, mode: str | None = None) -> ClientWebSocketResponse:
        """A connection that has asked for these tokens."""
        socket = await self.connect()
        await socket.send_json({"a": "subscribe", "v": [int(token) for token in tokens]})
        if mode is not None:
            await socket.send_json({"a": "mode", "v": [mode, [int(token) for token in tokens]]})
        return socket

    async def binary(self, socket: ClientWebSocketResponse) -> bytes:
        """The next message that is no heartbeat and no text."""
        while True:
            message = await socket.receive(timeout=ANSWER_SECONDS)
            assert message.type in {WSMsgType.BINARY, WSMsgType.TEXT}, message
            if message.type is WSMsgType.BINARY and len(message.data) > 1:
                return message.data

    async def ticks(self, socket: ClientWebSocketResponse) -> dict[int, Tick]:
        return {tick["instrument_token"]: tick for tick in self.parse(await self.binary(socket))}

    async def full_ticks(self, socket: ClientWebSocketResponse, count: int) -> dict[int, Tick]:
        """Full ticks of so many instruments, whatever came before."""
        found = {}
        while len(found) < count:
            found |= {token: t for token, t in (await self.ticks(socket)).items() if t["mode"] == "full"}
        return found

    async def heartbeat(self, socket: ClientWebSocketResponse) -> None:
        """Wait for one; any other binary message fails the test."""
        while (message := await socket.receive(timeout=ANSWER_SECONDS)).type is WSMsgType.TEXT:
            pass
        assert message.type is WSMsgType.BINARY
        assert message.data == b"\x00"

    async def text(self, socket: ClientWebSocketResponse, kind: str | None = None) -> str:
        """The next text, or the next one that says `"type": kind`."""
        while True:
            message = await socket.receive(timeout=ANSWER_SECONDS)
            assert message.type in {WSMsgType.BINARY, WSMsgType.TEXT}, message
            if message.type is WSMsgType.TEXT and (kind is None or f'"type":"{kind}"' in message.data):
                return message.data

    async def closed(self, socket: ClientWebSocketResponse) -> int | None:
        """Read to the end; return the closing code."""
        while (await socket.receive(timeout=ANSWER_SECONDS)).type in {WSMsgType.BINARY, WSMsgType.TEXT}:
            pass
        return socket.close_code


@pytest.fixture
def stream(tape: Tape, parse) -> Callable[..., None]:
    """Run a scenario against a service: `stream(scenario, faults=[…], clock=…)`."""

    def run(scenario: Callable[[Stand], Awaitable[None]], *, faults=(), clock=None, apps=APPS, **options) -> None:
        asyncio.run(_play(scenario, tape, parse, faults, clock, apps, options))

    return run


async def _play(scenario, tape, parse, faults, clock, apps, options) -> None:
    async with standing(tape, parse, faults, clock, apps, options) as stand:
        await scenario(stand)


@asynccontextmanager
async def standing(tape, parse, faults=(), clock=None, apps=APPS, options=None):
    clock = clock or VirtualClock(MORNING, np.inf)
    plan = FaultPlan.parse({"faults": list(faults)})
    sessions = Sessions(apps, plan)
    service = StreamService(tape, sessions, clock, plan, **(options or {}))
    application = web.Application()
    application.router.add_get("/", service.handle)
    server = TestServer(application)
    await server.start_server()
    token = sessions.issue(apps[0].api_key, clock.now())
    async with ClientSession() as http:
        url = f"ws://127.0.0.1:{server.port}"
        yield Stand(tape, clock, sessions, service, url, token, http, parse)
        await service.close()
    await server.close()
