"""Implied volatility of Black-76 prices, whole columns at once.

How a leg gets its volatility:

1. Its out-of-the-money side, by parity: what the price holds above intrinsic value, undiscounted.   `_out_of_the_money`
2. A leg whose time value cannot be told from rounding, or is none, gets its reason and is left out,
   so that it can neither raise nor touch another.                                            `_is_usable`, `_reasons`
3. Normalised: β = time value/√(FK), x = |ln(F/K)|; s = volatility·√years is the unknown.                  `_normalise`
4. First guess: Bachelier's price inverted by a table, carried over to Black's by their expansion.       `_first_guess`
5. A fourth-order Householder step on ln b(x, s) − ln β: in the logarithm the far wings are as straight
   as the middle, and the derivatives need nothing but the price itself.                                        `_step`
6. The few that moved further than such a step is good for step again, a bounded number of times.             `_polish`

The normalised price is b(x, s) = exp(−(h² + t²)/2)/√(2π) · [Y(h − t) − Y(h + t)] with h = x/s, t = s/2 and Y the Mills
ratio. Where more than half of the largest price is reached, the same is done with the distance to that largest price.

Sources: P. Jäckel, "Let's be rational" (Wilmott, 2015) for the normalised form and the step; C. Grunspan, "A note on
the equivalence between the normal and the lognormal implied volatility" (2011) for the expansion.
"""

from typing import NamedTuple

import numpy as np

from g6.analytics.mills import LARGEST_SERIES_T, mills_difference, mills_ratio_by_erfcx
from g6.model.chain import IV_STATUSES
from g6.model.columns import Bools, Floats

Values = Floats | float  # a column, or one value for all of it

(SOLVED, NO_PRICE, BELOW_INTRINSIC, ABOVE_MAXIMUM, NOT_IDENTIFIABLE, NO_FORWARD, EXPIRED) = map(
    float, range(len(IV_STATUSES))
)

# Two roundings of the price: a time value below this share of it is lost in its last bits.
LOST_SHARE = 4.5e-16
# A step this small, relative, leaves an error of its fourth power.
SMALL_STEP = 3e-5
LARGEST_STEP_DOWN, LARGEST_STEP_UP = -0.5, 1.0
MOST_STEPS = 32

LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
SQRT_2PI = np.sqrt(2 * np.pi)


def implied_volatility(
    price: Values, forward: Values, strike: Values, years: Values, rate: Values, is_call: Bools | bool
) -> tuple[Floats, Floats]:
    """Return the volatilities (per square root of a year) and their statuses, codes of `IV_STATUSES`.

    All arguments broadcast: prices in rupees, forward and strike in points, rate continuously compounded per year.
    What has no volatility is NaN with its reason; nothing raises, warns, or depends on another leg. A solved one is
    exact to about 1e-15 relative, times how far the price itself is from telling it (rounding of the price over vega).
    """
    columns = np.broadcast_arrays(price, forward, strike, years, rate)
    flat = [np.ravel(values).astype(np.float64, copy=False) for values in columns]
    calls = np.ravel(np.broadcast_to(is_call, columns[0].shape))
    with np.errstate(all="ignore"):
        volatility, status = _implied(*flat, calls)
    return volatility.reshape(columns[0].shape), status.reshape(columns[0].shape)


class _Side(NamedTuple):
    """The out-of-the-money side of each leg, undiscounted, rupees."""

    price: Floats  # of the leg itself
    time_value: Floats
    headroom: Floats  # from the time value to the largest possible one
    gap: Floats  # |F − K|
    lower: Floats  # the lesser of F and K
    upper: Floats


class _Normal(NamedTuple):
    """What the solver sees of each leg; dimensionless."""

    x: Floats  # |ln(F/K)|
    beta: Floats  # time value/√(FK)
    headroom: Floats
    log_ratio: Floats  # ln(time value/|F − K|), bounded at the money


def _implied(
    price: Floats, forward: Floats, strike: Floats, years: Floats, rate: Floats, is_call: Bools
) -> tuple[Floats, Floats]:
    side = _out_of_the_money(price * np.exp(rate * years), forward, strike, is_call)
    usable = _is_usable(side) & (years > 0) & (years < np.inf)
    if usable.all():
        total = _solve(side)
    else:
        total = np.full(len(price), np.nan)
        total[usable] = _solve(_Side(*(values[usable] for values in side)))
    solved = total > 0
    volatility = total / np.sqrt(years)
    if solved.all():
        return volatility, np.zeros(len(price))
    volatility[~solved] = np.nan
    return volatility, np.where(solved, SOLVED, _reasons(price, forward, strike, years, rate, side))


