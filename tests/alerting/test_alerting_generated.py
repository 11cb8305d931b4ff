"""What comes from the tables is what is committed, and Prometheus reads it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from g6.alerting import ALERT_GROUPS, ALERTS, RECORDING
from g6.alerting.generated import RECORDING_RULES, generated
from g6.alerting.rendering import G6_URL, GRAFANA_URL


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    return found


def test_nothing_would_be_generated_otherwise(project: Path) -> None:
    command = [sys.executable, str(project / "scripts" / "generate"), "--check"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_no_rule_file_is_left_of_a_group_that_is_gone(project: Path) -> None:
    files = {path.relative_to(project).as_posix() for path in (project / "alerts").glob("g6-*.yml")}
    assert files | {RECORDING_RULES} == {name for name in generated() if name.endswith(".yml") and "g6" in name}


def test_promtool_finds_nothing_wrong_with_the_rules(promtool: str, project: Path) -> None:
    files = [str(project / name) for name in generated() if name.startswith(("alerts/g6-", "prometheus/rules/"))]
    ran = subprocess.run(
        [promtool, "check", "rules", "--lint-fatal", *files], check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_promtool_finds_every_rule_by_way_of_the_configuration(promtool: str, project: Path) -> None:
    config = project / "prometheus" / "prometheus.yml"
    ran = subprocess.run([promtool, "check", "config", str(config)], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for group in ALERT_GROUPS:
        assert f"alerts/{group.name}.yml" in ran.stdout


def test_the_rule_files_say_what_the_table_says(project: Path) -> None:
    """Read back as YAML, each rule once."""
    rules = []
    for name in generated():
        if name.endswith(".yml") and ("rules/" in name or "alerts/g6-" in name):
            document = yaml.safe_load((project / name).read_text(encoding="utf-8"))
            rules += [rule for group in document["groups"] for rule in group["rules"]]
    alerts = {rule["alert"]: rule["labels"]["severity"] for rule in rules if "alert" in rule}
    assert alerts == {name: alert.severity for name, alert in ALERTS.items()}
    recorded = [rule["record"] for rule in rules if "record" in rule]
    assert recorded == [rule.name for group in RECORDING for rule in group.rules]
    assert not [rule for rule in rules if "$" in rule["expr"]], "a span of time without a number"


def test_each_group_has_a_name_of_its_own() -> None:
    names = [group.name for group in (*RECORDING, *ALERT_GROUPS)]
    assert len(set(names)) == len(names)


def test_links_lead_where_the_external_labels_of_prometheus_say(promtool: str, project: Path, tmp_path: Path) -> None:
    """Without them, to this machine: the stories have none."""
    labels = {"g6_url": "https://g6.example.com", "grafana_url": "https://grafana.example.com"}
    alert = ALERTS["G6Down"]
    annotations = {
        "summary": alert.summary, "description": alert.description.replace("{{ $labels.instance }}", "a"),
        "runbook_url": "https://g6.example.com/runbooks/G6Down",
        "dashboard_url": f"https://grafana.example.com/d/{alert.dashboard}",
    }  # fmt: skip
    told = {"exp_labels": {"severity": "critical", "job": "g6", "instance": "a"}, "exp_annotations": annotations}
    test = {
        "interval": "15s", "external_labels": labels,
        "input_series": [{"series": 'up{job="g6", instance="a"}', "values": "0x20"}],
        "alert_rule_test": [{"alertname": "G6Down", "eval_time": "3m", "exp_alerts": [told]}],
    }  # fmt: skip
    path = tmp_path / "test.yml"
    rules = [str(project / "alerts" / "g6-collection.yml")]
    path.write_text(yaml.safe_dump({"rule_files": rules, "evaluation_interval": "15s", "tests": [test]}), "utf-8")
    ran = subprocess.run([promtool, "test", "rules", str(path)], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", ["prometheus.yml", "compose.yml"])
def test_the_configuration_says_where_links_lead_and_keeps_that_from_the_labels_of_alerts(
    name: str, project: Path
) -> None:
    config = yaml.safe_load((project / "prometheus" / name).read_text("utf-8"))
    links = config["global"]["external_labels"]
    assert links == {"g6_url": G6_URL, "grafana_url": GRAFANA_URL}
    (drop,) = config["alerting"]["alert_relabel_configs"]
    assert drop["action"] == "labeldrop"
    assert all(re.fullmatch(drop["regex"], label) for label in links)
    assert not re.fullmatch(drop["regex"], "instance")
