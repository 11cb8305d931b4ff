"""What a provider answers: one spot per index, and columns of quotes parallel to the rows asked for."""

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

import numpy as np

from g6.model.columns import UNSET, Bools, Floats, freeze


@dataclass(frozen=True, slots=True)
class Spot:
    """An index's level; NaN when it did not answer. `quoted_at` is the exchange's stamp, IST."""

    last: float
    quoted_at: datetime


@dataclass(frozen=True, slots=True)
class Quotes:
    """Columns parallel to the contract rows that were asked for, taken at `at` (aware, IST).

    A contract that did not answer has `answered` false and NaN in every column. Prices in rupees, NaN where
    there is none (an empty book side, never traded); `oi`, `volume` and the bid and ask quantities in units
    (not lots); `bid_depth` and `ask_depth` are the quantities of a side's best five levels together, NaN where a vendor
    shows fewer; ages in seconds before `at`, NaN when unknown. `broker_iv` is a vendor's own annualised volatility.
    The day's `open`, `high` and `low` and the `previous_close` are of levels and shares; a vendor need not have them.
    """

    at: datetime
    answered: Bools
    last: Floats = field(default_factory=lambda: UNSET)
    bid: Floats = field(default_factory=lambda: UNSET)
    ask: Floats = field(default_factory=lambda: UNSET)
    bid_quantity: Floats = field(default_factory=lambda: UNSET)
    ask_quantity: Floats = field(default_factory=lambda: UNSET)
    bid_depth: Floats = field(default_factory=lambda: UNSET)
    ask_depth: Floats = field(default_factory=lambda: UNSET)
    volume: Floats = field(default_factory=lambda: UNSET)
    oi: Floats = field(default_factory=lambda: UNSET)
    average_price: Floats = field(default_factory=lambda: UNSET)
    quote_age_seconds: Floats = field(default_factory=lambda: UNSET)
    trade_age_seconds: Floats = field(default_factory=lambda: UNSET)
    broker_iv: Floats = field(default_factory=lambda: UNSET)
    open: Floats = field(default_factory=lambda: UNSET)
    high: Floats = field(default_factory=lambda: UNSET)
    low: Floats = field(default_factory=lambda: UNSET)
    previous_close: Floats = field(default_factory=lambda: UNSET)

    backfilled: ClassVar[bool] = False  # supplied afterwards

    def __post_init__(self) -> None:
        n = len(self.answered)
        for name in (*QUOTE_COLUMNS, *DAY_COLUMNS):
            values = getattr(self, name)
            filled = np.full(n, np.nan) if values is UNSET else values
            if len(filled) != n:
                raise ValueError(f"quote column {name} has {len(filled)} rows, {n} were asked for")
            object.__setattr__(self, name, freeze(filled))

    def __len__(self) -> int:
        return len(self.answered)


@dataclass(frozen=True, slots=True)
class CandleQuotes(Quotes):
    """Quotes that were made afterwards, from candles: closes, volumes and open interest, and no books."""

    backfilled: ClassVar[bool] = True


# What is said of the day of a level or a share, and of no derivative's.
DAY_COLUMNS = ("open", "high", "low", "previous_close")
QUOTE_COLUMNS: tuple[str, ...] = tuple(
    f.name for f in dataclasses.fields(Quotes) if f.name not in {"at", "answered", *DAY_COLUMNS}
)
