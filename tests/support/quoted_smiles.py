"""Chains whose quotes are those of a smile, made by SciPy's normal distribution and nothing of the project's."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
from scipy.stats import norm

from g6.clock import IST
from g6.model.chain import OptionChain

FORWARD, RATE, TICK = 24000.0, 0.065, 0.05
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
Smile = Callable[[np.ndarray], np.ndarray]  # k = ln(K/F) → volatility


def raw_svi(a: float, b: float, rho: float, m: float, sigma: float, years: float) -> Smile:
    return lambda k: np.sqrt((a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))) / years)


def black(k: np.ndarray, total: np.ndarray, is_call: np.ndarray, forward: float = FORWARD) -> np.ndarray:
    """Undiscounted prices of strikes F·e^k at these σ√T."""
    d1 = -k / total + total / 2
    sign = np.where(is_call, 1.0, -1.0)
    return sign * forward * (norm.cdf(sign * d1) - np.exp(k) * norm.cdf(sign * (d1 - total)))


def quoted_chain(
    smile: Smile,
    days: float = 7.0,
    strikes: np.ndarray | None = None,
    spread: float = 0.0,
    tick: float = 0.0,
    forward: float = FORWARD,
    **changes: object,
) -> OptionChain:
    """Calls and puts side by side, quoted `spread` rupees around exact prices, outwards to whole ticks if wanted."""
    strikes = np.arange(0.94, 1.0501, 0.002) * forward if strikes is None else strikes
    strike, is_call = np.repeat(np.asarray(strikes, float), 2), np.tile([True, False], len(strikes))
    years, k = days / 365, np.log(strike / forward)
    price = math.exp(-RATE * years) * black(k, smile(k) * math.sqrt(years), is_call, forward)
    bid, ask = price - spread / 2, price + spread / 2
    if tick:
        bid, ask = np.floor(bid / tick + 1e-9) * tick, np.ceil(ask / tick - 1e-9) * tick
    bid = np.where(bid > 0, bid, np.nan)
    fields = {
        "index": "NIFTY", "expiry": (NOW + timedelta(days=days)).date(), "codes": ("this_week",), "at": NOW,
        "expires_at": NOW + timedelta(days=days), "spot": forward * math.exp(-RATE * years), "spot_frozen": False,
        "expected": len(strike), "lot": 65, "strike": strike, "is_call": is_call, "answered": np.ones(len(strike)),
        "bid": bid, "ask": ask, "last": price, "oi": np.ones(len(strike)), "volume": np.ones(len(strike)),
    }  # fmt: skip
    return OptionChain(**(fields | changes))  # type: ignore[arg-type]
