"""Who is told of what, when: the shipped configuration as Alertmanager's own tool reads it."""

import re
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from g6.alerting import ALERTS
from g6.alerting.inhibition import inhibit_rules

CONFIG = Path(__file__).resolve().parents[2] / "alerts" / "alertmanager.yml"
DOCUMENT: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
MONDAY = datetime(2026, 11, 23, tzinfo=ZoneInfo("Asia/Kolkata"))
RECEIVERS = {"critical": "critical", "warning": "warning", "info": "info", "none": "dead man"}


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which("amtool")
    if found is None:
        pytest.skip("amtool is not installed")
    return subprocess.run([found, *arguments], capture_output=True, text=True, check=False, timeout=60)


def filled_in() -> str:
    """The file as somebody leaves it who removes the # of every line that is ready."""
    return re.sub(r"^( *)#(?=[a-z_]+: )", r"\1", CONFIG.read_text(encoding="utf-8"), flags=re.MULTILINE)


def route_of(name: str) -> dict[str, Any]:
    """The first route below the top that takes an alert."""
    labels = {"alertname": name, "severity": ALERTS[name].severity}
    return next(route for route in DOCUMENT["route"]["routes"] if all(_fits(m, labels) for m in route["matchers"]))


def _fits(matcher: str, labels: dict[str, str]) -> bool:
    label, sign, wanted = re.fullmatch(r'(\w+)(=~|=)"(.*)"', matcher).groups()  # type: ignore[union-attr]
    return bool(re.fullmatch(wanted, labels[label])) if sign == "=~" else labels[label] == wanted


def is_told(name: str, at: datetime) -> bool:
    """By the intervals of the alert's route, with the instant in their own time zone."""
    intervals = {one["name"]: one["time_intervals"] for one in DOCUMENT["time_intervals"]}
    active = route_of(name).get("active_time_intervals")
    return active is None or any(_within(one, at) for each in active for one in intervals[each])


def _within(interval: dict[str, Any], at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(interval["location"]))
    assert interval["weekdays"] == ["monday:friday"]
    times = [(one["start_time"], one["end_time"]) for one in interval["times"]]
    return local.weekday() < 5 and any(start <= f"{local:%H:%M}" < end for start, end in times)


def test_alertmanager_takes_the_file_as_it_ships() -> None:
    done = amtool("check-config", str(CONFIG))
    assert done.returncode == 0, done.stderr


def test_alertmanager_takes_the_file_with_every_line_filled_in(tmp_path: Path) -> None:
    shutil.copy(CONFIG.parent / "g6.tmpl", tmp_path)
    (tmp_path / "alertmanager.yml").write_text(filled_in())
    done = amtool("check-config", str(tmp_path / "alertmanager.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
    receivers = yaml.safe_load(filled_in())["receivers"]
    ways = {r["name"]: set(r) - {"name"} for r in receivers}
    assert ways.pop("dead man") == {"webhook_configs"}
    assert set(map(frozenset, ways.values())) == {frozenset({"email_configs", "slack_configs", "webhook_configs"})}


def test_no_secret_stands_in_the_file() -> None:
    keys = set(re.findall(r"(\w*(?:password|api_url|credentials|token|secret)\w*):", filled_in()))
    assert keys
    assert all(key.endswith("_file") for key in keys)


@pytest.mark.parametrize("severity", RECEIVERS)
def test_each_severity_reaches_its_receiver(severity: str) -> None:
    names = [name for name, alert in ALERTS.items() if alert.severity == severity]
    reached = set()
    for name in names if severity in {"critical", "none"} else names[:3]:
        done = amtool(
            "config", "routes", "test", f"--config.file={CONFIG}", f"alertname={name}", f"severity={severity}"
        )
        reached.add(done.stdout.strip())
    assert reached == {RECEIVERS[severity]}


def test_critical_is_told_at_any_hour_and_again_each_hour() -> None:
    for name, alert in ALERTS.items():
        if alert.severity == "critical":
            assert route_of(name)["repeat_interval"] == "1h"
            assert is_told(name, MONDAY.replace(hour=3))
            assert is_told(name, MONDAY - timedelta(days=1))


def test_the_watchdog_calls_every_minute_at_any_hour() -> None:
    route = route_of("G6Watchdog")
    assert (route["group_wait"], route["group_interval"], route["repeat_interval"]) == ("0s", "1m", "1m")
    assert is_told("G6Watchdog", MONDAY.replace(hour=3))


@pytest.mark.parametrize(
    ("name", "hour", "minute", "told"),
    [
        ("G6PcrExtreme", 10, 0, True),
        ("G6PcrExtreme", 8, 30, False),
        ("G6SpotStale", 15, 20, True),
        ("G6SpotStale", 18, 0, False),
        ("G6LoginNeeded", 8, 0, True),
        ("G6LoginNeeded", 6, 30, False),
        ("G6TokenExpiring", 8, 0, True),
        ("G6TokenExpiring", 5, 30, False),
        ("G6LegsStale", 8, 0, False),
        ("G6DiskLow", 3, 0, True),
        ("G6VerificationLow", 18, 0, True),
    ],
)
def test_what_only_matters_in_session_is_told_in_it(name: str, hour: int, minute: int, *, told: bool) -> None:
    assert is_told(name, MONDAY.replace(hour=hour, minute=minute)) is told


def test_nothing_that_waits_for_a_session_is_told_on_a_sunday_but_storage_is() -> None:
    sunday = (MONDAY - timedelta(days=1)).replace(hour=11)
    assert not any(is_told(name, sunday) for name, alert in ALERTS.items() if alert.severity == "info")
    assert is_told("G6SinkFailing", sunday)


def test_every_alert_that_a_route_names_exists() -> None:
    named = re.findall(r"alertname=~\"G6\(([^)]*)\)", str([route["matchers"] for route in DOCUMENT["route"]["routes"]]))
    assert named
    assert {f"G6{name}" for text in named for name in text.split("|")} <= set(ALERTS)


def test_the_rules_between_the_marks_are_those_of_the_table() -> None:
    generated = inhibit_rules(ALERTS.values())
    assert DOCUMENT["inhibit_rules"][-len(generated) :] == generated


def test_what_a_person_filled_in_survives_regeneration(tmp_path: Path, project: Path) -> None:
    copy = tmp_path / "project"
    for name in ("alerts", "g6/health", "g6/metrics", "prometheus", "scripts"):
        shutil.copytree(project / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    shutil.copytree(project / "grafana", copy / "grafana", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / ".venv" / "bin").mkdir(parents=True)
    path = copy / "alerts" / "alertmanager.yml"
    own = filled_in().replace("you@example.com", "me@example.org")
    path.write_text(own.replace("G6Down", "G6Downstairs"))
    command = [str(project / ".venv" / "bin" / "python"), str(copy / "scripts" / "generate")]
    subprocess.run(command, check=True, capture_output=True, cwd=copy, timeout=60)
    kept, expected = path.read_text(), own
    assert kept.partition("# inhibit rules: begin")[2] == expected.partition("# inhibit rules: begin")[2]
    assert "me@example.org" in kept
