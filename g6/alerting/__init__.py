"""The one table of what is watched: rules, alerts, their tests, their runbooks and the drill all come from it."""

from g6.alerting.alert import Alert, Group, Recording
from g6.alerting.collection import COLLECTION
from g6.alerting.market import MARKET
from g6.alerting.market_data import MARKET_DATA
from g6.alerting.provider import PROVIDER
from g6.alerting.recording import RECORDING
from g6.alerting.resources import RESOURCE
from g6.alerting.storage import STORAGE

__all__ = ["ALERTS", "ALERT_GROUPS", "RECORDING", "Alert", "Group", "Recording"]

# A file each below alerts/, under its name.
ALERT_GROUPS = (
    Group("g6-collection", "15s", COLLECTION),
    Group("g6-market-data", "15s", MARKET_DATA),
    Group("g6-provider", "15s", PROVIDER),
    Group("g6-storage", "15s", STORAGE),
    Group("g6-resources", "15s", RESOURCE),
    Group("g6-market", "15s", MARKET),
)
ALERTS = {rule.name: rule for group in ALERT_GROUPS for rule in group.rules if isinstance(rule, Alert)}
