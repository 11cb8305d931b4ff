"""What one minute amounted to. One frozen record, read by metrics, console, health and log alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

import numpy as np

from g6.model.anomaly import Anomaly
from g6.model.chain import IV_STATUSES, LEG_DEFECTS, OptionChain
from g6.model.columns import Floats
from g6.model.part_report import PartReport
from g6.model.pressure_report import PressureReport
from g6.model.provider_report import MarketReport
from g6.model.snapshot import IndexSnapshot, Refusal

Status = Literal["ok", "partial", "failed"]
MissedBy = Literal["overrun", "clock"]

CLOCK_STEP_SECONDS = 5.0  # a clock that is kept right by small steps was not set


@dataclass(frozen=True, slots=True)
class ExpiryReport:
    """One accepted chain: legs asked for and answered, what was refused and solved, and its aggregates."""

    index: str
    expiry: date
    codes: tuple[str, ...]
    forward: float
    forward_source: str
    atm: float
    expected: int
    received: int
    defects: Mapping[str, int]  # LEG_DEFECTS word → legs, without "none"
    iv_statuses: Mapping[str, int]  # IV_STATUSES word → legs
    aggregates: Mapping[str, float]
    stale: int = 0  # legs that answered with a quote older than may be; one without a stamp is not known to be

    @classmethod
    def of(cls, chain: OptionChain, stale_after_seconds: float = np.inf) -> "ExpiryReport":
        """Count a chain."""
        return cls(
            index=chain.index,
            expiry=chain.expiry,
            codes=chain.codes,
            forward=chain.forward,
            forward_source=chain.forward_source,
            atm=chain.atm,
            expected=chain.expected,
            received=chain.received,
            defects=_counted(chain.defect, LEG_DEFECTS[1:], first_code=1),
            iv_statuses=_counted(chain.iv_status, IV_STATUSES),
            aggregates=chain.aggregates,
            stale=int(np.count_nonzero(chain.quote_age_seconds > stale_after_seconds)),
        )


@dataclass(frozen=True, slots=True)
class IndexReport:
    """One index: its spot, its accepted expiries and what was refused."""

    index: str
    spot: float
    spot_frozen: bool
    expected_codes: tuple[str, ...]
    expected: int  # legs asked for, those of refused chains too
    received: int  # legs that answered, those of refused chains too
    expiries: tuple[ExpiryReport, ...]
    refusals: tuple[Refusal, ...]
    aggregates: Mapping[str, float] = field(default_factory=dict)  # over all its expiries
    anomalies: tuple[Anomaly, ...] = ()  # what was out of the ordinary, with its reason

    @classmethod
    def of(cls, snapshot: IndexSnapshot, stale_after_seconds: float = np.inf) -> "IndexReport":
        """Count an index, and its quotes that are older than so many seconds."""
        return cls(
            index=snapshot.index,
            spot=snapshot.spot,
            spot_frozen=snapshot.spot_frozen,
            expected_codes=snapshot.expected_codes,
            expected=snapshot.expected_legs,
            received=snapshot.received_legs,
            expiries=tuple(ExpiryReport.of(chain, stale_after_seconds) for chain in snapshot.chains),
            refusals=snapshot.refusals,
            anomalies=snapshot.anomalies,
            aggregates=snapshot.aggregates,
        )

    @property
    def complete(self) -> bool:
        """Return whether every wanted expiry was accepted."""
        return not self.refusals and bool(self.expiries)


@dataclass(frozen=True, slots=True)
class JournalReport:
    """The durable write. `pending` counts cycles held in memory because the journal could not be written.

    `kept` is false where the minute is not even held: as many wait as may.
    """

    path: str
    bytes_written: int
    pending: int = 0
    error: str | None = None
    kept: bool = True


@dataclass(frozen=True, slots=True)
class SinkReport:
    """One store's part of the minute. `lag_cycles` counts journal cycles that it has not applied yet."""

    name: str
    rows: int = 0
    files: int = 0
    bytes_written: int = 0
    lag_cycles: int = 0
    repaired: int = 0  # torn last lines moved aside
    error: str | None = None
    refused: int = 0  # lines that the store refused for good, kept aside with the reason
    unconfirmed_cycles: int = 0  # acknowledged, and held until the store has surely written them


