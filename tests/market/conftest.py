"""The shipped tables, a real exchange dump, and contract rows made up from expiries and symbols."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from kite_dump import read_dump

from g6.clock import IST
from g6.market.indices import IndexDefinition, load_indices
from g6.market.sessions import SessionCalendar
from g6.model.contracts import ContractTable


@pytest.fixture(scope="session")
def calendar(project: Path) -> SessionCalendar:
    return SessionCalendar.load(project / "config" / "calendar.yaml")


@pytest.fixture(scope="session")
def definitions(project: Path) -> Mapping[str, IndexDefinition]:
    return load_indices(project / "config" / "indices.yaml")


@pytest.fixture(scope="session")
def at() -> Callable[[str], datetime]:
    """An instant from its text, IST."""
    return lambda text: datetime.fromisoformat(text).replace(tzinfo=IST)


@pytest.fixture(scope="session")
def rows() -> Callable[..., ContractTable]:
    """Contract rows of one index from (expiry, symbol) pairs; a symbol that ends in FUT is a future."""

    def make(index: str, *named: tuple[str, str]) -> ContractTable:
        n = len(named)
        symbols = np.array([symbol for _, symbol in named])
        kind = np.array([symbol[-3:] if symbol.endswith("FUT") else symbol[-2:] for symbol in symbols])
        return ContractTable(
            index=np.full(n, index), exchange=np.full(n, "NFO"), symbol=symbols, token=np.arange(n), kind=kind,
            expiry=np.array([day for day, _ in named], dtype="datetime64[D]"),
            strike=np.where(kind == "FUT", 0.0, 24000.0), lot=np.full(n, 65), tick=np.full(n, 0.05),
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def dump(market_data: Path) -> ContractTable:
    """The contract file of 2026-08-18, as it was published."""
    return read_dump(market_data / "instruments" / "kite_index_derivatives_2026-08-18.csv.gz")


@pytest.fixture(scope="session")
def days() -> Callable[[str], tuple[date, ...]]:
    """Days from their texts, parted by blanks."""
    return lambda text: tuple(date.fromisoformat(day) for day in text.split())
