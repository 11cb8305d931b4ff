"""Which cycle is under way, and how a line says so."""

import re
from contextvars import ContextVar

# The id of the cycle under way, "" between two. A worker sees it when its context is a copy
# (`contextvars.copy_context().run`, `asyncio.to_thread`).
CYCLE: ContextVar[str] = ContextVar("g6_cycle", default="")

_MINUTE = re.compile(r"\d{4}-\d{2}-\d{2}T(\d{2}:\d{2}(?::\d{2})?)")


def short(identity: str) -> str:
    """Return what a person needs of the id: the minute, 10:01 of 2026-11-20T10:01/v1."""
    found = _MINUTE.match(identity)
    return found[1] if found else identity
