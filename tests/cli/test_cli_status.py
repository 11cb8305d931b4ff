"""`g6 status` as a person and as a script use it: what is printed, and the exit code."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from g6 import cli
from g6.clock import SystemClock
from g6.health import Health
from g6.health.document import About
from g6.health.state_file import StateFile
from g6.model.pressure_report import PressureReport
from g6.model.report import CycleReport, JournalReport, SinkReport


@pytest.fixture
def free_port() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]  # taken and silent: no other agent of this machine is asked


@pytest.fixture
def arguments(tmp_path: Path, free_port: int) -> list[str]:
    return ["--data-dir", str(tmp_path), "--port", str(free_port)]


def health_of(folder: Path) -> Health:
    born = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    return Health(SystemClock(), 60.0, ("csv",), about=About("9.9", os.getpid(), born, str(folder)))


def failing(report_error: str) -> CycleReport:
    sinks = (SinkReport("csv", error="disk full", lag_cycles=1),)
    return CycleReport(SystemClock().now(), "simulated", 0.1, {}, (), JournalReport("x", 1), sinks, error=report_error)


def test_a_healthy_agent_is_code_0(tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    StateFile(tmp_path).write(health_of(tmp_path).document())
    assert cli.main(["status", *arguments]) == 0
    assert capsys.readouterr().out.startswith("status     G6 9.9 is healthy\n")


def test_a_degraded_one_is_code_1_and_names_what_to_do(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    health = health_of(tmp_path)
    health.pressure(PressureReport(1, 7 * 10**8, 10**9, "setting", ("options_page",)))
    StateFile(tmp_path).write(health.document())
    assert cli.main(["status", *arguments]) == 1
    told = capsys.readouterr().out
    assert "memory_high" in told
    assert "elevated: 700.0 MB of 1.0 GB (70%, setting); left out: options page" in told
    assert re.search(r"^  next +give g6 more memory", told, re.MULTILINE)


def test_a_failing_one_is_code_2(tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    health = health_of(tmp_path)
    health.cycle(failing("the broker is gone"))
    StateFile(tmp_path).write(health.document())
    assert cli.main(["status", *arguments]) == 2
    assert "the broker is gone" in capsys.readouterr().out


def test_one_that_is_not_running_is_code_2_however_well_it_was(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    health = health_of(tmp_path)
    health.ending("SIGTERM")
    StateFile(tmp_path).write(health.last_words())
    assert cli.main(["status", *arguments]) == 2
    out = capsys.readouterr().out
    assert re.search(r"^status +G6 9\.9 is not running; it was healthy$", out, re.MULTILINE)
    assert re.search(r"^note +not running: stopped .* ago; SIGTERM$", out, re.MULTILINE)


def test_json_is_one_object_with_the_document_in_it(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["status", "--json", *arguments]) == 2
    assert json.loads(capsys.readouterr().out)["document"] is None
    StateFile(tmp_path).write(health_of(tmp_path).document())
    assert cli.main(["status", "--json", *arguments]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["running"], told["source"]) == ("healthy", True, "file")
    assert told["document"]["agent"]["version"] == "9.9"


def test_watching_ends_with_ctrl_c_and_the_code_of_what_was_seen_last(tmp_path: Path, arguments: list[str]) -> None:
    import signal

    StateFile(tmp_path).write(health_of(tmp_path).document())
    watch = subprocess.Popen(
        [sys.executable, "-m", "g6.cli", "status", "--json", "--watch", "0.1", *arguments],
        stdout=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert watch.stdout is not None
    lines = [json.loads(watch.stdout.readline())["status"] for _ in range(3)]
    StateFile(tmp_path).write(health_of(tmp_path).last_words())
    while json.loads(watch.stdout.readline())["running"]:
        pass
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=30)
    assert lines == ["healthy"] * 3
    assert watch.returncode == 2


@pytest.mark.parametrize("seconds", ["0", "x", "-1", "nan", "1e9"])
def test_a_watch_of_no_time_is_refused(seconds: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", f"--watch={seconds}", *arguments]) == 2
    assert "is not a number of seconds from 0.1 to 86400" in capsys.readouterr().err
