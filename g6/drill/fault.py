"""A fault as a row: what goes wrong, how it is brought about, how it ends, and what the agent needs for it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from g6.drill.world import World

Act = Callable[[World], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Times are minutes of the agent's clock, of which `pace` times the drill's speed pass in one.

    `inject` makes it, `remove` ends it. `provider` is whom the agent asks, `settings` what it is told beyond a drill's
    own, `bend` what it is able to do wrong by itself (`bends.BENDS`). The agent runs well for `calm` minutes before;
    its alerts may take `fires` minutes to be told of, and `heals` minutes to be over.
    """

    says: str
    inject: Act
    remove: Act
    provider: str = "simulated"
    settings: Mapping[str, str] = field(default_factory=dict)
    bend: str = ""
    disk_bytes: int = 0
    accounts: tuple[str, ...] = ("main",)
    at: str = "2026-11-20T10:00"
    pace: float = 1.0
    # What the rules are faster than the agent: for those that look back over days.
    rules_pace: float = 1.0
    calm: float = 6.0
    fires: float = 15.0
    heals: float = 20.0
    # Its alerts compare with dates, which no speed moves.
    by_the_calendar: bool = False
    linux: bool = False
    # It is there at all times, fault or not.
    always: bool = False

    @property
    def missing(self) -> str:
        """Return why this machine cannot have it; empty where it can."""
        if (self.linux or self.disk_bytes) and not sys.platform.startswith("linux"):
            return "needs Linux"
        return ""
