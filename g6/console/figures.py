"""Numbers, times, sizes and foreign texts as a person reads them. What is not known is "-", never nan."""

import math
from collections.abc import Sequence
from datetime import date, datetime

NOTHING = "-"

# Lowest to highest. A zero still has a mark: an empty place is a value that is not known.
BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-:=+*#"

UNITS = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))

# What ASCII has a usual spelling for; every other sign becomes a question mark.
SPELLINGS = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "→": "->", "…": "...", "·": "|", "’": "'", "‘": "'", "“": '"', "”": '"', "„": '"'}
)


def plain(text: str, *, ascii_only: bool) -> str:
    """Return a text as one line without control characters: some of it was written by a vendor's server."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    if ascii_only and not text.isascii():
        text = text.translate(SPELLINGS).encode("ascii", "replace").decode()
    return text


def number(value: float | None, decimals: int = 0) -> str:
    """Return a number with its thousands apart."""
    return f"{value:,.{decimals}f}" if _known(value) else NOTHING


def percent(ratio: float | None, decimals: int = 0) -> str:
    """Return a share of 1, rounded down: 100% is said of the whole alone, and 0% of nothing alone."""
    if ratio is None or not _known(ratio):
        return NOTHING
    scale = 10**decimals
    if 0 < ratio * 100 * scale < 1:
        return f"<{1 / scale:.{decimals}f}%"
    if ratio == 1:
        return "100%"
    # The small addition keeps 0.29 * 100 = 28.999… at 29.
    return f"{math.floor(ratio * 100 * scale + 1e-6) / scale:.{decimals}f}%"


def size(count: float | None) -> str:
    """Return bytes in decimal units, as disks are sold."""
    if count is None or not _known(count):
        return NOTHING
    unit, scale = next(((unit, scale) for unit, scale in UNITS if count >= scale), UNITS[-1])
    # Two or three digits are enough: 1.7 GB, 312 MB.
    return f"{count / scale:.{0 if count >= 9.95 * scale else 1}f} {unit}"


def duration(seconds: float | None) -> str:
    """Return how long something took or takes, in the two largest units that matter."""
    if seconds is None or not _known(seconds):
        return NOTHING
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    return f"{seconds:.0f} s" if seconds < 59.5 else _long(round(seconds / 60))


def countdown(seconds: float) -> str:
    """Return what is left, in whole units and never less than is left: 0.2 s are 1 s, so that 0 means now."""
    if seconds <= 60:
        return f"{max(0, math.ceil(seconds))} s"
    return _long(math.ceil(seconds / 60))


def elapsed(seconds: float) -> str:
    """Return what has passed, in whole units and never more than has passed."""
    return f"{math.floor(seconds)} s" if seconds < 100 else _long(math.floor(seconds / 60))


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def _long(minutes: int) -> str:
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def day(value: date, today: date) -> str:
    """Return a day with its weekday, and with its year where that is not this one."""
    return f"{value:%a %d %b}" if value.year == today.year else f"{value:%a %d %b %y}"


def instant(value: datetime, now: datetime) -> str:
    """Return the time of an instant, and its day where that is not today."""
    return f"{value:%H:%M}" if value.date() == now.date() else f"{day(value.date(), now.date())} {value:%H:%M}"


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest of the values that at least this share of them does not exceed; None of none."""
    known = sorted(value for value in values if _known(value))
    return known[max(0, math.ceil(share * len(known)) - 1)] if known else None


def sparkline(values: Sequence[float], width: int, *, ascii_only: bool) -> str:
    """Return the last `width` values as a line of bars from zero to the largest of them, oldest first."""
    bars = ASCII_BARS if ascii_only else BARS
    last = values[-width:] if width > 0 else ()
    top = max((value for value in last if _known(value)), default=0.0)
    return "".join(_bar(value, top, bars) for value in last)


def _bar(value: float, top: float, bars: str) -> str:
    if not _known(value):
        return " "
    return bars[min(len(bars) - 1, max(0, int(value / top * len(bars))))] if top > 0 else bars[0]


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
