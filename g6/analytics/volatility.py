"""Implied volatility and Greeks of European options on a forward (Black-76), whole columns at a time.

The solver works on the out-of-the-money side, where a price is all time value. With x = |ln F/K|, s = σ√T and
β = (undiscounted time value)/√(FK), the normalised Black price is

    b(x, s) = ½ [erfcx(z − t) − erfcx(z + t)] exp(−z² − t²),   z = x/(s√2),  t = s/√8,

which loses nothing to cancellation in the wings. It is also (2π)^(−½) ∫₀ˢ exp(−x²/2u² − u²/8) du; without u²/8 that
is Bachelier's price, a function of one variable, which a table inverts, and the first orders of u²/8 correct the
result to about 1e-6. One Halley step on ln b − ln β does the rest for any index chain.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import erfcx, ndtr

from g6.model.chain import IV_STATUSES
from g6.model.columns import Bools, Floats, Ints

SOLVED, NO_PRICE, BELOW_INTRINSIC, ABOVE_MAXIMUM, NOT_IDENTIFIABLE, NO_FORWARD, EXPIRED = range(len(IV_STATUSES))

# Below this share of the price, the time value is in the rounding of the price itself.
IDENTIFIABLE_SHARE = 4.5e-16
LONGEST_STEP_COUNT = 24
STEP_TOLERANCE = 1e-5  # of s; Halley triples the digits, so that the step after one this small changes nothing
SERIES_BELOW = 0.003  # of s/√8: the next term of the series is then below the rounding
HIGH_ABOVE = 1.5  # of s/√8
ROOT_2, ROOT_8, ROOT_2PI = math.sqrt(2.0), math.sqrt(8.0), math.sqrt(2.0 * math.pi)
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
    if not (math.isfinite(forward) and forward > 0 and math.isfinite(rate)):
        return _none(price, NO_FORWARD)
    if not (math.isfinite(years) and years > 0):
        return _none(price, EXPIRED)
    undiscounted = price * np.exp(rate * years)
    time_value = undiscounted - _intrinsic(forward, strike, is_call)
    solvable = time_value > IDENTIFIABLE_SHARE * undiscounted
    solvable &= time_value < np.minimum(forward, strike)
    solvable &= strike < np.inf
    if solvable.all():
        vol = _total_volatility(time_value, forward, strike) / math.sqrt(years)
    else:
        vol = np.full(len(price), np.nan)
        vol[solvable] = _total_volatility(time_value[solvable], forward, strike[solvable]) / math.sqrt(years)
    solved = (vol > 0) & (vol < np.inf)  # not so for prices in the last denormals
    status = np.zeros(len(price), np.int64)
    if not solved.all():
        rest = ~solved
        vol[rest], status[rest] = np.nan, _reasons(price[rest], forward, strike[rest], time_value[rest])
    return vol, status


def _none(price: Floats, reason: int) -> tuple[Floats, Ints]:
    return np.full(len(price), np.nan), np.full(len(price), reason)


def _intrinsic(forward: float, strike: Floats, is_call: Bools) -> Floats:
    value = forward - strike
    value *= np.where(is_call, 1.0, -1.0)
    return np.maximum(value, 0.0, out=value)


def _reasons(price: Floats, forward: float, strike: Floats, time_value: Floats) -> Ints:
    """Return why each of these legs has no volatility."""
    status = np.full(len(price), NOT_IDENTIFIABLE)
    status[time_value < 0] = BELOW_INTRINSIC
    status[time_value >= np.minimum(forward, strike)] = ABOVE_MAXIMUM
    usable = np.isfinite(price) & (price > 0) & np.isfinite(strike) & (strike > 0)
    status[~usable] = NO_PRICE
    return status


def _total_volatility(time_value: Floats, forward: float, strike: Floats) -> Floats:
    """Solve b(x, s) = β for s; the time value lies strictly between 0 and its maximum, the smaller of F and K."""
    x = np.log(forward / strike)
    np.abs(x, out=x)
    beta = time_value / np.sqrt(forward * strike)
    s = _first_guess(beta, x)
    rest = _halley(s, x, beta)
    for _ in range(LONGEST_STEP_COUNT):
        if not rest.size:
            break
        part = s[rest]
        again = _halley(part, x[rest], beta[rest])
        s[rest] = part
        rest = rest[again]
    return s


def _halley(s: Floats, x: Floats, beta: Floats) -> Ints:
    """Improve `s` in place by one step of Halley's method on ln b − ln β; return the rows that need another.

    In units of s: with e = ln b − ln β, g = s·d ln b/ds and c = (s² d² ln b/ds²)/g = 2z² − 2t² − g, the step is
    −(e/g) / (1 − c·e/2g).
    """
    z, t = x / s, s * (1 / ROOT_8)
    z *= 1 / ROOT_2
    bracket = _bracket(z, t, x)
    high = t > HIGH_ABOVE
    above = _error_near_maximum(z[high], t[high], x[high], beta[high]) if high.any() else None
    z *= z
    t *= t
    error = bracket / beta
    error *= 0.5
    np.log(error, out=error)
    error -= t
    error -= z
    if above is not None:
        error[high] = above
    g = np.divide(s, bracket, out=bracket)
    g *= 2.0 / ROOT_2PI
    newton = np.divide(error, g, out=error)
    z -= t
    z *= -2.0
    z += g  # −c
    z *= newton
    z *= 0.5
    z += 1.0
    step = np.divide(newton, z, out=z)
    # A guess that is far off may be thrown across zero: then go half way.
    np.minimum(step, 0.5, out=step)
    s -= np.multiply(s, step, out=t)
    return np.flatnonzero(np.abs(step, out=step) > STEP_TOLERANCE)


def _error_near_maximum(z: Floats, t: Floats, x: Floats, beta: Floats) -> Floats:
    """Return ln b − ln β by what b lacks of its maximum exp(−x/2), where ln b would be large terms' difference."""
    lack = 0.5 * (erfcx(t - z) + erfcx(t + z)) * np.exp(-z * z - t * t)
    return np.asarray(np.log1p((np.exp(-0.5 * x) - beta - lack) / beta))


