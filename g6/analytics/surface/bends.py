"""The quasi-explicit start of a fit: every bend of a grid at once, the rest of the smile solved for each.

Written by the slopes of its wings, right P = b(1 + ρ) and left Q = b(1 − ρ), an SVI smile is

    w(k) = a + P u + Q v,   u = (z + x)/2,  v = (z − x)/2,  x = k − m,  z = √(x² + σ²),

linear in (a, P, Q) once its bend (m, σ) is chosen: an inner problem with an explicit answer inside an outer one of two
dimensions (Zeliade Systems, "Quasi-explicit calibration of Gatheral's SVI model", 2009). Lee's bound on the wings and
|ρ| ≤ 1 are the box 0 ≤ P, Q ≤ 2.
"""

import math
from typing import NamedTuple

import numpy as np

from g6.analytics.surface.svi import STEEPEST_WING
from g6.model.columns import Floats

# The grid, in widths of the quoted range: where the bend is, and how wide.
PLACES, WIDTHS = np.linspace(-0.25, 1.25, 13), np.geomspace(0.02, 2.0, 9)
M_SHARE, SIGMA_SHARE = (side.ravel() for side in np.meshgrid(PLACES, WIDTHS))
SINGULAR = 1e-12  # determinant over the product of the diagonal below which u and v are not told apart


class Centred(NamedTuple):
    """Quotes about their weighted means, which takes `a` out of the problem; weights add up to 1."""

    k: Floats
    w: Floats
    weight: Floats
    k_mean: float
    w_mean: float
    kk: float  # moments of the second order
    kw: float


def centred(k: Floats, w: Floats, weight: Floats) -> Centred:
    """Return quotes of total variance as the inner problem takes them."""
    weight = weight / weight.sum()
    k_mean, w_mean = float(weight @ k), float(weight @ w)
    k, w = k - k_mean, w - w_mean
    part = weight * k
    return Centred(k, w, weight, k_mean, w_mean, float(part @ k), float(part @ w))


def best_bend(of: Centred) -> Floats:
    """Return (a, P, Q, m, σ) of the bend on the grid that fits best; `k` ascends."""
    width = of.k[-1] - of.k[0]
    m, sigma = of.k[0] + width * M_SHARE, width * SIGMA_SHARE
    z = np.subtract(of.k, m[:, None])
    z *= z
    z += (sigma * sigma)[:, None]
    np.sqrt(z, out=z)
    z_mean, zk, zw = (z @ np.stack([of.weight, of.weight * of.k, of.weight * of.w], axis=1)).T
    # The moment of z² is known without summing.
    square = 0.25 * (of.kk + m * m + sigma * sigma - z_mean * z_mean)
    best, right, left = _wings(square, 0.25 * of.kk, 0.5 * zk, 0.5 * zw, 0.5 * of.kw)
    return _parameters(of, right, left, *(float(values[best]) for values in (m, sigma, z_mean)))


def at_bend(of: Centred, m: float, sigma: float) -> Floats:
    """Return (a, P, Q, m, σ), the first three the best there are for this bend."""
    m -= of.k_mean
    x = of.k - m
    z = np.sqrt(x * x + sigma * sigma)
    part = of.weight * z
    z_mean = float(part.sum())
    square = 0.25 * (of.kk + m * m + sigma * sigma - z_mean * z_mean)
    moments = (square, 0.25 * of.kk, 0.5 * float(part @ of.k), 0.5 * float(part @ of.w), 0.5 * of.kw)
    right, left = _free_wings(*moments)
    if not (0.0 <= right <= STEEPEST_WING and 0.0 <= left <= STEEPEST_WING):
        _, right, left = _wings(*(np.array([moment]) for moment in moments))
    return _parameters(of, right, left, m, sigma, z_mean)


def _parameters(of: Centred, right: float, left: float, m: float, sigma: float, z_mean: float) -> Floats:
    a = of.w_mean - 0.5 * (right + left) * z_mean + 0.5 * (right - left) * m
    return np.array([a, right, left, m + of.k_mean, sigma])


def _free_wings(square: float, kk: float, zk: float, zw: float, kw: float) -> tuple[float, float]:
    """Return the P and Q that lessen the sum of squares most, wherever they lie; NaN where there are no such."""
    uu, vv, uv = square + kk + zk, square + kk - zk, square - kk
    uw, vw = zw + kw, zw - kw
    determinant = uu * vv - uv * uv
    if not determinant > SINGULAR * uu * vv:
        return math.nan, math.nan
    return (uw * vv - vw * uv) / determinant, (vw * uu - uw * uv) / determinant


def _wings(square: Floats, kk: Floats | float, zk: Floats, zw: Floats, kw: Floats | float) -> tuple[int, float, float]:
    """Return the bend that, with P and Q in their box, lessens the sum of squares most; and that P and Q.

    From the moments about the mean of z/2 (`square`), k and w. Either the free minimum lies in the box, or one of the
    box's four edges has the best.
    """
    uu, vv, uv = square + kk + zk, square + kk - zk, square - kk
    uw, vw = zw + kw, zw - kw
    determinant = uu * vv - uv * uv
    least = SINGULAR * uu * vv
    free = 1.0 / np.maximum(determinant, least)
    zero, two = np.zeros(len(uu)), np.full(len(uu), STEEPEST_WING)
    right = np.stack([(uw * vv - vw * uv) * free, zero, two, _clip(uw / uu), _clip((uw - STEEPEST_WING * uv) / uu)])
    left = np.stack([(vw * uu - uw * uv) * free, _clip(vw / vv), _clip((vw - STEEPEST_WING * uv) / vv), zero, two])
    gain = 2.0 * (right * uw + left * vw) - right * (right * uu + 2.0 * left * uv) - left * left * vv
    inside = (np.minimum(right[0], left[0]) >= 0.0) & (np.maximum(right[0], left[0]) <= STEEPEST_WING)
    gain[0] = np.where(inside & (determinant > least), gain[0], -math.inf)
    best = int(np.argmax(gain))
    return best % len(uu), float(right.ravel()[best]), float(left.ravel()[best])


def _clip(slope: Floats) -> Floats:
    return np.minimum(np.maximum(slope, 0.0), STEEPEST_WING)
