"""The tables of the drill and of the alerts are one."""

import inspect
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from g6.alerting import ALERTS
from g6.drill.bends import BENDS
from g6.drill.drill import by_fault, chosen
from g6.drill.faults import FAULTS
from g6.drill.servers import rules_at
from g6.errors import ConfigError
from g6.simulator.kite_server.faults import FaultPlan


def test_every_alert_has_a_fault_that_a_drill_can_bring_about():
    assert {alert.fault for alert in ALERTS.values()} <= FAULTS.keys()


def test_every_fault_is_the_fault_of_an_alert():
    assert set(FAULTS) <= {alert.fault for alert in ALERTS.values()}


def test_every_bend_of_the_agent_is_used_by_a_fault_and_every_fault_has_its_bend():
    assert {fault.bend for fault in FAULTS.values()} - {""} == set(BENDS)


def test_entries_of_fault_plans_are_ones_that_the_simulated_broker_understands():
    for name, fault in FAULTS.items():
        entries = inspect.getclosurevars(fault.inject).nonlocals.get("entries", ())
        FaultPlan.parse({"faults": [{"name": name, **entry} for entry in entries]})


@pytest.mark.parametrize("speed", [1, 30, 120, 1200])
def test_prometheus_accepts_the_rules_at_any_speed(speed: float, tmp_path: Path):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    for name, text in rules_at(speed).items():
        (tmp_path / name).write_text(text, "utf-8")
        done = subprocess.run(
            [promtool, "check", "rules", tmp_path / name], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def test_a_date_is_as_far_away_at_any_speed():
    name = "G6TokenExpiring"
    hour = f"< {ALERTS[name].seconds['expiring_seconds']:g}"
    assert hour not in _expression(name, rules_at(30)["alerts.yml"])
    assert hour in _expression(name, rules_at(30, [name])["alerts.yml"])


def _expression(name: str, rules: str) -> str:
    groups = yaml.safe_load(rules)["groups"]
    return next(rule["expr"] for group in groups for rule in group["rules"] if rule.get("alert") == name)


def test_alerts_are_chosen_by_the_beginning_of_their_names():
    assert chosen(["G6Down"]) == ("G6Down",)
    assert chosen(["down"]) == ("G6Down",)
    assert chosen(["token"]) == ("G6TokenDead", "G6TokenExpiring")
    assert chosen(["memoryh", "G6Memory"]) == ("G6MemoryHigh", "G6MemoryCritical", "G6MemoryFlapping")
    assert chosen([]) == tuple(ALERTS)


def test_a_name_of_no_alert_is_refused():
    with pytest.raises(ConfigError, match="nonsense"):
        chosen(["nonsense"])


def test_alerts_of_one_fault_are_drilled_together():
    groups = by_fault(ALERTS)
    assert sorted(name for names in groups.values() for name in names) == sorted(ALERTS)
    assert set(groups["disk_full"]) == {"G6DiskFull", "G6DiskLow"}
