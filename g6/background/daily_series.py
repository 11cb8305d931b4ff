"""One row a day and index: open, high, low, close, 30-day volatility and India VIX. Made of what was recorded."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from g6.background.day_so_far import IV, SPOT, VIX, DaySoFar
from g6.model.columns import Floats
from g6.model.snapshot import Snapshot
from g6.storage.data_directory import write_whole

DAILY = "daily"
VALUES = ("open", "high", "low", "close", "atm_iv_30d", "india_vix")
HEADER = ("date", *VALUES)
KEPT_DAYS = 252
UNKNOWN: Mapping[str, float] = dict.fromkeys(VALUES, float("nan"))

Rows = dict[date, Mapping[str, float]]


class Daily(NamedTuple):
    """Parallel series, oldest first."""

    close: Floats
    iv: Floats


def read_daily(root: Path, index: str, days: Sequence[date]) -> Daily:
    """Return one value for each of these days, ascending; NaN for a day that is not kept.

    None before the first day that is kept: nothing is known from there, and empty where nothing is.
    """
    rows = _read(_path(root, index))
    first = next((place for place, day in enumerate(days) if day in rows), len(days))
    known = [rows.get(day, UNKNOWN) for day in days[first:]]
    return Daily(*(np.array([row[name] for row in known], np.float64) for name in ("close", "atm_iv_30d")))


def write_day(root: Path, day: date, snapshots: Iterable[Snapshot]) -> tuple[str, ...]:
    """Put a day's row into the file of each of its indices, in the place of one that is there; return the indices.

    Files are replaced whole, so that a crash leaves the old one or the new one.
    """
    seen = DaySoFar({})
    indices: dict[str, None] = {}
    for snapshot in snapshots:
        seen.remember(snapshot)
        indices |= dict.fromkeys(index.index for index in snapshot.indices)
    written = []
    for index in indices:
        row = _row(seen, index)
        if row is not None:
            path = _path(root, index)
            _write(path, _read(path) | {day: row})
            written.append(index)
    return tuple(written)


def _row(seen: DaySoFar, index: str) -> Mapping[str, float] | None:
    spot = seen.series(index, SPOT)
    known = spot[np.isfinite(spot)]
    if not len(known):
        return None
    values = float(known[0]), float(known.max()), float(known.min()), float(known[-1])
    return dict(zip(VALUES, (*values, _last(seen.series(index, IV)), _last(seen.series(index, VIX))), strict=True))


def _last(series: Floats) -> float:
    known = series[np.isfinite(series)]
    return float(known[-1]) if len(known) else float("nan")


def _path(root: Path, index: str) -> Path:
    return root / DAILY / f"{index}.csv"


def _read(path: Path) -> Rows:
    """Return the rows of a file; a line that makes no sense is left out, since the day can be made anew."""
    rows: Rows = {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for line in csv.DictReader(lines):
                try:
                    rows[date.fromisoformat(line["date"])] = {name: float(line[name] or "nan") for name in VALUES}
                except (KeyError, TypeError, ValueError):
                    continue
    except FileNotFoundError:
        pass
    return rows


def _write(path: Path, rows: Rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(HEADER)
    for day in sorted(rows):
        writer.writerow([day.isoformat(), *("" if np.isnan(rows[day][n]) else repr(rows[day][n]) for n in VALUES)])
    write_whole(path, lines.getvalue().encode())
