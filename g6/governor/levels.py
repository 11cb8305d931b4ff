"""From samples to a level: up soon, down late, and later still when it flaps."""

from collections.abc import Mapping
from dataclasses import dataclass

from g6.model.pressure_report import LevelChange

CRITICAL = 3

# Share of the limit at which levels 1, 2 and 3 are entered, and ten points below, where each may be left.
ENTRY_RATIOS = (0.70, 0.80, 0.90)
EXIT_RATIOS = (0.60, 0.70, 0.80)
# More waiting for memory than this is level 2, however much is in use.
STALLED_RATIO = 0.10
STALLED_LEVEL = 2

SAMPLES_UP = 2
SAMPLES_DOWN = 3
DWELL_CYCLES = 2
MOST_DWELL_CYCLES = 32
# Where no cycle runs, after the close, so much time counts as one: a level is not kept up for the night.
IDLE_SECONDS = 300.0
REENTRY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the memory. What could not be read demands nothing and keeps nothing up."""

    rss_bytes: int | None = None
    limit_bytes: int | None = None
    stalled_ratio: float | None = None
    slowed: bool = False  # above memory.high since the sample before

    @property
    def share(self) -> float | None:
        """Return resident memory over the limit; None without either."""
        if self.rss_bytes is None or not self.limit_bytes:
            return None
        return self.rss_bytes / self.limit_bytes

    def demands(self) -> Mapping[str, int]:
        """Return the level that each signal asks for, by its word in `LEVEL_REASONS`."""
        share = self.share or 0.0
        return {
            "rss": sum(share >= entry for entry in ENTRY_RATIOS),
            "high_events": CRITICAL if self.slowed else 0,
            "psi": STALLED_LEVEL if (self.stalled_ratio or 0.0) > STALLED_RATIO else 0,
        }

    def is_calm_at(self, level: int) -> bool:
        """Return whether nothing asks for `level`, and memory in use is ten points below its entry."""
        below = self.share is None or self.share <= EXIT_RATIOS[level - 1]
        return below and max(self.demands().values()) < level


class LevelMachine:
    """The level, and when it may change.

    Up: at once to level 3; otherwise to what two samples in a row ask for, over several levels if need be. Down: one
    level at a time, after three calm samples in a row and when the dwell's cycles have run wholly at the level, or
    five minutes for each of them have passed.

    The dwell is two cycles. Entering a level within ten minutes of having left it doubles the dwell, up to
    `MOST_DWELL_CYCLES`; the first rise that comes more than ten minutes after the last step down makes it two again.
    """

    def __init__(self) -> None:
        self.level = 0
        self.dwell_cycles = DWELL_CYCLES
        self._cycle = 0
        self._first_cycle = 0  # the first one that runs wholly at this level
        self._wanted_before = 0
        self._calm_samples = 0
        self._entered_at = 0.0  # seconds
        self._left_at: dict[int, float] = {}  # level → when it was last left downwards, seconds

    def begin_cycle(self) -> None:
        """Count a cycle."""
        self._cycle += 1

    def take(self, sample: Sample, now: float, *, starting: bool = False) -> LevelChange | None:
        """Judge a sample taken at `now` (seconds); return the step it made.

        `starting`: it was taken as a cycle began, so that this cycle runs wholly at what becomes the level.
        """
        demands = sample.demands()
        wanted = max(demands.values())
        target = wanted if wanted == CRITICAL else min(wanted, self._wanted_before)
        self._wanted_before = wanted
        if target > self.level:
            self._lengthen_dwell(target, now)
            reason = next(word for word, level in demands.items() if level >= target)
            return self._step(target, reason, now, starting=starting)
        self._calm_samples = self._calm_samples + 1 if self.level and sample.is_calm_at(self.level) else 0
        if self._calm_samples >= SAMPLES_DOWN and self._has_dwelt(now):
            self._left_at[self.level] = now
            return self._step(self.level - 1, "recovered", now, starting=starting)
        return None

    def _has_dwelt(self, now: float) -> bool:
        idle = now - self._entered_at >= self.dwell_cycles * IDLE_SECONDS
        return idle or self._cycle - self._first_cycle >= self.dwell_cycles

    def _step(self, level: int, reason: str, now: float, *, starting: bool) -> LevelChange:
        change = LevelChange(self.level, level, reason)
        self.level, self._entered_at = level, now
        self._calm_samples = 0
        self._first_cycle = self._cycle if starting else self._cycle + 1
        return change

    def _lengthen_dwell(self, target: int, now: float) -> None:
        recent = {level for level, at in self._left_at.items() if now - at <= REENTRY_SECONDS}
        if recent & set(range(self.level + 1, target + 1)):
            self.dwell_cycles = min(2 * self.dwell_cycles, MOST_DWELL_CYCLES)
        elif not recent:
            self.dwell_cycles = DWELL_CYCLES
