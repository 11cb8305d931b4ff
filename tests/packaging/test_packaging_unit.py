"""The unit file is one that systemd takes, and its numbers fit the agent's."""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from itertools import accumulate
from pathlib import Path

import pytest

from g6.cli import EXIT_CODES
from g6.errors import AuthError, ConfigError, DataDirectoryBusy, G6Error
from g6.unified_main import FAILED

SECONDS = {"s": 1, "min": 60, "": 1}
# Older systemd does not know these and goes on without; the file says so.
NEWER = {"RestartSteps", "RestartMaxDelaySec"}


@pytest.fixture
def unit_file(project: Path, tmp_path: Path) -> Path:
    """The unit with a command that exists on this machine."""
    text = (project / "scripts" / "systemd" / "g6.service").read_text()
    assert text.count("ExecStart=/opt/g6/.venv/bin/g6 run\n") == 1
    copy = tmp_path / "g6.service"
    copy.write_text(text.replace("/opt/g6/.venv/bin/g6", sys.executable))
    return copy


@pytest.fixture
def unit(unit_file: Path) -> dict[str, dict[str, list[str]]]:
    """Section → key → its values; a key may stand more than once."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in unit_file.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found[section][key].append(value)
    return found


def seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)(s|min|)", text)
    assert match, text
    return float(match[1]) * SECONDS[match[2]]


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([tool, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_systemd_finds_nothing_wrong_with_the_unit(unit_file: Path) -> None:
    done = analyze("verify", "--man=no", str(unit_file))
    complaints = [line for line in done.stderr.splitlines() if not any(f"Unknown key '{key}'" in line for key in NEWER)
                  and not any(f"Unknown key name '{key}'" in line for key in NEWER)]  # fmt: skip
    assert (done.returncode, complaints) == (0, [])


def test_systemd_finds_a_mistake_in_a_unit_that_has_one(unit_file: Path) -> None:
    unit_file.write_text(unit_file.read_text().replace("WatchdogSec=3min", "WatchdogSec=soon"))
    assert "Failed to parse sec value" in analyze("verify", "--man=no", str(unit_file)).stderr


def test_systemd_calls_the_exposure_low(unit_file: Path) -> None:
    done = analyze("security", "--offline=true", "--threshold=20", str(unit_file))
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_agent_is_watched_by_what_it_says(unit: dict) -> None:
    service = unit["Service"]
    assert service["Type"] == ["notify"]
    # Two minutes may be lost before it is taken for dead; a third is not.
    assert 2 * 60 < seconds(service["WatchdogSec"][0]) <= 3 * 60
    assert seconds(service["TimeoutStartSec"][0]) > 2 * 60
    assert seconds(service["TimeoutStopSec"][0]) > 60


def test_only_what_a_person_must_mend_is_not_started_again(unit: dict) -> None:
    service, codes = unit["Service"], dict(EXIT_CODES)
    assert service["Restart"] == ["on-failure"]
    final = {int(code) for code in service["RestartPreventExitStatus"][0].split()}
    assert final == {codes[ConfigError], codes[AuthError]}
    assert not final & {codes[DataDirectoryBusy], codes[G6Error], FAILED, 0}


def test_growing_pauses_never_use_up_the_starts_while_even_ones_do(unit: dict) -> None:
    burst, window = int(unit["Unit"]["StartLimitBurst"][0]), seconds(unit["Unit"]["StartLimitIntervalSec"][0])
    first, last = seconds(unit["Service"]["RestartSec"][0]), seconds(unit["Service"]["RestartMaxDelaySec"][0])
    steps = int(unit["Service"]["RestartSteps"][0])
    # systemd.service(5): the pause grows from the one to the other, by equal factors, in so many steps.
    growing = [first * (last / first) ** (min(n, steps) / steps) for n in range(100)]

    def most_starts(pauses: list[float]) -> int:
        starts = [0.0, *accumulate(pauses)]
        return max(sum(start <= other < start + window for other in starts) for start in starts)

    assert most_starts(growing) <= burst
    assert most_starts([first] * 100) > burst


def test_nothing_can_be_written_but_the_state_directory(unit: dict) -> None:
    service = unit["Service"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["StateDirectory"] == ["g6"]
    assert service["StateDirectoryMode"] == ["0700"]
    assert service["WorkingDirectory"] == ["/var/lib/g6"]
    assert "ReadWritePaths" not in service
    assert service["CapabilityBoundingSet"] == [""]


def test_memory_and_its_pressure_can_be_read(unit: dict) -> None:
    assert "ProcSubset" not in unit["Service"]


def test_no_secret_is_in_the_unit_and_none_is_in_a_variable(unit: dict) -> None:
    assert unit["Service"]["LoadCredential"] == ["kite_api_key", "kite_api_secret"]
    environment = " ".join(unit["Service"]["Environment"])
    assert not re.search(r"KITE|TOKEN|SECRET|PASSWORD", environment)