@dataclass(frozen=True, slots=True)
class CycleReport:
    """The minute as everyone is told of it. `str()` is the sentence that is logged, shown and tested."""

    minute: datetime
    provider: str
    seconds: float
    stages: Mapping[str, float]  # stage name → seconds, in the order of the flow
    indices: tuple[IndexReport, ...]
    journal: JournalReport | None
    sinks: tuple[SinkReport, ...] = ()
    missed_minutes: int = 0  # scheduled minutes lost because the cycle before overran, or the clock was set
    error: str | None = None  # why the whole cycle failed
    market: MarketReport | None = None  # who was asked, and what that took
    pressure: PressureReport | None = None  # how much memory there was, and what was left out for lack of it
    parts: tuple[PartReport, ...] = ()  # what runs beside the loop
    # Enricher or aggregate → seconds, all chains together; one that has both names (forward) has both times.
    measure_seconds: Mapping[str, float] = field(default_factory=dict)
    surroundings: Mapping[str, float] = field(default_factory=dict)  # the measures of the whole market, India VIX …
    clock_step_seconds: float = 0.0  # by how much the wall clock was set since the minute before, back is negative

    @property
    def expected(self) -> int:
        """Return the legs asked for."""
        return sum(i.expected for i in self.indices)

    @property
    def received(self) -> int:
        """Return the legs that answered."""
        return sum(i.received for i in self.indices)

    @property
    def anomalies(self) -> tuple[Anomaly, ...]:
        """Return what was out of the ordinary, the largest deviation first. It is no trouble: the minute is sound."""
        found = (anomaly for index in self.indices for anomaly in index.anomalies)
        return tuple(sorted(found, key=lambda anomaly: -abs(anomaly.deviation)))

    def dearest(self, count: int) -> tuple[tuple[str, float], ...]:
        """Return the measures that took longest, with their seconds, the longest first."""
        return tuple(sorted(self.measure_seconds.items(), key=lambda spent: -spent[1])[:count])

    @property
    def status(self) -> Status:
        """Return failed when nothing was collected or made durable, partial when something was lost."""
        if self.error or not any(i.expiries for i in self.indices) or self._undurable:
            return "failed"
        if all(i.complete for i in self.indices) and not any(s.error for s in self.sinks):
            return "ok"
        return "partial"

    @property
    def _undurable(self) -> bool:
        return self.journal is None or self.journal.error is not None

    @property
    def troubles(self) -> tuple[str, ...]:
        """Return what went wrong, one clause each, worst first."""
        found = [self.error] if self.error else []
        # A provider's problem that is the error itself, or a part of it, is said once.
        found += [s for s in (self.market.sentences if self.market else ()) if s not in (self.error or "")]
        journal = self.journal.error if self.journal else None
        if journal:
            found.append(f"journal: {journal}")
        # What stopped the whole minute, or the journal that a sink reads, is said once.
        found += [f"{s.name}: {s.error}" for s in self.sinks if s.error and s.error != journal]
        refusals = [r for i in self.indices for r in i.refusals if r.detail != self.error]
        found += [f"{r.index} {r.expiry}".strip() + f" refused: {r.detail}" for r in refusals]
        if self.pressure and self.pressure.sentence:
            found.append(self.pressure.sentence)
        found += [f"{p.name} {p.state}: {p.reason}" for p in self.parts if p.state in {"restarting", "failed"}]
        found += [f"{s.name}: {s.repaired} torn files repaired" for s in self.sinks if s.repaired]
        if self.missed_sentence:
            found.append(self.missed_sentence)
        return tuple(found)

    @property
    def missed_by(self) -> MissedBy:
        """Return why minutes were missed, if any were."""
        return "clock" if self.clock_step_seconds >= CLOCK_STEP_SECONDS else "overrun"

    @property
    def missed_sentence(self) -> str:
        """Return how many minutes were missed and why, or that the clock went back; empty when neither happened."""
        missed, step = _plural(self.missed_minutes, "minute", "minutes") + " missed", abs(self.clock_step_seconds)
        told = f"the clock went {step:.0f} s" if step < 120 else f"the clock went {step // 60:.0f} min"
        if self.clock_step_seconds <= -CLOCK_STEP_SECONDS:
            return f"{told} back" + (f", {missed}" if self.missed_minutes else "")
        if not self.missed_minutes:
            return ""  # a machine that slept through the night
        if self.missed_by == "overrun":
            return f"{missed} by overrun"
        return f"{missed}: {told} forward, or the machine slept"

    def __str__(self) -> str:
        counted = [f"{i.index} {_plural(len(i.expiries), 'expiry', 'expiries')}" for i in self.indices]
        facts = [*counted, f"{self.received}/{self.expected} quotes", f"{self.seconds:.2f} s"]
        tail = "; ".join([*_said(self.anomalies), *self.troubles])
        return f"{self.status}: {', '.join(facts)}" + (f"; {tail}" if tail else "")


def _counted(codes: Floats, words: Sequence[str], first_code: int = 0) -> Mapping[str, int]:
    found, counts = np.unique(codes[~np.isnan(codes)].astype(np.int64), return_counts=True)
    by_code = dict(zip(found.tolist(), counts.tolist(), strict=True))
    return {word: by_code[code] for code, word in enumerate(words, first_code) if code in by_code}


def _said(anomalies: Sequence[Anomaly]) -> list[str]:
    """Return how many there are, and the first of them."""
    if not anomalies:
        return []
    return [f"{_plural(len(anomalies), 'anomaly', 'anomalies')}: {anomalies[0].reason}"]


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
