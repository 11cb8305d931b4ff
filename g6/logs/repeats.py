"""Failures that come again and again: the first is shown, the rest are counted."""

import hashlib
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from g6.logs.formatters import MINUTES, below, extras_of, said

WINDOW_SECONDS = 600.0  # from the line that was shown
QUIET_SECONDS = 120.0  # without a repetition: it has stopped; two minutes, since most come once a minute
LARGEST_COUNT = 1000  # of different messages that are remembered
LONGEST_TEXT = 300
_SWEEP_SECONDS = 1.0

# How long and how much may differ between two that are the same; so may the addresses of objects.
_MEASURE = re.compile(r"\d(?:[\d.,]*\d)?(?=\s?(?:%|(?:s|ms|µs|us|min|[kMG]?B|bytes)\b))|\b0x[0-9a-fA-F]+")


@dataclass(slots=True)
class _Seen:
    """A message that was shown, and what came after it; no record, whose traceback would hold on to its frames."""

    name: str
    level: int
    shown_at: float
    last_at: float
    text: str
    cycle: str
    count: int = 0


class Repeats:
    """Passes what is new and counts what was shown within `WINDOW_SECONDS`. Thread-safe, bounded.

    The same is: logger, level, message and traceback, but for durations, sizes and addresses. DEBUG is for whoever
    wants all of it, and each minute's sentence is its own: neither is counted. `monotonic` gives seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()  # in the order in which they were shown
        self._swept_at = monotonic()

    def passed(self, record: logging.LogRecord) -> list[logging.LogRecord]:
        """Return what is to be shown now: counts that are due, and the record unless it is a repetition."""
        if record.levelno < logging.INFO or record.name == MINUTES:
            return [*self.due(), record]
        key, text, cycle = _key(record), said(record)[:LONGEST_TEXT], getattr(record, "cycle", "")
        with self._lock:
            now = self._monotonic()
            told = self._sweep(now)
            seen = self._seen.get(key)
            if seen is None:
                self._seen[key] = _Seen(record.name, record.levelno, now, now, text, cycle)
                return [*told, *self._evicted(), record]
            seen.count, seen.last_at, seen.text, seen.cycle = seen.count + 1, now, text, cycle
            return told

    def due(self) -> list[logging.LogRecord]:
        """Return the counts of what has stopped, or has gone on for a whole window."""
        with self._lock:
            return self._sweep(self._monotonic())

    def rest(self) -> list[logging.LogRecord]:
        """Return every count there is, at the end."""
        with self._lock:
            told = [_summary(seen) for seen in self._seen.values() if seen.count]
            self._seen.clear()
            return told

    def _sweep(self, now: float) -> list[logging.LogRecord]:
        if now - self._swept_at < _SWEEP_SECONDS:
            return []
        self._swept_at = now
        over = [key for key, seen in self._seen.items() if _is_over(seen, now)]
        ended = [self._seen.pop(key) for key in over]
        return [_summary(seen) for seen in ended if seen.count]

    def _evicted(self) -> list[logging.LogRecord]:
        if len(self._seen) <= LARGEST_COUNT:
            return []
        _, oldest = self._seen.popitem(last=False)
        return [_summary(oldest)] if oldest.count else []


def _is_over(seen: _Seen, now: float) -> bool:
    return now - seen.shown_at >= WINDOW_SECONDS or (seen.count > 0 and now - seen.last_at >= QUIET_SECONDS)


def _key(record: logging.LogRecord) -> bytes:
    """Return what two records have in common that are the same; a digest, so that long ones cost no memory."""
    extras = extras_of(record)
    words = f"{record.name}\0{record.levelno}\0{said(record)}\0{below(record)}\0{extras or ''}"
    return hashlib.blake2b(_MEASURE.sub("#", words).encode("utf-8", "backslashreplace"), digest_size=16).digest()


def _summary(seen: _Seen) -> logging.LogRecord:
    seconds = max(1.0, seen.last_at - seen.shown_at)
    times = "once" if seen.count == 1 else f"{seen.count} times"
    span = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
    first = (seen.text.splitlines() or [""])[0]
    entry = {
        "name": seen.name,
        "levelno": seen.level,
        "levelname": logging.getLevelName(seen.level),
        "msg": f"… repeated {times} in {span}: {first}",
        "cycle": seen.cycle,
        "repeated": seen.count,
        "repeated_seconds": round(seconds, 1),
    }
    return logging.makeLogRecord(entry)
