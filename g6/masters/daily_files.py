"""The total premiums of a day as its CSV files have them, which is the canonical word on a day that is over."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np

from g6.errors import SinkError
from g6.masters.totals import ABSENT, OFFSET_LABEL, PER_RUPEE, DayTotals, Group, Totals, joined, spread
from g6.storage.data_directory import CSV

COLUMN = b"total_premium"


def read_day(root: Path, day: date, alive: Callable[[], None] = lambda: None) -> DayTotals | None:
    """Return a day's totals from `<root>/csv/<INDEX>/<expiry code>/<offset>/<day>.csv`; None when there is no file.

    Lines that were never finished do not count; folders that are no offset's are left out. `alive` is called before
    each file. SinkError for a file that cannot be read, or whose rows are not those of a daily file.
    """
    series: dict[Group, dict[str, dict[int, int]]] = {}
    paths = sorted((root / CSV).glob(f"*/*/*/{day.isoformat()}.csv"))
    for path in paths:
        index, code, label = path.parent.relative_to(root / CSV).parts
        alive()
        if OFFSET_LABEL.fullmatch(label):
            series.setdefault(Group(index, code), {})[label] = _read(path)
    if not paths:
        return None
    days = {group: _together(by_label) for group, by_label in sorted(series.items())}
    return {group: totals for group, totals in days.items() if totals.labels}


def _read(path: Path) -> dict[int, int]:
    """Return minute of the day → total premium, ten-thousandths of a rupee."""
    try:
        header, *lines = path.read_bytes().split(b"\n")[:-1] or [b""]
    except OSError as error:
        raise SinkError(f"cannot read {path}: {error.strerror}") from error
    try:
        place = header.split(b",").index(COLUMN)
        rows = ((line, line.split(b",", place + 1)[place]) for line in lines)
        return {_minute(line): round(float(cell) * PER_RUPEE) for line, cell in rows if cell}
    except (ValueError, IndexError) as error:
        raise SinkError(f"{path} is not a daily file of G6: {error}") from error


def _minute(line: bytes) -> int:
    """Return the minute of a row that begins with its `ts`, as 2026-11-20T09:15:00+05:30."""
    return int(line[11:13]) * 60 + int(line[14:16])


def _together(by_label: dict[str, dict[int, int]]) -> Totals:
    labels = joined([tuple(by_label)])
    minutes = np.array(sorted({minute for rows in by_label.values() for minute in rows}), np.int64)
    values = np.full((len(labels), len(minutes)), ABSENT)
    for row, label in enumerate(labels):
        rows = by_label[label]
        own = np.array(sorted(rows), np.int64)
        totals = np.array([[rows[minute] for minute in own.tolist()]], np.int64)
        values[row] = spread(totals, (label,), own, (label,), minutes)[0]
    return Totals.of(labels, minutes, values)