def _bracket(z: Floats, t: Floats, x: Floats) -> Floats:
    """Return erfcx(z − t) − erfcx(z + t); by series where the difference would cancel (short expiries)."""
    bracket = z - t
    erfcx(bracket, out=bracket)
    bracket -= erfcx(z + t)
    short = t < SERIES_BELOW
    if short.any():
        short &= x < 1.0
        bracket[short] = _bracket_series(z[short], t[short])
    return bracket


def _bracket_series(z: Floats, t: Floats) -> Floats:
    """Return −2 Σ t^(2k+1) f^(2k+1)(z)/(2k+1)! for k ≤ 2, f = erfcx, by f' = 2zf − 2/√π and its derivatives."""
    f0 = erfcx(z)
    f1 = 2.0 * z * f0 - 2.0 / np.sqrt(np.pi)
    f2 = 2.0 * (f0 + z * f1)
    f3 = 2.0 * (2.0 * f1 + z * f2)
    f4 = 2.0 * (3.0 * f2 + z * f3)
    f5 = 2.0 * (4.0 * f3 + z * f4)
    square = t * t
    return np.asarray(-2.0 * t * (f1 + square * (f3 / 6.0 + square * f5 / 120.0)))


def _first_guess(beta: Floats, x: Floats) -> Floats:
    """Return s to about 1e-6 while s < 0.4, and something to start from beyond.

    With r = x/β, the root without u²/8 is x/h = √(2π) β + x·u(r), and s = (x/h)(1 + e + 2.1 e² + …), e = (x/h)² c(r),
    where 2.1 is exact at the money and 3.5 the limit far from it. u and c are read, linearly between its points, from
    a table that is uniform in √ln(r + e).
    """
    place = x / beta
    place += math.e
    np.log(place, out=place)
    np.sqrt(place, out=place)
    place -= 1.0
    place *= 1.0 / _TABLE_STEP
    np.fmin(place, len(_TABLE_U) - 2, out=place)  # also of 0/0, when β is lost in the last denormals
    row = place.astype(np.intp)
    place -= row
    s = _between(_TABLE_U, row, place)
    s *= x
    s += ROOT_2PI * beta
    e = _between(_TABLE_C, row, place)
    e *= s
    e *= s
    correction = 2.1 * e
    correction += 1.0
    correction *= e
    correction += 1.0
    s *= correction
    return s


