"""The simulator's own Black-76, so that valuation can be checked against an independent answer."""

import numpy as np
from scipy.special import ndtr

from g6.model.columns import Bools, Floats


def black76(forward: Floats, strike: Floats, deviation: Floats, discount: Floats, is_call: Bools) -> Floats:
    """Return European option prices, in the forward's unit.

    `deviation` is σ√T, positive. c = e^{-rT}·[F·N(d1) − K·N(d2)], d1 = ln(F/K)/σ√T + σ√T/2, d2 = d1 − σ√T;
    puts by the same formula with signs turned (F. Black, "The pricing of commodity contracts", 1976).
    """
    sign = np.where(is_call, 1.0, -1.0)
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    undiscounted = forward * ndtr(sign * d1) - strike * ndtr(sign * (d1 - deviation))
    # Far in the wings the difference of two tiny numbers may come out a hair below nothing.
    price: Floats = discount * np.maximum(sign * undiscounted, 0.0)
    return price
