"""What was done with a day after its close: verified, folded into the masters, archived, and what left the disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class ClosingReport:
    """The end of one day. NaN and None are what was not asked for, or failed; `troubles` says why."""

    day: date
    score: float = float("nan")  # of the verification, 0 to 100
    score_parts: Mapping[str, float] = field(default_factory=dict)  # part → 0 to 100
    gap_minutes: int | None = None
    masters_compared: int | None = None
    masters_differences: int | None = None
    archived_bytes: int | None = None
    odd_minutes: int = 0  # found by all measures together, this time
    removed_bytes: Mapping[str, int] = field(default_factory=dict)  # kind (csv, journal) → bytes
    notes: tuple[str, ...] = ()  # what was done, one clause each
    troubles: tuple[str, ...] = ()  # what could not be done, or was found wrong

    def __str__(self) -> str:
        return f"close of {self.day}: " + ("; ".join((*self.troubles, *self.notes)) or "nothing to do")
