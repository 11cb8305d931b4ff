"""Minutes and legs: what of the expected was collected, per index and expiry, and why the rest was not."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from g6.verification.plans import IndexPlans, Planned
from g6.verification.recorded import ChainSeen, IndexSeen, RecordedDay
from g6.verification.result import (
    DAMAGED,
    NOT_ASKED,
    NOT_RECORDED,
    ONLY_IN_CSV,
    UNEXPLAINED,
    ExpiryCount,
    Finding,
    Gap,
)
from g6.verification.score import BACKFILLED_WORTH

DETAILS: Mapping[str, str] = {
    NOT_RECORDED: "the journal has no record of it",
    ONLY_IN_CSV: "the CSV files have it, the journal has not",
    DAMAGED: "its record in the journal fails its checksum",
    NOT_ASKED: "the index was not asked for",
    UNEXPLAINED: "its expiry was expected, and the minute does not say why it is not there",
}


class _Reason(NamedTuple):
    word: str
    detail: str


@dataclass(slots=True)
class _Count:
    codes: dict[str, None] = field(default_factory=dict)
    expected_minutes: int = 0
    collected_minutes: int = 0
    backfilled_minutes: int = 0
    expected_legs: int = 0
    received_legs: int = 0
    short: list[datetime] = field(default_factory=list)  # accepted, and some legs absent


@dataclass(slots=True)
class Coverage:
    """What was counted. `worth` is the sum over minutes of what was recorded, `flagged` the part that is outliers."""

    cells: int = 0
    worth: float = 0.0
    flagged: float = 0.0
    expiries: list[ExpiryCount] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Return the mean worth of an expected minute of an index, 0 to 1; 1 exactly when each is whole."""
        return self.worth / self.cells if self.cells else 0.0

    @property
    def sane_share(self) -> float:
        """Return how much of the collected is no outlier, 0 to 1."""
        return 1.0 - self.flagged / self.worth if self.worth else 1.0


def count(due: Mapping[str, Sequence[datetime]], recorded: RecordedDay, only_in_csv: Collection[datetime]) -> Coverage:
    """Count every index's due minutes."""
    coverage = Coverage()
    for index, minutes in due.items():
        _Index(index, recorded, only_in_csv).count(minutes, coverage)
    return coverage


