"""Kite's rate limits, counted on the server's clock: beyond them a request is refused, never queued."""

import math
from collections import deque
from collections.abc import Mapping

from g6.clock import Clock

# Family → requests a second, for each API key.
RATES: Mapping[str, int] = {"quote": 1, "historical": 3, "other": 10}
FAMILIES: Mapping[str, str] = {"quote": "quote", "ohlc": "quote", "ltp": "quote", "historical": "historical"}

# The share of a second by which requests may come closer together on their way here, without being refused.
TOLERANCE = 0.1
# On a clock that runs fast the way here takes long: the same rate is then counted over windows of this many of
# the machine's seconds.
SHORTEST_WINDOW_REAL_SECONDS = 0.2


class RateLimits:
    """Which requests came in the last second. For one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        speed = clock.speed if math.isfinite(clock.speed) else 1.0
        self._window = max(1, math.ceil(SHORTEST_WINDOW_REAL_SECONDS * speed))
        self._accepted: dict[tuple[str, str], deque[float]] = {}

    def admit(self, api_key: str, endpoint: str) -> bool:
        """Return whether this request is within its family's rate; one that is not leaves no trace."""
        family = FAMILIES.get(endpoint, "other")
        most = RATES[family] * self._window
        accepted = self._accepted.setdefault((api_key, family), deque(maxlen=most))
        now = self._clock.elapsed()
        if len(accepted) == most and now - accepted[0] < self._window * (1 - TOLERANCE):
            return False
        accepted.append(now)
        return True
