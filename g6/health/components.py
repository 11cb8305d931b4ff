"""A part of the agent, as it is known."""

from dataclasses import dataclass
from datetime import datetime

from g6.health.evidence import State


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the agent. `since` is the instant at which it came into this state, on the agent's clock."""

    name: str
    state: State
    since: datetime
    sentence: str

    def as_dict(self) -> dict[str, str]:
        """Return the fields, ready for JSON; the instant in ISO 8601 with its offset."""
        return {"state": self.state, "since": self.since.isoformat(timespec="seconds"), "sentence": self.sentence}
