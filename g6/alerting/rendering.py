"""The table as Prometheus reads it."""

from collections.abc import Iterable, Mapping

import yaml

from g6.alerting.alert import Alert, Group, Recording

# Where the person who is woken looks first. Prometheus' external labels say where that is seen from a telephone; a
# configuration without them means this machine.
G6_URL, GRAFANA_URL = "http://127.0.0.1:9108", "http://127.0.0.1:3000"

HEAD = "# Made from the table in g6/alerting by `scripts/generate`; edit the table, not this.\n"


def rules_yaml(groups: Iterable[Group]) -> str:
    """Return a rule file."""
    document = {"groups": [_group(group) for group in groups]}
    return HEAD + yaml.safe_dump(document, sort_keys=False, width=118, allow_unicode=True)


def _group(group: Group) -> Mapping[str, object]:
    return {
        "name": group.name,
        "interval": group.interval,
        "rules": [_alert(rule) if isinstance(rule, Alert) else _recording(rule) for rule in group.rules],
    }


def _recording(rule: Recording) -> Mapping[str, object]:
    return {"record": rule.name, "expr": rule.expr}


def _base(label: str, otherwise: str) -> str:
    return f'{{{{ or $externalLabels.{label} "{otherwise}" }}}}'


def _alert(alert: Alert) -> Mapping[str, object]:
    keeps = {"keep_firing_for": alert.keeps} if alert.keeps else {}
    return {
        "alert": alert.name,
        "expr": alert.expression(),
        "for": alert.holds,
        **keeps,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": f"{_base('g6_url', G6_URL)}/runbooks/{alert.name}",
            "dashboard_url": f"{_base('grafana_url', GRAFANA_URL)}/d/{alert.dashboard}",
        },
    }
