"""One row per index: what its last minute gave, what its nearest expiry says, and how good that is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from g6.console.figures import NOTHING, number, percent
from g6.console.lines import Column, Line, Span, columns, line
from g6.model.report import CycleReport, ExpiryReport, IndexReport

FROZEN = "*"


@dataclass(frozen=True, slots=True)
class IndexRow:
    """An index in the minute; `last` is the last minute in which a chain of it was accepted."""

    report: IndexReport
    minute: datetime
    last: datetime | None

    @property
    def nearest(self) -> ExpiryReport | None:
        """Return the accepted expiry that comes first."""
        return min(self.report.expiries, key=lambda expiry: expiry.expiry, default=None)

    @property
    def share(self) -> float:
        """Return the legs that answered without a defect in accepted chains, of all that were asked for."""
        if not self.report.expected:
            return math.nan
        return sum(e.expected - sum(e.defects.values()) for e in self.report.expiries) / self.report.expected

    @property
    def whole(self) -> bool:
        """Return whether nothing at all is missing."""
        return self.report.complete and self.share == 1


def rows_of(report: CycleReport, last_minutes: Mapping[str, datetime]) -> list[IndexRow]:
    """Return the rows of a minute, in its order."""
    return [IndexRow(index, report.minute, last_minutes.get(index.index)) for index in report.indices]


def index_table(rows: Sequence[IndexRow], width: int, *, ascii_only: bool) -> list[Line]:
    """Return the table in `width` cells; where that is too little, the columns that matter least give way."""
    lines = columns(rows, COLUMNS, width, ascii_only=ascii_only)
    frozen = any(row.report.spot_frozen for row in rows)
    return [*lines, line(Span("* the spot stands still: closing auction", "dim"))] if frozen else lines


def _minute(row: IndexRow) -> Span:
    if row.last is None:
        return Span("never", "yellow")
    return Span(f"{row.last:%H:%M}", "" if row.last == row.minute else "yellow")


def _legs(row: IndexRow) -> Span:
    whole = row.report.received == row.report.expected > 0
    return Span(f"{row.report.received}/{row.report.expected}", "" if whole else "yellow")


def _spot(row: IndexRow) -> Span:
    # The place of the mark is kept, so that the digits of all rows stand below each other.
    return Span(number(row.report.spot, 2) + (FROZEN if row.report.spot_frozen else " "), "bold")


def _quality(row: IndexRow) -> Span:
    report = row.report
    if not report.expiries:
        return Span("refused", "bold red")
    if report.refusals:
        wanted = len(report.expiries) + len(report.refusals)
        return Span(f"{len(report.expiries)}/{wanted} expiries", "bold yellow")
    return Span(percent(row.share), "green" if row.whole else "bold yellow")


def _remarks(row: IndexRow) -> Span:
    """Return what is wrong, in the words of refusals and defects."""
    defects: dict[str, int] = {}
    for expiry in row.report.expiries:
        for word, count in expiry.defects.items():
            defects[word] = defects.get(word, 0) + count
    words = dict.fromkeys(refusal.reason for refusal in row.report.refusals)
    told = [*words, *(f"{count} {word}" for word, count in defects.items())]
    return Span(", ".join(told).replace("_", " "), "yellow")


def _expiry(row: IndexRow) -> Span:
    return Span(f"{row.nearest.expiry:%d %b}" if row.nearest else NOTHING)


def _atm(row: IndexRow) -> Span:
    return Span(number(row.nearest.atm if row.nearest else None))


def _aggregate(row: IndexRow, name: str, decimals: int, scale: float = 1, unit: str = "") -> Span:
    value = row.nearest.aggregates.get(name, math.nan) * scale if row.nearest else math.nan
    text = number(value, decimals)
    return Span(text if text == NOTHING else text + unit)


def _derived(row: IndexRow, name: str) -> Span:
    """Return a level in points; nothing where it is not known, so that a column of nothing is none."""
    text = number(row.nearest.aggregates.get(name, math.nan)) if row.nearest else NOTHING
    return Span("" if text == NOTHING else text)


# In the order of the eye. The minute's own state stays longest, then what a trader looks at first.
COLUMNS: Sequence[Column[IndexRow]] = (
    Column("index", lambda row: Span(row.report.index), 100, left=True),
    Column("minute", _minute, 70),
    Column("legs", _legs, 92),
    Column("spot", _spot, 95),
    Column("expiry", _expiry, 45),
    Column("ATM", _atm, 75),
    Column("PCR", lambda row: _aggregate(row, "pcr_oi", 2), 80),
    Column("ATM IV", lambda row: _aggregate(row, "atm_iv", 2, 100, "%"), 85),
    Column("straddle", lambda row: _aggregate(row, "straddle", 2), 50),
    Column("max pain", lambda row: _aggregate(row, "max_pain", 0), 40),
    Column("move", lambda row: _derived(row, "expected_move_iv"), 35),
    Column("flip", lambda row: _derived(row, "gex_flip"), 30),
    Column("quality", _quality, 97),
    Column("remarks", _remarks, 60, left=True),
)
