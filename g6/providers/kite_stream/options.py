"""What may be set about the stream: how long silence may last, and how much a connection carries."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Patience and room. The broker allows three connections for a key and 3,000 instruments on each.

    Silences are of the socket and so of the machine's seconds; `settle_seconds`, `mute_seconds` and the waits before
    connecting anew are the clock's, so that a faster clock has shorter ones.
    """

    stall_seconds: float = 10.0  # heartbeats come every second or two
    settle_seconds: float = 3.0
    mute_seconds: float = 60.0
    connections: int = 3
    instruments_per_connection: int = 3000
    reconnect_first_seconds: float = 1.0
    reconnect_max_seconds: float = 30.0
    queue_bytes: int = 64 * 1024 * 1024