def _out_of_the_money(undiscounted: Floats, forward: Floats, strike: Floats, is_call: Bools) -> _Side:
    difference = forward - strike
    gap = np.abs(difference)
    in_the_money = (difference > 0) == is_call
    time_value = np.where(in_the_money, undiscounted - gap, undiscounted)
    lower = np.minimum(forward, strike)
    return _Side(undiscounted, time_value, lower - time_value, gap, lower, np.maximum(forward, strike))


def _is_usable(side: _Side) -> Bools:
    """Return where a volatility exists and can be told; False for anything not finite."""
    lost = LOST_SHARE * side.price
    usable: Bools = (side.time_value > lost) & (side.headroom > lost)
    usable &= side.lower > 0
    usable &= side.upper < np.inf
    return usable


def _reasons(
    price: Floats, forward: Floats, strike: Floats, years: Floats, rate: Floats, side: _Side
) -> Floats:
    """Return why a leg has no volatility. Of several reasons the last one here counts: it is the deepest."""
    lost = LOST_SHARE * side.price
    reason = np.full(len(price), NOT_IDENTIFIABLE)
    reason[side.time_value < -lost] = BELOW_INTRINSIC
    reason[side.headroom <= 0] = ABOVE_MAXIMUM
    reason[~((price > 0) & (price < np.inf))] = NO_PRICE
    terms_known = (forward > 0) & (forward < np.inf) & (strike > 0) & (strike < np.inf) & np.isfinite(rate)
    reason[~terms_known] = NO_FORWARD
    reason[~((years > 0) & (years < np.inf))] = EXPIRED
    return reason


def _solve(side: _Side) -> Floats:
    """Return s = volatility·√years; NaN where the iteration found none."""
    legs = _normalise(side)
    guess = _first_guess(legs)
    h, t = legs.x / guess, 0.5 * guess
    # The series is for small t alone; where it does not hold, the first step is thrown away.
    total, small = _step(guess, h, t, mills_difference(h, t), legs.beta)
    unsettled = ~(small & (t < LARGEST_SERIES_T))
    if unsettled.any():
        rows = np.flatnonzero(unsettled)
        total[rows] = _polish(guess[rows], _Normal(*(values[rows] for values in legs)))
    return total


def _normalise(side: _Side) -> _Normal:
    root = np.sqrt(side.lower * side.upper)
    beta = side.time_value / root
    # ln(1 + z) with the rounding of 1 + z put right: near the money x must have all its digits.
    z = side.gap / side.lower
    ratio = 1 + z
    x = np.log(ratio)
    z -= ratio - 1
    z /= ratio
    x += z
    at_least = side.time_value * np.exp(-LARGEST_LOG_RATIO)
    log_ratio = np.log(side.time_value / np.maximum(side.gap, at_least))
    return _Normal(x, beta, side.headroom / root, log_ratio)


# The table of the first guess: ln(φ(d)/d − Φ(−d)) against 1/d, by v = √(largest − ·), in which it is nearly straight.
LARGEST_LOG_RATIO = 12.0
LARGEST_V = 27.5  # the logarithm of the smallest double is −745
NODES_PER_V = 256


def _inverse_distances(log_ratio: Floats) -> Floats:
    """Return 1/d for which ln(φ(d)/d − Φ(−d)) is the given value, by Newton's method on ln d."""
    log_d = np.where(log_ratio > 0, -log_ratio - LOG_SQRT_2PI, 0.5 * np.log1p(2 * np.maximum(-log_ratio, 0)))
    for _ in range(40):
        d = np.exp(log_d)
        price_over_density = 1 / d - mills_ratio_by_erfcx(d)
        error = np.log(price_over_density) - 0.5 * d * d - LOG_SQRT_2PI - log_ratio
        log_d += np.clip(error * d * price_over_density, -0.5, 0.5)
    return np.exp(-log_d)


