"""A record as a line: text for people, or one JSON object for machines. No secret gets past here."""

import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from g6.clock import IST
from g6.logs.identity import short
from g6.logs.patterns import MASK, is_secret_name
from g6.logs.secrets import redact

# The logger of the minutes' sentences.
MINUTES = "g6.minute"

LONGEST_CHARACTERS = 32_768  # of a message, and of a traceback
_DEEPEST = 4
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "cycle"}
_TRACEBACKS = logging.Formatter()


def message_of(record: logging.LogRecord) -> str:
    """Return the message; of a call whose arguments do not fit its text, both as they are."""
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001  an argument's own __str__ may raise anything, and a line must come out
        return f"{record.msg!s} (its arguments do not fit: {type(error).__name__})"


def traceback_of(record: logging.LogRecord) -> str:
    """Return the traceback with every cause, and the stack where it was asked for; empty without either."""
    if record.exc_info and record.exc_info[0] and not record.exc_text:
        record.exc_text = _TRACEBACKS.formatException(record.exc_info)  # kept, as the standard formatter does
    parts = (record.exc_text or "", record.stack_info or "")
    return "\n".join(part for part in parts if part)


def extras_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what the call gave in `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _OWN}


class TextFormatter(logging.Formatter):
    """`10:00:02 WARNING [10:00] …`, the time in IST, the cycle's minute in brackets.

    `detailed` adds day, milliseconds and the logger, without the package's own name. What follows the first line, of a
    message or a traceback, is indented: no text of a vendor can pass for a line of its own.
    """

    def __init__(self, *, detailed: bool = False) -> None:
        super().__init__()
        self._detailed = detailed

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback below it where there is one."""
        below = traceback_of(record)
        said = _cut(redact(message_of(record)))
        text = f"{said}\n{_cut(redact(below))}" if below else said
        return self._head(record) + "\n    ".join(map(_printable, text.splitlines() or [""]))

    def _head(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, IST)
        identity = getattr(record, "cycle", "")
        minute = f"[{short(identity)}] " if identity else ""
        if not self._detailed:
            return f"{at:%H:%M:%S} {record.levelname} {minute}"
        stamp = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"
        return f"{stamp} {record.levelname} {record.name.removeprefix('g6.')} {minute}"


class JsonFormatter(logging.Formatter):
    """One object a line: ts (UTC), level, logger, cycle, message, then exception and `extra` where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry: dict[str, Any] = {
            "ts": at.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": _cut(redact(message_of(record))),
        }
        if identity := getattr(record, "cycle", ""):
            entry["cycle"] = identity
        if below := traceback_of(record):
            entry["exception"] = _cut(redact(below))
        for name, value in extras_of(record).items():
            entry.setdefault(redact(name), _plain(name, value))
        return orjson.dumps(entry).decode()


def _plain(name: str, value: object, depth: int = 0) -> Any:
    """Return a value of `extra` as JSON can hold it, without secrets at any depth."""
    if is_secret_name(name):
        return MASK
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**53):
        return value
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {_text(key): _plain(_text(key), below, depth + 1) for key, below in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_plain("", below, depth + 1) for below in value]
    return _text(value)


def _text(value: object) -> str:
    try:
        return _cut(redact(str(value)))
    except Exception as error:  # noqa: BLE001  a value's own __str__ may raise anything, and a line must come out
        return f"({type(value).__name__}: {type(error).__name__})"


def _cut(text: str) -> str:
    # After redaction: half a secret would not be known for one.
    text = text.encode("utf-8", "backslashreplace").decode()  # lone surrogates, which no file takes
    if len(text) <= LONGEST_CHARACTERS:
        return text
    return f"{text[:LONGEST_CHARACTERS]} … ({len(text) - LONGEST_CHARACTERS} characters more)"


def _printable(line: str) -> str:
    """Return the line with its control characters spelled out: they would move the terminal's cursor."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in line)
