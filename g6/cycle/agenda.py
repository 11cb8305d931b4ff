"""Which minute is next, on a clock that may be set, or stand still with a machine that sleeps, while the loop waits.

The wall clock is followed: the minute that is run is the one that it is. Set forward, the minutes between are missed.
Set back, the loop goes on from there, but for the minutes that it has recorded already: their quotes were of their
time, and those of now are not.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from g6.clock import Clock
from g6.market.schedule import Schedule

KEPT_MINUTES = 1000  # more than any two days have
# Within so much a clock that was set back is waited for without a word.
PATIENCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Look:
    """What to run instead of a minute that is waited for (mostly itself), and how many are missed by that.

    `held` says that the clock was set back and the minutes until then are recorded.
    """

    due: datetime | None
    missed: int = 0
    held: bool = False


class Agenda:
    """For one loop, which says what it has done."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        self._schedule, self._clock = schedule, clock
        self._done: datetime | None = None
        self._recorded: deque[datetime] = deque(maxlen=KEPT_MINUTES)
        self._began = self._clocks()

    def first(self) -> datetime | None:
        """Return the first minute, None when there is none."""
        return self._schedule.first(self._clock.now())

    def begin(self) -> float:
        """Begin a minute; return by how many seconds the wall clock was set since the one before began.

        A machine that slept is a clock set forward. A virtual clock cannot be set.
        """
        before, self._began = self._began, self._clocks()
        if self._clock.speed != 1:
            return 0.0
        return (self._began[0] - before[0]).total_seconds() - (self._began[1] - before[1])

    def done(self, due: datetime, *, recorded: bool) -> None:
        """Take note that a minute was run, and whether anything of it was recorded."""
        self._done = due
        if recorded:
            self._recorded.append(due)

    def following(self, done: datetime) -> tuple[datetime | None, int]:
        """Return the minute after this one, and how many were missed because it is past them already."""
        due, missed = self._schedule.following(done, self._clock.now())
        while due is not None and due in self._recorded:  # before the clock was set back
            due, _ = self._schedule.following(due, due)
        return due, missed

    def look(self, due: datetime) -> Look:
        """Look whether this minute, which is waited for or begins now, is still the one to run."""
        now = self._clock.now()
        if now >= due:
            return Look(*self._schedule.catch_up(due, now))
        present = self._schedule.first(now)
        if present is None or present >= due or present == self._done:
            return Look(due)
        if present in self._recorded:
            return Look(due, held=due - now > PATIENCE)
        return Look(present)

    def _clocks(self) -> tuple[datetime, float]:
        return self._clock.now(), self._clock.elapsed()
