"""Chains to value: the exchange's own published ones, read here by hand, and made-up ones."""

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from g6.clock import IST
from g6.model.chain import OptionChain

Chains = Callable[[str], Iterator[OptionChain]]


@pytest.fixture(scope="session")
def nse_chains(market_data: Path) -> Chains:
    """File name → its whole chains, one per expiry. Open interest stays in lots, as published."""

    def load(name: str) -> Iterator[OptionChain]:
        with gzip.open(market_data / "nse_option_chain" / name) as file:
            records = json.load(file)["records"]
        at = datetime.strptime(records["timestamp"], "%d-%b-%Y %H:%M:%S").replace(tzinfo=IST)
        for text in records["expiryDates"]:
            rows = [r for r in records["data"] if r["expiryDate"] == text]
            legs = [(r["strikePrice"], side == "CE", r[side]) for r in rows for side in ("CE", "PE") if side in r]
            if legs:
                yield chain_of(legs, at, records["underlyingValue"], text)

    def chain_of(legs: list, at: datetime, spot: float, expiry: str) -> OptionChain:
        def column(name: str, scale: float = 1.0, zero: float = np.nan) -> np.ndarray:
            values = np.array([leg[name] for _, _, leg in legs], dtype=float) * scale
            return np.where(values == 0, zero, values)

        day = datetime.strptime(expiry, "%d-%b-%Y").replace(tzinfo=IST)
        return OptionChain(
            index="NIFTY", expiry=day.date(), codes=(), at=at, expires_at=day + timedelta(hours=15, minutes=30),
            spot=spot, spot_frozen=False, expected=len(legs), lot=75,
            strike=np.array([float(strike) for strike, _, _ in legs]),
            is_call=np.array([is_call for _, is_call, _ in legs]),
            answered=np.ones(len(legs)), last=column("lastPrice"), bid=column("bidprice"), ask=column("askPrice"),
            oi=column("openInterest", zero=0.0), volume=column("totalTradedVolume", zero=0.0),
            broker_iv=column("impliedVolatility", 0.01),
            previous_close=column("lastPrice") - column("change", zero=0.0),
            previous_oi=column("openInterest", zero=0.0) - column("changeinOpenInterest", zero=0.0),
        )  # fmt: skip

    return load


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
