"""Whether the agent lives, is ready, and what each part of it says of itself."""

from g6.health.components import Component, State
from g6.health.status import Health, Market, Verdict

__all__ = ["Component", "Health", "Market", "State", "Verdict"]
