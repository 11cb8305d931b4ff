"""The files that come from the table, by their path from the project's top folder."""

from collections.abc import Mapping

from g6.alerting import ALERT_GROUPS, ALERTS, RECORDING
from g6.alerting.rendering import HEAD, rules_yaml

RECORDING_RULES = "prometheus/rules/g6.yml"
RUNBOOKS = "alerts/runbooks"


def generated() -> Mapping[str, str]:
    """Return path → content of every generated file."""
    rules = {f"alerts/{group.name}.yml": rules_yaml([group]) for group in ALERT_GROUPS}
    return {RECORDING_RULES: rules_yaml(RECORDING), **rules, f"{RUNBOOKS}/README.md": _index()}


def _index() -> str:
    rows = "".join(
        f"| [{a.name}]({a.name}.md) | {a.severity} | {a.summary} | {', '.join(a.follows) or '-'} |\n"
        for a in ALERTS.values()
    )
    head = "# Runbooks\nOne page per alert: what it means, what it costs, how to find the cause, what to do.\n\n"
    note = f"<!-- {HEAD.removeprefix('# ').strip()} -->\n\n"
    return head + note + "| alert | severity | what it says | not told beside |\n|---|---|---|---|\n" + rows
