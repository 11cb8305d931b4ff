"""A store that is filled from behind, as a database is, has a moment to catch up before it is judged."""

from collections.abc import Callable
from datetime import date

from g6.clock import Clock
from g6.errors import TransientError
from g6.verification.result import Compare, Comparison, StoredCounts

PAUSE_SECONDS = 1.0


def patiently(compare: Compare, owed: Callable[[date], int], clock: Clock, patience_seconds: float) -> Compare:
    """Return a comparison that asks again while the store differs and `owed` (of a day, in minutes) says why.

    After `patience_seconds` of the clock's own time what is still owed is no fault: the store is not judged, and the
    comparison says what is owed. Nor is one that does not answer, at once. What differs with nothing owed differs.
    """

    def ask(day: date, counts: StoredCounts) -> Comparison:
        given_up_at = clock.elapsed() + patience_seconds
        while True:
            try:
                found = compare(day, counts)
            except TransientError as error:
                return _unjudged(f"{error}", owed(day), day)
            if not found.differing or not owed(day):
                return found
            left = given_up_at - clock.elapsed()
            if left <= 0:
                return _unjudged("; ".join(found.examples), owed(day), day)
            clock.pause(min(PAUSE_SECONDS, left))

    return ask


def _unjudged(said: str, owed: int, day: date) -> Comparison:
    owing = f"{owed} minutes are not confirmed yet: " if owed else ""
    return Comparison(0, 0, unjudged=f"{owing}{said}; `g6 verify --date {day}` asks again")
