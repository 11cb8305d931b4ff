"""The true volatility surface: SSVI, with a term structure that moves with the day's volatility level.

J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014):

    w(k, θ) = θ/2 · (1 + ρφk + √((φk + ρ)² + 1 − ρ²)),   φ(θ) = η / √(θ(1 + θ)),   k = ln(K/F)

with w = σ²T the total variance and θ the one at the money. Free of static arbitrage, because

- no butterfly (theorem 4.2): θφ(1+|ρ|) < 4 and θφ²(1+|ρ|) ≤ 4. As θφ² = η²/(1+θ) ≤ η² and θφ < η, both hold
  for every θ when η(1+|ρ|) < 4 and η²(1+|ρ|) ≤ 4; the constructor insists on it.
- no calendar (theorem 4.1): θ never falls with T, and 0 ≤ ∂(θφ)/∂θ = φ/(2(1+θ)) ≤ φ·(1+√(1−ρ²))/ρ², whose
  right side is at least φ.
"""

from dataclasses import dataclass

import numpy as np

from g6.model.columns import Floats


@dataclass(frozen=True, slots=True)
class Surface:
    """Parameters shared by all indices; an index brings its own annual volatility."""

    rho: float = -0.3  # equity-like: volatility is dearer below the money
    eta: float = 1.5
    premium: float = 1.06  # implied over realised volatility at the average level
    reversion: float = 8.0  # per year; how fast the level is expected to come back

    def __post_init__(self) -> None:
        skewed = 1 + abs(self.rho)
        if abs(self.rho) >= 1 or self.eta * skewed >= 4 or self.eta**2 * skewed > 4:
            raise ValueError(f"rho {self.rho} with eta {self.eta} allows butterfly arbitrage")

    def atm_variance(self, annual_volatility: Floats, level: Floats, years: Floats) -> Floats:
        """Return θ: the total variance at the forward, growing with `years`.

        `level` multiplies the volatility now; its square is expected to return to 1 exponentially:
        θ = (premium·σ)² · ∫₀ᵀ 1 + (level² − 1)·e^{−reversion·u} du.
        """
        excess = (np.square(level) - 1) * -np.expm1(-self.reversion * years) / self.reversion
        theta: Floats = np.square(self.premium * annual_volatility) * (years + excess)
        return theta

    def total_variance(self, log_moneyness: Floats, theta: Floats) -> Floats:
        """Return w(k, θ), positive."""
        scaled = log_moneyness * self.eta / np.sqrt(theta * (1 + theta))
        root = np.sqrt(np.square(scaled + self.rho) + 1 - self.rho**2)
        variance: Floats = 0.5 * theta * (1 + self.rho * scaled + root)
        return variance
