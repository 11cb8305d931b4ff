"""Implied volatility and Greeks of European options on a forward (Black-76), whole columns at a time.

The solver works on the out-of-the-money side, where a price is all time value. With x = |ln F/K|, s = σ√T and
β = (undiscounted time value)/√(FK), the normalised Black price is

    b(x, s) = ½ [erfcx((h − t)/√2) − erfcx((h + t)/√2)] exp(−(h² + t²)/2),   h = x/s,  t = s/2,

which loses nothing to cancellation in the wings. The first guess inverts Bachelier's price exactly by a table of one
variable; Halley steps on ln b − ln β do the rest, two of them for any index chain.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import erfcx, ndtr

from g6.model.chain import IV_STATUSES
from g6.model.columns import Bools, Floats, Ints

SOLVED, NO_PRICE, BELOW_INTRINSIC, ABOVE_MAXIMUM, NOT_IDENTIFIABLE, NO_FORWARD, EXPIRED = range(len(IV_STATUSES))

# Below this share of the price, the time value is in the rounding of the price itself.
IDENTIFIABLE_SHARE = 4.5e-16
LONGEST_STEP_COUNT = 24
STEP_TOLERANCE = 1e-6  # Halley triples the digits: the step after one this small changes nothing
SERIES_BELOW = 0.003  # of s/√8: the next term of the series is then below the rounding
ROOT_2, ROOT_2PI = np.sqrt(2.0), np.sqrt(2.0 * np.pi)
VOL_POINT, RATE_POINT, DAYS_A_YEAR = 0.01, 0.01, 365.0


class Greeks(NamedTuple):
    """Columns: delta per point of spot, gamma per point², theta per calendar day, vega and rho per 0.01."""

    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats
    rho: Floats


def price(forward: Floats | float, strike: Floats, years: float, rate: float, vol: Floats, is_call: Bools) -> Floats:
    """Return Black-76 prices in rupees (Black 1976); NaN where an argument is."""
    total = vol * np.sqrt(years)
    d1 = np.log(forward / strike) / total + total / 2
    sign = np.where(is_call, 1.0, -1.0)
    undiscounted = sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * (d1 - total)))
    return np.asarray(np.exp(-rate * years) * undiscounted)


@np.errstate(all="ignore")  # what makes no sense is answered by a status, not by a warning
def implied_volatility(
    price: Floats, forward: float, strike: Floats, years: float, rate: float, is_call: Bools
) -> tuple[Floats, Ints]:
    """Return annualised volatilities, NaN where there is none, and why: codes of IV_STATUSES.

    `price` in rupees, `forward` and `strike` in points, `years` to expiry, `rate` continuously compounded. Nothing
    raises or warns, and no leg touches another.
    """
    status = np.full(len(price), SOLVED)
    vol = np.full(len(price), np.nan)
    if not (np.isfinite(forward) and forward > 0 and np.isfinite(rate)):
        status[:] = NO_FORWARD
        return vol, status
    if not (np.isfinite(years) and years > 0):
        status[:] = EXPIRED
        return vol, status
    usable = np.isfinite(price) & (price > 0) & np.isfinite(strike) & (strike > 0)
    status[~usable] = NO_PRICE
    known, level = np.where(usable, price, np.nan), np.where(usable, strike, 1.0)
    beta, x = _normalised(known, forward, level, years, rate, is_call, status)
    solvable = status == SOLVED
    vol[solvable] = _total_volatility(beta[solvable], x[solvable]) / np.sqrt(years)
    unsolved = solvable & ~(np.isfinite(vol) & (vol > 0))  # prices in the last denormals
    vol[unsolved], status[unsolved] = np.nan, NOT_IDENTIFIABLE
    return vol, status


def _normalised(
    price: Floats, forward: float, strike: Floats, years: float, rate: float, is_call: Bools, status: Ints
) -> tuple[Floats, Floats]:
    """Return β and x, and write into `status` which legs have no volatility."""
    undiscounted = price * np.exp(rate * years)
    intrinsic = np.maximum(np.where(is_call, forward - strike, strike - forward), 0.0)
    time_value = undiscounted - intrinsic
    x = np.abs(np.log(forward / strike))
    beta = time_value / np.sqrt(forward * strike)
    status[time_value < 0] = BELOW_INTRINSIC
    status[(time_value >= 0) & (time_value <= IDENTIFIABLE_SHARE * undiscounted)] = NOT_IDENTIFIABLE
    status[beta >= np.exp(-x / 2)] = ABOVE_MAXIMUM
    return beta, x


def _total_volatility(beta: Floats, x: Floats) -> Floats:
    """Solve b(x, s) = β for s by Halley's method on logarithms; β lies strictly between 0 and its maximum."""
    s = _first_guess(beta, x)
    target = np.log(beta)
    for _ in range(LONGEST_STEP_COUNT):
        step = _halley_step(s, x, target)
        # A guess that is far off may be thrown across zero: then go half way.
        s += np.maximum(step, -0.5 * s)
        if not np.any(np.abs(step) > STEP_TOLERANCE * s):
            break
    return s


