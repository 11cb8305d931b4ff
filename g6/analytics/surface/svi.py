"""The SVI smile: total variance of an expiry as a function of k = ln(K/F), and whether it prices without arbitrage.

    w(k) = a + b (ρ (k − m) + √((k − m)² + σ²)),   w = (implied volatility)² · years

Gatheral's raw parametrisation, as in Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative
Finance 14 (2014), section 3.1.
"""

from typing import NamedTuple

import numpy as np

from g6.model.columns import Floats

# Lee's moment formula: in the end no wing of total variance is steeper than 2 in |k| (Lee 2004).
STEEPEST_WING = 2.0
# Durrleman's function is looked at on so many points of a range, and on more around the lowest of them.
_SHARES, _CLOSER = np.linspace(0.0, 1.0, 129), np.linspace(-1.0, 1.0, 17)


class Svi(NamedTuple):
    """Raw parameters: `a` in total variance, `b` in total variance per k, `m` and `sigma` in k."""

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    def total_variance(self, k: Floats) -> Floats:
        """Return w at k = ln(K/F)."""
        x = k - self.m
        return np.asarray(self.a + self.b * (self.rho * x + np.sqrt(x * x + self.sigma * self.sigma)))

    def derivatives(self, k: Floats) -> tuple[Floats, Floats, Floats]:
        """Return w, dw/dk and d²w/dk²."""
        x = k - self.m
        z = np.sqrt(x * x + self.sigma * self.sigma)
        w = self.a + self.b * (self.rho * x + z)
        return w, self.b * (self.rho + x / z), self.b * self.sigma * self.sigma / (z * z * z)

    @property
    def steepest(self) -> float:
        """Return the slope of the steeper wing."""
        return self.b * (1.0 + abs(self.rho))


def durrleman(svi: Svi, k: Floats) -> Floats:
    """Return g(k), whose sign is that of the risk-neutral density (Gatheral and Jacquier 2014, equation 2.1).

    g = (1 − k w′/2w)² − (w′²/4)(1/w + 1/4) + w″/2; −inf where total variance is not positive.
    """
    w, slope, curvature = svi.derivatives(k)
    positive = w > 0
    safe = np.where(positive, w, 1.0)
    leading = 1.0 - k * slope / (2.0 * safe)
    g = leading * leading - 0.25 * slope * slope * (1.0 / safe + 0.25) + 0.5 * curvature
    return np.where(positive, g, -np.inf)


def butterfly(svi: Svi, low: float, high: float) -> float:
    """Return the least of Durrleman's g over low ≤ k ≤ high: negative is arbitrage, −inf a variance that is none."""
    width = high - low
    k = low + width * _SHARES
    g = durrleman(svi, k)
    place = int(np.argmin(g))
    around = np.minimum(np.maximum(k[place] + width * _SHARES[1] * _CLOSER, low), high)
    return float(min(g[place], durrleman(svi, around).min()))
