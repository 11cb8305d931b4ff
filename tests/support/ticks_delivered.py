"""Ticks of which each is told from all others by what stores make of it, and a store of somebody else's for them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from g6.clock import IST
from g6.errors import SinkError
from g6.masters.totals import PER_RUPEE, Group
from g6.model.chain import OptionChain, offset_label
from g6.model.report import SinkReport
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage.journal import Journal

CODES = ("this_week", "next_week")
LEVEL = 24000.0


class Tick(NamedTuple):
    """One tick of a minute, told from all others by its number, from which all its prices follow."""

    number: int
    minute: datetime
    chains: int
    offsets: tuple[int, ...]

    @property
    def spot(self) -> float:
        return LEVEL + self.number

    def premiums(self) -> dict[Group, dict[str, int]]:
        """Group → offset label → total premium in ten-thousandths of a rupee: call 10 + number, put 20 + offset."""
        totals = {offset_label(offset): (30 + self.number + offset) * PER_RUPEE for offset in self.offsets}
        return {Group("NIFTY", code): dict(totals) for code in CODES[: self.chains] if totals}

    def snapshot(self) -> Snapshot:
        chains = tuple(self._chain(code) for code in CODES[: self.chains])
        return Snapshot(self.minute, "machine", (IndexSnapshot("NIFTY", self.spot, False, CODES, chains),))

    def _chain(self, code: str) -> OptionChain:
        offsets = np.repeat(np.array(self.offsets, float), 2)
        is_call = np.arange(len(offsets)) % 2 == 0
        return OptionChain(
            index="NIFTY", expiry=date(2026, 12, 1 + CODES.index(code)), codes=(code,), at=self.minute,
            expires_at=datetime(2026, 12, 1, 15, 30, tzinfo=IST), spot=self.spot, spot_frozen=False,
            expected=len(offsets), lot=65, strike=LEVEL + 50 * offsets, is_call=is_call,
            last=np.where(is_call, 10.0 + self.number, 20.0 + offsets), offset=offsets,
            answered=np.ones(len(offsets)), atm=LEVEL, forward=self.spot,
        )  # fmt: skip


@dataclass
class Subscriber:
    """A store of somebody else's, outside the process: what it was given survives, delivery by delivery."""

    keeps: dict[datetime, float] = field(default_factory=dict)  # minute → the spot that was delivered last
    latest: dict[date, int] = field(default_factory=dict)  # the last seq that was delivered
    passed: dict[date, int] = field(default_factory=dict)  # the last seq that the cursor stood on
    wrong: list[str] = field(default_factory=list)

    def take(self, day: date, seq: int, snapshot: Snapshot) -> None:
        """Take a delivery, in order; the one before once more only when the cursor had not moved behind it."""
        if seq < self.latest.get(day, 0):
            self.wrong.append(f"{seq} of {day} was delivered after {self.latest[day]}")
        if seq <= self.passed.get(day, 0):
            self.wrong.append(f"{seq} of {day} was delivered although the cursor had passed it")
        self.latest[day] = seq
        self.keeps[snapshot.minute] = snapshot.indices[0].spot


class DeliveringSink:
    """Hands on what the journal has, and moves its cursor after each delivery."""

    name = "subscriber"

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self.is_away = False

    def drain(self, journal: Journal) -> SinkReport:
        if self.is_away:
            raise SinkError("the subscriber is away")
        for seq, snapshot in journal.cycles_after(journal.cursor(self.name)):
            self._subscriber.take(journal.day, seq, snapshot)
            journal.advance(self.name, seq)
            self._subscriber.passed[journal.day] = seq
        return SinkReport(self.name, lag_cycles=journal.count_after(journal.cursor(self.name)))

    def checkpoint(self, journal: Journal) -> None:
        """Nothing: each delivery was final."""

    def close(self) -> None:
        """Nothing is held."""
