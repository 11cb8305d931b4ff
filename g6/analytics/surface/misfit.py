"""What a fit is to lessen: the weighted distance from quotes, and the price of arbitrage. Both with derivatives.

Parameters are (a, P, Q, m, σ), P and Q the slopes of the right and the left wing; see `bends`.
"""

from typing import NamedTuple

import numpy as np

from g6.model.columns import Floats

NO_NODES = np.empty(0)
MARGIN = 1e-3  # of Durrleman's g, which is 1 for a flat smile: what is asked for, so that nothing negative comes out
LEAST_VARIANCE = 1e-12


class Curve(NamedTuple):
    """A smile at some k: total variance, the two hockey sticks u and v that it is made of, and z = u + v."""

    w: Floats
    u: Floats
    v: Floats
    z: Floats


class Misfit(NamedTuple):
    """Quotes with the roots of their weights, and nodes in k where a negative density costs `price` per unit of g."""

    k: Floats
    w: Floats
    root_weight: Floats
    nodes: Floats = NO_NODES
    price: float = 0.0


def curve(parameters: Floats, k: Floats) -> Curve:
    """Return the smile of (a, P, Q, m, σ) at k."""
    a, right, left, m, sigma = parameters.tolist()
    x = k - m
    z = np.sqrt(x * x + sigma * sigma)
    u = 0.5 * (z + x)
    v = z - u
    return Curve(a + right * u + left * v, u, v, z)


def residuals(of: Misfit, parameters: Floats) -> tuple[Floats, Curve]:
    """Return one residual a quote, then one a node; and the smile at the quotes, for `jacobian`."""
    fitted = curve(parameters, of.k)
    off = of.root_weight * (fitted.w - of.w)
    if len(of.nodes):
        g = durrleman(parameters, curve(parameters, of.nodes), of.nodes)[0]
        off = np.concatenate([off, of.price * np.maximum(MARGIN - g, 0.0)])
    return off, fitted


def jacobian(of: Misfit, parameters: Floats, fitted: Curve) -> Floats:
    """Return the derivatives of the residuals, one row a parameter."""
    by = _by_parameters(parameters, fitted)
    by *= of.root_weight
    if not len(of.nodes):
        return by
    at_nodes = curve(parameters, of.nodes)
    g, by_w, by_slope = durrleman(parameters, at_nodes, of.nodes)
    price = np.where(g < MARGIN, -of.price, 0.0)
    return np.concatenate([by, price * _durrleman_by(parameters, at_nodes, by_w, by_slope)], axis=1)


def durrleman(parameters: Floats, at: Curve, k: Floats) -> tuple[Floats, Floats, Floats]:
    """Return Durrleman's g and its derivatives by w and by dw/dk; that by d²w/dk² is one half."""
    _, right, left, _, sigma = parameters.tolist()
    w = np.maximum(at.w, LEAST_VARIANCE)
    slope = (right * at.u - left * at.v) / at.z
    curvature = 0.5 * (right + left) * sigma * sigma / at.z**3
    lean, part = k * slope / (2.0 * w), 0.25 * slope / w
    leading = 1.0 - lean
    g = leading * leading - slope * part - slope * slope / 16.0 + 0.5 * curvature
    return g, (2.0 * leading * lean + slope * part) / w, -leading * k / w - 2.0 * part - slope / 8.0


def _by_parameters(parameters: Floats, at: Curve) -> Floats:
    """Return the derivatives of w."""
    _, right, left, _, sigma = parameters.tolist()
    by = np.empty((5, len(at.z)))
    by[0] = 1.0
    by[1], by[2] = at.u, at.v
    by[3] = (left * at.v - right * at.u) / at.z
    by[4] = (0.5 * (right + left) * sigma) / at.z
    return by


def _durrleman_by(parameters: Floats, at: Curve, by_w: Floats, by_slope: Floats) -> Floats:
    """Return the derivatives of g, given those by w and by dw/dk."""
    _, right, left, _, sigma = parameters.tolist()
    b, x, cube, fifth = 0.5 * (right + left), at.u - at.v, at.z**3, at.z**5
    square = sigma * sigma
    by = _by_parameters(parameters, at)
    by *= by_w
    by[1] += by_slope * at.u / at.z + 0.25 * square / cube
    by[2] += 0.25 * square / cube - by_slope * at.v / at.z
    by[3] += b * square * (1.5 * x / fifth - by_slope / cube)
    by[4] += b * sigma * (1.0 / cube - 1.5 * square / fifth - by_slope * x / cube)
    return by
