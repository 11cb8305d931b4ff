"""The contract table: who a contract is. Rows are identity; a quote refers to a row by its position."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from g6.model.columns import Bools, Dates, Floats, Ints, Texts

CALL, PUT, FUTURE = "CE", "PE", "FUT"
# What is quoted beside derivatives: the level of an index, and a share. Such a row has no expiry (NaT) and no strike.
LEVEL, SHARE = "IDX", "EQ"


@dataclass(frozen=True, slots=True, eq=False)  # a table is itself, so that what was made of it can be kept
class ContractTable:
    """Equal-length columns, one row per listed contract of one day's dump.

    `index` is the underlying's exact name, `kind` is CE, PE or FUT (or IDX, EQ), `expiry` a day (datetime64[D]),
    `strike` in index points (0 for futures), `lot` in units per lot, `tick` in rupees.
    `symbol` with `exchange` is the key; `token` is re-used by exchanges after expiry and is no key.
    """

    index: Texts
    exchange: Texts
    symbol: Texts
    token: Ints
    kind: Texts
    expiry: Dates
    strike: Floats
    lot: Ints
    tick: Floats

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, f.name)) for f in dataclasses.fields(self)}
        if len(lengths) != 1:
            raise ValueError(f"contract columns of unequal lengths {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.index)

    def take(self, rows: Ints | Bools) -> "ContractTable":
        """Return the rows at these positions, or where this mask is true, in that order."""
        return ContractTable(*(getattr(self, f.name)[rows] for f in dataclasses.fields(self)))

    def of_index(self, name: str) -> "ContractTable":
        """Return the rows of one underlying, by its exact name (NIFTY is not NIFTYNXT50)."""
        return self.take(self.index == name)

    def option_expiries(self) -> tuple[date, ...]:
        """Return the distinct expiry days of options, ascending."""
        return _days(self.expiry[self.kind != FUTURE])

    def future_expiries(self) -> tuple[date, ...]:
        """Return the distinct expiry days of futures, ascending."""
        return _days(self.expiry[self.kind == FUTURE])

    @staticmethod
    def concatenate(tables: Iterable["ContractTable"]) -> "ContractTable":
        """Stack tables in order; no table at all gives an empty one."""
        stacked = [EMPTY_CONTRACTS, *tables]
        return ContractTable(
            *(np.concatenate([getattr(t, f.name) for t in stacked]) for f in dataclasses.fields(ContractTable))
        )


def _days(expiries: Dates) -> tuple[date, ...]:
    return tuple(np.unique(expiries).astype("datetime64[D]").tolist())


EMPTY_CONTRACTS = ContractTable(
    index=np.empty(0, "U16"), exchange=np.empty(0, "U4"), symbol=np.empty(0, "U40"),
    token=np.empty(0, np.int64), kind=np.empty(0, "U3"), expiry=np.empty(0, "datetime64[D]"),
    strike=np.empty(0), lot=np.empty(0, np.int64), tick=np.empty(0),
)  # fmt: skip
