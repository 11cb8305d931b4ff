"""What someone who asked has found out about an agent: from itself, or from what it left behind."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from g6.health.document import Overall, StatusDocument

Source = Literal["agent", "file", "nothing"]


@dataclass(frozen=True, slots=True)
class Seen:
    """`note` says what is wrong with the asking: that nothing runs and since when, or that it does not answer."""

    document: StatusDocument | None
    running: bool
    source: Source
    note: str = ""

    @property
    def overall(self) -> Overall:
        """Return how it is now: an agent that does not run is down, however well it was before."""
        if self.document is None or not self.running:
            return "down"
        if self.document.status == "healthy" and self.note:
            return "degraded"
        return self.document.status

    def as_json(self) -> str:
        """Return it as one line of JSON: how it is, what was found of it, and the document, null without one."""
        told = {
            "status": self.overall,
            "running": self.running,
            "source": self.source,
            "note": self.note,
            "document": self.document,
        }
        return msgspec.json.encode(told).decode() + "\n"
