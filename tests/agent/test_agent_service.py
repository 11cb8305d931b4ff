"""What a service manager hears from the agent: sd_notify(3), on a socket that a manager would have bound."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_process import command, environment

ONE = ("--indices", "NIFTY", "--port", "0", "--at", "2026-11-20T10:00+05:30", "--data-dir", "data")


class Manager:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(60)

    def hear(self, wanted: str) -> list[str]:
        """Return all that is said until something begins with what is wanted."""
        heard: list[str] = []
        while not any(line.startswith(wanted) for line in heard):
            heard += self.socket.recv(65536).decode().split("\n")
        return heard


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    yield made
    made.socket.close()


def test_it_is_ready_with_its_first_minute_fed_by_each_and_stopping_when_told(manager: Manager, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(*ONE, "--speed", "60"), cwd=tmp_path, env=environment(NOTIFY_SOCKET=str(manager.path)),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        heard = manager.hear("READY=1")
        assert "WATCHDOG=1" in heard
        assert any(line.startswith("STATUS=10:00 ok: NIFTY") for line in heard)
        more = manager.hear("STATUS=10:02")
        assert more.count("READY=1") == 0
        assert more.count("WATCHDOG=1") >= 2
        process.send_signal(signal.SIGTERM)
        assert "STOPPING=1" in manager.hear("STOPPING=1")
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


def test_an_agent_that_waits_for_the_market_is_ready_and_says_what_it_waits_for(
    manager: Manager, tmp_path: Path
) -> None:
    night = ("--indices", "NIFTY", "--port", "0", "--at", "2026-11-20T03:00+05:30", "--data-dir", "data")
    process = subprocess.Popen(
        command(*night, "--speed", "1"), cwd=tmp_path,
        env=environment(NOTIFY_SOCKET=str(manager.path), WATCHDOG_USEC="1500000"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        heard = manager.hear("READY=1")
        assert any(line.startswith("STATUS=closed; the next minute is Fri 20 Nov 2026 09:15") for line in heard)
        heard = [line for _ in range(3) for line in manager.hear("WATCHDOG=1")]
        assert heard.count("WATCHDOG=1") >= 3, "it is fed while it sleeps"
    finally:
        process.kill()
        process.wait()
