"""The log: text for people, or one JSON object a line for machines. On standard error, and in a file if asked."""

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import orjson

from g6.clock import IST
from g6.errors import ConfigError

# The logger of the minutes' sentences. The terminal shows them already, so they go to files and to machines only.
MINUTES = "g6.minute"


class TextFormatter(logging.Formatter):
    """`10:00:00 WARNING storage.csv_sink: …`, the time in IST; the package's own name is left out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the traceback below it where there is one."""
        at = datetime.fromtimestamp(record.created, IST)
        name = record.name.removeprefix("g6.")
        line = f"{at:%H:%M:%S} {record.levelname} {name}: {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One object a line: ts (UTC), level, logger, message, and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry = {
            "ts": at.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(entry).decode()


def set_up_logs(level: str, form: Literal["text", "json"], file: Path | None) -> None:
    """Send every log line to standard error, and to `file` too where one is named."""
    formatter = JsonFormatter() if form == "json" else TextFormatter()
    terminal = logging.StreamHandler(sys.stderr)
    if form == "text":
        terminal.addFilter(lambda record: record.name != MINUTES)
    handlers: list[logging.Handler] = [terminal]
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handlers.append(logging.FileHandler(file, encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"logging.file {file}: {error.strerror}; name a file that can be written") from error
    for handler in handlers:
        handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
