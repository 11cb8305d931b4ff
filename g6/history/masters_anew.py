"""Weekday masters on a price basis of one's choice, made again from the days that are still there.

The masters that are kept are sums of the price that was the basis when each day was folded.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from g6.history.premiums import recorded_totals
from g6.history.table import Table
from g6.history.views import MASTER_COLUMNS
from g6.masters.database import path_of
from g6.masters.files import DECIMALS, WEEKDAYS
from g6.masters.profile import SMOOTHING, Profile, profile_of
from g6.masters.store import MasterStore
from g6.masters.totals import PER_RUPEE, Totals

RUPEES = ("sum", "mean", "min", "max", "exponential_mean")
SCHEMA = pa.schema(
    [(c, pa.float64() if c in RUPEES else pa.int64() if c == "n" else pa.string()) for c in MASTER_COLUMNS]
)


def masters_on(root: Path, index: str, code: str, label: str, price_basis: str, weekday: str | None) -> Table:
    """Return a row per weekday and minute, by their names, with the columns of the view `masters`.

    ConfigError for a basis that there is not; SinkError when a file cannot be read.
    """
    smoothing, display_name = remembered(root, index)
    days = recorded_totals(root, index, code, label, price_basis)
    context = {"index": index, "expiry_code": code, "offset_label": label, "display_name": display_name}
    rows: list[dict[str, object]] = []
    for number in sorted(range(len(WEEKDAYS)), key=WEEKDAYS.__getitem__):
        if weekday is None or weekday.lower() == WEEKDAYS[number]:
            profile = profile_of(_on(number, days), smoothing)
            rows += ({**context, "weekday": WEEKDAYS[number], **row} for row in _rows(profile))
    return Table(pa.Table.from_pylist(rows, schema=SCHEMA))


def remembered(root: Path, index: str) -> tuple[float, str]:
    """Return the masters' smoothing and the index's name for people; the default and the index without masters."""
    if not path_of(root).is_file():
        return SMOOTHING, index
    with closing(MasterStore.open_read_only(root)) as store:
        return store.smoothing, store.display_names().get(index, index)


def _on(weekday: int, days: Mapping[date, Totals]) -> list[Totals]:
    return [totals for day, totals in sorted(days.items()) if day.weekday() == weekday]


def _rows(profile: Profile) -> Iterator[dict[str, object]]:
    """Yield the minutes of a profile that has one label, as the master files have them."""
    if not profile.labels:
        return
    exact = (profile.total, profile.mean, profile.lowest, profile.highest, profile.exponential)
    rupees = np.stack([np.round(np.rint(column[0]) / PER_RUPEE, DECIMALS) for column in exact], axis=1)
    for minute, n, values in zip(profile.minutes.tolist(), profile.n[0].tolist(), rupees.tolist(), strict=True):
        yield {"minute": f"{minute // 60:02d}:{minute % 60:02d}", "n": n, **dict(zip(RUPEES, values, strict=True))}
