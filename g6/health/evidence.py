"""What a judgement rests on: the reports and readings as they stood at one instant, all of them handed in."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple

import numpy as np

from g6.model.closing_report import ClosingReport
from g6.model.part_report import PartReport
from g6.model.pressure_report import PressureReport
from g6.model.provider_report import MarketReport, TokenReport
from g6.model.report import CycleReport, SinkReport
from g6.model.snapshot import Snapshot

State = Literal["ok", "degraded", "down", "unknown"]
Market = Literal["open", "closed", "unknown"]

NOTHING: Mapping[str, str] = {}


class Finding(NamedTuple):
    """A state, and the sentence that says why.

    `subject` tells several of one kind apart (a sink, an account, an exchange). `problem` is an id of
    `PROBLEMS`; whatever is degraded or down has one.
    """

    state: State
    reason: str
    problem: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is a problem."""

    disk_low_bytes: int = 2_000_000_000  # or a tenth of the disk, where that is less
    disk_low_seconds: float = 24 * 3600  # until it is full, at the rate of the last hour
    disk_full_bytes: int = 100_000_000  # or a hundredth of the disk, where that is less
    calendar_days: int = 30
    clock_step_seconds: float = 2.0
    clock_skew_seconds: float = 5.0
    quote_age_seconds: float = 60.0  # of the freshest quote of an exchange
    sink_lag_cycles: int = 1  # a store beside the loop has the minute in hand still before it


@dataclass(frozen=True, slots=True)
class SessionState:
    """Which exchanges are open, and the last day that the calendar covers."""

    open: Mapping[str, bool]
    known_until: date


@dataclass(frozen=True, slots=True)
class QuoteAge:
    """How old an exchange's freshest quote was, by the exchange's stamp and the agent's clock; negative: ahead of it.

    `before_seconds` is the same of the minute before, None where there was none.
    """

    freshest_seconds: float
    before_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class DiskReading:
    """The data directory's disk. `fill_bytes_per_second` is None until an hour's rate can be told."""

    free_bytes: int
    total_bytes: int
    free_files: int | None = None  # None where the file system does not count them
    fill_bytes_per_second: float | None = None

    @property
    def seconds_until_full(self) -> float | None:
        """Return how long the free space lasts at this rate; None where it is not filling."""
        rate = self.fill_bytes_per_second
        return self.free_bytes / rate if rate is not None and rate > 0 else None


@dataclass(frozen=True, slots=True)
class ClockReading:
    """By how much the wall clock ran away from the monotonic one since the reading before."""

    stepped_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ExporterReading:
    """The HTTP server: where it listens (empty: it is off), whether its thread lives, and what failed since before."""

    url: str = ""
    alive: bool = True
    collector_errors: int = 0


@dataclass(frozen=True, slots=True)
class StartReading:
    """What was found before the first minute."""

    data_directory: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it. None and empty are what has not been told yet."""

    now: datetime
    interval_seconds: float = 60.0
    market: Market = "unknown"
    overdue_seconds: float = 0.0  # how long the loop is later than it may be
    waiting: str = ""  # until when and why, as a clause
    held: datetime | None = None  # until then every minute is recorded, because the clock was set back
    report: CycleReport | None = None
    asked: MarketReport | None = None  # of the last minute, or of a probe before the open
    tokens: Mapping[str, TokenReport] = field(default_factory=dict)  # by account, as they are now
    session: SessionState | None = None
    quotes: Mapping[str, QuoteAge] = field(default_factory=dict)  # by exchange
    exchanges: Mapping[str, str] = field(default_factory=dict)  # index → exchange
    sinks: Mapping[str, SinkReport | None] = field(default_factory=dict)
    pressure: PressureReport | None = None
    parts: Sequence[PartReport] = ()
    directory: str | None = None  # why it cannot be written; empty: it can
    disk: DiskReading | None = None
    clock: ClockReading | None = None
    exporter: ExporterReading | None = None
    closing: ClosingReport | None = None
    start: StartReading | None = None
    limits: Limits = field(default_factory=Limits)

    def token_now(self, found: TokenReport) -> TokenReport:
        """Return how a token is now that was found so in a minute: it ends, and a person logs in, between them."""
        return self.tokens.get(found.account, found)


@dataclass(frozen=True, slots=True)
class Readers:
    """What health looks at by itself, each a function of nothing; those left out are unknown.

    `parts` may be called from any thread, and without it the parts are those of the last report; the others only by
    who calls `start`, `look` and `cycle`. The exporter's `collector_errors` are those since the start; health
    tells those since its last look.
    """

    directory: Callable[[], str | None] = lambda: None  # why it cannot be written
    disk: Callable[[], DiskReading | None] = lambda: None
    parts: Callable[[], Sequence[PartReport]] | None = None
    exporter: Callable[[], ExporterReading | None] = lambda: None
    tokens: Callable[[], Sequence[TokenReport]] = tuple  # without asking the broker


def quote_ages(
    snapshot: Snapshot, exchanges: Mapping[str, str], before: Mapping[str, QuoteAge]
) -> Mapping[str, QuoteAge]:
    """Return the age of each exchange's freshest quote. An exchange whose quotes carry no stamp is left out.

    `exchanges` is index → exchange, `before` what this returned a minute ago.
    """
    if snapshot.backfilled:
        return {}
    freshest: dict[str, float] = {}
    for chain in snapshot.chains:
        exchange = exchanges.get(chain.index, "")
        least = float(np.fmin.reduce(chain.quote_age_seconds, initial=math.inf))
        freshest[exchange] = min(least, freshest.get(exchange, math.inf))
    return {
        exchange: QuoteAge(age, before[exchange].freshest_seconds if exchange in before else None)
        for exchange, age in freshest.items()
        if math.isfinite(age)
    }
