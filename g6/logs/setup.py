"""The log as the settings want it: levels, outlets, and what libraries may say."""

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from g6.logs.file import LogFile
from g6.logs.formatters import MINUTES, JsonFormatter, TextFormatter
from g6.logs.outlets import RootHandler, TerminalHandler
from g6.logs.repeats import Repeats

Form = Literal["text", "json"]

MAX_BYTES = 10_485_760
BACKUPS = 5

# What they have to say below a warning is for whoever looks for a fault in them.
LIBRARIES = (
    "aiohttp", "asyncio", "autobahn", "distributed", "influxdb_client", "kiteconnect", "matplotlib", "requests",
    "twisted", "urllib3", "uvicorn",
)  # fmt: skip


def set_up_logs(
    level: str,
    form: Form,
    file: Path | None,
    *,
    verbose: bool = False,
    max_bytes: int = MAX_BYTES,
    backups: int = BACKUPS,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Send every line to standard error, and to `file` too where one is named; what was set up before is closed.

    `level` counts unless `verbose`: that is all there is, the libraries' own words too, with the loggers' names.
    `monotonic` (seconds) is what repetitions are counted by. Raises ConfigError for a file that cannot be written.
    """
    terminal = TerminalHandler(sys.stderr)
    terminal.setFormatter(_formatter(form, detailed=verbose))
    if form == "text":
        # The terminal shows each minute's sentence already; it goes to files and to machines.
        terminal.addFilter(lambda record: record.name != MINUTES)
    outlets: list[logging.Handler] = [terminal]
    if file is not None:
        log_file = LogFile(file, max_bytes, backups, _teller(terminal))
        log_file.setFormatter(_formatter(form, detailed=True))
        outlets.append(log_file)
    take_down_logs()
    root = logging.getLogger()
    for foreign in root.handlers[:]:  # one of theirs would show what ours redact
        root.removeHandler(foreign)
        foreign.close()
    root.addHandler(RootHandler(outlets, Repeats(monotonic)))
    root.setLevel(logging.DEBUG if verbose else level)
    _tame(verbose=verbose)


def take_down_logs() -> None:
    """Show what is still counted, close what `set_up_logs` made, and let libraries speak as they did."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, RootHandler)]:
        root.removeHandler(handler)
        handler.close()
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.NOTSET)


def sweep_logs() -> None:
    """Show the counts of repetitions that have stopped. Once a minute is often enough."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, RootHandler):
            handler.sweep()


def _formatter(form: Form, *, detailed: bool) -> logging.Formatter:
    return JsonFormatter() if form == "json" else TextFormatter(detailed=detailed)


def _teller(terminal: TerminalHandler) -> Callable[[str], None]:
    """Return how the file says what is wrong with it: on the terminal, past itself."""

    def tell(sentence: str) -> None:
        entry = {"name": LogFile.__module__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": sentence}
        terminal.handle(logging.makeLogRecord(entry))

    return tell


def _tame(*, verbose: bool) -> None:
    for name in LIBRARIES:
        # Never below what the settings let through: theirs is no exception from that.
        logging.getLogger(name).setLevel(logging.NOTSET if verbose else max(logging.WARNING, logging.getLogger().level))
