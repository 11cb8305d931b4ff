"""A server on a free port, over parts that a test fills."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import httpx
import numpy as np
import pytest
from starlette.types import ASGIApp

from g6.clock import IST, SystemClock
from g6.health import Health
from g6.metrics.exposition import Exposition
from g6.metrics.instruments import Instruments, Known
from g6.metrics.observe import Observer
from g6.metrics.options_page import OptionsPage
from g6.model.chain import OptionChain
from g6.model.report import CycleReport, ExpiryReport, IndexReport, JournalReport
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot
from g6.server import EmbeddedServer, PublishedState, create_app
from g6.server.connections import ConnectionLimits

MINUTE = datetime(2026, 11, 20, 10, 0, tzinfo=IST)


@dataclass
class Agent:
    """What the loop holds, without the loop."""

    instruments: Instruments
    observer: Observer
    options: OptionsPage
    health: Health
    state: PublishedState

    @property
    def app(self) -> ASGIApp:
        return create_app(Exposition(self.instruments), self.options, self.health, self.state)

    def tell(self, report: CycleReport) -> None:
        self.observer.cycle(report)
        self.health.cycle(report)
        self.state.publish(report)


@pytest.fixture
def agent() -> Agent:
    instruments = Instruments(Known(codes={"NIFTY": ("this_week",)}, sinks=("csv",)))
    observer = Observer(instruments, version="1.2.3")
    return Agent(instruments, observer, OptionsPage(instruments), Health(SystemClock(), 60.0), PublishedState())


@pytest.fixture
def serve() -> Iterator[Callable[..., EmbeddedServer]]:
    """Start servers that end with the test."""
    started: list[EmbeddedServer] = []

    def start(app: ASGIApp, **limits: float) -> EmbeddedServer:
        server = EmbeddedServer(app, port=0, limits=ConnectionLimits(**limits))  # type: ignore[arg-type]
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def client(agent: Agent, serve: Callable[..., EmbeddedServer]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serve(agent.app).url, timeout=20) as client:
        yield client


@pytest.fixture
def dial() -> Iterator[Callable[[EmbeddedServer], socket.socket]]:
    """Open raw connections that end with the test."""
    opened: list[socket.socket] = []

    def connect(server: EmbeddedServer) -> socket.socket:
        connection = socket.create_connection((server.host, server.port), timeout=20)
        opened.append(connection)
        return connection

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def report() -> Callable[..., CycleReport]:
    def make(**changes: object) -> CycleReport:
        expiry = ExpiryReport(
            "NIFTY", date(2026, 11, 24), ("this_week",), 25010.25, "parity", 25000.0, 42, 40, {}, {},
            {"pcr_oi": 0.87, "max_pain": 24950.0, "atm_iv": 0.1234, "straddle": 251.5},
        )  # fmt: skip
        refusal = Refusal("NIFTY", "2026-12-29", ("next_month",), "coverage", "3 of 42 legs <answered>")
        nifty = IndexReport("NIFTY", 25001.0, False, ("this_week", "next_month"), 84, 43, (expiry,), (refusal,))
        values: dict[str, object] = {
            "minute": MINUTE, "provider": "simulated", "seconds": 0.41, "stages": {}, "indices": (nifty,),
            "journal": JournalReport("2026-11-20.sqlite", 5000),
        }  # fmt: skip
        return CycleReport(**(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def snapshot() -> Callable[[int], Snapshot]:
    def make(strikes: int) -> Snapshot:
        n, rng = 2 * strikes, np.random.default_rng(7)
        names = ("last", "bid", "ask", "iv", "delta", "gamma", "theta", "vega", "oi", "volume")
        chain = OptionChain(
            index="NIFTY", expiry=date(2026, 11, 24), codes=("this_week",), at=MINUTE,
            expires_at=MINUTE + timedelta(days=4), spot=25001.0, spot_frozen=False, expected=n, lot=75,
            strike=np.repeat(10000.0 + 50 * np.arange(strikes), 2), is_call=np.arange(n) % 2 == 0, answered=np.ones(n),
            **{name: rng.random(n) for name in names},  # type: ignore[arg-type]
        )  # fmt: skip
        index = IndexSnapshot("NIFTY", 25001.0, False, ("this_week",), (chain,))
        return Snapshot(MINUTE, "simulated", (index,))

    return make
