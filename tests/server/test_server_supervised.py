"""A server that falls or hangs comes back on its port."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
import pytest
from supervisor_by_hand import PATIENCE_SECONDS, SupervisorByHand, until

from g6.server import EmbeddedServer


class Blocking:
    """An application of which one page blocks the whole event loop, as a defect would."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.entered, self.release = threading.Event(), threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/block":
            self.entered.set()
            self.release.wait()
        await self.app(scope, receive, send)


@pytest.fixture
def supervisor() -> SupervisorByHand:
    return SupervisorByHand()


@pytest.fixture
def app(agent: Any) -> Iterator[Blocking]:
    made = Blocking(agent.app)
    yield made
    made.release.set()


@pytest.fixture
def server(app: Blocking, supervisor: SupervisorByHand) -> Iterator[EmbeddedServer]:
    made = EmbeddedServer(app, port=0, supervisor=supervisor)
    made.start()
    yield made
    app.release.set()
    made.stop()


def alive(server: EmbeddedServer) -> int:
    return httpx.get(f"{server.url}/healthz", timeout=PATIENCE_SECONDS).status_code


def another_than(fallen: Any, server: EmbeddedServer, supervisor: SupervisorByHand) -> bool:
    supervisor.look()
    return server._server is not fallen


def test_a_server_whose_thread_ends_comes_back_on_the_same_port(
    server: EmbeddedServer, supervisor: SupervisorByHand
) -> None:
    port = server.port
    for _ in range(2):
        fallen = server._server
        fallen.should_exit = True
        until(partial(another_than, fallen, server, supervisor))
        assert alive(server) == 200
    assert server.port == port
    (report,) = supervisor.reports()
    assert (report.restarts, report.reason) == (2, "it ended by itself")


def test_a_server_whose_event_loop_hangs_is_replaced_and_answers_again(
    server: EmbeddedServer, supervisor: SupervisorByHand, app: Blocking
) -> None:
    with ThreadPoolExecutor(1) as clients, suppress(httpx.HTTPError):
        stuck = clients.submit(httpx.get, f"{server.url}/block", timeout=PATIENCE_SECONDS)
        assert app.entered.wait(PATIENCE_SECONDS)
        supervisor.pass_seconds(32)
        assert "no sign of life" in supervisor.reports()[0].reason
        assert alive(server) == 200
        app.release.set()
        stuck.result()
    assert alive(server) == 200


def test_a_server_that_was_stopped_does_not_come_back(server: EmbeddedServer, supervisor: SupervisorByHand) -> None:
    server.stop()
    supervisor.pass_seconds(10)
    assert not server.alive
    with pytest.raises(httpx.ConnectError):
        alive(server)
