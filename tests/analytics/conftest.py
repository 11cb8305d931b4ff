"""Chains to value: the exchange's own published ones, and made-up ones."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from published_chains import published_chains

from g6.clock import IST
from g6.model.chain import OptionChain

Chains = Callable[[str], Iterator[OptionChain]]


@pytest.fixture(scope="session")
def nse_chains(market_data: Path) -> Chains:
    """File name → its whole chains, one per expiry. Open interest stays in lots, as published."""

    return lambda name: published_chains(market_data / "nse_option_chain" / name)


@pytest.fixture
def make_chain() -> Callable[..., OptionChain]:
    """A small chain of calls and puts side by side; keywords replace fields and columns."""

    def make(strikes: list[float], **changes: object) -> OptionChain:
        at = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
        n = 2 * len(strikes)
        fields = {
            "index": "NIFTY", "expiry": (at + timedelta(days=3)).date(), "codes": ("this_week",), "at": at,
            "expires_at": at + timedelta(days=3, hours=5, minutes=40), "spot": 24000.0, "spot_frozen": False,
            "expected": n, "lot": 65, "strike": np.repeat(np.array(strikes, dtype=float), 2),
            "is_call": np.tile([True, False], len(strikes)), "answered": np.ones(n),
        }  # fmt: skip
        return OptionChain(**(fields | changes))  # type: ignore[arg-type]

    return make
