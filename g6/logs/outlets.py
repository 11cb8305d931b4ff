"""Where lines go: the one handler at the root, and the terminal behind it."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TextIO

from g6.logs.identity import CYCLE
from g6.logs.repeats import Repeats

TerminalWriter = Callable[[str], None]


class RootHandler(logging.Handler):
    """Stamps each record with its cycle, counts repetitions, and hands the rest to the outlets.

    What breaks in an outlet is counted in `lost` and stops nobody: there is nowhere left to say it.
    """

    def __init__(self, outlets: Sequence[logging.Handler], repeats: Repeats) -> None:
        super().__init__()
        self._outlets = tuple(outlets)
        self._repeats = repeats
        self.lost = 0

    def createLock(self) -> None:  # noqa: N802  the base class's name
        """Have no lock: none may be held while a live panel prints a line, for it logs under a lock of its own."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record, or count it."""
        record.cycle = CYCLE.get()
        self._show(self._repeats.passed(record))

    def sweep(self) -> None:
        """Show the counts that are due, though nothing is logged."""
        self._show(self._repeats.due())

    def close(self) -> None:
        """Show every count, and close the outlets."""
        self._show(self._repeats.rest())
        for outlet in self._outlets:
            outlet.close()
        super().close()

    def _show(self, records: Sequence[logging.LogRecord]) -> None:
        for record in records:
            for outlet in self._outlets:
                try:
                    outlet.handle(record)
                except Exception:  # noqa: BLE001  a log that cannot be written may not cost a minute
                    self.lost += 1


class TerminalHandler(logging.Handler):
    """Standard error, or the live panel's own way of printing while one is shown there.

    A stream that is gone or full loses its lines and stops nobody.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream
        self._shown = stream is not None and stream.isatty()
        self._printing = threading.Lock()
        self._within = threading.local()

    def createLock(self) -> None:  # noqa: N802  the base class's name
        """Have no lock, as above; the stream has one."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Print the line."""
        line = self.format(record)
        if not self._written_by_panel(line):
            self._print(line)

    def _written_by_panel(self, line: str) -> bool:
        """Let the panel print the line above itself. What it logs meanwhile, in the same thread, goes past it."""
        writer = _terminal.writer
        # A standard error that goes to a file has no panel on it.
        if writer is None or not self._shown or getattr(self._within, "panel", False):
            return False
        self._within.panel = True
        try:
            writer(line)
        except Exception:  # noqa: BLE001  the line is worth more than the panel that broke on it
            return False
        finally:
            self._within.panel = False
        return True

    def _print(self, line: str) -> None:
        if self._stream is None:  # it was closed before the start
            return
        try:
            with self._printing:
                self._stream.write(f"{line}\n")
                self._stream.flush()
        except BrokenPipeError:
            self._fall_silent()
        except (OSError, ValueError):  # full, or closed
            return

    def _fall_silent(self) -> None:
        """Send what is still buffered nowhere: the interpreter's last flush would fail, and the exit code with it."""
        stream, self._stream = self._stream, None
        if stream is sys.stderr:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, stream.fileno())
            os.close(silence)


class _Terminal:
    """Who prints on the terminal: the process has one, whatever handlers come and go."""

    writer: TerminalWriter | None = None


_terminal = _Terminal()


def set_terminal_writer(writer: TerminalWriter | None) -> None:
    """While a live panel is shown, have it print the log's lines (redacted, without a line end); None ends that.

    It is called from any thread that logs, with no lock of the log held, and only where standard error is a terminal.
    """
    _terminal.writer = writer
