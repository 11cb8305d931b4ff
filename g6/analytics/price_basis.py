"""How good a price basis is to follow: the noise of the minute returns of a total premium. Columns in, numbers out.

A premium of last traded prices jumps between bid and ask: its returns take themselves back, and their first-order
autocorrelation is negative (R. Roll, A Simple Implicit Measure of the Effective Bid-Ask Spread in an Efficient Market,
Journal of Finance 39, 1984: the spread is twice the root of minus the autocovariance). A premium of the day's average
prices hardly moves: its returns are small, of one sign for long, and their autocorrelation is positive, because an
average follows the market late.
"""

from typing import NamedTuple

import numpy as np

from g6.model.columns import Bools, Floats, Ints

NAN = float("nan")
# Fewer say nothing.
LEAST_RETURNS = 10


class Noise(NamedTuple):
    """Noise of a series by its minute log-returns; NaN where there are too few of them (under 10).

    `autocorrelation` is that of the first order, `roll_spread` Roll's spread over the premium, NaN where the
    autocovariance is not negative (there is no bounce then), `roll_spread_rupees` the same of plain differences.
    """

    returns: int
    deviation: float
    zero_share: float
    autocorrelation: float
    roll_spread: float
    roll_spread_rupees: float


def noise(minute: Ints, strike: Floats, premium: Floats) -> Noise:
    """Return the noise of a premium, minute by minute (of any count that rises by one a minute, in order).

    A return joins two minutes that follow each other, at one and the same strike, with a premium above zero in both:
    where the ATM moves on, or a minute is missing, the series begins anew. Means are taken out.
    """
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(premium) & (premium > 0)
    joined = usable[1:] & usable[:-1] & (np.diff(minute) == 1) & (np.diff(strike) == 0)
    count = int(np.count_nonzero(joined))
    if count < LEAST_RETURNS:
        return Noise(count, NAN, NAN, NAN, NAN, NAN)
    steps = np.where(joined, np.diff(np.where(usable, premium, 1.0)), 0.0)
    returns = np.where(joined, np.diff(np.log(np.where(usable, premium, 1.0))), 0.0)
    variance = float(np.var(returns[joined]))
    covariance = _autocovariance(returns, joined)
    return Noise(
        returns=count,
        deviation=float(np.std(returns[joined], ddof=1)),
        zero_share=float(np.mean(steps[joined] == 0)),
        autocorrelation=covariance / variance if variance > 0 else NAN,
        roll_spread=_roll(covariance),
        roll_spread_rupees=_roll(_autocovariance(steps, joined)),
    )


def _autocovariance(steps: Floats, joined: Bools) -> float:
    """Return the covariance of steps that follow each other; NaN where too few do."""
    pairs = joined[1:] & joined[:-1]
    if np.count_nonzero(pairs) < LEAST_RETURNS:
        return NAN
    centred = steps - steps[joined].mean()
    return float(np.mean((centred[1:] * centred[:-1])[pairs]))


def _roll(covariance: float) -> float:
    return float(2 * np.sqrt(-covariance)) if covariance < 0 else NAN
