"""A Prometheus and an Alertmanager of one's own, fed with the rules of the table at the drill's speed."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from g6.alerting import ALERT_GROUPS, RECORDING, Alert, Group, Recording
from g6.alerting.rendering import rules_yaml
from g6.drill.processes import LOOPBACK, Process, answers, find_program, free_port, with_us
from g6.errors import ConfigError

SCRAPE_SECONDS, OPTIONS_SCRAPE_SECONDS, LOOKBACK_SECONDS = 15.0, 60.0, 300.0
# However fast the drill: two looks are no closer together than this.
SHORTEST_SCRAPE_SECONDS = 0.25


def scrape_seconds(speed: float) -> float:
    """Return the seconds from one scrape to the next at a speed; rules are evaluated as often."""
    return max(SHORTEST_SCRAPE_SECONDS, SCRAPE_SECONDS / speed)


def rules_at(speed: float, by_the_calendar: Collection[str] = ()) -> Mapping[str, str]:
    """Return the rule files of a drill, name → content, in the order in which they stand in the configuration.

    What alerts in `by_the_calendar` compare with, in seconds, is not shortened: no speed moves a date.
    """
    files = {"recording.yml": RECORDING, "alerts.yml": ALERT_GROUPS}
    return {name: rules_yaml(_at(group, speed, by_the_calendar) for group in groups) for name, groups in files.items()}


def _at(group: Group, speed: float, by_the_calendar: Collection[str]) -> Group:
    def faster(rule: Alert | Recording) -> Alert | Recording:
        quick = rule.at_speed(speed)
        if isinstance(quick, Alert) and isinstance(rule, Alert) and rule.name in by_the_calendar:
            return replace(quick, seconds=rule.seconds)
        return quick

    return Group(group.name, _milliseconds(scrape_seconds(speed)), tuple(map(faster, group.rules)))


class Prometheus:
    """Scrapes one agent, evaluates the rules and tells an Alertmanager. Its alerts carry the label `drill`."""

    def __init__(
        self, folder: Path, drill: str, speed: float, agent: str, alertmanager: str, by_the_calendar: Collection[str]
    ) -> None:
        self.address = f"{LOOPBACK}:{free_port()}"
        self.url = f"http://{self.address}"
        every = scrape_seconds(speed)
        for name, rules in rules_at(speed, by_the_calendar).items():
            (folder / name).write_text(rules, "utf-8")
        config = folder / "prometheus.yml"
        config.write_text(yaml.safe_dump(_scraping(drill, every, speed, agent, alertmanager)), "utf-8")
        argv = [
            required("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={self.address}",
            f"--query.lookback-delta={_milliseconds(max(4 * every, LOOKBACK_SECONDS / speed))}",
            "--rules.alert.resend-delay=1s", "--log.level=warn",
        ]  # fmt: skip
        self._process = Process("prometheus", with_us(argv), folder)

    def start(self) -> None:
        """Start it; return when it answers."""
        self._process.start()
        self._process.wait_until(lambda: answers(f"{self.url}/-/ready"))

    def stop(self) -> None:
        """End it, with all that it stored."""
        self._process.kill()


class Alertmanager:
    """Tells a webhook of every alert, each by itself and at once."""

    def __init__(self, folder: Path, webhook: str) -> None:
        self.address = f"{LOOPBACK}:{free_port()}"
        self.url = f"http://{self.address}"
        config = folder / "alertmanager.yml"
        config.write_text(yaml.safe_dump(_routing(webhook)), "utf-8")
        argv = [
            required("prometheus-alertmanager", "alertmanager"), f"--config.file={config}",
            f"--storage.path={folder / 'alertmanager'}", f"--web.listen-address={self.address}",
            "--cluster.listen-address=", "--log.level=warn",
        ]  # fmt: skip
        self._process = Process("alertmanager", with_us(argv), folder)

    def start(self) -> None:
        """Start it; return when it answers."""
        self._process.start()
        self._process.wait_until(lambda: answers(f"{self.url}/-/ready"))

    def stop(self) -> None:
        """End it."""
        self._process.kill()


def required(*names: str) -> str:
    """Return where a program is. Raises ConfigError that says how to get it."""
    found = find_program(*names)
    if found is None:
        raise ConfigError(f"g6 drill needs {' or '.join(names)}: apt-get install {names[0]}")
    return found


def _milliseconds(seconds: float) -> str:
    """Return a duration as Prometheus reads it: whole numbers alone."""
    return f"{round(seconds * 1000)}ms"


def _scraping(drill: str, every: float, speed: float, agent: str, alertmanager: str) -> dict[str, object]:
    interval, options = _milliseconds(every), _milliseconds(max(every, OPTIONS_SCRAPE_SECONDS / speed))
    targets = [{"targets": [agent]}]
    return {
        "global": {
            "scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval,
            "external_labels": {"drill": drill},
        },
        "rule_files": ["recording.yml", "alerts.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [
            {"job_name": "g6", "static_configs": targets},
            {
                "job_name": "g6-options", "metrics_path": "/metrics/options", "static_configs": targets,
                "scrape_interval": options, "scrape_timeout": options,
            },
        ],
    }  # fmt: skip


def _routing(webhook: str) -> dict[str, object]:
    return {
        "global": {"resolve_timeout": "5s"},
        "route": {
            "receiver": "drill", "group_by": ["..."], "group_wait": "0s", "group_interval": "500ms",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "drill", "webhook_configs": [{"url": webhook, "send_resolved": True}]}],
    }  # fmt: skip
