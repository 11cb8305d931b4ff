"""Which days the verification holds back: those that it has not seen whole, and those that were not good enough."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from g6.errors import SinkError
from g6.verification import report_file


def verification_hold(root: Path, minimum_score: float, *, required: bool) -> Callable[[date], str | None]:
    """Return why a day may not go by its report; None when it may.

    A report below `minimum_score`, or one that was made while the session ran, always holds the day back; the lack of
    one where it is `required`.
    """

    def why(day: date) -> str | None:
        try:
            report = report_file.load(root, day)
        except SinkError as error:
            return str(error)
        if report is None:
            return f"it was never verified; `g6 verify --date {day}`" if required else None
        if report.until is not None:
            return f"it was verified only until {report.until:%H:%M}; `g6 verify --date {day}`"
        if report.score < minimum_score:
            return f"it was verified at {report.score:g}, below {minimum_score:g}; `g6 verify --date {day}`"
        return None

    return why


def unverified(root: Path, day: date) -> bool:
    """Return whether a day has no report on all of it; one that cannot be read is none."""
    try:
        report = report_file.load(root, day)
    except SinkError:
        return True
    return report is None or report.until is not None
