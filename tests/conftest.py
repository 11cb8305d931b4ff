"""Fixtures that every room's tests may use."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def project() -> Path:
    """The top folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def market_data() -> Path:
    """The folder of real market data; it may not be redistributed, so it lies beside the project or nowhere."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real market data beside the project (../shared/data)")
    return folder
