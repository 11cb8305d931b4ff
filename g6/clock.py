"""Time as an argument: the wall clock, and a virtual one that starts anywhere and runs at any speed."""

import math
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Protocol

# Asia/Kolkata has had one offset since 1945, so a fixed zone is exact and needs no zone database.
IST = timezone(timedelta(hours=5, minutes=30), "IST")


class Clock(Protocol):
    """What the loop needs of time. Instants are aware and IST; durations of real work come from `monotonic`."""

    @property
    def speed(self) -> float:
        """Return seconds of this clock per second of the machine's; infinite for one that jumps."""
        ...

    def now(self) -> datetime:
        """Return the present instant, aware, IST."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step back, for durations of real work."""
        ...

    def elapsed(self) -> float:
        """Return seconds of this clock's own time that never step back, for pacing, waiting and giving up."""
        ...

    def pause(self, seconds: float) -> None:
        """Sleep for `seconds` of `elapsed`."""
        ...

    def wait_until(self, instant: datetime, stop: threading.Event) -> bool:
        """Sleep until `instant` on this clock; return False at once when `stop` is set."""
        ...


class SystemClock:
    """The machine's clock."""

    speed = 1.0

    # A wait is cut into pieces so that a stepped wall clock is noticed within this many seconds.
    LONGEST_WAIT_SECONDS = 30.0

    def now(self) -> datetime:
        """Return the wall clock's instant in IST."""
        return datetime.now(IST)

    def monotonic(self) -> float:
        """Return `time.monotonic`."""
        return time.monotonic()

    def elapsed(self) -> float:
        """Return `time.monotonic`: here the clock's own time and the work's are one."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(max(0.0, seconds))

    def wait_until(self, instant: datetime, stop: threading.Event) -> bool:
        """Sleep on the stop event, so that a signal ends the wait at once."""
        while (remaining := (instant - self.now()).total_seconds()) > 0:
            if stop.wait(min(remaining, self.LONGEST_WAIT_SECONDS)):
                return False
        return not stop.is_set()


class VirtualClock:
    """A clock that starts at `start` and runs `speed` times as fast as the machine's.

    With `speed` infinite it stands still but for `wait_until`, which jumps: a whole session then takes
    as long as its work does.
    """

    def __init__(self, start: datetime, speed: float = 1.0) -> None:
        self._begin = self._origin = start.astimezone(IST)
        self._speed = speed
        self._started = time.monotonic()
        self._jumping = threading.Lock()  # a server and a collector may live by one clock

    def now(self) -> datetime:
        """Return the virtual instant, IST."""
        if math.isinf(self._speed):
            return self._origin
        return self._origin + timedelta(seconds=(time.monotonic() - self._started) * self._speed)

    def monotonic(self) -> float:
        """Return real seconds: how long work took is true at any speed."""
        return time.monotonic()

    @property
    def speed(self) -> float:
        """Return virtual seconds per second."""
        return self._speed

    def elapsed(self) -> float:
        """Return virtual seconds since the start."""
        return (self.now() - self._begin).total_seconds()

    def pause(self, seconds: float) -> None:
        """Sleep the real time that virtual `seconds` take; at infinite speed, jump over them."""
        if math.isinf(self._speed):
            with self._jumping:
                self._origin += timedelta(seconds=max(0.0, seconds))
        else:
            time.sleep(max(0.0, seconds) / self._speed)

    def wait_until(self, instant: datetime, stop: threading.Event) -> bool:
        """Sleep the real time that `instant` is away, or jump to it at infinite speed."""
        if math.isinf(self._speed):
            with self._jumping:
                self._origin = max(self._origin, instant.astimezone(IST))
            return not stop.is_set()
        while (remaining := (instant - self.now()).total_seconds() / self._speed) > 0:
            if stop.wait(remaining):
                return False
        return not stop.is_set()
