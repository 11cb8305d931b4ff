"""The terminal as it is: whether it takes colour, how wide it is, whether it can show more than ASCII."""

import io
import logging
import os
import sys
from typing import Any, Literal

from rich import box
from rich.console import Console

log = logging.getLogger(__name__)

# A pipe or a CI log has no width of its own; the minute's table needs this much.
PIPE_WIDTH = 132

# Their fonts lack the signs that panels use, whatever the encoding: the kernel's console has no more than 512.
LIMITED_TERMINALS = frozenset({"dumb", "linux", "ansi", "vt52", "vt100", "vt102", "vt220"})


class LastingConsole(Console):
    """A console whose reader may leave, or whose disk may be full: it says so once, falls silent and stops nobody."""

    def print(self, *objects: Any, **how: Any) -> None:
        """Print, as `Console.print` does."""
        try:
            super().print(*objects, **how)
        except OSError as error:
            self.give_up(error)

    def give_up(self, error: OSError) -> None:
        """Fall silent because standard output takes no more."""
        log.warning("standard output takes no more (%s); nothing is printed from here on", error.strerror)
        self._fall_silent()

    def on_broken_pipe(self) -> None:
        """Fall silent as well: the base class would end the process, and the recording with it."""
        log.info("whoever read standard output has left; nothing is printed from here on")
        self._fall_silent()

    def _fall_silent(self) -> None:
        self.quiet = True
        # What is still buffered goes nowhere, or the interpreter's last flush would fail again.
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, self.file.fileno())
        os.close(silence)


def make_console(*, force_ascii: bool | None, color: Literal["auto", "always", "never"]) -> LastingConsole:
    """Return a console on standard output. `force_ascii` None decides by the output's encoding."""
    # A process that was started without a standard output has None in its place.
    output = sys.stdout or io.StringIO()
    piped = not output.isatty()
    return LastingConsole(
        file=output,
        quiet=sys.stdout is None,
        highlight=False,
        emoji=False,
        width=PIPE_WIDTH if piped else None,
        no_color=color == "never",
        force_terminal=True if color == "always" else None,
        safe_box=is_ascii(force_ascii=force_ascii),
    )


def wants_panel(console: Console, live: Literal["auto", "always", "never"], *, concise: bool, run_once: bool) -> bool:
    """Return whether the live panel is shown: "auto" spares those who want a line a minute, or one minute alone.

    Never where nobody can see it: in a pipe, a file or a terminal that cannot move its cursor.
    """
    able = console.is_terminal and not console.is_dumb_terminal and sys.stdout is not None and sys.stdout.isatty()
    return able and (live == "always" or (live == "auto" and not concise and not run_once))


def is_ascii(*, force_ascii: bool | None) -> bool:
    """Return whether only ASCII may be shown. None decides by the terminal's kind and the output's encoding."""
    if force_ascii is not None:
        return force_ascii
    if os.environ.get("TERM", "") in LIMITED_TERMINALS:
        return True
    return "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()


def table_box(*, ascii_only: bool) -> box.Box:
    """Return the lines of a table."""
    return box.ASCII if ascii_only else box.SIMPLE_HEAD
