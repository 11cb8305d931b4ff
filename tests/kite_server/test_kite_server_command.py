"""`g6 simulate`, as a person starts and ends it."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from kiteconnect import KiteConnect

from g6.cli.simulate import main
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError

START = "import sys; from g6.cli import simulate; from g6.cli.surroundings import Surroundings; "
START += "sys.exit(simulate.main(sys.argv[1:], Surroundings.of_process()))"
DEADLINE_SECONDS = 60

Simulate = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def simulate(tmp_path: Path) -> Iterator[Simulate]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", START, "--port", "0", *arguments]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={}
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def lines_until(process: subprocess.Popen[str], pattern: str) -> list[str]:
    """What it prints up to a line like this; a deadline ends the process and with it the reading."""
    watchdog = threading.Timer(DEADLINE_SECONDS, process.kill)
    watchdog.start()
    seen: list[str] = []
    for line in process.stdout:
        seen.append(line.rstrip("\n"))
        if re.search(pattern, line):
            break
    watchdog.cancel()
    assert seen, process.stderr.read()
    assert re.search(pattern, seen[-1]), seen
    return seen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_how_it_is_used_and_ends_cleanly(simulate, number):
    process = simulate("--at", "2026-11-20T10:00+05:30", "--seed", "7", "--speed", "2")
    said = lines_until(process, "g6 --provider kite")
    text = "\n".join(said)
    url = re.search(r"http://127\.0\.0\.1:\d+", text).group()
    assert f"g6 login --root {url}" in text
    assert url.replace("http", "ws") in text
    assert "simulated-secret" in text
    assert "seed 7, Fri 20 Nov 2026 10:00:0" in text
    assert "2 times as fast" in text
    assert requests.get(f"{url}/simulator/clock", timeout=5).json()["speed"] == 2
    process.send_signal(number)
    rest, errors = process.communicate(timeout=DEADLINE_SECONDS)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_it_tells_of_logins_and_of_faults_as_they_happen(simulate, tmp_path):
    plan = 'faults: [{name: the token dies, do: kill_token, from: "10:01:40", until: "10:01:50"}]'
    (tmp_path / "faults.yaml").write_text(plan, "utf-8")
    process = simulate("--at", "2026-11-20T10:00+05:30", "--speed", "20", "--faults", "faults.yaml", "--auto-login")
    text = "\n".join(lines_until(process, "g6 --provider kite"))
    assert "the token dies (kill_token)" in text
    url = re.search(r"http://127\.0\.0\.1:\d+", text).group()
    answer = requests.get(f"{url}/connect/login?api_key=simulated&v=3", allow_redirects=False, timeout=5)
    kite = KiteConnect("simulated", root=url)
    session = kite.generate_session(
        re.search(r"request_token=([^&]+)", answer.headers["Location"])[1], "simulated-secret"
    )
    told = "\n".join(lines_until(process, "fault ends: the token dies"))
    assert "login: simulated" in told
    assert "token of simulated died: the token dies" in told
    assert session["access_token"] not in told


def test_a_port_that_is_taken_is_told_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}: cannot serve here: .*in use") as refused:
            main(["--port", str(port), "--at", "2026-11-20T10:00+05:30"], Surroundings({}, tmp_path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "65536"], "is not a port from 0 to 65535"),
        (["--speed", "max"], "a server's clock runs by itself"),
        (["--at", "yesterday"], "yesterday"),
        (["--at", "1990-01-01T10:00+05:30"], "outside the session calendar"),
        (["--faults", "none.yaml"], "none.yaml: cannot be read"),
        (["--redirect-url", "here"], "is not a URL"),
        (["--sed", "3"], "the nearest is --seed"),
        (["--host", "203.0.113.1"], "cannot serve here"),
    ],
)
def test_a_mistake_is_told_before_anything_is_served(tmp_path, arguments, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        main(arguments, Surroundings({}, tmp_path))


def test_only_what_simulates_loads_the_server():
    code = "import sys, g6.cli, g6.cli.simulate, g6.unified_main; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
