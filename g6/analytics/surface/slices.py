"""What the fitted smile of one expiry says. Each is NaN where the chain has no smile, or none that reaches so far."""

from collections.abc import Callable
from functools import partial

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.surface.smile import total_variance_slope
from g6.model.chain import OptionChain
from g6.model.columns import Aggregate, Floats

NAN = float("nan")
FORWARD: Floats = np.zeros(1)
VOLATILITY = "1/sqrt(year)"


def told(chain: OptionChain, _: Conventions, name: str) -> float:
    """Return what the smile itself says under a name."""
    return chain.smile.get(name, NAN)


def risk_reversal(chain: OptionChain, _: Conventions, delta: int) -> float:
    """Return the call's less the put's volatility at a delta in percent."""
    return chain.smile.get(f"call_{delta}_iv", NAN) - chain.smile.get(f"put_{delta}_iv", NAN)


def smile_butterfly(chain: OptionChain, _: Conventions, delta: int) -> float:
    """Return the mean of call's and put's volatility at a delta in percent, less that at the forward."""
    wings = chain.smile.get(f"call_{delta}_iv", NAN) + chain.smile.get(f"put_{delta}_iv", NAN)
    return 0.5 * wings - chain.smile.get("atm_iv", NAN)


def skew(chain: OptionChain, _: Conventions) -> float:
    """Return the slope of volatility by k = ln(strike/forward) at the forward: w′/(2·iv·years)."""
    slope = float(total_variance_slope(chain.smile, FORWARD)[0])
    return slope / (2.0 * chain.smile.get("atm_iv", NAN) * chain.years)


_DELTA = "at spot delta {0} (Black-76, forward N(d1)) of the fitted smile"
SMILES: tuple[tuple[Aggregate, Callable[[OptionChain, Conventions], float]], ...] = (
    (Aggregate("atm_forward_iv", VOLATILITY, "Volatility at strike = forward, of the fitted SVI smile of total "
     "variance w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), k = ln(strike/forward)",
     source="Gatheral and Jacquier 2014"), partial(told, name="atm_iv")),
    (Aggregate("risk_reversal_25", VOLATILITY, "Call less put volatility " + _DELTA.format(0.25),
     source="Wystup 2006"), partial(risk_reversal, delta=25)),
    (Aggregate("butterfly_25", VOLATILITY, "Mean of call and put volatility " + _DELTA.format(0.25) +
     ", less that at the forward", source="Wystup 2006"), partial(smile_butterfly, delta=25)),
    (Aggregate("risk_reversal_10", VOLATILITY, "Call less put volatility " + _DELTA.format(0.1),
     source="Wystup 2006"), partial(risk_reversal, delta=10)),
    (Aggregate("butterfly_10", VOLATILITY, "Mean of call and put volatility " + _DELTA.format(0.1) +
     ", less that at the forward", source="Wystup 2006"), partial(smile_butterfly, delta=10)),
    (Aggregate("skew", VOLATILITY, "Change of the fitted volatility per unit of ln(strike/forward), at the forward",
     source="Gatheral 2006"), skew),
    (Aggregate("smile_rmse", "vol points", "Root mean square of fitted less quoted volatility, weighted by the inverse "
     "square of each quote's error: half its spread over vega and, beside it, smile_noise_vol_points (default 0.1) * "
     "(vega over that at the money)^-0.75; less for quotes far off"), partial(told, name="rmse")),
    (Aggregate("smile_quality", "ratio", "Worth of the fitted smile: (1 - rmse over the greatest allowed) * (quotes "
     "over 20, at most 1) * (reach of the quotes on the shorter side over that of delta 0.1, at most 1); 0: no smile"),
     partial(told, name="quality")),
    (Aggregate("smile_status", "code", "Why there is a smile or none: 0 fitted, 1 too few two-sided quotes, 2 none on "
     "one side of the forward, 3 poor fit, 4 butterfly arbitrage (Durrleman's g < 0 where the smile is read), "
     "5 settling, 6 no forward by parity or a future", source="Gatheral and Jacquier 2014"),
     partial(told, name="status")),
)  # fmt: skip
