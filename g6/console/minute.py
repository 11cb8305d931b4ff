"""The minute as a table: what was quoted per index and expiry and what it says, where it went and how long it took."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from textwrap import wrap

from rich.console import Console, Group, RenderableType
from rich.text import Text

from g6.console.figures import NOTHING, number, plain, size
from g6.console.lines import EMPTY, Column, Drawing, Span, columns
from g6.model.report import CycleReport, ExpiryReport, IndexReport

# Of the measures, how many are named with their own time; the others are on /metrics/options.
DEAREST = 3
TIED = "\N{NO-BREAK SPACE}"
STYLES = {"ok": "bold green", "partial": "bold yellow", "failed": "bold red"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: an accepted expiry, or a refused one (`expiry` None). An index is told once."""

    index: IndexReport | None
    expiry: ExpiryReport | None
    refused: str = ""  # its day, or that the index was

    def of_expiry(self, text: str) -> Span:
        """Return a text about the expiry, where it was accepted."""
        return Span(text if self.expiry else "")

    def aggregate(self, name: str, decimals: int, scale: float = 1, unit: str = "") -> Span:
        """Return an aggregate of the expiry."""
        value = self.expiry.aggregates.get(name, math.nan) * scale if self.expiry else math.nan
        text = number(value, decimals)
        return self.of_expiry(text if text == NOTHING else text + unit)


def _spot(row: Row) -> Span:
    index = row.index
    return Span(number(index.spot, 2) + ("*" if index.spot_frozen else " ") if index else "")


def _expiry(row: Row) -> Span:
    return Span(f"{row.expiry.expiry:%d %b %y}" if row.expiry else row.refused)


# What a trader looks at first; every other aggregate is in the overview files and in /metrics.
COLUMNS: Sequence[Column[Row]] = (
    Column("index", lambda row: Span(row.index.index if row.index else ""), 100, left=True),
    Column("spot", _spot, 99),
    Column("expiry", _expiry, 95, left=True),
    Column("codes", lambda row: Span(" ".join(row.expiry.codes) if row.expiry else ""), 20, left=True),
    Column("forward", lambda row: row.of_expiry(number(row.expiry.forward if row.expiry else None, 2)), 30),
    Column("ATM", lambda row: row.of_expiry(number(row.expiry.atm if row.expiry else None)), 75),
    Column("legs", lambda row: Span(f"{row.expiry.received}/{row.expiry.expected}" if row.expiry else ""), 90),
    Column("PCR", lambda row: row.aggregate("pcr_oi", 2), 70),
    Column("by vol", lambda row: row.aggregate("pcr_volume", 2), 10),
    Column("max pain", lambda row: row.aggregate("max_pain", 0), 50),
    Column("ATM IV", lambda row: row.aggregate("atm_iv", 2, 100, "%"), 80),
    Column("straddle", lambda row: row.aggregate("straddle", 2), 60),
)


class MinuteView:
    """Prints a `CycleReport` for a person."""

    def __init__(self, console: Console, *, ascii_only: bool, concise: bool) -> None:
        self._console = console
        self._ascii = ascii_only
        self._concise = concise

    def show(self, report: CycleReport, *, whole: bool) -> None:
        """Print the sentence, and below it the table where the whole minute is asked for."""
        head = f"{report.minute:%Y-%m-%d %H:%M}  "
        sentence = self._plain(str(report))
        self._console.print(Text(head) + Text(sentence, style=STYLES[report.status]), soft_wrap=True)
        if whole and not self._concise:
            self._console.print(Group(self._table(report), *self._tail(report)))

    def note(self, name: str, text: str) -> None:
        """Print one more line below the table."""
        if not self._concise:
            self._console.print(Text(f"{name:<9}{self._plain(text)}"), soft_wrap=True)

    def _table(self, report: CycleReport) -> Drawing:
        rows = [row for index in report.indices for row in _rows(index)]
        drawn = columns(rows, COLUMNS, self._console.width, ascii_only=self._ascii) if rows else []
        return Drawing([EMPTY, *drawn, EMPTY])

    def _tail(self, report: CycleReport) -> Iterator[RenderableType]:
        if any(index.spot_frozen for index in report.indices):
            yield Text("* the index stands still in the closing auction; strikes and IV follow the forward")
        for index in report.indices:
            for refusal in index.refusals:
                yield Text(self._plain(f"refused  {refusal.index} {refusal.expiry}".rstrip() + f": {refusal.detail}"))
        for sink in report.sinks:
            files = f" in {sink.files} files" if sink.files else ""
            volume = f"{sink.rows} rows{files}, {size(sink.bytes_written)}"
            yield Text(f"{sink.name:<9}{self._plain(sink.error or volume)}")
        if report.journal:
            written = f"{size(report.journal.bytes_written)} in {report.journal.path}"
            yield Text(f"{'journal':<9}{self._plain(report.journal.error or written)}")
        stages = ", ".join(f"{name} {seconds * 1000:.1f}" for name, seconds in report.stages.items())
        yield self._wrapped("ms", stages)
        if report.measure_seconds:
            whole = sum(report.measure_seconds.values())
            dearest = (f"{name} {seconds * 1000:.1f}" for name, seconds in report.dearest(DEAREST))
            yield self._wrapped("measures", f"{whole * 1000:.1f} ms, of it {', '.join(dearest)}")

    def _wrapped(self, name: str, text: str) -> Text:
        tied = ", ".join(part.replace(" ", TIED) for part in text.split(", "))  # a name keeps its number
        lines = wrap(tied, self._console.width, initial_indent=f"{name:<9}", subsequent_indent=" " * 9)
        return Text("\n".join(lines).replace(TIED, " "))

    def _plain(self, text: str) -> str:
        return plain(text, ascii_only=self._ascii)


def _rows(index: IndexReport) -> Iterator[Row]:
    told: IndexReport | None = index
    for expiry in index.expiries:
        yield Row(told, expiry)
        told = None
    for refusal in index.refusals:
        yield Row(told, None, f"{date.fromisoformat(refusal.expiry):%d %b %y}" if refusal.expiry else "refused")
        told = None
