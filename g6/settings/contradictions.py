"""Settings that are each possible, and impossible or of no use together."""

import ipaddress
import math
from collections.abc import Callable, Mapping

from g6.settings.layers import Setting
from g6.settings.wording import shown

Effective = Mapping[str, Setting]


def contradictions(settings: Effective) -> list[str]:
    """Return one line for every impossible combination of effective settings."""
    return [f"{settings[key].origin}: {key}: {line}" for key, rule in RULES if (line := rule(settings))]


def cautions(settings: Effective) -> tuple[str, ...]:
    """Return one line for every combination that works and does less than it says."""
    return tuple(f"{settings[key].origin}: {key}: {line}" for key, rule in CAUTIONS if (line := rule(settings)))


def _remote(settings: Effective) -> str | None:
    host = settings["metrics.host"].value
    if settings["metrics.allow_remote"].value or _is_loopback(host):
        return None
    return f"{shown(host)} can be reached from other machines; set metrics.allow_remote to true if that is meant"


def _simulated_alone(settings: Effective) -> str | None:
    order = settings["providers.order"].value
    if "simulated" not in order or len(order) == 1:
        return None
    return f"{shown(order)} would mix simulated quotes with recorded ones; simulated stands alone"


def _replay_source(settings: Effective) -> str | None:
    if "replay" not in settings["providers.order"].value or settings["providers.replay.source"].value:
        return None
    order = shown(settings["providers.order"].value)
    return f"{order} needs providers.replay.source, a folder of recordings (--source DIR)"


def _brokers_time(settings: Effective) -> str | None:
    first = settings["providers.order"].value[0]
    if not first.startswith("kite") or settings["clock.at"].value is None:
        return None
    return f"{first} answers for now, not for {settings['clock.at'].value}; leave it out (a simulator has its own --at)"


def _brokers_speed(settings: Effective) -> str | None:
    first = settings["providers.order"].value[0]
    if not first.startswith("kite") or settings["clock.speed"].value == 1:
        return None
    return f"{first} answers once a second, at any speed of the clock; leave it out (a simulator has its own --speed)"


def _some_index(settings: Effective) -> str | None:
    indices = settings["collection.indices"].value
    on = (settings.get(f"index_params.{name}.enable") for name in indices)
    if any(enable is None or enable.value for enable in on):
        return None
    return f"{shown(indices)} leaves no index to collect; each has index_params.<INDEX>.enable false"


def _warm_up(settings: Effective) -> str | None:
    window, warm_up = settings["anomalies.window_minutes"].value, settings["anomalies.warm_up_minutes"].value
    if warm_up <= window:
        return None
    return f"{shown(warm_up)} changes are never known within the {shown(window)} minutes of anomalies.window_minutes"


def _too_few_cycles(settings: Effective) -> str | None:
    names = "collection.interval_seconds", "anomalies.warm_up_minutes", "analytics.session_minutes"
    interval, warm_up, session = (settings[name].value for name in names)
    changes = math.ceil(session * 60 / interval) - 1
    if not settings["anomalies.enabled"].value or changes > warm_up:
        return None
    return (
        f"a session has {changes} changes at {shown(interval)} seconds: none is judged as out of the ordinary, since"
        f" {shown(warm_up)} come first (anomalies.warm_up_minutes)"
    )


# The key that a line is about → the rule.
RULES: tuple[tuple[str, Callable[[Effective], str | None]], ...] = (
    ("metrics.host", _remote),
    ("providers.order", _simulated_alone),
    ("providers.order", _replay_source),
    ("collection.indices", _some_index),
    ("clock.at", _brokers_time),
    ("clock.speed", _brokers_speed),
    ("anomalies.warm_up_minutes", _warm_up),
)

CAUTIONS: tuple[tuple[str, Callable[[Effective], str | None]], ...] = (
    ("collection.interval_seconds", _too_few_cycles),
)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