def _halley_step(s: Floats, x: Floats, target: Floats) -> Floats:
    h, t = x / s, 0.5 * s
    bracket = _bracket(h / ROOT_2, t / ROOT_2, x)
    error = np.log(0.5 * bracket) - 0.5 * (h * h + t * t) - target
    slope = (2.0 / ROOT_2PI) / bracket  # d ln b / ds
    curvature = h * h / s - 0.5 * t - slope  # (d² ln b / ds²) / slope
    newton = error / slope
    return np.asarray(-newton / (1.0 - 0.5 * newton * curvature))


def _bracket(z: Floats, half: Floats, x: Floats) -> Floats:
    """Return erfcx(z − half) − erfcx(z + half); by series where the difference would cancel (short expiries)."""
    bracket = erfcx(z - half) - erfcx(z + half)
    short = (half < SERIES_BELOW) & (x < 1.0)
    if short.any():
        bracket[short] = _bracket_series(z[short], half[short])
    return np.asarray(bracket)


def _bracket_series(z: Floats, half: Floats) -> Floats:
    """Return −2 Σ half^(2k+1) f^(2k+1)(z)/(2k+1)! for k ≤ 2, f = erfcx, by f' = 2zf − 2/√π and its derivatives."""
    f0 = erfcx(z)
    f1 = 2.0 * z * f0 - 2.0 / np.sqrt(np.pi)
    f2 = 2.0 * (f0 + z * f1)
    f3 = 2.0 * (2.0 * f1 + z * f2)
    f4 = 2.0 * (3.0 * f2 + z * f3)
    f5 = 2.0 * (4.0 * f3 + z * f4)
    square = half * half
    return np.asarray(-2.0 * half * (f1 + square * (f3 / 6.0 + square * f5 / 120.0)))


def _first_guess(beta: Floats, x: Floats) -> Floats:
    """Invert Bachelier's price: with m = 2 sinh(x/2), find h so that φ(h)/h − Φ(−h) = β/m; then s = m/h."""
    moneyness = 2.0 * np.sinh(0.5 * x)
    ratio = np.log(beta) - np.log(moneyness)  # infinite at the money itself
    h = np.exp(np.interp(ratio, _TABLE_RATIO, _TABLE_LOG_H))
    # Nearer the money than the table: the first two terms of the expansion in h.
    near = ratio > _TABLE_RATIO[-1]
    s = np.where(near, ROOT_2PI * (beta + 0.5 * moneyness), moneyness / h)
    return np.asarray(s * (1.0 + s * s / 24.0))


def _bachelier_table() -> tuple[Floats, Floats]:
    log_h = np.linspace(np.log(38.0), np.log(1e-4), 4096)
    h = np.exp(log_h)
    # φ(h)/h − Φ(−h) = φ(h) [1/h − √(π/2) erfcx(h/√2)], the bracket by series where it cancels.
    bracket = 1.0 / h - np.sqrt(np.pi / 2.0) * erfcx(h / ROOT_2)
    far = h > 50.0
    bracket[far] = h[far] ** -3
    return -0.5 * h * h - np.log(ROOT_2PI) + np.log(bracket), log_h


_TABLE_RATIO, _TABLE_LOG_H = _bachelier_table()


def greeks(forward: float, strike: Floats, years: float, rate: float, vol: Floats, is_call: Bools) -> Greeks:
    """Return the five Greeks; NaN where the volatility is.

    All are derivatives along S = F e^(−rT), the spot that the forward is worth: delta ±N(±d1); theta and rho hold S,
    not F, fixed, so that they are those of Black-Scholes on S (Hull, Options, Futures and Other Derivatives, ch. 19).
    """
    root = np.sqrt(years)
    discount = np.exp(-rate * years)
    spot = forward * discount
    total = vol * root
    d1 = np.log(forward / strike) / total + 0.5 * total
    sign = np.where(is_call, 1.0, -1.0)
    density = np.exp(-0.5 * d1 * d1) / ROOT_2PI
    present_strike = strike * discount * ndtr(sign * (d1 - total)) * sign
    return Greeks(
        delta=sign * ndtr(sign * d1),
        gamma=density / (spot * total),
        theta=(-spot * density * vol / (2.0 * root) - rate * present_strike) / DAYS_A_YEAR,
        vega=spot * density * root * VOL_POINT,
        rho=years * present_strike * RATE_POINT,
    )
