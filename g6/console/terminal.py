"""The terminal as it is: whether it takes colour, how wide it is, whether it can show more than ASCII."""

import sys
from typing import Literal

from rich import box
from rich.console import Console

# A pipe or a CI log has no width of its own; the minute's table needs this much.
PIPE_WIDTH = 132


def make_console(*, force_ascii: bool | None, color: Literal["auto", "always", "never"]) -> Console:
    """Return a console on standard output. `force_ascii` None decides by the output's encoding."""
    piped = not sys.stdout.isatty()
    return Console(
        highlight=False,
        emoji=False,
        width=PIPE_WIDTH if piped else None,
        no_color=color == "never",
        force_terminal=True if color == "always" else None,
        safe_box=is_ascii(force_ascii=force_ascii),
    )


def is_ascii(*, force_ascii: bool | None) -> bool:
    """Return whether only ASCII may be shown."""
    if force_ascii is not None:
        return force_ascii
    return "utf" not in (sys.stdout.encoding or "").lower()


def table_box(*, ascii_only: bool) -> box.Box:
    """Return the lines of a table."""
    return box.ASCII if ascii_only else box.SIMPLE_HEAD
