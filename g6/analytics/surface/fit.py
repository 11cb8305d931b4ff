"""Fitting a smile to quotes: robust against single wrong ones, and without arbitrage where it is to be used.

1. The quasi-explicit start (`bends`), with little weight on quotes far off their neighbours; then on those far off it.
2. Levenberg–Marquardt on the bend inside its box, the rest of the smile solved for each, with weights renewed.
3. Where the smile has a negative density in its range, the same on all five parameters with a price on that (`misfit`).

The start is the same for the same quotes, and nothing is remembered from one minute to the next.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dposv

from g6.analytics.surface.bends import at_bend, best_bend, centred
from g6.analytics.surface.misfit import LEAST_VARIANCE, Misfit, curve, durrleman, jacobian, residuals
from g6.analytics.surface.svi import STEEPEST_WING, Svi
from g6.model.columns import Floats, Ints

FARTHEST, SHARPEST, BLUNTEST = 1.0, 0.005, 5.0  # what bends are allowed, in widths of the quoted range
ROUNDS, SAME_TRUST = 3, 0.05  # of renewed weights; change of a quote's weight below which they are the same
STEPS, TRIALS, LEAST_GAIN = 8, 6, 1e-5  # dampings of a step; share of the objective below which a step is the last
FIRST_DAMPING = 1e-3
TUKEY = 5.0  # deviations from which on a quote does not count
MAD = 1.4826  # standard deviations of a normal distribution per median absolute deviation
# A price on arbitrage, in units of the quotes' own misfit, and a higher one should that be too little.
NODES, PRICES = np.linspace(0.0, 1.0, 31), (300.0, 3000.0)
LINES = np.array([(-1, 1), (1, 2), (2, 3), (-2, -1), (-3, -2)])  # two others, by their places relative to a quote's own
ALL, BEND, NO_STEP = np.arange(5), np.array([3, 4]), np.zeros(5)


class Fit(NamedTuple):
    """A smile, and what each quote counted in the end: 0, nothing, to 1."""

    svi: Svi
    trust: Floats


class _Box(NamedTuple):
    """The least and the greatest (a, P, Q, m, σ)."""

    lower: Floats
    upper: Floats

    def clip(self, parameters: Floats) -> Floats:
        return np.minimum(np.maximum(parameters, self.lower), self.upper)


def fit_svi(k: Floats, w: Floats, error: Floats, low: float, high: float) -> Fit:
    """Fit total variances `w` at ascending `k`, each known to ± `error`; without arbitrage over low ≤ k ≤ high.

    At least five different k; everything finite and errors positive. A quote far off the others, in units of its
    error, loses its say. Arbitrage that is in the quotes themselves may remain: see `svi.butterfly`.
    """
    guess = best_bend(centred(k, w, _tukey(_from_neighbours(k, w, error)) / error**2))
    trust = _tukey(_deviation(guess, k, w, error))
    guess = best_bend(centred(k, w, trust / error**2))
    box = _box(k)
    for _ in range(ROUNDS):
        before, trust = trust, _tukey(_deviation(guess, k, w, error))
        guess = _polish_bend(guess, Misfit(k, w, np.sqrt(trust) / error), box)
        if np.abs(trust - before).max() < SAME_TRUST:
            break
    trust = _tukey(_deviation(guess, k, w, error))
    misfit = Misfit(k, w, np.sqrt(trust) / error)
    return Fit(_raw(_without_arbitrage(guess, misfit, box, low + (high - low) * NODES)), trust)


def _raw(parameters: Floats) -> Svi:
    a, right, left, m, sigma = parameters.tolist()
    both = right + left
    return Svi(a, 0.5 * both, (right - left) / both if both > 0 else 0.0, m, sigma)


def _deviation(parameters: Floats, k: Floats, w: Floats, error: Floats) -> Floats:
    """Return how far each quote is off in robust standard deviations, which are no less than its own error."""
    return _scaled(np.abs(curve(parameters, k).w - w) / error)


def _from_neighbours(k: Floats, w: Floats, error: Floats) -> Floats:
    """Return how far each quote is off the straight line of two others near it, that of five lines which is closest.

    One wrong quote is off all lines; its neighbours, which have a line without it, are not.
    """
    pairs = np.arange(len(k))[:, None, None] + LINES
    there = ((pairs >= 0) & (pairs < len(k))).all(axis=2)
    near, far = np.where(there[:, :, None], pairs, (0, 1)).transpose(2, 0, 1)
    root = np.sqrt(w)
    line = root[near] + (root[far] - root[near]) / (k[far] - k[near]) * (k[:, None] - k[near])
    off = np.where(there, np.abs(root[:, None] - line), math.inf).min(axis=1)
    return _scaled(2.0 * root * off / error)


def _scaled(off: Floats) -> Floats:
    middle = float(np.sort(off)[len(off) // 2])
    return np.asarray(off / max(1.0, MAD * middle))


def _tukey(deviation: Floats) -> Floats:
    inside = 1.0 - np.minimum(deviation / TUKEY, 1.0) ** 2
    return np.asarray(inside * inside)


def _box(k: Floats) -> _Box:
    low, high = float(k[0]), float(k[-1])
    width = high - low
    return _Box(
        np.array([-math.inf, 0.0, 0.0, low - FARTHEST * width, SHARPEST * width]),
        np.array([math.inf, STEEPEST_WING, STEEPEST_WING, high + FARTHEST * width, BLUNTEST * width]),
    )


def _without_arbitrage(guess: Floats, misfit: Misfit, box: _Box, nodes: Floats) -> Floats:
    """Return the parameters drawn to where Durrleman's g is not negative at the nodes, as far as that can be had."""
    for price in PRICES:
        at_nodes = curve(guess, nodes)
        if at_nodes.w.min() > LEAST_VARIANCE and durrleman(guess, at_nodes, nodes)[0].min() >= 0:
            break
        priced = misfit._replace(nodes=nodes, price=price * math.sqrt(len(misfit.k)))
        guess = _polish(guess, priced, box, ALL, lambda parameters, step: box.clip(parameters + step))
    return guess


