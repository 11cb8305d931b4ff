"""Readers that say what a test wants, and a governor that listens to them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from g6.clock import IST, VirtualClock
from g6.governor.governor import Governor, Options, Switch
from g6.governor.limits import Limit

LIMIT_BYTES = 1_000_000_000


@dataclass
class SaidReaders:
    """Every reading is a field; `share` sets the resident memory by its share of the limit."""

    resident: int | None = 0
    allowed: Sequence[Limit] = (Limit(LIMIT_BYTES, "machine"),)
    stalled: float | None = None
    high: int | None = None
    unique: int | None = None
    asked: int = field(default=0)

    def share(self, share: float) -> None:
        self.resident = round(share * LIMIT_BYTES)

    def rss_bytes(self) -> int | None:
        self.asked += 1
        return self.resident

    def limits(self) -> Sequence[Limit]:
        return self.allowed

    def stalled_ratio(self) -> float | None:
        return self.stalled

    def high_events(self) -> int | None:
        return self.high

    def uss_bytes(self) -> int | None:
        return self.unique


@pytest.fixture
def readers() -> SaidReaders:
    return SaidReaders()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 11, 20, 9, 15, tzinfo=IST), math.inf)


@pytest.fixture
def govern(readers: SaidReaders, clock: VirtualClock) -> Callable[..., Governor]:
    """A governor that hears `readers`; keyword arguments are its options."""

    def make(
        switches: dict[str, Switch] | None = None, give_back: Callable[[], None] = lambda: None, **options: object
    ) -> Governor:
        return Governor(Options(**options), readers, clock, switches, give_back)  # type: ignore[arg-type]

    return make
