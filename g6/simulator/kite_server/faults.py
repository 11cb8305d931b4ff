"""The scripted faults: a plan of what goes wrong, where, when, how often, and for which instruments.

The plan's YAML is described in this package's README; `fault_kinds.py` lists the kinds with their options.
"""

import fnmatch
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from g6.clock import IST
from g6.model.columns import Bools, Texts
from g6.model.contracts import ContractTable
from g6.simulator.hashing import text_keys, uniform
from g6.simulator.kite_server.fault_kinds import DATA_KINDS, TOKEN_DEATHS

ONE_DAY = timedelta(days=1)
INDEX = "INDEX"  # the kind of an index's own row, beside CE, PE and FUT


@dataclass(frozen=True, slots=True)
class Window:
    """When a fault is on, by the time of day, IST: `begin` ≤ t < `until`, again every so many minutes."""

    begin: time | None = None  # None: from midnight on
    until: time | None = None  # None: to midnight
    every_minutes: int | None = None

    def begun(self, at: datetime) -> datetime | None:
        """Return when the window that `at` lies in began, IST; None outside every window."""
        started = self._latest(at, at.astimezone(IST))
        if started is None or self.until is None:
            return started
        return started if at - started < _since_midnight(self.until) - _since_midnight(self.begin) else None

    def last_begin(self, at: datetime) -> datetime:
        """Return the latest beginning at or before `at`, today's or yesterday's; its end plays no part."""
        now = at.astimezone(IST)
        before_midnight = datetime.combine(now.date(), time(), IST) - timedelta(microseconds=1)
        started = self._latest(at, now) or self._latest(before_midnight, before_midnight)
        assert started is not None  # noqa: S101  some window began before any midnight
        return started

    def _latest(self, at: datetime, day: datetime) -> datetime | None:
        first = datetime.combine(day.date(), self.begin or time(), IST)
        if at < first:
            return None
        if self.every_minutes is None:
            return first
        every = timedelta(minutes=self.every_minutes)
        return first + (at - first) // every * every


def _since_midnight(of: time | None) -> timedelta:
    at = of or time()
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class Match:
    """Which instruments a data fault touches; what is None does not restrict.

    `exchange` is the instrument's own (NFO, BFO; an index's is NSE or BSE), `index` the underlying's name,
    `kind` CE, PE, FUT or INDEX, `symbol` a glob over the trading symbol, `share` how much of what is left:
    a hash of the symbol decides, the same every time.
    """

    exchange: str | None = None
    index: str | None = None
    kind: str | None = None
    symbol: str | None = None
    share: float = 1.0

    def of_contracts(self, contracts: ContractTable) -> Bools:
        """Return the mask of the contract rows that are touched."""
        return self.of_columns(contracts.exchange, contracts.index, contracts.kind, contracts.symbol)

    def of_columns(self, exchange: Texts, index: Texts, kind: Texts, symbol: Texts) -> Bools:
        """Return the mask of rows that are touched, from four parallel columns."""
        touched = np.ones(len(symbol), dtype=bool)
        for wanted, column in ((self.exchange, exchange), (self.index, index), (self.kind, kind)):
            if wanted is not None:
                touched &= column == wanted
        if self.symbol is not None:
            pattern = re.compile(fnmatch.translate(self.symbol))
            touched &= np.fromiter((pattern.match(s) is not None for s in symbol.tolist()), bool, len(symbol))
        if self.share < 1.0:
            touched &= uniform(text_keys(symbol)) < self.share
        return touched


EVERY_INSTRUMENT = Match()


@dataclass(frozen=True, slots=True, eq=False)  # a fault is itself, so that what it made can be kept
class Fault:
    """One entry of a plan. `name` is a sentence for a person; `options` hold every option of its kind."""

    name: str
    do: str  # a key of KINDS
    on: frozenset[str]  # words of ENDPOINTS
    options: Mapping[str, Any] = field(default_factory=dict)
    window: Window = ALWAYS
    times: int | None = None  # at most so many requests per window
    match: Match = EVERY_INSTRUMENT

    @property
    def is_data(self) -> bool:
        """Return whether it changes what instruments say, in quotes and in the stream alike."""
        return self.do in DATA_KINDS

    def strikes(self, endpoint: str, at: datetime) -> bool:
        """Return whether its window is open for this endpoint, however often it struck already."""
        return endpoint in self.on and self.window.begun(at) is not None


class FaultPlan:
    """The faults in the plan's order. Thread-safe; it counts how often each struck in the window at hand."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self.faults = tuple(faults)
        self._struck: Counter[tuple[int, datetime]] = Counter()
        self._lock = threading.Lock()

    @staticmethod
    def load(path: Path) -> "FaultPlan":
        """Read a plan from a YAML file. Raises ConfigError, one line naming file, fault and key."""
        from g6.simulator.kite_server.fault_file import read_plan  # noqa: PLC0415  it builds what is defined here

        return FaultPlan(read_plan(path))

    @staticmethod
    def parse(document: Mapping[str, Any], name: str = "faults") -> "FaultPlan":
        """Return the plan that a YAML's content stands for; `name` is what messages call it. Raises ConfigError."""
        from g6.simulator.kite_server.fault_file import parse_plan  # noqa: PLC0415  it builds what is defined here

        return FaultPlan(parse_plan(document, name))

    def active(self, endpoint: str, at: datetime) -> tuple[Fault, ...]:
        """Return the faults that strike this request now, and count it against their `times`."""
        with self._lock:
            return tuple(f for place, f in enumerate(self.faults) if f.strikes(endpoint, at) and self._use(place, at))

    def standing(self, endpoint: str, at: datetime) -> tuple[Fault, ...]:
        """Return the faults whose window is open for this endpoint, counting nothing: `times` plays no part."""
        return tuple(fault for fault in self.faults if fault.strikes(endpoint, at))

    def token_death(self, at: datetime) -> tuple[datetime, Fault] | None:
        """Return when a plan last killed the tokens of that time, and by what; None when it never did."""
        deaths = [(fault.window.last_begin(at), fault) for fault in self.faults if fault.do in TOKEN_DEATHS]
        return max(deaths, key=lambda death: death[0], default=None)

    def _use(self, place: int, at: datetime) -> bool:
        fault = self.faults[place]
        begun = fault.window.begun(at)
        if fault.times is None or begun is None:
            return begun is not None
        self._struck[place, begun] += 1
        return self._struck[place, begun] <= fault.times


NO_FAULTS = FaultPlan()


class FaultWatch:
    """Says which windows opened and closed since it was last asked."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._standing: frozenset[Fault] = frozenset()

    def changes(self, at: datetime) -> list[str]:
        """Return a sentence for each change, in the plan's order; at first for each window that is open."""
        before, self._standing = self._standing, frozenset(f for f in self._plan.faults if f.window.begun(at))
        return [
            f"fault {'begins' if fault in self._standing else 'ends'}: {fault.name} ({fault.do})"
            for fault in self._plan.faults
            if (fault in before) != (fault in self._standing)
        ]
