"""Alerts fired by the faults that they are for, before a real Prometheus and a real Alertmanager."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from g6.alerting import ALERT_GROUPS, ALERTS
from g6.drill.drill import drill
from g6.drill.faults import FAULTS

PROC = Path("/proc")
needs_servers = pytest.mark.skipif(
    not (shutil.which("prometheus") and (shutil.which("prometheus-alertmanager") or shutil.which("alertmanager"))),
    reason="prometheus or alertmanager is not installed",
)
# A quarter of the alerts, of every file of the table and every way of making a fault; the long run drills all.
QUARTER = (
    "G6Down", "G6CollectionStalled", "G6CyclesFailing", "G6ProviderSilent", "G6BreakerOpen", "G6IndexMissing",
    "G6TokenDead", "G6LoginNeeded", "G6DiskFull", "G6DiskLow", "G6JournalNotCommitting", "G6SpotStale",
    "G6PartFailed", "G6CheckBroken", "G6AtmIvZScore", "G6Watchdog",
)  # fmt: skip


def drilled_here(names):
    """The alerts whose fault this machine can have."""
    return [name for name in names if (fault := FAULTS.get(ALERTS[name].fault)) and not fault.missing]


def proven_or_said(courses):
    return {course.alert: course.verdict for course in courses if not course.is_whole}


def test_the_quarter_is_of_every_file_of_the_table():
    assert all({rule.name for rule in group.rules} & {*QUARTER} for group in ALERT_GROUPS)
    assert 4 * len(QUARTER) >= len(ALERTS)


@needs_servers
def test_a_quarter_of_the_alerts_fire_are_told_of_and_end(tmp_path):
    names = drilled_here(QUARTER)
    assert proven_or_said(drill(names, 30, 6, lambda _: None, tmp_path / "drill")) == {}


@needs_servers
@pytest.mark.long
def test_every_alert_fires_is_told_of_and_ends(tmp_path):
    names = drilled_here(ALERTS)
    assert proven_or_said(drill(names, 30, 6, lambda _: None, tmp_path / "drill")) == {}


@needs_servers
@pytest.mark.skipif(not PROC.is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    "how",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
        signal.SIGKILL,
    ],
)
def test_nothing_is_left_running_when_a_drill_is_ended(how, tmp_path):
    folder = tmp_path / "drill"
    command = [sys.executable, "-m", "g6.cli", "drill", "G6Down", "--keep", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "agent runs" in line:
            break
    assert running(folder)
    process.send_signal(how)
    process.stderr.close()
    assert process.wait(30) != 0
    give_up = time.monotonic() + 10
    while running(folder) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert not running(folder)


def running(folder):
    """The processes that have this folder in their command."""
    found = []
    for process in PROC.glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(str(folder).encode() in word for word in words) and b"drill" not in words:
            found.append(words)
    return found
