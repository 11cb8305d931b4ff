"""Something that a person should know of: where, why, since when, and what to do next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Severity = Literal["degraded", "down"]


@dataclass(frozen=True, slots=True)
class Problem:
    """An active problem. `id` is stable over releases (`token_dead`); `subject` tells several of one kind apart."""

    id: str
    severity: Severity
    cause: str  # one sentence, from the part that has the problem
    since: datetime  # aware, on the agent's clock
    actions: tuple[str, ...]  # what to do, most likely remedy first
    subject: str = ""  # a sink, an index, an account
