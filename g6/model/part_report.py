"""How the parts that run beside the loop are doing: threads and servers, restarted when they fall."""

from dataclasses import dataclass
from typing import Literal

PartState = Literal["running", "restarting", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class PartReport:
    """One supervised part. `failed` is final: its restarts are used up, and only a person can bring it back."""

    name: str  # "http_server", "influx_writer", "kite_stream", "health", …
    state: PartState
    restarts: int = 0  # since the start
    reason: str = ""  # what ended it last; empty if nothing did
    silent_seconds: float | None = None  # since its last sign of life, None where it gives none
