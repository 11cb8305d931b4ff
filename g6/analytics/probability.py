"""How likely the expiry's forward is to end beyond a level, or to touch it before, by what the options cost.

Everything here rests on a slice of the surface: total variance w = σ²T and its slope as functions of k = ln(K/F).
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from g6.analytics.strikes import strikes_of
from g6.analytics.surface import total_variance, total_variance_slope
from g6.analytics.volatility import ROOT_2PI
from g6.model.chain import OptionChain

Slice = Callable[[float], tuple[float, float]]  # k → w and dw/dk; NaN where it does not reach

# The slope between quoted strikes is a difference over so many standard deviations on either side, near the last ones
# over less: enough to even out their ticks and too little to miss the smile's bend (0.004 at the most in a probability,
# of SSVI smiles as equity indices have them).
STEP, LEAST_STEP = 0.25, 0.1
# A probability further outside 0 … 1 than this is no rounding: the quotes contradict each other there.
SLACK = 0.01
FEWEST_STRIKES = 3
NAN = float("nan")


@lru_cache(maxsize=2)
def slice_of(chain: OptionChain) -> Slice:
    """Return the chain's slice: its fitted smile, which reaches nowhere when the fit was refused.

    Where no smile was asked for, w is interpolated linearly between the strikes that have a volatility. Against what
    spreads of options 100 points apart cost (17 recorded NIFTY chains), probabilities by the fit are off by up to 0.02,
    half a deviation from the money, and by the strikes 0.003; the strikes' are the noisier where few trade.
    """
    return _fitted(chain) if chain.smile else _interpolated(chain)


def closing_above(of: Slice, log_moneyness: float) -> float:
    """Return the probability that the expiry settles above F·e^k: Φ(d2) − φ(d2)·ds/dk, s = √w.

    That is −∂C/∂K of the undiscounted call with the smile's slope in it (Breeden and Litzenberger 1978); Φ(d2) alone
    leaves the slope out. NaN where the slice does not reach, or where its quotes allow no such probability.
    """
    variance, slope = of(log_moneyness)
    if not variance > 0:
        return NAN
    s = math.sqrt(variance)
    d2 = -log_moneyness / s - 0.5 * s
    above = float(ndtr(d2)) - math.exp(-0.5 * d2 * d2) / ROOT_2PI * slope / (2.0 * s)
    return min(1.0, max(0.0, above)) if -SLACK <= above <= 1 + SLACK else NAN


# Closing and touching ask the same of each level.
@lru_cache(maxsize=4)
def closing_beyond(chain: OptionChain, level: float, *, above: bool) -> float:
    """Return the probability that the expiry settles above, or below, a level in points."""
    if not (level > 0 and chain.forward > 0 and 0 < (ratio := level / chain.forward) < math.inf):
        return NAN
    higher = closing_above(slice_of(chain), math.log(ratio))
    return higher if above else 1.0 - higher


def touching(closing: float) -> float:
    """Return the probability that a level is touched before the expiry, from that of closing beyond it.

    By the reflection principle: of the paths that touch, half end beyond. Exact for a driftless walk of constant
    volatility watched all the time; here an approximation, at most 1.
    """
    return float(np.minimum(1.0, 2.0 * closing))


def _fitted(chain: OptionChain) -> Slice:
    def read(k: float) -> tuple[float, float]:
        place = np.array([k])
        return float(total_variance(chain.smile, place)[0]), float(total_variance_slope(chain.smile, place)[0])

    return read


def _interpolated(chain: OptionChain) -> Slice:
    strikes = strikes_of(chain)
    vol = chain.iv[np.maximum(strikes.call, strikes.put)]
    known = np.isfinite(vol)
    if np.count_nonzero(known) < FEWEST_STRIKES or not chain.forward > 0:
        return lambda _: (NAN, NAN)
    moneyness = np.log(strikes.strike[known] / chain.forward)
    total = vol[known] ** 2 * chain.years

    def read(k: float) -> tuple[float, float]:
        variance = float(np.interp(k, moneyness, total))
        s = math.sqrt(variance)
        step = min(STEP * s, k - moneyness[0], moneyness[-1] - k)
        if step < LEAST_STEP * s:
            return NAN, NAN
        low, high = np.interp([k - step, k + step], moneyness, total)
        return variance, float(high - low) / (2.0 * step)

    return read
