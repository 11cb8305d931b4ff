"""The column schema's vocabulary: what a measured column is, and the array types that carry it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]
Texts = npt.NDArray[np.str_]

Scope = Literal["chain", "index", "market"]
# `context` is what the market said before: kept with the minute, so that it can be valued anew, and in no daily file.
Origin = Literal["identity", "collected", "context", "derived"]

# Who defines what nobody else does.
OWN = "G6"
FIRST_RELEASE = "0.1.0"
# Who says what a column of each origin holds, unless it names another.
SOURCES: Mapping[Origin, str] = {
    "identity": "exchange's list of contracts",
    "collected": "exchange, through the provider",
    "context": "G6's record of the trading day before",
    "derived": OWN,
}

UNSET: Floats = np.empty(0)
UNSET.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the option chain, as CSV, InfluxDB, API and docs know it.

    `decimals` is how many of them a store keeps (None: all); units are the field's own words.
    """

    name: str
    origin: Origin
    unit: str
    help: str
    decimals: int | None = None
    source: str = OWN  # who says or defines it so
    since: str = FIRST_RELEASE  # the release that had it first


def column(
    origin: Origin,
    unit: str,
    help: str,  # noqa: A002
    decimals: int | None = None,
    source: str = "",
    since: str = FIRST_RELEASE,
) -> Any:
    """Declare a dataclass field that is also a row of the schema; unset it becomes NaN of the chain's length."""
    spec = {"column": (origin, unit, help, decimals, source or SOURCES[origin], since)}
    if origin == "identity":
        return field(metadata=spec)
    return field(default_factory=lambda: UNSET, metadata=spec)


def schema_of(cls: type) -> tuple[Column, ...]:
    """Read back the columns that a dataclass declares, in order."""
    return tuple(Column(f.name, *f.metadata["column"]) for f in dataclasses.fields(cls) if "column" in f.metadata)


def freeze(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view, so that no stage can change what another one was given."""
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number per chain (PCR, max pain …), or per index, as every store, gauge and page knows it."""

    name: str
    unit: str
    help: str  # its definition, complete enough to compute it by
    scope: Scope = "chain"
    source: str = OWN  # who defines it so
    since: str = FIRST_RELEASE  # the release that had it first


Aggregates = Mapping[str, float]
