"""A record as a line: text for people, or one JSON object for machines. No secret gets past here."""

import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
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
_STANDARD = len(vars(logging.makeLogRecord({})))
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "cycle", "g6_said", "g6_below"}
_TRACEBACKS = logging.Formatter()


def said(record: logging.LogRecord) -> str:
    """Return the message without secrets; made once, however many outlets there are."""
    found: str | None = getattr(record, "g6_said", None)
    if found is None:
        found = record.g6_said = redact(message_of(record))
    return found


def below(record: logging.LogRecord) -> str:
    """Return the traceback and the stack without secrets; empty without either. Made once, too."""
    if not (record.exc_info or record.exc_text or record.stack_info):
        return ""
    found: str | None = getattr(record, "g6_below", None)
    if found is None:
        found = record.g6_below = redact(traceback_of(record))
    return found


def message_of(record: logging.LogRecord) -> str:
    """Return the message; of a call whose arguments do not fit its text, the text and why they do not."""
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
    """Return what the call gave in `extra`, as it gave it."""
    if len(vars(record)) <= _STANDARD:
        return {}
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
        text, under = _cut(said(record)), below(record)
        if under:
            text = f"{text}\n{_cut(under)}"
        if not text.isprintable():
            text = "\n    ".join(map(_printable, text.splitlines()))
        return self._head(record) + text

    def _head(self, record: logging.LogRecord) -> str:
        stamp, identity = _second(int(record.created), IST), getattr(record, "cycle", "")
        minute = f"[{short(identity)}] " if identity else ""
        if not self._detailed:
            return f"{stamp[11:]} {record.levelname} {minute}"
        return f"{stamp}.{_milliseconds(record)} {record.levelname} {record.name.removeprefix('g6.')} {minute}"


class JsonFormatter(logging.Formatter):
    """One object a line: ts (UTC), level, logger, cycle, message, then exception and `extra` where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        entry: dict[str, Any] = {
            "ts": f"{_second(int(record.created), UTC).replace(' ', 'T')}.{_milliseconds(record)}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": _cut(said(record)),
        }
        if identity := getattr(record, "cycle", ""):
            entry["cycle"] = identity
        if under := below(record):
            entry["exception"] = _cut(under)
        for name, value in extras_of(record).items():
            entry.setdefault(redact(name), _plain(name, value))
        return orjson.dumps(entry).decode()


@lru_cache(maxsize=4)
def _second(seconds: int, zone: tzinfo) -> str:
    """Return 2026-11-20 10:00:02; many lines are of one second."""
    return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M:%S}"


def _milliseconds(record: logging.LogRecord) -> str:
    return f"{int(record.created * 1000) % 1000:03d}"


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
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()  # lone surrogates, which no file takes
    if len(text) <= LONGEST_CHARACTERS:
        return text
    return f"{text[:LONGEST_CHARACTERS]} … ({len(text) - LONGEST_CHARACTERS} characters more)"


def _printable(line: str) -> str:
    """Return the line with its control characters spelled out: they would move the terminal's cursor."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in line)