def _guess_table() -> tuple[Floats, Floats, Floats]:
    """Return 1/d at nodes of v, with its first and second relative differences per node."""
    v = (np.arange(LARGEST_V * NODES_PER_V + 3) - 1) / NODES_PER_V
    inverse = _inverse_distances(LARGEST_LOG_RATIO - v * np.abs(v))
    here, before, after = inverse[1:-1], inverse[:-2], inverse[2:]
    return here, (after - before) / (2 * here), (after - 2 * here + before) / (2 * here)


_INVERSE_DISTANCE, _SLOPE, _CURVATURE = _guess_table()


def _first_guess(legs: _Normal) -> Floats:
    """Return s to about s⁶/1000: Bachelier's s, then the terms by which Black's differs from it."""
    v = np.sqrt(LARGEST_LOG_RATIO - np.minimum(legs.log_ratio, LARGEST_LOG_RATIO))
    v *= NODES_PER_V
    node = (v + 0.5).astype(np.intp)
    v -= node
    inverse_distance: Floats = _CURVATURE.take(node, mode="clip")
    inverse_distance *= v
    inverse_distance += _SLOPE.take(node, mode="clip")
    inverse_distance *= v
    inverse_distance += 1
    inverse_distance *= _INVERSE_DISTANCE.take(node, mode="clip")
    bachelier = np.maximum(legs.x, legs.beta * np.exp(-LARGEST_LOG_RATIO))
    bachelier *= inverse_distance
    square = bachelier * bachelier
    correction = square * (7 / 1920)
    correction += 1 / 24
    correction *= square
    correction += 1
    bachelier *= correction
    return bachelier


def _step(s: Floats, h: Floats, t: Floats, spread: Floats, target: Floats) -> tuple[Floats, Bools]:
    """Return s after one step towards ln b = ln target, and whether that step was small enough to be the last.

    `spread` is D in b = exp(−(h² + t²)/2)/√(2π)·D. With b' = b/D and b''/b' = q = (h² − t²)/s,
    q' = −3h²/s² − 1/4, the derivatives of ln b over its first are g₂ = q − 1/D and g₃ = g₂(q − 2/D) + q'.
    """
    square_h, square_t = h * h, t * t
    slope = 1 / spread
    log_error = spread / target
    log_error *= 1 / SQRT_2PI
    np.log(log_error, out=log_error)
    log_error -= 0.5 * (square_h + square_t)
    newton = log_error
    newton *= spread
    np.negative(newton, out=newton)
    q = square_h - square_t
    q /= s
    second = q - slope
    third = q
    third -= 2 * slope
    third *= second
    third -= 3 * square_h / (s * s) + 0.25
    # δ = ν(1 + g₂ν/2)/(1 + g₂ν + g₃ν²/6)
    second *= newton
    third *= newton * newton
    third *= 1 / 6
    third += second
    third += 1
    second *= 0.5
    second += 1
    second /= third
    second *= newton
    second /= s
    small = np.abs(second) < SMALL_STEP
    second += 1
    second *= s
    return second, small


def _polish(s: Floats, legs: _Normal) -> Floats:
    """Return s after as many steps as it takes; NaN where they are not enough."""
    largest = legs.beta + legs.headroom
    high = legs.beta > 0.5 * largest
    target = np.where(high, legs.headroom, legs.beta)
    s = np.where(high, np.maximum(s, np.sqrt(-8 * np.log(0.5 * legs.headroom))), s)
    for _ in range(MOST_STEPS):
        h, t = legs.x / s, 0.5 * s
        moved, small = _step(s, h, t, _spread(h, t, high), target)
        if small.all():
            return moved
        s = np.clip(moved, (1 + LARGEST_STEP_DOWN) * s, (1 + LARGEST_STEP_UP) * s)
    return np.where(small, s, np.nan)


def _spread(h: Floats, t: Floats, high: Bools) -> Floats:
    """Return D: of the price where `high` is false, of the distance to the largest price (negative) where true."""
    far = mills_ratio_by_erfcx(h + t)
    spread = np.where(high, -(mills_ratio_by_erfcx(t - h) + far), mills_ratio_by_erfcx(h - t) - far)
    small = ~high & (t < LARGEST_SERIES_T)
    spread[small] = mills_difference(h[small], t[small])
    return spread
