"""What an agent can be made to do wrong while a file is there: by a market, a clock or a part that is not right."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

import numpy as np
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from g6.clock import Clock
from g6.drill.bent_market import MARKETS, BentMarket, Switch
from g6.health.evidence import Evidence, Finding
from g6.health.registry import CHECKS, Check
from g6.market.schedule import Schedule
from g6.wiring import Parts
from g6.wiring.sources import Market, Source

__all__ = ["BENDS", "Bend", "Switch"]

LOOK_SECONDS = 0.05
BALLAST_BYTES = 320_000_000
SERIES = 1_000
STEP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Bend:
    """How a source and the parts that were made of it are changed; by default not at all."""

    of_source: Callable[[Source, Market, Switch], Source] = lambda source, _market, _switch: source
    of_parts: Callable[[Parts, Switch], None] = lambda _parts, _switch: None


class HangingSchedule:
    """A schedule that does not say what comes next while the switch is on."""

    def __init__(self, schedule: Schedule, switch: Switch) -> None:
        self._schedule, self._switch = schedule, switch

    def first(self, now: datetime) -> datetime | None:
        """Return what the other schedule says."""
        return self._schedule.first(now)

    def following(self, due: datetime, now: datetime) -> tuple[datetime | None, int]:
        """Return what the other schedule says, in the end."""
        while self._switch.is_on:
            time.sleep(LOOK_SECONDS)
        return self._schedule.following(due, now)

    def catch_up(self, due: datetime, now: datetime) -> tuple[datetime | None, int]:
        """Return what the other schedule says."""
        return self._schedule.catch_up(due, now)

    def includes(self, exchange: str, due: datetime) -> bool:
        """Return what the other schedule says."""
        return self._schedule.includes(exchange, due)

    def is_pause(self, now: datetime, due: datetime) -> bool:
        """Return what the other schedule says."""
        return self._schedule.is_pause(now, due)


class BentClock:
    """A clock beside another, which has jumped while the switch is on."""

    def __init__(self, clock: Clock, switch: Switch, jumps: timedelta) -> None:
        self._clock, self._switch, self._jumps = clock, switch, jumps

    @property
    def speed(self) -> float:
        """Return the machine's, which alone can be set."""
        return 1.0

    def now(self) -> datetime:
        """Return the other clock's instant, and the jump."""
        return self._clock.now() + (self._jumps if self._switch.is_on else timedelta())

    def monotonic(self) -> float:
        """Return the other clock's."""
        return self._clock.monotonic()

    def elapsed(self) -> float:
        """Return the other clock's."""
        return self._clock.elapsed()

    def pause(self, seconds: float) -> None:
        """Sleep as the other clock does."""
        self._clock.pause(seconds)

    def wait_until(self, instant: datetime, stop: threading.Event) -> bool:
        """Sleep as the other clock does."""
        jumped = self._jumps if self._switch.is_on else timedelta()
        return self._clock.wait_until(instant - jumped, stop)


def _with_market(name: str) -> Bend:
    def of_source(source: Source, market: Market, switch: Switch) -> Source:
        (straight,) = source.providers
        return replace(source, providers=(BentMarket(straight, MARKETS[name](market, source.clock), switch),))

    return Bend(of_source)


def _stepping(source: Source, _market: Market, switch: Switch) -> Source:
    return replace(source, clock=BentClock(source.clock, switch, STEP))


def _hanging(source: Source, _market: Market, switch: Switch) -> Source:
    return replace(source, schedule=HangingSchedule(source.schedule, switch))


def _with_parts(of_parts: Callable[[Parts, Switch], None]) -> Bend:
    return Bend(of_parts=of_parts)


def _failing_part(parts: Parts, switch: Switch) -> None:
    def body(stop: threading.Event, beat: Callable[[], None]) -> None:
        while not stop.wait(LOOK_SECONDS):
            beat()
            if switch.is_on:
                raise RuntimeError("a part of the drill fails")

    parts.supervisor.run("drill", body)


def _ballast(parts: Parts, switch: Switch) -> None:
    """Hold much memory for some of the agent's minutes, and none for some others."""

    def body(stop: threading.Event, beat: Callable[[], None]) -> None:
        held = None
        while not stop.wait(LOOK_SECONDS):
            beat()
            level = parts.governor.report().level
            if level == 0 and switch.is_on and held is None:
                held = np.ones(BALLAST_BYTES, np.uint8)
            elif level >= 2 or not switch.is_on:
                held = None

    parts.supervisor.run("drill", body)


class _Collector(Collector):
    """Metrics of nobody: too many of them, or none because it raises."""

    def __init__(self, switch: Switch, series: int) -> None:
        self._switch, self._series = switch, series

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("g6_drill", "Series of a label that grows", labels=("number",))
        if self._switch.is_on and not self._series:
            raise RuntimeError("a collector of the drill raises")
        for number in range(self._series if self._switch.is_on else 0):
            family.add_metric((str(number),), 1.0)
        return (family,)


def _with_collector(series: int) -> Bend:
    def of_parts(parts: Parts, switch: Switch) -> None:
        registry = parts.observation.exposition._to.registry  # noqa: SLF001 - nobody else has a way in
        registry.register(_Collector(switch, series))

    return _with_parts(of_parts)


def _broken_check(_parts: Parts, switch: Switch) -> None:
    checks = cast("MutableMapping[str, Check]", CHECKS)
    straight = checks["calendar"]

    def broken(evidence: Evidence) -> Iterable[Finding]:
        if switch.is_on:
            raise RuntimeError("a check of the drill breaks")
        return straight(evidence)

    checks["calendar"] = broken


BENDS: Mapping[str, Bend] = {
    **{name: _with_market(name) for name in MARKETS},
    "loop_hangs": Bend(_hanging),
    "clock_stepped": Bend(_stepping),
    "part_fails": _with_parts(_failing_part),
    "memory_flapping": _with_parts(_ballast),
    "collector_raises": _with_collector(0),
    "too_many_series": _with_collector(SERIES),
    "check_breaks": _with_parts(_broken_check),
}
