"""A simulated Kite on a virtual clock that jumps, and the official client that talks to it over real sockets."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kite_clock import ist
from kiteconnect import KiteConnect

from g6.clock import VirtualClock
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.simulator.kite_server.faults import FaultPlan
from g6.simulator.kite_server.server import KiteServer
from g6.simulator.market import SimulatedMarket

SEED = 20260803


@dataclass
class Served:
    """A running server with what it was made of; `kite` is a client that is logged in."""

    server: KiteServer
    clock: VirtualClock
    market: SimulatedMarket
    events: list[str] = field(default_factory=list)

    def client(self, token: str | None = None, **options: Any) -> KiteConnect:
        token = self.server.issue_token() if token is None else token
        return KiteConnect("simulated", access_token=token, root=self.server.url, **options)

    def go_to(self, text: str) -> None:
        self.clock.pause((ist(text) - self.clock.now()).total_seconds())


Serve = Callable[..., Served]


@pytest.fixture(scope="session")
def calendar(project: Path) -> SessionCalendar:
    return SessionCalendar.load(project / "config" / "calendar.yaml")


@pytest.fixture(scope="session")
def market(project: Path, calendar: SessionCalendar) -> SimulatedMarket:
    return SimulatedMarket(SEED, load_indices(project / "config" / "indices.yaml"), calendar)


@pytest.fixture
def serve(market: SimulatedMarket) -> Iterator[Serve]:
    """Start servers: `serve("2026-11-20T10:00", faults=[{...}], **options of KiteServer)`."""
    with ExitStack() as stack:

        def start(
            at: str = "2026-11-20T10:00", *, faults: Sequence[dict[str, Any]] = (), speed: float = float("inf"),
            **options: Any,
        ) -> Served:  # fmt: skip
            clock, events = VirtualClock(ist(at), speed), []
            server = KiteServer(
                market, clock, faults=FaultPlan.parse({"faults": list(faults)}), on_event=events.append,
                **{"enforce_limits": False, **options},
            )  # fmt: skip
            return Served(stack.enter_context(server), clock, market, events)

        yield start
