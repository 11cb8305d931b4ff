"""How noisy the total premium of a day was on each price basis, by expiry code."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from g6.history.database import ask
from g6.history.files import Wanted
from g6.history.premiums import MINUTE, total_sql
from g6.history.table import Table
from g6.history.views import name
from g6.model.chain import EXPIRY_CODES
from g6.storage.csv_layout import PREMIUM_COLUMNS

FIGURES = ("deviation", "zero_share", "autocorrelation", "roll_spread", "roll_spread_rupees")
SCHEMA = pa.schema([
    ("index", pa.string()), ("date", pa.date32()), ("expiry_code", pa.string()), ("expiry", pa.date32()),
    ("offset_label", pa.string()), ("price_basis", pa.string()), ("returns", pa.int64()),
    *((figure, pa.float64()) for figure in FIGURES),
])  # fmt: skip


def noise_of(root: Path, index: str, day: date, label: str) -> Table:
    """Return a row per expiry code of a day and price basis; no row where nothing was recorded."""
    sums = ", ".join(f"{total_sql(basis)} AS {name(basis)}" for basis in PREMIUM_COLUMNS)
    query = (
        f"SELECT expiry_code, expiry, {MINUTE} AS minute, strike, {sums} FROM chain"  # noqa: S608 - values are bound
        ' WHERE "index" = ? AND date = ? AND offset_label = ? ORDER BY ts'
    )
    asked = ask(root, Wanted(day, day, index, None, label), query, [index, day, label]).arrow()
    context = {"index": index, "date": day, "offset_label": label}
    return Table(pa.Table.from_pylist([context | row for row in _rows(asked)], schema=SCHEMA))


def _rows(asked: pa.Table) -> Iterator[dict[str, Any]]:
    from g6.analytics.price_basis import noise  # noqa: PLC0415  the analytics take a while to import

    codes = np.array(asked["expiry_code"].to_pylist(), dtype=object)
    for code in EXPIRY_CODES:
        here = asked.filter(pa.array(codes == code, pa.bool_()))
        if not len(here):
            continue
        minute, strike = here["minute"].to_numpy().astype(np.int64), here["strike"].to_numpy().astype(np.float64)
        for basis in PREMIUM_COLUMNS:
            found = noise(minute, strike, here[basis].to_numpy().astype(np.float64))
            yield {"expiry_code": code, "expiry": here["expiry"][0].as_py(), "price_basis": basis, **found._asdict()}
