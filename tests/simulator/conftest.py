"""The markets that these tests ask: the project's own indices and calendar, under a fixed seed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from g6.market.indices import IndexDefinition, load_indices
from g6.market.sessions import SessionCalendar
from g6.simulator.market import SimulatedMarket

SEED = 20260803


@pytest.fixture(scope="session")
def indices(project: Path) -> Mapping[str, IndexDefinition]:
    return load_indices(project / "config" / "indices.yaml")


@pytest.fixture(scope="session")
def calendar(project: Path) -> SessionCalendar:
    return SessionCalendar.load(project / "config" / "calendar.yaml")


@pytest.fixture(scope="session")
def market(indices: Mapping[str, IndexDefinition], calendar: SessionCalendar) -> SimulatedMarket:
    return SimulatedMarket(SEED, indices, calendar)


@pytest.fixture(scope="session")
def moment() -> Callable[[str], datetime]:
    """Give an instant from `2026-11-20T10:00`, which is IST."""
    return lambda text: datetime.fromisoformat(f"{text}+05:30")