def _between(table: Floats, row: Ints, share: Floats) -> Floats:
    value = table[row]
    rise = table[row + 1]
    rise -= value
    rise *= share
    value += rise
    return value


def _table() -> tuple[float, Floats, Floats]:
    """Return the step of the table in √ln(r + e) and its columns u and c; the last h is where x/β nears overflow."""
    h = np.linspace(0.0, 37.2, 32768)[1:]
    # ∫₀¹ exp(−h²/2w²) dw = m·exp(−h²/2)
    m = 1.0 - h * np.sqrt(np.pi / 2.0) * erfcx(h / ROOT_2)
    price = m * np.exp(-0.5 * h * h)
    place = np.append(1.0, np.sqrt(np.log(ROOT_2PI * h / price + math.e)))
    u = np.append(np.sqrt(np.pi / 2.0), (1.0 - price) / h)
    c = np.append(1.0, 1.0 - h * h * m) / 24.0
    grid = np.linspace(1.0, place[-1], 4096)
    return float(grid[1] - grid[0]), np.interp(grid, place, u), np.interp(grid, place, c)


_TABLE_STEP, _TABLE_U, _TABLE_C = _table()


def greeks(forward: float, strike: Floats, years: float, rate: float, vol: Floats, is_call: Bools) -> Greeks:
    """Return the five Greeks; NaN where the volatility is.

    All are derivatives along S = F e^(−rT), the spot that the forward is worth: delta ±N(±d1); theta and rho hold S,
    not F, fixed, so that they are those of Black-Scholes on S (Hull, Options, Futures and Other Derivatives, ch. 19).
    """
    root = np.sqrt(years)
    discount = np.exp(-rate * years)
    spot = forward * discount
    ratio, total = forward / strike, vol * root
    d1 = np.log(ratio)
    d1 /= total
    d1 += 0.5 * total
    bell = np.exp(-0.5 * d1 * d1)  # and exp(−d2²/2) is bell·F/K
    sign = np.where(is_call, 1.0, -1.0)
    delta = _cumulative(sign * d1, bell)
    delta *= sign
    d1 -= total
    d1 *= sign
    present_strike = _cumulative(d1, np.multiply(ratio, bell, out=ratio))
    present_strike *= sign
    present_strike *= strike
    vega = bell * (spot * root * VOL_POINT / ROOT_2PI)
    theta = vega * vol
    theta *= -0.5 / (years * VOL_POINT * DAYS_A_YEAR)
    theta -= present_strike * (rate * discount / DAYS_A_YEAR)
    bell *= 1.0 / (spot * ROOT_2PI)
    bell /= total
    present_strike *= discount * years * RATE_POINT
    return Greeks(delta=delta, gamma=bell, theta=theta, vega=vega, rho=present_strike)


def _cumulative(d: Floats, bell: Floats) -> Floats:
    """Return Φ(d), given exp(−d²/2): the scaled function shares that exponential and keeps the far tail's digits."""
    tail = np.abs(d)
    tail *= 1 / ROOT_2
    erfcx(tail, out=tail)
    tail *= bell
    tail *= 0.5
    return np.where(d > 0.0, 1.0 - tail, tail)
