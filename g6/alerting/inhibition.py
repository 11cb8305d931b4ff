"""What follows from what, as Alertmanager reads it: consequences are not told beside their cause."""

from collections.abc import Iterable, Mapping

import yaml

from g6.alerting.alert import Alert


def inhibit_rules(alerts: Iterable[Alert]) -> list[Mapping[str, object]]:
    """Return one rule per cause, for consequences of the same agent."""
    consequences: dict[str, list[str]] = {}
    for alert in alerts:
        for cause in alert.follows:
            consequences.setdefault(cause, []).append(alert.name)
    return [
        {
            "source_matchers": [f'alertname="{cause}"'],
            "target_matchers": [f'alertname=~"{"|".join(names)}"'],
            "equal": ["instance"],
        }
        for cause, names in consequences.items()
    ]


def inhibit_rules_yaml(alerts: Iterable[Alert]) -> str:
    """Return them as lines of a configuration of Alertmanager, below its `inhibit_rules:`."""
    text = yaml.safe_dump(inhibit_rules(alerts), sort_keys=False, width=1000)
    return "".join(f"  {line}\n" for line in text.splitlines())
