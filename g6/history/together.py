"""A stored day judged against the days before, all measures of an expiry code together."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from g6.anomalies.together import COLUMNS, Changes, changes_of, days_before, findings, train
from g6.history.questions import History
from g6.model.anomaly import Anomaly
from g6.model.chain import EXPIRY_CODES


def judge(
    history: History, index: str, days: Sequence[date], day: date, count: int, code: str | None = None
) -> tuple[Anomaly, ...]:
    """Return what is odd in the minutes of `day`, by what up to `count` of the recorded `days` before it had.

    Without a code it is the nearest expiry that the index had on that day. ConfigError where the days before are too
    few, and without scikit-learn.
    """
    wanted = code or _nearest(history, index, day)
    model = train([_changes(history, index, wanted, before) for before in days_before(days, day, count)])
    return findings(model, _changes(history, index, wanted, day), index, wanted)


def _nearest(history: History, index: str, day: date) -> str:
    """Return the first code with a volatility on the day; this_week where there is none: there is nothing to judge."""
    columns = history.overview(index, day).arrow()
    known = (code for code in EXPIRY_CODES if f"{code}_atm_iv" in columns.column_names)
    found = (code for code in known if columns[f"{code}_atm_iv"].null_count < columns.num_rows)
    return next(found, EXPIRY_CODES[0])


def _changes(history: History, index: str, code: str, day: date) -> Changes:
    table = history.overview(index, day, expiry=code).arrow()
    unknown = np.full(table.num_rows, np.nan)
    present = {name: table[name].to_numpy() for name in COLUMNS if name in table.column_names}
    return changes_of(table["ts"].to_pylist(), {name: present.get(name, unknown) for name in COLUMNS})
