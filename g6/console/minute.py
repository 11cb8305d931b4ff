"""The minute as a table: what was quoted per index and expiry and what it says, where it went and how long it took."""

import math
from collections.abc import Iterator, Mapping

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from g6.console.terminal import table_box
from g6.model.report import CycleReport, ExpiryReport, IndexReport

STYLES = {"ok": "bold green", "partial": "bold yellow", "failed": "bold red"}

# Heading → aggregate, scale, decimals. What a trader looks at first; the rest is in the overview files and /metrics.
AGGREGATES: Mapping[str, tuple[str, float, int]] = {
    "PCR OI": ("pcr_oi", 1, 2),
    "PCR vol": ("pcr_volume", 1, 2),
    "max pain": ("max_pain", 1, 0),
    "ATM IV %": ("atm_iv", 100, 2),
    "straddle": ("straddle", 1, 2),
}


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

    def _table(self, report: CycleReport) -> Table:
        table = Table(box=table_box(ascii_only=self._ascii), pad_edge=False)
        for heading in ("index", "expiry", "codes"):
            table.add_column(heading, no_wrap=True)
        for heading in ("spot", "forward", "ATM", "legs", *AGGREGATES):
            table.add_column(heading, justify="right", no_wrap=True)
        for index in report.indices:
            for cells in self._rows(index):
                table.add_row(*cells)
        return table

    def _rows(self, index: IndexReport) -> Iterator[list[str]]:
        spot = _number(index.spot, 2) + ("*" if index.spot_frozen else "")
        for position, expiry in enumerate(index.expiries):
            yield [index.index if position == 0 else "", *_cells(expiry, spot if position == 0 else "")]
        for refusal in index.refusals:
            name = "" if index.expiries else index.index
            yield [name, refusal.expiry or "-", " ".join(refusal.codes), spot, f"refused: {refusal.reason}"]

    def _tail(self, report: CycleReport) -> Iterator[RenderableType]:
        if any(index.spot_frozen for index in report.indices):
            yield Text("* the index stands still in the closing auction; strikes and IV follow the forward")
        for sink in report.sinks:
            volume = f"{sink.rows} rows in {sink.files} files, {_bytes(sink.bytes_written)}"
            yield Text(f"{sink.name:<9}{sink.error or volume}")
        if report.journal:
            written = f"{_bytes(report.journal.bytes_written)} in {report.journal.path}"
            yield Text(f"{'journal':<9}{self._plain(report.journal.error or written)}")
        stages = ", ".join(f"{name} {seconds * 1000:.1f}" for name, seconds in report.stages.items())
        yield Text(f"{'ms':<9}{stages}")

    def _plain(self, text: str) -> str:
        return text.encode("ascii", "replace").decode() if self._ascii else text


def _cells(expiry: ExpiryReport, spot: str) -> Iterator[str]:
    yield f"{expiry.expiry:%d %b %Y}"
    yield " ".join(expiry.codes)
    yield spot
    yield _number(expiry.forward, 2)
    yield _number(expiry.atm, 0)
    yield f"{expiry.received}/{expiry.expected}"
    for name, scale, decimals in AGGREGATES.values():
        yield _number(expiry.aggregates.get(name, math.nan) * scale, decimals)


def _number(value: float, decimals: int) -> str:
    return "-" if math.isnan(value) else f"{value:,.{decimals}f}"


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