def _polish_bend(start: Floats, misfit: Misfit, box: _Box) -> Floats:
    """Return the parameters after steps of the bend alone, the rest of the smile solved anew for each.

    That is variable projection, in the form of Kaufman (BIT 15, 1975): the step of m and σ is that of all five
    parameters, of which three are at their best already. It follows valleys that five parameters together creep along.
    """
    inner = centred(misfit.k, misfit.w, misfit.root_weight**2)

    def moved(parameters: Floats, step: Floats) -> Floats:
        m, sigma = box.clip(parameters + step)[BEND].tolist()
        return at_bend(inner, float(m), float(sigma))

    return _polish(moved(start, NO_STEP), misfit, box, BEND, moved)


def _polish(
    start: Floats, misfit: Misfit, box: _Box, damped: Ints, moved: Callable[[Floats, Floats], Floats]
) -> Floats:
    """Return the parameters after steps of Levenberg–Marquardt inside the box (Nocedal and Wright, chapter 10).

    A parameter at a bound that the objective presses it against stands still for that step.
    """
    parameters = start
    residual, fitted = residuals(misfit, parameters)
    objective, damping = float(residual @ residual), FIRST_DAMPING
    for _ in range(STEPS):
        slopes = jacobian(misfit, parameters, fitted)
        gradient, curvature = slopes @ residual, slopes @ slopes.T
        _hold_at_bounds(parameters, gradient, curvature, box)
        scale = curvature[damped, damped]
        for _ in range(TRIALS):
            curvature[damped, damped] = (1.0 + damping) * scale
            _, step, unsolved = dposv(curvature, -gradient)  # numpy's own asks as much again for its checks
            if not unsolved:
                trial = moved(parameters, step)
                residual, fitted = residuals(misfit, trial)
                tried = float(residual @ residual)
                if tried < objective:
                    break
            damping *= 8.0
        else:
            return parameters
        gain, objective, parameters, damping = objective - tried, tried, trial, damping * 0.1
        if gain <= LEAST_GAIN * objective:
            break
    return parameters


def _hold_at_bounds(parameters: Floats, gradient: Floats, curvature: Floats, box: _Box) -> None:
    """Take out of the step the parameters that a bound holds, and those that nothing depends on."""
    held = ((parameters <= box.lower) & (gradient > 0)) | ((parameters >= box.upper) & (gradient < 0))
    held |= curvature[ALL, ALL] <= 0
    if held.any():
        gradient[held] = 0.0
        curvature[held] = 0.0
        curvature[:, held] = 0.0
        curvature[held, held] = 1.0
