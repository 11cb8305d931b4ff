"""Quantities as a person says them."""

from datetime import datetime, timedelta

DAY = "%a %d %b %H:%M"


def bytes_of(count: float) -> str:
    """Return a number of bytes with the unit that fits: "12.3 GB"."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if abs(count) >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"


def duration(seconds: float) -> str:
    """Return a duration in the two units that matter: "3 d 4 h", "12 min", "45 s"."""
    seconds = max(0.0, seconds)
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 48:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def instant(at: datetime, now: datetime) -> str:
    """Return the time of day, with the day where it is another than today or tomorrow's night."""
    at = at.astimezone(now.tzinfo)
    if at.date() == now.date():
        return f"{at:%H:%M}"
    return f"tomorrow {at:%H:%M}" if at.date() - now.date() == timedelta(days=1) else f"{at:{DAY}}"


def plural(count: int, one: str, many: str = "") -> str:
    """Return "1 minute", "2 minutes"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
