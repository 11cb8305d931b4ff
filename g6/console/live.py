"""The panel on the terminal, kept there by a thread of its own: nobody who has something to show ever waits for it.

A terminal that is stopped (Ctrl-S), slow or gone holds up this thread alone. What is logged meanwhile is printed above
the panel, in its order, by the same thread; so nothing tears.
"""

import io
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from rich.console import Console
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from g6.console.figures import plain
from g6.console.lines import Drawing
from g6.console.terminal import LastingConsole
from g6.logs import set_terminal_writer

TICK_SECONDS = 1.0  # between two countdowns
GATHER_SECONDS = 0.1  # from a change to its drawing: what comes with it, the next wait say, is drawn with it
STOP_SECONDS = 2.0  # for the last drawing: a stopped terminal does not keep the process from ending
WAITING_LINES_LIMIT = 1000


class LiveDisplay:
    """Shows a drawing at the bottom of the terminal: all of it when something changed, its first line every second.

    `draw` returns it for a width and a height, `head` its first line for a width; both are called by the thread.
    """

    def __init__(
        self,
        console: LastingConsole,
        draw: Callable[[int, int], Drawing],
        head: Callable[[int], Drawing],
        *,
        ascii_only: bool,
    ) -> None:
        self._console, self._draw, self._head, self._ascii = console, draw, head, ascii_only
        self._ink = _ink_like(console)
        self._wake, self._done = threading.Event(), threading.Event()
        self._changed = True
        self._waiting: deque[Text] = deque(maxlen=WAITING_LINES_LIMIT)
        self._size = (0, 0)  # of the terminal when it was drawn
        self._height = 0  # lines of the drawing
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    @property
    def running(self) -> bool:
        """Return whether the drawing is shown."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Show the drawing. Standard error goes above it, where it is a terminal's."""
        self._thread.start()

    def stop(self) -> None:
        """Draw a last time and leave it there, with the cursor below it."""
        self._done.set()
        self._wake.set()
        self._thread.join(STOP_SECONDS)
        if not self.running and sys.stderr is not None:
            sys.stderr.writelines(f"{text.plain}\n" for text in self._taken())  # what came too late to be above

    def changed(self) -> None:
        """Draw anew, soon."""
        self._changed = True
        self._wake.set()

    def say(self, text: str, style: str = "") -> None:
        """Print a text above the drawing, soon. Of more than a thousand lines that wait the oldest are lost."""
        self._waiting.extend(Text(plain(each, ascii_only=self._ascii), style=style) for each in text.split("\n"))
        self._wake.set()

    def _run(self) -> None:
        try:
            with _standard_error_above(self):
                self._keep_shown()
        except OSError as error:
            self._console.give_up(error)

    def _keep_shown(self) -> None:
        live = Live(
            console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False,
            get_renderable=self._drawn,
        )  # fmt: skip
        live.start()
        try:
            while not self._done.is_set():
                self._show(live)
                self._wake.wait(TICK_SECONDS - GATHER_SECONDS)
                self._wake.clear()
                self._done.wait(GATHER_SECONDS)
            self._show(live)
        finally:
            live.stop()

    def _show(self, live: Live) -> None:
        """Draw what changed, and print what waits above it."""
        changed, self._changed = self._changed, False
        said = self._taken()
        size = tuple(self._console.size)
        if size[0] < self._size[0]:
            # Terminals fold the lines that became too long for them: where they are now, nobody knows.
            self._console.control(Control.clear(), Control.home())
        if changed or size != self._size:
            live.refresh()
        elif not said:
            self._tick()
        if said:
            self._console.print(Text("\n").join(said), soft_wrap=True)

    def _taken(self) -> list[Text]:
        """Return the lines that wait, oldest first; more may come meanwhile."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _drawn(self) -> Drawing:
        width, height = self._console.size
        drawing = self._draw(width, max(1, height - 1))
        self._size, self._height = (width, height), len(drawing.lines)
        return drawing

    def _tick(self) -> None:
        """Write the first line over itself; the library would write them all."""
        above = self._height - 1
        up = [(ControlType.CURSOR_UP, above)] if above else []
        down = [(ControlType.CURSOR_DOWN, above)] if above else []
        with self._ink.capture() as captured:
            self._ink.control(Control(ControlType.CARRIAGE_RETURN, *up, (ControlType.ERASE_IN_LINE, 2)))
            self._ink.print(self._head(self._size[0]), end="")
            self._ink.control(Control(*down, ControlType.CARRIAGE_RETURN))
        if not self._console.quiet:
            self._console.file.write(captured.get().replace("\n", ""))
            self._console.file.flush()


def _ink_like(console: Console) -> Console:
    """Return a console that writes nowhere, with the colours of this one: it turns styles into a terminal's codes."""
    width = 10_000  # what it is given fits already
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, highlight=False, emoji=False,
        color_system=console.color_system if console.is_terminal else None, no_color=console.no_color,  # type: ignore[arg-type]  # the library's own word, as a plain str
    )  # fmt: skip


@contextmanager
def _standard_error_above(display: LiveDisplay) -> Iterator[None]:
    """Print above the display what the log, and whoever writes to a terminal's standard error, says meanwhile."""
    before = sys.stderr
    if before is None or not before.isatty():
        yield
        return
    above = cast("TextIO", AbovePanel(display, before))
    sys.stderr = above
    set_terminal_writer(display.say)
    try:
        yield
    finally:
        set_terminal_writer(None)
        if sys.stderr is above:  # else another took it, and gives it back
            sys.stderr = before


class AbovePanel(io.TextIOBase):
    """Standard error while a panel is shown: whole lines of it are printed above the panel."""

    def __init__(self, display: LiveDisplay, before: TextIO) -> None:
        self._display, self._before = display, before
        self._begun = ""
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Take a text; what does not end its line waits for the rest of it."""
        if not self._display.running:
            return self._before.write(text)  # someone kept this stream longer than the panel
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
            if lines:
                self._display.say("\n".join(lines))
        return len(text)

    def isatty(self) -> bool:
        """Return True: it is a terminal's."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of what it stands for, as `faulthandler` and child processes want it."""
        return self._before.fileno()
