"""What a person is told before the first minute: where the settings came from, what is collected, what is off."""

import logging
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date

from g6 import __version__
from g6.collectors.plan import IndexOrder
from g6.console.start import Readiness, StartFacts
from g6.health import Component
from g6.market.expiries import resolve
from g6.settings import Settings
from g6.wiring.sources import Market, Source

log = logging.getLogger(__name__)

# A provider that answers from this machine is asked for today's expiries; another one's first minute will tell.
AT_HAND = frozenset({"simulated", "replay"})
# What may be switched off → the key that does it.
SWITCHES = {
    "InfluxDB": "storage.influx.enabled",
    "weekday masters": "storage.masters.enabled",
    "daily files": "storage.csv.enabled",
    "archive": "storage.archive.enabled",
    "verification": "storage.verify.after_close",
    "Greeks": "greeks.enabled",
    "metrics": "metrics.enabled",
    "memory governor": "governor.enabled",
}


def start_facts(
    settings: Settings,
    market: Market,
    source: Source,
    orders: Sequence[IndexOrder],
    data_dir: str,
    *,
    url: str | None,
    checks: Sequence[Component],
) -> StartFacts:
    """Gather the facts; nothing here asks a vendor."""
    speed = "" if settings.clock.speed == 1 else f", {_speed(settings.clock.speed)}"
    return StartFacts(
        version=__version__,
        at=source.clock.now(),
        market=source.said + speed,
        indices=tuple(order.definition.name for order in orders),
        data_dir=data_dir,
        configuration=_configuration(settings),
        expiries=_expiries(market, source, orders) if source.market in AT_HAND else {},
        checks=tuple(Readiness(check.name, check.state, check.sentence) for check in checks if _is_told(check)),
        urls={"metrics": f"{url}/metrics"} if url else {},
        off={name: f"{key} is false" for name, key in SWITCHES.items() if settings.values.get(key) is False},
    )


def _is_told(check: Component) -> bool:
    """Return whether a check says anything yet; what has only begun to run goes without saying."""
    begun = check.name in {"loop", "breakers", "clock"} or check.name.startswith("part:")
    return check.state != "unknown" and not (begun and check.state == "ok")


def _configuration(settings: Settings) -> tuple[str, ...]:
    """Return the files, variables and flags that set anything; defaults go without saying."""
    found = [re.sub(r":\d+$", "", origin) for origin in settings.origins.values()]
    named = (origin for origin in found if origin != "default" and not origin.startswith("provider "))
    return tuple(dict.fromkeys(named)) or ("defaults alone",)


def _expiries(market: Market, source: Source, orders: Sequence[IndexOrder]) -> Mapping[str, Mapping[str, date]]:
    try:
        return _listed(market, source, orders)
    except Exception:  # the first minute will say it: a panel that lacks its expiries is no reason not to collect
        log.debug("the expiries are not known yet", exc_info=True)
        return {}


def _listed(market: Market, source: Source, orders: Sequence[IndexOrder]) -> Mapping[str, Mapping[str, date]]:
    at, definitions = source.clock.now(), [order.definition for order in orders]
    listed = source.providers[0].contracts(definitions, at)
    found = {}
    for order in orders:
        own = listed.take((listed.index == order.definition.name).nonzero()[0])
        dates = resolve(own, at, market.calendar, order.definition.exchange).dates
        found[order.definition.name] = {code: day for code, day in dates.items() if code in order.depths}
    return found


def _speed(speed: float) -> str:
    return "as fast as it goes" if math.isinf(speed) else f"{speed:g} times as fast"
