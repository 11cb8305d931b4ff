"""The stack of one machine and of containers: it comes up, all find each other, and it goes when it is told to."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from real_alertmanager import BINARY, free_port

SECONDS = 90.0


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


@pytest.mark.long
@pytest.mark.skipif(BINARY is None or shutil.which("prometheus") is None, reason="the servers are not installed")
def test_the_stack_comes_up_tells_a_test_alert_and_leaves_nothing_running(project: Path, tmp_path: Path) -> None:
    names = ("G6_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT")
    ports = {name: str(free_port()) for name in names}
    _, prometheus, alertmanager = (f"http://127.0.0.1:{port}" for port in ports.values())
    stack = subprocess.Popen(
        [str(project / "scripts" / "stack"), "--indices", "NIFTY"],
        env=os.environ | ports | {"STACK_DIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert stack.stdout is not None
        assert any("Ctrl-C" in line for line in stack.stdout)
        below = psutil.Process(stack.pid).children(recursive=True)
        give_up = time.monotonic() + SECONDS
        while {target["health"] for target in asked(f"{prometheus}/api/v1/targets")["data"]["activeTargets"]} != {"up"}:
            assert time.monotonic() < give_up
            time.sleep(0.5)
        rules = asked(f"{prometheus}/api/v1/rules")["data"]["groups"]
        assert {"g6-collection", "g6-objectives"} <= {group["name"] for group in rules}
        told: set[str] = set()
        while "G6Watchdog" not in told:  # evaluated by one, told to the other
            assert time.monotonic() < give_up
            told = {alert["labels"]["alertname"] for alert in asked(f"{alertmanager}/api/v2/alerts")}
            time.sleep(0.5)
    finally:
        os.kill(stack.pid, signal.SIGINT)
        assert stack.wait(60) == 0
    assert len(below) >= 3
    assert not [process for process in below if process.is_running()]


def test_the_containers_scrape_and_tell_as_one_machine_does(project: Path) -> None:
    own = (project / "prometheus" / "prometheus.yml").read_text()
    containers = (project / "prometheus" / "compose.yml").read_text()
    # Where somebody scrapes is named in quotes; where links lead is the same from outside of the containers.
    renamed = own.replace('"127.0.0.1:9093"', '"alertmanager:9093"').replace('"127.0.0.1:9108"', '"g6:9108"')
    assert yaml.safe_load(containers) == yaml.safe_load(renamed)


def test_every_port_of_the_containers_is_this_machines_alone_and_every_image_is_pinned(project: Path) -> None:
    services = yaml.safe_load((project / "compose.yaml").read_text())["services"]
    assert set(services) == {"g6", "prometheus", "alertmanager", "grafana", "influxdb"}
    assert all(port.startswith("127.0.0.1:") for one in services.values() for port in one["ports"])
    images = [one["image"] for name, one in services.items() if name != "g6"]
    assert all(image.rsplit(":")[-1].removeprefix("v")[0].isdigit() for image in images)
    assert all("mem_limit" in one for one in services.values())


def test_what_the_containers_mount_is_there(project: Path) -> None:
    services = yaml.safe_load((project / "compose.yaml").read_text())["services"]
    mounted = {
        volume.split(":")[0] for one in services.values() for volume in one["volumes"] if volume.startswith("./")
    }
    assert all((project / path).is_dir() for path in mounted)
    boards = project / "grafana" / "dashboards"
    assert (
        boards / services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].split("/")[-1]
    ).is_file()


def test_grafana_is_told_where_its_sources_are_by_variables_that_it_has(project: Path) -> None:
    services = yaml.safe_load((project / "compose.yaml").read_text())["services"]
    provisioning = project / "grafana" / "provisioning"
    sources = yaml.safe_load((provisioning / "datasources" / "g6.yaml").read_text())["datasources"]
    said = [source["url"] for source in sources] + [sources[2]["jsonData"]["organization"]]
    assert {name.removeprefix("$") for name in said} <= set(services["grafana"]["environment"])
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "g6.yaml").read_text())["providers"]
    assert any(volume.split(":")[1] == provider["options"]["path"] for volume in services["grafana"]["volumes"])
