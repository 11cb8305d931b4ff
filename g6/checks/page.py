"""What a check prints: aligned facts, small tables and the problems, or one JSON document of the same report."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from g6.console.terminal import is_ascii, make_console, table_box
from g6.settings import Settings

NAME_WIDTH = 11


class Report(Protocol):
    """What every check ends with: a dataclass, what is wrong, and whether a person must log in to mend it."""

    @property
    def problems(self) -> Sequence[str]:
        """Return what is wrong, one sentence each, with what to do."""
        ...

    @property
    def login_needed(self) -> bool:
        """Return whether a person must log in."""
        ...


class Page:
    """Prints for a person, in ASCII where the terminal can show no more."""

    def __init__(self, settings: Settings) -> None:
        forced = settings.console.force_ascii
        self.ascii_only = is_ascii(force_ascii=forced)
        self.console: Console = make_console(force_ascii=forced, color=settings.console.color)

    def heading(self, text: str) -> None:
        """Print what the following lines are about."""
        self.console.print(Text(self._plain(text), style="bold"), soft_wrap=True)

    def facts(self, facts: Mapping[str, str]) -> None:
        """Print one line per fact, name and value aligned; a fact without a value is left out."""
        for name, value in facts.items():
            if value:
                self.console.print(Text(f"  {name:<{NAME_WIDTH}}{self._plain(value)}"), soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, texts: Sequence[str]) -> None:
        """Print rows below their headings; the columns named in `texts` are aligned left, the others right."""
        table = Table(box=table_box(ascii_only=self.ascii_only), pad_edge=False, padding=(0, 1, 0, 0))
        for heading in headings:
            table.add_column(heading, justify="left" if heading in texts else "right", overflow="fold")
        for row in rows:
            table.add_row(*(Text(self._plain(cell)) for cell in row))
        self.console.print(table)

    def verdict(self, report: Report) -> None:
        """Print what is wrong, one line each, or that nothing is."""
        for problem in report.problems:
            self.console.print(Text(f"! {self._plain(problem)}", style="bold red"), soft_wrap=True)
        if not report.problems:
            self.console.print(Text("ok", style="bold green"))

    def _plain(self, text: str) -> str:
        """Return the text as one line without control characters: some of it was written by a vendor's server."""
        line = "".join(character if character.isprintable() else " " for character in text)
        return line.encode("ascii", "replace").decode() if self.ascii_only else line


def as_json(report: Report) -> str:
    """Return the report as an indented JSON object, its fields by their names; what is not known is null."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(report, default=_plain_value, option=options).decode()


def spoken_day(day: date) -> str:
    """Return a day for a person, of one width."""
    return f"{day:%a %d %b %Y}"


def milliseconds(seconds: float) -> str:
    """Return how long something took."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _plain_value(value: Any) -> Any:
    if isinstance(value, Mapping):  # a read-only view of one
        return dict(value)
    if isinstance(value, np.ndarray):  # strided, which orjson does not take
        return value.tolist()
    raise TypeError
