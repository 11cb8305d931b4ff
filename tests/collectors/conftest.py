"""A real exchange dump, the shipped calendar and indices, and made-up quotes for whatever is asked."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kite_dump import read_dump

from g6.market.indices import IndexDefinition, load_indices
from g6.market.sessions import SessionCalendar
from g6.model.contracts import ContractTable
from g6.model.quotes import Quotes


@pytest.fixture(scope="session")
def calendar(project: Path) -> SessionCalendar:
    return SessionCalendar.load(project / "config" / "calendar.yaml")


@pytest.fixture(scope="session")
def definitions(project: Path) -> dict[str, IndexDefinition]:
    return dict(load_indices(project / "config" / "indices.yaml"))


@pytest.fixture(scope="session")
def dump(market_data: Path) -> ContractTable:
    """The Kite dump of 2026-08-18, as it was published."""
    return read_dump(market_data / "instruments" / "kite_index_derivatives_2026-08-18.csv.gz")


@pytest.fixture
def fine_quotes() -> Callable[..., Quotes]:
    """Quotes without a defect for n contracts; keyword columns replace one of them."""

    def make(at: object, n: int, **columns: object) -> Quotes:
        fine = {
            "last": np.full(n, 100.0), "bid": np.full(n, 99.5), "ask": np.full(n, 100.5), "oi": np.full(n, 6500.0),
            "volume": np.full(n, 650.0), "quote_age_seconds": np.ones(n), "trade_age_seconds": np.ones(n),
        }  # fmt: skip
        answered = columns.pop("answered", np.ones(n, dtype=bool))
        return Quotes(at=at, answered=answered, **(fine | columns))  # type: ignore[arg-type]

    return make
