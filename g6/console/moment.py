"""What the panel is told: a cycle with the state of the process after it, and what the loop waits for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from g6.model.problem import Problem
from g6.model.report import CycleReport
from g6.model.vitals import Vitals

State = Literal["starting", "ok", "degraded", "down", "late"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One cycle, and how everything stood after it. What is None or empty is not shown."""

    report: CycleReport
    vitals: Vitals | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def state(self) -> State:
        """Return the worst that the minute and the active problems say."""
        if self.report.status == "failed" or any(problem.severity == "down" for problem in self.problems):
            return "down"
        return "degraded" if self.report.status == "partial" or self.problems else "ok"


@dataclass(frozen=True, slots=True)
class Waiting:
    """The next minute's instant, which exchanges are open now, and whether the loop sleeps through a close."""

    due: datetime
    opened: Mapping[str, bool] = field(default_factory=dict)  # exchange → open
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """All that one drawing is made of."""

    now: datetime  # on the agent's clock
    speed: float = 1.0  # seconds of that clock per second of the reader's
    moment: Moment | None = None  # None before the first minute
    waiting: Waiting | None = None
    last_minutes: Mapping[str, datetime] = field(default_factory=dict)  # index → the last minute with a chain of it
