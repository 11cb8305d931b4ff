"""What a quote or a tick consists of, in columns: integers, as exchanges count, prices in paise."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from g6.model.columns import Bools, Ints, Texts

DEPTH = 10  # five buy levels, then five sell levels, the best first


@dataclass(frozen=True, slots=True, eq=False)
class Ticks:
    """Columns parallel to the contracts asked for, as things stand at `at`.

    Prices are paise, quantities units (not lots), stamps epoch seconds. Nothing is 0, as on Kite: never traded,
    an empty level, no stamp. A row that does not answer has `answered` false and 0 in every column but `token`.
    `open`, `high` and `low` are the day's, 0 before its first trade; `close` is the session before's. Depth
    columns are (n, 10): five buy levels and five sell levels, the best first.
    """

    at: datetime
    answered: Bools
    token: Ints
    last: Ints
    last_quantity: Ints
    average: Ints
    volume: Ints
    buy_quantity: Ints  # of the whole book, of which the depth shows the top
    sell_quantity: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    oi: Ints
    oi_high: Ints
    oi_low: Ints
    quoted_at: Ints
    traded_at: Ints
    depth_price: Ints
    depth_quantity: Ints
    depth_orders: Ints

    def __len__(self) -> int:
        return len(self.token)

    def take(self, rows: Ints | Bools) -> "Ticks":
        """Return these rows, in this order."""
        return Ticks(at=self.at, **{name: getattr(self, name)[rows] for name in TICK_COLUMNS})

    def where(self, mask: Bools, other: "Ticks") -> "Ticks":
        """Return the rows of `other` where the mask is true and these elsewhere."""
        return Ticks(at=self.at, **{n: _where(mask, getattr(other, n), getattr(self, n)) for n in TICK_COLUMNS})


@dataclass(frozen=True, slots=True, eq=False)
class IndexTicks:
    """The same for indices, which are not traded. `change` is last less close, in paise, and may be negative.

    `index` is the underlying's name, `symbol` its quote key, such as `NSE:NIFTY 50`.
    """

    at: datetime
    index: Texts
    symbol: Texts
    answered: Bools
    token: Ints
    last: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    change: Ints
    quoted_at: Ints

    def __len__(self) -> int:
        return len(self.token)

    def take(self, rows: Ints | Bools) -> "IndexTicks":
        """Return these rows, in this order."""
        return IndexTicks(at=self.at, **{name: getattr(self, name)[rows] for name in INDEX_COLUMNS})

    def where(self, mask: Bools, other: "IndexTicks") -> "IndexTicks":
        """Return the rows of `other` where the mask is true and these elsewhere."""
        return IndexTicks(at=self.at, **{n: _where(mask, getattr(other, n), getattr(self, n)) for n in INDEX_COLUMNS})


def _where(mask: Bools, there: npt.NDArray[Any], here: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.where(mask[:, None] if here.ndim == 2 else mask, there, here)


TICK_COLUMNS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(Ticks) if f.name != "at")
INDEX_COLUMNS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(IndexTicks) if f.name != "at")
