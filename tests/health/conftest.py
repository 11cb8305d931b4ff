"""A clock that a test moves, and a minute's report."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest

from g6.clock import IST
from g6.model.report import CycleReport, ExpiryReport, IndexReport, JournalReport, SinkReport


@dataclass
class HandClock:
    """Wall and monotonic time, moved by hand; the two need not agree."""

    wall: datetime = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
    ticks: float = 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def elapsed(self) -> float:
        return self.ticks

    @property
    def speed(self) -> float:
        return 1.0

    def pause(self, seconds: float) -> None:
        self.pass_seconds(seconds)

    def wait_until(self, instant: datetime, stop: threading.Event) -> bool:
        raise NotImplementedError

    def pass_seconds(self, seconds: float) -> None:
        self.ticks += seconds
        self.wall += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def report(clock: HandClock) -> Callable[..., CycleReport]:
    def make(**changes: object) -> CycleReport:
        expiry = ExpiryReport(
            "NIFTY", date(2026, 11, 24), ("this_week",), 25010.0, "parity", 25000.0, 42, 40, {}, {}, {}
        )
        nifty = IndexReport("NIFTY", 25001.0, False, ("this_week",), 42, 40, (expiry,), ())
        values: dict[str, object] = {
            "minute": clock.wall, "provider": "simulated", "seconds": 0.41, "stages": {}, "indices": (nifty,),
            "journal": JournalReport("2026-11-20.sqlite", 5000), "sinks": (SinkReport("csv", 40, 12, 9000),),
        }  # fmt: skip
        return CycleReport(**(values | changes))  # type: ignore[arg-type]

    return make
