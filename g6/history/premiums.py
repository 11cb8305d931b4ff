"""Total premiums on a price basis of one's choice, made again from the legs that were recorded.

What is stored as `total_premium` is the sum of the price that was the basis that day. Both prices of every leg are
stored beside it, so the other sum can be had for every day that is still there.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np

from g6.errors import ConfigError
from g6.history.database import ask
from g6.history.files import Wanted
from g6.masters.totals import ABSENT, PER_RUPEE, Totals, is_pair, label_order, pair_means
from g6.model.chain import offset_label
from g6.storage.csv_layout import PREMIUM_COLUMNS, PREMIUM_DECIMALS

# Of the IST day: the database lives in that zone.
MINUTE = "date_diff('minute', CAST(date AS TIMESTAMP), CAST(ts AS TIMESTAMP))"
FIRST_DAY = date(1970, 1, 1)


def total_sql(price_basis: str) -> str:
    """Return the total premium as SQL over the view `chain`; ConfigError for a basis that there is not.

    A leg that was not traded that day has no average price, and its strike no total on that basis.
    """
    column = column_of(price_basis)
    return f"round(nullif(ce_{column}, 0) + nullif(pe_{column}, 0), {PREMIUM_DECIMALS})"


def column_of(price_basis: str) -> str:
    """Return the column of a basis; ConfigError for one that there is not."""
    if price_basis not in PREMIUM_COLUMNS:
        raise ConfigError(f"{price_basis!r} is no price basis; they are {', '.join(PREMIUM_COLUMNS)}")
    return PREMIUM_COLUMNS[price_basis]


def recorded_totals(root: Path, index: str, code: str, label: str, price_basis: str) -> dict[date, Totals]:
    """Return day → the total premiums of one place (`atm`, `p1`) or pair (`p1m1`) on a basis, of every recorded day.

    Days ascend. Totals are as the masters keep them: ten-thousandths of a rupee, a pair the mean of both where both
    are. SinkError when a file cannot be read.
    """
    if not is_pair(label):
        return _of_place(root, index, code, label, price_basis)
    _, distance = label_order(label)
    above, below = (_of_place(root, index, code, offset_label(o), price_basis) for o in (distance, -distance))
    pairs = {day: _paired(label, above[day], below[day]) for day in sorted(above.keys() & below.keys())}
    return {day: totals for day, totals in pairs.items() if totals.labels}


def _of_place(root: Path, index: str, code: str, label: str, price_basis: str) -> dict[date, Totals]:
    query = (
        f"SELECT date, {MINUTE} AS minute, {total_sql(price_basis)} AS total FROM chain"  # noqa: S608 - values are bound
        ' WHERE "index" = ? AND expiry_code = ? AND offset_label = ? ORDER BY ts'
    )
    wanted = Wanted(index=index, code=code, place=label)
    columns = ask(root, wanted, query, [index, code, label]).arrow()
    days = columns["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    minutes = columns["minute"].to_numpy().astype(np.int64)
    totals = columns["total"].to_numpy().astype(np.float64)
    known = np.isfinite(totals)
    found = {}
    for number in np.unique(days[known]).tolist():
        here = known & (days == number)
        whole = np.rint(totals[here] * PER_RUPEE).astype(np.int64)
        found[FIRST_DAY + timedelta(days=number)] = Totals.of((label,), minutes[here], whole[None, :])
    return found


def _paired(label: str, above: Totals, below: Totals) -> Totals:
    minutes = np.intersect1d(above.minutes, below.minutes)
    upper, lower = (one.values[0][np.searchsorted(one.minutes, minutes)] for one in (above, below))
    means = pair_means(upper, lower)
    return Totals.of((label,) if (means != ABSENT).any() else (), minutes, np.atleast_2d(means))
