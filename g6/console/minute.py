"""The minute as a table: what was quoted per index and expiry and what it says, where it went and how long it took."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from g6.console.terminal import table_box
from g6.model.report import CycleReport, ExpiryReport, IndexReport

STYLES = {"ok": "bold green", "partial": "bold yellow", "failed": "bold red"}

# What a trader looks at first; every other aggregate is in the overview files and in /metrics.
# Heading → the cell's text.
COLUMNS: Mapping[str, Callable[[ExpiryReport], str]] = {
    "expiry": lambda e: f"{e.expiry:%d %b %y}",
    "codes": lambda e: " ".join(e.codes),
    "forward": lambda e: _number(e.forward, 2),
    "ATM": lambda e: _number(e.atm, 0),
    "legs": lambda e: f"{e.received}/{e.expected}",
    "PCR": lambda e: _aggregate(e, "pcr_oi", 2),
    "by vol": lambda e: _aggregate(e, "pcr_volume", 2),
    "max pain": lambda e: _aggregate(e, "max_pain", 0),
    "ATM IV": lambda e: _aggregate(e, "atm_iv", 2, scale=100, unit="%"),
    "straddle": lambda e: _aggregate(e, "straddle", 2),
}
TEXT_COLUMNS = ("index", "expiry", "codes")
# Left out where the terminal is narrower than the whole table.
WHOLE_WIDTH = 126
SPARED = ("codes", "forward", "by vol")


class MinuteView:
    """Prints a `CycleReport` for a person."""

    def __init__(self, console: Console, *, ascii_only: bool, concise: bool) -> None:
        self._console = console
        self._ascii = ascii_only
        self._concise = concise

    def show_start(self, version: str, facts: Mapping[str, str]) -> None:
        """Print what is about to happen: one line per fact, name and value aligned."""
        self._console.print(Text(f"G6 {version}", style="bold"))
        for name, value in facts.items():
            self._console.print(Text(f"{name:<9}{self._plain(value)}"), soft_wrap=True)

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

    def _table(self, report: CycleReport) -> Table:
        narrow = self._console.width < WHOLE_WIDTH
        columns = [name for name in COLUMNS if not (narrow and name in SPARED)]
        table = Table(box=table_box(ascii_only=self._ascii), pad_edge=False, padding=(0, 1, 0, 0))
        for heading in ("index", "spot", *columns):
            table.add_column(heading, justify="left" if heading in TEXT_COLUMNS else "right", no_wrap=True)
        for index in report.indices:
            for cells in _rows(index, columns):
                table.add_row(*cells)
        return table

    def _tail(self, report: CycleReport) -> Iterator[RenderableType]:
        if any(index.spot_frozen for index in report.indices):
            yield Text("* the index stands still in the closing auction; strikes and IV follow the forward")
        for index in report.indices:
            for refusal in index.refusals:
                yield Text(self._plain(f"refused  {refusal.index} {refusal.expiry}".rstrip() + f": {refusal.detail}"))
        for sink in report.sinks:
            volume = f"{sink.rows} rows in {sink.files} files, {_bytes(sink.bytes_written)}"
            yield Text(f"{sink.name:<9}{self._plain(sink.error or volume)}")
        if report.journal:
            written = f"{_bytes(report.journal.bytes_written)} in {report.journal.path}"
            yield Text(f"{'journal':<9}{self._plain(report.journal.error or written)}")
        stages = ", ".join(f"{name} {seconds * 1000:.1f}" for name, seconds in report.stages.items())
        yield Text(f"{'ms':<9}{stages}")

    def _plain(self, text: str) -> str:
        """Return the text as one line without control characters: some of it was written by a vendor's server."""
        line = "".join(character if character.isprintable() else " " for character in text)
        return line.encode("ascii", "replace").decode() if self._ascii else line


def _rows(index: IndexReport, columns: Sequence[str]) -> Iterator[list[str]]:
    head = [index.index, _number(index.spot, 2) + ("*" if index.spot_frozen else " ")]
    for expiry in index.expiries:
        yield [*head, *(COLUMNS[name](expiry) for name in columns)]
        head = ["", ""]  # the index and its spot are told once
    for refusal in index.refusals:
        yield [*head, f"{date.fromisoformat(refusal.expiry):%d %b %y}" if refusal.expiry else "refused"]
        head = ["", ""]


def _aggregate(expiry: ExpiryReport, name: str, decimals: int, scale: float = 1, unit: str = "") -> str:
    text = _number(expiry.aggregates.get(name, math.nan) * scale, decimals)
    return text if text == "-" else text + unit


def _number(value: float, decimals: int) -> str:
    return "-" if math.isnan(value) else f"{value:,.{decimals}f}"


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
