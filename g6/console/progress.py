"""How far long work is: a bar on a person's terminal, a line now and then elsewhere, on standard error alone.

Standard output is left to what the work has to say. Where both are the same terminal, what is said there meanwhile
stands above the bar; where it is a file or a pipe, nothing of the bar ever reaches it.
"""

import io
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self, TextIO, TypeVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from g6.console.figures import countdown, duration, elapsed, percent, plain
from g6.console.lines import Drawing, Line, Span, cut, line, width_of
from g6.console.terminal import is_ascii
from g6.logs import set_terminal_writer

Item = TypeVar("Item")

LINE_SECONDS = 5.0  # between two lines where there is no terminal
BAR_WIDTH, BAR_AT_LEAST = 30, 8
REFRESHES_PER_SECOND = 4
FULL, SOME, ASCII_FULL, ASCII_SOME = "█", "░", "#", "."


class Progress:
    """Counts work done, of `total` if that is known, in `unit`s; a context manager. `quiet` shows nothing at all.

    `monotonic` gives seconds; `output` is standard error when None.
    """

    def __init__(
        self,
        what: str,
        unit: str,
        total: int | None = None,
        *,
        quiet: bool = False,
        force_ascii: bool | None = None,
        output: TextIO | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._unit, self._total, self._done, self._note = what, unit, total, 0, ""
        self._first: int | None = None  # what was done before the first update; no part of the rate
        self._monotonic, self._output = monotonic, output or sys.stderr or io.StringIO()
        self._ascii = is_ascii(force_ascii=force_ascii)
        self._begun = self._said_at = monotonic()
        self._quiet = quiet or (output is None and sys.stderr is None)
        self._lock = threading.Lock()
        self._live = None if self._quiet else self._bar()

    def __enter__(self) -> Self:
        """Show the bar; the log's lines go above it."""
        if self._live:
            self._live.start(refresh=True)
            set_terminal_writer(self._say_above)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Leave no bar behind; where lines were said, say the last one."""
        if self._live:
            set_terminal_writer(None)
            self._live.stop()
        elif kind is None and self._said_at > self._begun:
            self._say()

    def advance(self, count: int = 1, note: str = "") -> None:
        """Count more work as done; `note` says what is in hand."""
        with self._lock:
            self._done, self._note = self._done + count, note or self._note
        self._tell()

    def update(self, done: int, total: int | None = None, note: str = "") -> None:
        """Set how much is done, and of how much; the first time says how much was done before."""
        with self._lock:
            self._first = done if self._first is None else self._first
            self._done, self._total, self._note = done, total or self._total, note or self._note
        self._tell()

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items, counting each as done when the next is asked for."""
        for item in items:
            yield item
            self.advance()

    def drawn(self, width: int) -> Line:
        """Return the bar in `width` cells: what cannot be known is left out, what does not fit is not drawn."""
        head, tail = Span(plain(self._what, ascii_only=self._ascii), "bold"), "  ".join(self._figures())
        if self._total:
            room = min(BAR_WIDTH, width - width_of((head, Span(tail))) - 4)
            bar = self._bar_of(room) if room >= BAR_AT_LEAST else ""
            told = line(head, "  ", Span(bar, "cyan"), "  " if bar else "", tail)
        else:
            told = line(head, "  ", tail)
        note = Span(f"  {plain(self._note, ascii_only=self._ascii)}" if self._note else "", "dim")
        return cut((*told, note), width, ascii_only=self._ascii)

    def __str__(self) -> str:
        figures = ", ".join(self._figures())
        note = f", {self._note}" if self._note else ""
        return plain(f"{self._what}: {figures}{note}", ascii_only=self._ascii)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        yield Drawing([self.drawn(options.max_width)])

    def _figures(self) -> Iterator[str]:
        """Yield the count, the share, the rate, and the time that is left or was taken."""
        done, total, seconds = self._done, self._total, self._monotonic() - self._begun
        yield f"{done:,}/{total:,} {self._unit}" if total else f"{done:,} {self._unit}"
        if total:
            yield percent(min(1.0, done / total))
        rate = (done - (self._first or 0)) / seconds if seconds > 0 else 0.0
        if rate:
            yield f"{rate:.1f}/s" if rate >= 0.95 else f"{rate * 60:.1f}/min"
        if total and rate and done < total:
            yield f"{countdown((total - done) / rate)} left"
        else:
            over = bool(total) and done >= (total or 0)
            yield f"took {duration(seconds)}" if over else f"{elapsed(seconds)} so far"

    def _bar_of(self, width: int) -> str:
        full, some = (ASCII_FULL, ASCII_SOME) if self._ascii else (FULL, SOME)
        filled = min(width, int(width * self._done / self._total)) if self._total else 0
        return full * filled + some * (width - filled)

    def _bar(self) -> Live | None:
        console = Console(file=self._output, highlight=False, emoji=False)
        if not console.is_terminal or console.is_dumb_terminal:
            return None
        return Live(
            self, console=console, transient=True, refresh_per_second=REFRESHES_PER_SECOND,
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(), redirect_stderr=self._output is sys.stderr,
        )  # fmt: skip

    def _say_above(self, text: str) -> None:
        if self._live:
            self._live.console.print(Text(text), soft_wrap=True)

    def _tell(self) -> None:
        if self._quiet or self._live:
            return
        now = self._monotonic()
        if now - self._said_at >= LINE_SECONDS:
            self._said_at = now
            self._say()

    def _say(self) -> None:
        self._output.write(f"{self}\n")
        self._output.flush()
