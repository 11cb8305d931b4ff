"""Asking an agent how it is: from itself, from what it left, and never mistaking another for it."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from g6.clock import SystemClock
from g6.health import ExporterReading, Health, Readers
from g6.health.document import About
from g6.health.state_file import StateFile
from g6.metrics.exposition import Exposition
from g6.server import EmbeddedServer, asking, create_app
from g6.server.asking import address_of, ask

BORN = datetime.fromtimestamp(psutil.Process().create_time(), UTC)


def health_of(folder: Path, url: str = "", **about: Any) -> Health:
    told = {"version": "1.2.3", "pid": os.getpid(), "started_at": BORN, "data_directory": str(folder)} | about
    return Health(SystemClock(), 60.0, about=About(**told), readers=Readers(exporter=lambda: ExporterReading(url)))


@pytest.fixture
def running(agent: Any, serve: Callable[..., EmbeddedServer]) -> Callable[[Path], str]:
    """Serve an agent that records into a folder; return its address."""

    def start(folder: Path) -> str:
        return serve(create_app(Exposition(agent.instruments), agent.options, health_of(folder), agent.state)).url

    return start


@pytest.fixture
def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def stranger() -> Iterator[str]:
    """A server that is no g6."""

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>a wiki</html>")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_running_agent_speaks_for_itself(running: Callable[[Path], str], tmp_path: Path) -> None:
    seen = ask([running(tmp_path)], tmp_path)
    assert (seen.source, seen.running, seen.note) == ("agent", True, "")
    assert seen.document is not None
    assert seen.document.agent.version == "1.2.3"


def test_one_that_took_another_port_is_found_by_its_state_file(
    running: Callable[[Path], str], tmp_path: Path, free_address: str
) -> None:
    url = running(tmp_path)
    health = health_of(tmp_path, url)
    health.look()
    StateFile(tmp_path).write(health.document())
    assert ask([free_address], tmp_path).source == "agent"


def test_the_agent_of_another_folder_is_only_the_second_choice(running: Callable[[Path], str], tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    url = running(there)
    loose, strict = ask([url], here), ask([url], here, strict=True)
    assert loose.document is not None
    assert loose.document.agent.data_directory == str(there)
    assert (strict.source, strict.overall) == ("nothing", "down")
    assert f"the g6 at {url} records into {there}" in strict.note
    own = running(here)
    seen = ask([url, own], here)
    assert seen.document is not None
    assert seen.document.agent.data_directory == str(here)


def test_where_nothing_ever_ran_that_is_what_is_said(tmp_path: Path, free_address: str) -> None:
    seen = ask([free_address], tmp_path)
    assert (seen.document, seen.running, seen.overall) == (None, False, "down")
    assert f"nothing listens at {free_address}" in seen.note


def test_a_stranger_is_not_taken_for_an_agent(stranger: str, tmp_path: Path) -> None:
    seen = ask([stranger], tmp_path)
    assert not seen.running
    assert f"what answers at {stranger} is no g6" in seen.note


def test_one_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        seen = ask([f"http://127.0.0.1:{mute.getsockname()[1]}"], tmp_path)
    assert "timed out" in seen.note


def test_an_agent_that_stopped_said_so(tmp_path: Path) -> None:
    health = health_of(tmp_path, "http://127.0.0.1:1")
    health.ending("SIGTERM")
    StateFile(tmp_path).write(health.last_words())
    seen = ask([], tmp_path)
    assert (seen.source, seen.running, seen.overall) == ("file", False, "down")
    assert seen.note.startswith("not running: stopped ")
    assert seen.note.endswith(" ago; SIGTERM")


@pytest.mark.parametrize(
    "about",
    [{"pid": 2**22 + 1}, {"started_at": BORN - timedelta(days=1)}, {"host": "elsewhere"}],
    ids=["no such process", "its number is another's now", "another machine"],
)
def test_an_agent_that_vanished_is_told_with_when_it_was_last_heard(tmp_path: Path, about: dict[str, Any]) -> None:
    StateFile(tmp_path).write(health_of(tmp_path, "http://127.0.0.1:1", **about).document())
    seen = ask([], tmp_path)
    assert (seen.running, seen.overall) == (False, "down")
    assert "it ended without a word; last heard " in seen.note


def test_a_process_that_lives_and_does_not_answer_is_not_healthy(tmp_path: Path, free_address: str) -> None:
    health = health_of(tmp_path, free_address, host=socket.gethostname())
    health.look()
    StateFile(tmp_path).write(health.document())
    seen = ask([free_address], tmp_path)
    assert (seen.running, seen.source, seen.overall) == (True, "file", "degraded")
    assert f"process {os.getpid()} runs and does not answer" in seen.note


def test_without_its_server_the_file_is_as_good(tmp_path: Path) -> None:
    StateFile(tmp_path).write(health_of(tmp_path).document())
    seen = ask([], tmp_path)
    assert (seen.running, seen.source, seen.note, seen.overall) == (True, "file", "", "healthy")


def test_a_state_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text("{")
    assert f"{tmp_path / 'status.json'}: it is no status document" in ask([], tmp_path).note


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1", "gopher://x", "nonsense"])
def test_a_state_file_leads_to_nothing_but_http(tmp_path: Path, url: str) -> None:
    health = health_of(tmp_path, url)
    health.look()
    StateFile(tmp_path).write(health.document())
    assert "only http is spoken" in ask([], tmp_path).note


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:9108"), ("0.0.0.0", "http://127.0.0.1:9108"), ("::", "http://[::1]:9108"),
        ("localhost", "http://localhost:9108"),
    ],
)  # fmt: skip
def test_an_address_that_is_listened_on_everywhere_is_asked_here(host: str, address: str) -> None:
    assert address_of(host, 9108) == address
