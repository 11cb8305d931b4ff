"""Clients that are silent, slow, greedy or talk nonsense, and the scrape that must be answered meanwhile."""

import itertools
import select
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from g6.model.snapshot import Snapshot
from g6.server import EmbeddedServer

Dial = Callable[[EmbeddedServer], socket.socket]
Serve = Callable[..., EmbeddedServer]

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: g6\r\n\r\n"
OK = b"HTTP/1.1 200 OK"
# How long a test waits for what must happen; it never waits this long when all is well.
PATIENCE_SECONDS = 20


def scrape(server: EmbeddedServer) -> int:
    return httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS).status_code


def ask(connection: socket.socket) -> bytes:
    """Send one request and read the whole answer to it; return its first line."""
    connection.sendall(REQUEST)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += received(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
    while len(body) < length:
        body += received(connection)
    return head.split(b"\r\n")[0]


def received(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    assert piece, "the server closed the connection"
    return piece


def closed_by_server(connection: socket.socket) -> bool:
    """Read to the end; the socket's own time-out is what fails the test."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


def until(true: Callable[[], bool]) -> bool:
    tick = threading.Event()
    return any(true() or tick.wait(0.02) for _ in range(int(PATIENCE_SECONDS / 0.02)))


def client_hello() -> bytes:
    """The first bytes that a TLS client sends."""
    outgoing = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="g6.invalid")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def test_more_silent_clients_than_connections_are_allowed_do_not_stop_a_scrape(
    agent: Any, serve: Serve, dial: Dial
) -> None:
    server = serve(agent.app, connections=8)
    silent = [dial(server) for _ in range(30)]
    assert scrape(server) == 200
    assert all(closed_by_server(connection) for connection in silent[:20])
    assert server.connections <= 8


def test_a_connection_in_use_is_not_the_one_that_makes_room(agent: Any, serve: Serve, dial: Dial) -> None:
    server = serve(agent.app, connections=4)
    with httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as scraper:
        for _ in range(3):
            assert scraper.get("/metrics").status_code == 200
            for _ in range(2):
                dial(server)
        assert scraper.get("/metrics").status_code == 200
        assert ask(dial(server)) == OK


def test_a_silent_tls_client_neither_blocks_a_scrape_nor_stays(agent: Any, serve: Serve, dial: Dial) -> None:
    server = serve(agent.app, exchange_seconds=0.5)
    hello = client_hello()
    mute, begun, said = dial(server), dial(server), dial(server)
    begun.sendall(hello[:7])
    said.sendall(hello)
    assert scrape(server) == 200
    assert all(closed_by_server(connection) for connection in (mute, begun, said))
    assert scrape(server) == 200


def test_a_request_that_never_ends_is_cut_off_however_lively_it_is(agent: Any, serve: Serve, dial: Dial) -> None:
    server = serve(agent.app, exchange_seconds=0.5)
    slow = dial(server)
    slow.sendall(b"GET /metrics HTTP/1.1\r\n")
    tick = threading.Event()
    for number in itertools.count():
        assert number < PATIENCE_SECONDS / 0.05
        readable, _, _ = select.select([slow], [], [], 0)
        if readable:
            break
        slow.send(b"X-%d: y\r\n" % (number % 10))
        tick.wait(0.05)
    assert closed_by_server(slow)
    assert scrape(server) == 200


def test_a_client_that_does_not_read_is_cut_off_and_holds_no_page_in_memory(
    agent: Any, serve: Serve, dial: Dial, snapshot: Callable[[int], Snapshot]
) -> None:
    agent.options.render(snapshot(8000))
    assert len(agent.options.current.plain) > 10_000_000, "larger than what the kernel buffers on loopback"
    server = serve(agent.app, exchange_seconds=0.5)
    greedy = [dial(server) for _ in range(4)]
    for connection in greedy:
        connection.sendall(b"GET /metrics/options HTTP/1.1\r\nHost: g6\r\n\r\n")
    assert scrape(server) == 200
    assert until(lambda: server.connections == 0)
    for connection in greedy:
        received = 0
        try:
            while piece := connection.recv(1 << 20):
                received += len(piece)
        except ConnectionError:
            pass
        assert received < len(agent.options.current.plain)


def test_an_idle_connection_is_kept_for_the_next_scrape_and_not_for_ever(agent: Any, serve: Serve, dial: Dial) -> None:
    server = serve(agent.app, keep_alive_seconds=1)
    kept = dial(server)
    for _ in range(2):
        assert ask(kept) == OK
    assert closed_by_server(kept)


def test_an_idle_connection_outlives_the_deadline_of_an_exchange(agent: Any, serve: Serve, dial: Dial) -> None:
    server = serve(agent.app, exchange_seconds=0.3)
    kept, late = dial(server), dial(server)
    assert ask(kept) == OK
    assert closed_by_server(late), "opened after the first was served, and silent for the whole deadline"
    assert ask(kept) == OK


def test_pipelined_requests_are_all_answered(agent: Any, serve: Serve, dial: Dial) -> None:
    connection = dial(serve(agent.app))
    connection.sendall(REQUEST * 2 + REQUEST.replace(b"Host", b"Connection: close\r\nHost"))
    answers = b""
    while piece := connection.recv(65536):
        answers += piece
    assert answers.count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize(
    "nonsense",
    [b"\x00" * 200 + b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\xff\xfe\r\n\r\n",
     b"GET /metrics HTTP/1.1\r\nHost: g6\r\nX: " + b"y" * 100_000],
    ids=["zeros", "no path", "no host", "not ASCII", "endless header"],
)  # fmt: skip
def test_nonsense_is_refused_and_costs_nobody_else_anything(
    agent: Any, serve: Serve, dial: Dial, nonsense: bytes
) -> None:
    server = serve(agent.app)
    connection = dial(server)
    connection.sendall(nonsense)
    try:
        answer = connection.recv(65536)
    except ConnectionError:
        answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert scrape(server) == 200


def test_a_client_that_leaves_in_the_middle_leaves_no_trace(
    agent: Any, serve: Serve, dial: Dial, snapshot: Callable[[int], Snapshot], caplog: pytest.LogCaptureFixture
) -> None:
    agent.options.render(snapshot(4000))
    server = serve(agent.app)
    for _ in range(5):
        connection = dial(server)
        connection.sendall(b"GET /metrics/options HTTP/1.1\r\nHost: g6\r\n\r\n")
        connection.recv(1000)
        connection.close()
    assert until(lambda: server.connections == 0)
    assert scrape(server) == 200
    assert caplog.records == []


def test_an_upgrade_to_a_websocket_is_not_taken_up(agent: Any, serve: Serve) -> None:
    headers = {
        "connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "eA==",
    }  # fmt: skip
    assert httpx.get(f"{serve(agent.app).url}/healthz", headers=headers).status_code == 200
