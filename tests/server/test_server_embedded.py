"""The server as a part of the agent: its port, its start and its end."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from g6.errors import ConfigError
from g6.server import EmbeddedServer


def test_a_free_port_is_known_before_the_start_and_answers_right_after_it(agent: Any) -> None:
    server = EmbeddedServer(agent.app, port=0)
    assert server.port > 0
    server.start()
    try:
        assert httpx.get(f"{server.url}/healthz").status_code == 200
    finally:
        server.stop()


def test_a_taken_port_is_refused_in_one_line_before_anything_starts(agent: Any) -> None:
    holder = EmbeddedServer(agent.app, port=0)
    try:
        with pytest.raises(ConfigError) as caught:
            EmbeddedServer(agent.app, port=holder.port)
    finally:
        holder.stop()
    expected = f"port {holder.port} on 127.0.0.1 is taken; choose another with --port, or 0 for any free one"
    assert str(caught.value) == expected


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_an_address_that_others_can_reach_is_refused_unless_it_is_meant(agent: Any, host: str) -> None:
    with pytest.raises(ConfigError, match="can be reached from other machines"):
        EmbeddedServer(agent.app, host=host, port=0)


def test_an_address_that_others_can_reach_is_served_where_it_is_meant(agent: Any) -> None:
    server = EmbeddedServer(agent.app, host="0.0.0.0", port=0, allow_remote=True)
    server.start()
    try:
        assert httpx.get(f"http://127.0.0.1:{server.port}/healthz").status_code == 200
    finally:
        server.stop()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2"])
def test_loopback_is_loopback_by_any_name(agent: Any, host: str) -> None:
    EmbeddedServer(agent.app, host=host, port=0).stop()


def test_the_sixth_version_of_loopback_is_served_and_written_in_brackets(agent: Any) -> None:
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):  # noqa: PTH110 - a kernel's word, not a file
        pytest.skip("this machine has no IPv6")
    server = EmbeddedServer(agent.app, host="::1", port=0)
    server.start()
    try:
        assert server.url == f"http://[::1]:{server.port}"
        assert httpx.get(f"{server.url}/healthz").status_code == 200
    finally:
        server.stop()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 300, "203.0.113.9"])
def test_an_address_that_is_not_this_machines_is_refused(agent: Any, host: str) -> None:
    with pytest.raises(ConfigError, match="cannot listen on"):
        EmbeddedServer(agent.app, host=host, port=0, allow_remote=True)


def test_a_stopped_server_gives_its_port_back_and_its_thread_ends(agent: Any) -> None:
    server = EmbeddedServer(agent.app, port=0)
    server.start()
    with httpx.Client(base_url=server.url) as client:  # holds an idle connection over the stop
        client.get("/metrics")
        server.stop()
    assert "http_server" not in {thread.name for thread in threading.enumerate()}
    again = EmbeddedServer(agent.app, port=server.port)
    again.stop()
    server.stop()


def test_silent_and_half_spoken_clients_do_not_hold_up_the_stop(
    agent: Any, dial: Callable[[EmbeddedServer], socket.socket]
) -> None:
    server = EmbeddedServer(agent.app, port=0)
    server.start()
    silent, half = dial(server), dial(server)
    half.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    server.stop()
    assert "http_server" not in {thread.name for thread in threading.enumerate()}
    assert silent.recv(1) == b""


def test_signals_stay_with_the_agent(agent: Any, serve: Callable[..., EmbeddedServer]) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    serve(agent.app)
    assert {number: signal.getsignal(number) for number in before} == before


def test_nothing_is_printed_and_good_requests_are_not_logged(
    agent: Any, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        server = EmbeddedServer(agent.app, port=0)
        server.start()
        httpx.get(f"{server.url}/metrics")
        server.stop()
    assert capfd.readouterr() == ("", "")
    assert [record.name for record in caplog.records if record.name.startswith("uvicorn")] == []
