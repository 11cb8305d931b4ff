"""Pacing: so many seconds between two requests of one key, whoever sends them."""

import math
import threading
from collections.abc import Sequence

from g6.clock import Clock
from g6.resilience.deadline import Deadline, OutOfTime, Refused

# What a virtual clock counts in: a shorter pause would not move it.
SHORTEST_PAUSE_SECONDS = 1e-6

# One lock for all limiters, held for a comparison at a time: several slots are then taken at one instant.
_SLOTS = threading.Lock()


class PauseAsked(Refused):
    """The vendor asked for a pause that reaches beyond the minute."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message, retry_after, kind="rate_limited")


class Limiter:
    """One slot each `interval_seconds` of the clock, for all threads together; idle time saves nothing up.

    A slot is taken at the instant it is granted, never reserved ahead: a thread that wakes late cannot come to lie
    upon the next one's slot. Waiting threads are served in no particular order.
    """

    def __init__(self, interval_seconds: float, clock: Clock) -> None:
        self.clock = clock
        self._interval_seconds = interval_seconds
        self._free_at = -math.inf
        self._pause: tuple[float, str] = (-math.inf, "")  # until when the vendor wants silence, and its words

    def acquire(self, deadline: Deadline) -> float:
        """Wait for a slot, take it, and return the seconds waited.

        Raises OutOfTime (a TransientError) when the slot lies beyond the deadline, without waiting and without
        taking it.
        """
        return acquire_together((self,), deadline)

    def penalise(self, seconds: float, reason: str = "") -> None:
        """Grant no slot for so many seconds from now, as a vendor's Retry-After asks."""
        with _SLOTS:
            until = self.clock.elapsed() + seconds
            self._free_at = max(self._free_at, until)
            self._pause = max(self._pause, (until, reason))

    def pause_reason(self, now: float) -> str:
        """Return why the vendor wants silence now; empty when it does not. Wants the lock held."""
        until, reason = self._pause
        return reason if until > now else ""

    def free_in(self, now: float) -> float:
        """Return the seconds until there is a slot, 0 when there is one. Wants the lock held."""
        return max(0.0, self._free_at - now)

    def take(self, now: float) -> None:
        """Take the slot that is there. Wants the lock held."""
        self._free_at = now + self._interval_seconds


def acquire_together(limiters: Sequence[Limiter], deadline: Deadline, what: str = "limiter") -> float:
    """Wait for an instant at which every limiter has a slot, take them all, and return the seconds waited.

    Taken one after another, the first slot would be older than the request by the wait for the second. All share
    one clock. Raises OutOfTime naming `what` when that instant lies beyond the deadline; then none is taken.
    """
    _require_time(deadline, 0.0, what)
    if not limiters:
        return 0.0
    clock = limiters[0].clock
    began = clock.elapsed()
    while True:
        wait, now, asked = _try(limiters)
        if wait == 0:
            return max(0.0, now - began)
        if asked and wait >= deadline.remaining:
            raise PauseAsked(f"{what}: may be asked again in {wait:.0f} s, after this minute: {asked}", wait)
        _require_time(deadline, wait, what)
        clock.pause(max(wait, SHORTEST_PAUSE_SECONDS))


def _try(limiters: Sequence[Limiter]) -> tuple[float, float, str]:
    """Take a slot of each if all are free; return the seconds until they are (0 when taken), the instant, and why."""
    with _SLOTS:
        now = limiters[0].clock.elapsed()
        wait = max(limiter.free_in(now) for limiter in limiters)
        if wait == 0:
            for limiter in limiters:
                limiter.take(now)
        return wait, now, next(filter(None, (limiter.pause_reason(now) for limiter in limiters)), "")


def _require_time(deadline: Deadline, wait: float, what: str) -> None:
    remaining = deadline.remaining
    if wait >= remaining:
        outlook = f"may be asked in {wait:.1f} s, {remaining:.1f} s are left" if wait else "nothing is left"
        raise OutOfTime(f"{what}: {outlook} of the minute's time")
