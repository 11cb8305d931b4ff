"""The stated rules of the market's mood: points for each input, and how much of them makes a mood."""

from dataclasses import dataclass
from typing import Literal

MoodInput = Literal["index_change_ratio", "breadth", "vix_change_ratio", "sectors_up_share"]


@dataclass(frozen=True, slots=True)
class MoodStep:
    """Points for an input that is at the threshold or beyond it, seen from the rule's neutral value."""

    threshold: float
    points: float


@dataclass(frozen=True, slots=True)
class MoodRule:
    """One input's steps; of those that are reached the farthest from `neutral` counts, on its own side."""

    input: MoodInput
    steps: tuple[MoodStep, ...]
    neutral: float = 0.0
    required: bool = True  # without it the mood is unknown; one that is not is left out of the sum and of the most

    @property
    def most(self) -> float:
        """Return the most points that the rule can give, either way."""
        return max((abs(step.points) for step in self.steps), default=0.0)

    def points(self, value: float) -> float:
        """Return the points of a value, 0 where no step is reached; NaN gives NaN."""
        if value != value:  # noqa: PLR0124 - NaN is the one number that is not itself
            return value
        reached = [step for step in self.steps if self._reached(step, value)]
        return max(reached, key=lambda step: abs(step.threshold - self.neutral)).points if reached else 0.0

    def _reached(self, step: MoodStep, value: float) -> bool:
        return value >= step.threshold if step.threshold > self.neutral else value <= step.threshold


@dataclass(frozen=True, slots=True)
class MoodRules:
    """The whole table: the score is the points over the most that the inputs at hand could have given, -1 to 1.

    From `mild` on the mood is "rather bullish", from `strong` on "bullish", and likewise below zero. `index` is whose
    change and whose shares count.
    """

    index: str = "NIFTY"
    mild: float = 0.25
    strong: float = 0.6
    rules: tuple[MoodRule, ...] = ()
