"""An alert as one row: what is asked of Prometheus, how long it holds, what a person is told, what provokes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Severity = Literal["critical", "warning", "info", "none"]

# What a rule waits for and looks back over; everything else in an expression is the same on any clock.
DURATION = re.compile(r"(?:(?<=\[)|(?<=:)|(?<=offset ))\d+[smhd](?=[]:\s)]|$)")
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    `expr` may name a span of time as `$name`; `seconds` says how many seconds it is, so that a clock that runs faster
    has the same expression. `holds` is Prometheus' `for`, `keeps` its `keep_firing_for`. `dashboard` is the uid of the
    dashboard that shows it, `fault` the name of the fault that provokes it in a drill.
    """

    name: str
    severity: Severity
    expr: str
    holds: str
    summary: str
    description: str
    dashboard: str
    fault: str
    keeps: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    # Not told while one of these fires for the same agent: it is their consequence.
    follows: tuple[str, ...] = ()

    @property
    def runbook(self) -> str:
        """Return the page about it, from the project's top folder."""
        return f"alerts/runbooks/{self.name}.md"

    def at_speed(self, speed: float) -> "Alert":
        """Return the same alert for a world in which everything happens so many times faster."""
        return replace(
            self,
            expr=at_speed(self.expr, speed),
            holds=shorter(self.holds, speed),
            keeps=shorter(self.keeps, speed) if self.keeps else "",
            seconds={name: value / speed for name, value in self.seconds.items()},
        )

    def expression(self) -> str:
        """Return the PromQL with the spans of time in it."""
        found = self.expr
        for name, value in self.seconds.items():
            found = found.replace(f"${name}", f"{value:.12g}")
        return found


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule. `name` is `level:metric:operations`."""

    name: str
    expr: str
    help: str

    def at_speed(self, speed: float) -> "Recording":
        """Return the same rule, over spans so many times shorter, under its own name."""
        return replace(self, expr=at_speed(self.expr, speed))


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after another, each `interval`."""

    name: str
    interval: str
    rules: tuple[Alert | Recording, ...]

    def at_speed(self, speed: float) -> "Group":
        """Return the group for a world in which everything happens so many times faster."""
        return Group(self.name, shorter(self.interval, speed), tuple(rule.at_speed(speed) for rule in self.rules))


def at_speed(expr: str, speed: float) -> str:
    """Return an expression with its ranges and offsets divided by `speed`; the spans of time in $names are not."""
    return DURATION.sub(lambda match: shorter(match.group(), speed), expr)


def shorter(duration: str, speed: float) -> str:
    """Return a duration of Prometheus divided by `speed`, in milliseconds where it is not whole.

    >>> shorter("5m", 60), shorter("15s", 60), shorter("1d", 1)
    ('5s', '250ms', '1d')
    """
    if speed == 1:
        return duration
    seconds = int(duration[:-1]) * UNIT_SECONDS[duration[-1]] / speed
    return f"{int(seconds)}s" if seconds.is_integer() else f"{max(1, round(seconds * 1000))}ms"
