"""A published contract file of the broker as a contract table."""

import csv
import gzip
from pathlib import Path

import numpy as np

from g6.model.contracts import ContractTable


def read_dump(path: Path) -> ContractTable:
    """Every row of the gzipped file, as it stands."""
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    return ContractTable(
        index=np.array([r["name"] for r in rows]), exchange=np.array([r["exchange"] for r in rows]),
        symbol=np.array([r["tradingsymbol"] for r in rows]),
        token=np.array([int(r["instrument_token"]) for r in rows]),
        kind=np.array([r["instrument_type"] for r in rows]),
        expiry=np.array([r["expiry"] for r in rows], dtype="datetime64[D]"),
        strike=np.array([float(r["strike"]) for r in rows]),
        lot=np.array([int(r["lot_size"]) for r in rows]), tick=np.array([float(r["tick_size"]) for r in rows]),
    )  # fmt: skip
