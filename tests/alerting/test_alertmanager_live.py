"""A real Alertmanager with the shipped rules: consequences are held back, and every kind of notification arrives."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import real_alertmanager
import yaml
from real_alertmanager import Alertmanager, mail_receiver, web_receiver

from g6.alerting import ALERTS

SHIPPED = Path(__file__).resolve().parents[2] / "alerts"
ARRIVES_SECONDS = 20.0

pytestmark = pytest.mark.skipif(real_alertmanager.BINARY is None, reason="Alertmanager is not installed")


def labels(name: str, instance: str = "127.0.0.1:9108", **more: str) -> dict[str, str]:
    return {"alertname": name, "severity": ALERTS[name].severity, "instance": instance, **more}


def until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + ARRIVES_SECONDS
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def filled(tmp_path: Path, **changes: str) -> Path:
    """A copy of the shipped folder with its ready lines filled in; groups do not wait."""
    shutil.copy(SHIPPED / "g6.tmpl", tmp_path)
    text = re.sub(r"^( *)#(?=[a-z_]+: )", r"\1", (SHIPPED / "alertmanager.yml").read_text(), flags=re.MULTILINE)
    text = re.sub(r"group_wait: \d+\w", "group_wait: 0s", text)
    for old, new in changes.items():
        text = re.sub(rf"{old}: [^,\n}}]+", f"{old}: {new}", text)
    path = tmp_path / "alertmanager.yml"
    path.write_text(text)
    return path


@pytest.fixture
def as_shipped(tmp_path: Path) -> Iterator[Alertmanager]:
    with Alertmanager(SHIPPED / "alertmanager.yml", tmp_path) as alertmanager:
        yield alertmanager


def test_an_agent_that_is_down_is_all_that_is_told_of_it(as_shipped: Alertmanager) -> None:
    others = [name for name in ALERTS if name not in {"G6Down", "G6Watchdog", "G6Restarting"}]
    as_shipped.fire(*map(labels, ALERTS))
    until(lambda: as_shipped.states()["G6TokenDead"] == "suppressed")
    states = as_shipped.states()
    assert {name for name in others if states[name] != "suppressed"} == set()
    assert (states["G6Down"], states["G6Watchdog"], states["G6Restarting"]) == ("active",) * 3


def test_another_agent_is_not_held_back(as_shipped: Alertmanager) -> None:
    as_shipped.fire(labels("G6Down"), labels("G6DiskLow", "10.0.0.7:9108"), labels("G6SinkBehind"))
    until(lambda: as_shipped.states().get("G6SinkBehind") == "suppressed")
    assert as_shipped.states()["G6DiskLow"] == "active"


@pytest.mark.long
@pytest.mark.parametrize("cause", sorted({cause for alert in ALERTS.values() for cause in alert.follows} - {"G6Down"}))
def test_each_cause_holds_back_its_consequences_alone(cause: str, as_shipped: Alertmanager) -> None:
    consequences = {name for name, alert in ALERTS.items() if cause in alert.follows}
    bystanders = {
        name for name, alert in ALERTS.items()
        if name not in consequences | {cause} and not alert.follows and name != "G6Down"
    }  # fmt: skip
    as_shipped.fire(*map(labels, {cause, *consequences, *bystanders}))
    until(lambda: all(as_shipped.states().get(name) == "suppressed" for name in consequences))
    assert {as_shipped.states()[name] for name in bystanders} == {"active"}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_critical_alert_arrives_by_mail_slack_and_webhook(tmp_path: Path) -> None:
    with web_receiver() as (web, told), mail_receiver("g6", "pass word") as (smtp, mails):
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        for name, text in {"smtp_password": "pass word", "slack_url": f"{web}/slack", "webhook_token": "abc"}.items():
            (secrets / name).write_text(text)
        config = filled(tmp_path, url=f'"{web}/hook"', smtp_smarthost=smtp, smtp_auth_username="g6")
        text = config.read_text().replace("smtp_from:", "smtp_require_tls: false\n  smtp_from:")
        config.write_text(text)
        with Alertmanager(config, tmp_path) as alertmanager:
            alertmanager.fire(labels("G6IndexMissing", index="NIFTY"))
            by_path = {one.path: one for one in (told.get(timeout=ARRIVES_SECONDS) for _ in range(2))}
            mail = mails.get(timeout=ARRIVES_SECONDS)
    slack, hook = by_path["/slack"].body, by_path["/hook"]
    assert slack["channel"] == "#g6-critical"
    assert slack["attachments"][0]["title"] == "CRITICAL 1: G6IndexMissing NIFTY"
    assert "G6IndexMissing says\nwhat is so\nrunbook http" in slack["attachments"][0]["text"]
    assert hook.headers["Authorization"] == "Bearer abc"
    assert [one["labels"]["index"] for one in hook.body["alerts"]] == ["NIFTY"]
    assert mail["Subject"] == "CRITICAL 1: G6IndexMissing NIFTY"
    assert mail["To"] == "you@example.com"
    assert "runbook http://127.0.0.1:9108/runbooks/x" in str(mail.get_body(("plain",)))


def test_the_watchdog_reaches_its_receiver_and_no_other(tmp_path: Path) -> None:
    with web_receiver() as (web, told):
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "watchdog_token").write_text("bark")
        document = yaml.safe_load(filled(tmp_path).read_text())
        for receiver in document["receivers"]:
            way = {**receiver["webhook_configs"][0], "url": f"{web}/{receiver['name'].replace(' ', '-')}"}
            receiver.clear()
            receiver |= {"name": way["url"].rsplit("/", 1)[1].replace("-", " "), "webhook_configs": [way]}
        config = tmp_path / "alertmanager.yml"
        config.write_text(yaml.safe_dump(document))
        with Alertmanager(config, tmp_path) as alertmanager:
            alertmanager.fire(labels("G6Watchdog"))
            call = told.get(timeout=ARRIVES_SECONDS)
    assert (call.path, call.headers["Authorization"]) == ("/dead-man", "Bearer bark")
    assert told.empty()
