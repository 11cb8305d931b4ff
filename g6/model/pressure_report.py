"""How much memory there is, how much is in use, and what is left out because of it."""

from dataclasses import dataclass

LEVEL_NAMES = ("normal", "elevated", "high", "critical")

# What can be shed, in the order in which it goes; the words of metrics, stored rows and sentences.
SHED_KINDS = ("options_page", "caches", "greeks", "derived", "strike_depth", "far_expiries")

# What makes a level: memory in use, the kernel slowing the process at `memory.high`, waiting for memory; or their end.
LEVEL_REASONS = ("rss", "high_events", "psi", "recovered")


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A step from one level to another, and what made it, a word of LEVEL_REASONS."""

    before: int
    after: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reclaim:
    """One attempt to give memory back to the system after something was shed."""

    freed_bytes: int
    effective: bool  # at least a twentieth of what was resident


@dataclass(frozen=True, slots=True)
class PressureReport:
    """The governor's state for one cycle; changes and reclaims are those since the report before."""

    level: int  # 0 to 3, see LEVEL_NAMES
    rss_bytes: int  # 0 where it could not be read
    limit_bytes: int | None  # None where nothing says how much there is
    limit_source: str  # "setting", "cgroup v2 memory.max" or "… memory.high", "cgroup v1 limit", "machine", ""
    shed: tuple[str, ...] = ()  # SHED_KINDS words in force
    sentence: str = ""  # for a person; empty at level 0 unless the level has just changed
    changes: tuple[LevelChange, ...] = ()
    reclaims: tuple[Reclaim, ...] = ()
    psi_some_ratio: float | None = None  # share of the last 10 s in which something waited for memory
    uss_bytes: int | None = None  # what this process alone holds
    strikes_each_side: int | None = None  # the most to collect beside the ATM strike; None is as configured
    expiries: int | None = None  # the most to collect of an index, nearest first; None is as configured

    @property
    def share(self) -> float:
        """Return resident memory over the limit; 0 without one."""
        return self.rss_bytes / self.limit_bytes if self.limit_bytes else 0.0
