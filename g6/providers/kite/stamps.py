"""Kite's naive Indian time texts ("2026-08-18 10:15:00") as epoch seconds, all of an answer's at once."""

from collections.abc import Sequence

import numpy as np

from g6.clock import IST
from g6.model.columns import Bools, Floats, Ints

LENGTH = 19
NO_STAMP = "0" * LENGTH  # no separators: it parses to NaN
SEPARATORS = ((4, "-"), (7, "-"), (10, " "), (13, ":"), (16, ":"))
DIGITS = [place for place in range(LENGTH) if place not in dict(SEPARATORS)]
OFFSET = IST.utcoffset(None)
OFFSET_SECONDS = OFFSET.total_seconds() if OFFSET else 0.0


def epoch_seconds(stamps: Sequence[object]) -> tuple[Floats, int]:
    """Return seconds since 1970 UTC of texts in IST, and how many stamps were there and could not be read.

    None and "" are no stamp, as are instants at or before 1970 (Kite's "never"): NaN, and not counted. Any other
    text that is not YYYY-MM-DD HH:MM:SS, or names no instant (30 February), and any other type: NaN, and counted.
    """
    texts = [s if type(s) is str and len(s) == LENGTH and s.isascii() else NO_STAMP for s in stamps]
    grid = np.frombuffer("".join(texts).encode("ascii"), dtype=np.uint8).reshape(len(texts), LENGTH)
    seconds, possible = _parsed(grid)
    given = sum(1 for s in stamps if s is not None and s != "")
    return np.where(possible & (seconds > 0), seconds, np.nan), given - int(possible.sum())


def _parsed(grid: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> tuple[Floats, Bools]:
    digits = grid[:, DIGITS] - np.uint8(ord("0"))  # wraps: what is below "0" becomes large
    possible: Bools = np.all(digits <= 9, axis=1)
    for place, separator in SEPARATORS:
        possible &= grid[:, place] == ord(separator)
    # Where it is no stamp any instant will do; it is masked out.
    d = np.where(np.expand_dims(possible, 1), digits, 1).astype(np.int64)
    year = d[:, 0] * 1000 + d[:, 1] * 100 + d[:, 2] * 10 + d[:, 3]
    month, day, hour, minute, second = (d[:, i] * 10 + d[:, i + 1] for i in (4, 6, 8, 10, 12))
    days, exists = days_of(year, month, day)
    possible &= exists & (hour < 24) & (minute < 60) & (second < 60)
    return days * 86400.0 + hour * 3600 + minute * 60 + second - OFFSET_SECONDS, possible


def days_of(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Bools]:
    """Return days since 1970-01-01, and whether the calendar has that day."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (day - 1)
    exists = (month >= 1) & (month <= 12) & (day >= 1) & (dates.astype("datetime64[M]") == months)
    return dates.astype(np.int64), exists
