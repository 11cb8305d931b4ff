"""What Python says by itself, through the log: nobody prints an error past the redaction."""

import logging
import sys
import threading
import warnings
from types import TracebackType
from typing import TextIO

from g6.logs.formatters import message_of, traceback_of
from g6.logs.secrets import redact

log = logging.getLogger(__name__)


def guard_process() -> None:
    """Take over the last words of this process: of errors that nobody caught, of threads, destructors and warnings.

    A line that is logged before, or without, `set_up_logs` is printed redacted too. For a process's own start alone:
    it changes hooks of the interpreter, which nothing takes back.
    """
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable
    warnings.showwarning = _warned
    logging.lastResort = LastResort()


class LastResort(logging.Handler):
    """Standard error, for a process that has set up no log: the message, and the traceback below it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Print it; where that is not possible, nobody is there to be told."""
        text = "\n".join(part for part in (message_of(record), traceback_of(record)) if part)
        try:
            if sys.stderr is not None:  # None where it was closed before the start
                sys.stderr.write(f"{redact(text)}\n")
        except (OSError, ValueError):
            return


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        log.info("interrupted")
    else:
        log.critical("ended by an error that nobody expected", exc_info=(kind, error, trace))


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is None or issubclass(told.exc_type, SystemExit):
        return
    name = told.thread.name if told.thread else "?"
    log.error(
        "the thread %s ended by an error that nobody expected", name,
        exc_info=(told.exc_type, told.exc_value, told.exc_traceback),
    )  # fmt: skip


def _unraisable(told: "sys.UnraisableHookArgs") -> None:
    where = getattr(told.object, "__qualname__", type(told.object).__name__)
    if told.exc_value is None:
        log.error("an error that could not be raised in %s: %s", where, told.exc_type.__name__)
    else:
        trace = (told.exc_type, told.exc_value, told.exc_traceback)
        log.error("an error that could not be raised in %s", where, exc_info=trace)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if file is not None:
        file.write(redact(warnings.formatwarning(message, category, filename, lineno, line)))
    else:
        logging.getLogger("py.warnings").warning("%s: %s (%s:%d)", category.__name__, message, filename, lineno)