class _Index:
    """One index of the day."""

    def __init__(self, name: str, recorded: RecordedDay, only_in_csv: Collection[datetime]) -> None:
        self._name, self._recorded, self._only_in_csv = name, recorded, only_in_csv
        self._plans = IndexPlans(name, recorded)
        self._counts: dict[str, _Count] = {}
        self._lacking: dict[str, list[tuple[int, datetime, _Reason]]] = {}

    def count(self, minutes: Sequence[datetime], coverage: Coverage) -> None:
        for number, minute in enumerate(minutes):
            worth, flagged = self._minute(number, minute)
            coverage.worth += worth
            coverage.flagged += flagged
        coverage.cells += len(minutes)
        coverage.expiries += [self._expiry_count(expiry, count) for expiry, count in sorted(self._counts.items())]
        coverage.gaps += list(self._gaps())
        coverage.findings += list(self._absent())

    def _minute(self, number: int, minute: datetime) -> tuple[float, float]:
        """Count one minute; return what it is worth, 0 to 1, and how much of that is outliers."""
        told = self._recorded.minutes.get(minute)
        seen = told.indices.get(self._name) if told else None
        plan = self._plans.at(minute)
        backfilled = told is not None and told.backfilled
        why = self._why_nothing(minute, seen)
        if why:
            self._lacking.setdefault("", []).append((number, minute, why))
        worths, flags = 0.0, 0.0
        for expiry, planned in plan.items():
            chain = seen.chains.get(expiry) if seen else None
            self._add(expiry, planned, chain, minute, backfilled=backfilled)
            if chain is not None:
                worth = (BACKFILLED_WORTH if backfilled else 1.0) * _ratio(chain.received, chain.expected)
                worths += worth
                flags += worth * _ratio(chain.flagged, chain.expected)
            elif not why and seen is not None:
                self._lacking.setdefault(expiry, []).append((number, minute, _why_expiry(expiry, seen)))
        return worths / len(plan), flags / len(plan)

    def _why_nothing(self, minute: datetime, seen: IndexSeen | None) -> _Reason | None:
        """Return why a minute has nothing of the index; None when it has, or says it expiry by expiry."""
        if seen is None:
            return self._why_no_index(minute)
        if seen.chains:
            return None
        whole = [refusal for refusal in seen.refusals if not refusal.expiry]
        if whole:
            return _Reason(whole[0].reason, whole[0].detail)
        return None if seen.refusals else _Reason(UNEXPLAINED, DETAILS[UNEXPLAINED])

    def _why_no_index(self, minute: datetime) -> _Reason:
        if minute in self._recorded.minutes:
            word = NOT_ASKED
        elif minute in self._recorded.damaged:
            word = DAMAGED
        else:
            word = ONLY_IN_CSV if minute in self._only_in_csv else NOT_RECORDED
        return _Reason(word, DETAILS[word])

    def _add(
        self, expiry: str, planned: Planned, chain: ChainSeen | None, minute: datetime, *, backfilled: bool
    ) -> None:
        count = self._counts.setdefault(expiry, _Count())
        count.codes.update(dict.fromkeys(planned.codes))
        count.expected_minutes += 1
        count.expected_legs += planned.legs
        if chain is None:
            return
        count.collected_minutes += 1
        count.backfilled_minutes += backfilled
        count.received_legs += chain.received
        if chain.received < chain.expected:
            count.short.append(minute)

    def _expiry_count(self, expiry: str, count: _Count) -> ExpiryCount:
        return ExpiryCount(
            self._name, expiry, tuple(count.codes), count.expected_minutes, count.collected_minutes,
            count.backfilled_minutes, count.expected_legs, count.received_legs,
        )  # fmt: skip

    def _gaps(self) -> Iterator[Gap]:
        for expiry, lacking in self._lacking.items():
            for run in _runs(lacking):
                (_, first, why), (_, last, _) = run[0], run[-1]
                yield Gap(self._name, expiry, first, last, len(run), why.word, why.detail)

    def _absent(self) -> Iterator[Finding]:
        """Yield the legs that did not answer in minutes that were accepted all the same."""
        for expiry, count in self._counts.items():
            if count.short:
                absent = [self._absent_legs(expiry, minute) for minute in count.short]
                first, last = count.short[0], count.short[-1]
                example = f"{absent[0]} at {first:%H:%M}, in {len(absent)} of {count.collected_minutes} minutes"
                yield Finding("absent_legs", f"{self._name} {expiry}", sum(absent), example, first, last)

    def _absent_legs(self, expiry: str, minute: datetime) -> int:
        chain = self._recorded.minutes[minute].indices[self._name].chains[expiry]
        return chain.expected - chain.received


def _why_expiry(expiry: str, seen: IndexSeen) -> _Reason:
    refused = [refusal for refusal in seen.refusals if refusal.expiry == expiry]
    if refused:
        return _Reason(refused[0].reason, refused[0].detail)
    return _Reason(UNEXPLAINED, DETAILS[UNEXPLAINED])


def _runs(lacking: Sequence[tuple[int, datetime, _Reason]]) -> list[list[tuple[int, datetime, _Reason]]]:
    """Return minutes that follow each other and lack for the same reason, together."""
    runs: list[list[tuple[int, datetime, _Reason]]] = []
    for entry in lacking:
        before = runs[-1][-1] if runs else None
        if before and entry[0] == before[0] + 1 and entry[2].word == before[2].word:
            runs[-1].append(entry)
        else:
            runs.append([entry])
    return runs


def _ratio(part: int, whole: int) -> float:
    return min(1.0, part / whole) if whole else 0.0
