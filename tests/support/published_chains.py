"""The option chains that the exchange publishes on its site, read from recorded answers."""

import gzip
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from g6.clock import IST
from g6.model.chain import OptionChain


def published_chains(file: Path) -> Iterator[OptionChain]:
    """Yield a file's whole chains, one per expiry, the nearest first. Open interest stays in lots, as published."""
    with gzip.open(file) as packed:
        records = json.load(packed)["records"]
    at = datetime.strptime(records["timestamp"], "%d-%b-%Y %H:%M:%S").replace(tzinfo=IST)
    for text in records["expiryDates"]:
        rows = [row for row in records["data"] if row["expiryDate"] == text]
        legs = [(row["strikePrice"], side == "CE", row[side]) for row in rows for side in ("CE", "PE") if side in row]
        if legs:
            yield _chain_of(legs, at, records["underlyingValue"], text)


def _chain_of(legs: list, at: datetime, spot: float, expiry: str) -> OptionChain:
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
