"""What a verification finds. Frozen, of plain values, and JSON as it stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

# Whose word was taken for what was recorded: the archive's, where the journal was removed.
Source = Literal["journal", "archive"]

# What a finding can be of. A word, once given, keeps its meaning: metrics carry it as a label.
FINDINGS: Mapping[str, str] = {
    "journal_damaged": "the journal cannot be read, or not to its end",
    "archive_damaged": "files of the archive that are absent, or not as they were verified",
    "absent_legs": "legs that were asked for and did not answer",
    "duplicate_legs": "legs that stand twice in one minute",
    "crossed": "books whose bid is above the ask",
    "iv_jump": "volatilities that leap away from those of the minutes before",
    "oi_shrinks": "open interest that falls by more than was traded",
    "volume_shrinks": "quantities traded today that become fewer",
    "csv_missing": "rows of the journal that the CSV files lack",
    "csv_extra": "rows of the CSV files that the journal lacks",
    "csv_differs": "CSV rows whose values are not the journal's",
    "csv_duplicate": "minutes that stand twice in a CSV file",
    "csv_unordered": "CSV rows that stand before an earlier one",
    "csv_torn": "CSV files that end within a line",
    "csv_unreadable": "CSV files that are none of G6, or cannot be read",
    "store_differs": "values of another store that are not the journal's",
    "store_unknown": "stores that could not be compared",
}

# Gap reasons beside those that the journal itself gives (`Refusal.reason`).
NOT_RECORDED, ONLY_IN_CSV, DAMAGED = "not_recorded", "only_in_csv", "damaged"
NOT_ASKED, UNEXPLAINED = "not_asked", "unexplained"


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive minutes that an index, or one of its expiries, lacks for one reason. `expiry` "" is all of it."""

    index: str
    expiry: str
    first: datetime
    last: datetime
    minutes: int
    reason: str  # a word: NOT_RECORDED …, or the journal's own
    detail: str  # a sentence for a person


@dataclass(frozen=True, slots=True)
class ExpiryCount:
    """What was expected and collected of one index and expiry. Legs are summed over the minutes."""

    index: str
    expiry: str  # an ISO day, or "" where nothing of the day says which expiries the index has
    codes: tuple[str, ...]
    expected_minutes: int
    collected_minutes: int  # those back-filled too
    backfilled_minutes: int
    expected_legs: int
    received_legs: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of trouble at one place: how often, when first and last, and the first instance in words."""

    kind: str  # of FINDINGS
    place: str  # "NIFTY 2026-11-24", a file below the data directory, a store
    count: int
    example: str
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One factor of the score. `share` is 1 when nothing is wrong; one that was not looked at has 1, too."""

    name: str
    share: float
    weight: float
    checked: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """How another store agrees with the journal. `error`, one line, says that it could not be asked.

    `unjudged`, one line, says why no comparison would be fair: the store is then not judged at all.
    """

    compared: int
    differing: int
    examples: tuple[str, ...] = ()
    error: str | None = None
    unjudged: str | None = None


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """What the journal's sound minutes make of a day: what any other store should hold once, and no more.

    `legs` counts leg rows with a known offset, call and put apart, per index and expiry code (an expiry with two codes
    counts under both); `chains` accepted chains, likewise; `indices` minutes per index, those without a chain too.
    """

    minutes: int = 0
    legs: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    chains: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    indices: Mapping[str, int] = field(default_factory=dict)


Compare = Callable[[date, StoredCounts], Comparison]


@dataclass(frozen=True, slots=True)
class Verification:
    """One day, verified. `score` is 0 to 100, rounded down to hundredths: 100.0 is a day without any fault."""

    day: date
    market: str  # live, simulated …; "" when the directory does not say
    verified_at: datetime
    until: datetime | None  # the last minute that was due when a session still ran; None: the day was over
    score: float
    parts: tuple[Part, ...]
    expected_minutes: int  # of the day: those in which at least one index was due
    collected_minutes: int  # of those, with at least one chain
    backfilled_minutes: int
    replaced_minutes: int  # of which a later tick took the place of an earlier one
    expiries: tuple[ExpiryCount, ...]
    gaps: tuple[Gap, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]  # what is worth knowing and costs nothing: repairs, minutes outside a session
    source: Source = "journal"
    unjudged: tuple[str, ...] = ()  # what could not be judged, and why

    @property
    def whole(self) -> bool:
        """Return whether nothing at all is missing or wrong."""
        return self.score == 100.0

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how often each kind of finding was found, every known kind included."""
        counts = dict.fromkeys(FINDINGS, 0)
        for finding in self.findings:
            counts[finding.kind] += finding.count
        return counts

    @property
    def gap_minutes(self) -> Mapping[str, int]:
        """Return, per index, the minutes that lack the index or one of its expiries."""
        lacking: dict[str, dict[str, int]] = {}
        for gap in self.gaps:
            of_index = lacking.setdefault(gap.index, {})
            of_index[gap.expiry] = of_index.get(gap.expiry, 0) + gap.minutes
        # Expiries that lack the same minutes overlap: the one that lacks most, beside what lacks all of the index.
        return {
            index: by_expiry.pop("", 0) + max(by_expiry.values(), default=0) for index, by_expiry in lacking.items()
        }

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what costs points, one clause each."""
        return (*(said_gap(gap) for gap in self.gaps), *(said_finding(finding) for finding in self.findings))

    def __str__(self) -> str:
        counted = f"{self.collected_minutes} of {self.expected_minutes} minutes"
        filled = f" ({self.backfilled_minutes} back-filled)" if self.backfilled_minutes else ""
        so_far = f" until {self.until:%H:%M}" if self.until else ""
        return "; ".join([f"{self.day}{so_far}: {self.score:.2f} of 100, {counted}{filled}", *self.problems])


def said_gap(gap: Gap) -> str:
    """Return a gap as one clause."""
    place = f"{gap.index} {gap.expiry}".strip()
    detail = f": {gap.detail}" if gap.detail else ""
    return f"{place} lacks {_span(gap.first, gap.last, gap.minutes)}, {gap.reason.replace('_', ' ')}{detail}"


def said_finding(finding: Finding) -> str:
    """Return a finding as one clause."""
    when = f" {_edges(finding.first, finding.last)}" if finding.first and finding.last else ""
    return f"{finding.place}{when}: {finding.count} {FINDINGS[finding.kind]} ({finding.example})"


def _span(first: datetime, last: datetime, minutes: int) -> str:
    return f"{_edges(first, last)} ({minutes} minute{'s' if minutes != 1 else ''})"


def _edges(first: datetime, last: datetime) -> str:
    return f"{first:%H:%M}" if first == last else f"{first:%H:%M}-{last:%H:%M}"
