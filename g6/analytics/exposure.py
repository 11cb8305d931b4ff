"""How the delta of all open interest changes: with the level (gamma), with time (charm), with volatility (vanna).

Per leg and per side it is gross, as if somebody held every open contract. Net is an assumption about who does: see
`Conventions.dealers`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.strikes import strikes_of
from g6.analytics.sums import sums_of, sums_of_index
from g6.analytics.volatility import DAYS_A_YEAR, ROOT_2PI, VOL_POINT
from g6.model.background import IndexView
from g6.model.chain import DEALER_POSITIONS, OptionChain
from g6.model.columns import Aggregate, Floats

ONE_PERCENT = 0.01
# Strikes on either side of the money between which a flip level is looked for, first and at last, and how finely
# between two of them.
FLIP_STRIKES = (8, 40)
FLIP_STEPS = np.linspace(0.0, 1.0, 9)
# Where the exposure is less than this share of its peak, its sign says nothing.
NOTHING = 1e-12
LEAST_EXPONENT = -700.0  # just above where exp gives denormals, which take five times as long


class CrossGreeks(NamedTuple):
    """Columns: charm per calendar day, vanna per 0.01 of volatility; a call's and a put's are the same."""

    charm: Floats
    vanna: Floats


def cross_greeks(forward: float, strike: Floats, years: float, rate: float, vol: Floats) -> CrossGreeks:
    """Return the changes of delta with time and with volatility; NaN where the volatility is.

    Of the delta N(d1) − {0, 1} along S = F e^(−rT), with S held as for theta: charm is
    −φ(d1) (r/σ√T − d2/2T), vanna −φ(d1) d2/σ (Haug, The Complete Guide to Option Pricing Formulas, 2nd ed., ch. 2:
    DdeltaDtime and DdeltaDvol with the rate as cost of carry).
    """
    total = vol * np.sqrt(years)
    d1 = np.log(forward / strike) / total + 0.5 * total
    d2 = d1 - total
    bell = np.exp(-0.5 * d1 * d1) / ROOT_2PI
    charm = -bell * (rate / total - d2 / (2.0 * years)) / DAYS_A_YEAR
    return CrossGreeks(np.asarray(charm), np.asarray(-bell * d2 / vol * VOL_POINT))


def add_exposure(chain: OptionChain, _: Conventions) -> OptionChain:
    """Set `charm`, `vanna` and `gex`; needs the Greeks, and leaves a chain without them as it is."""
    if np.isnan(chain.gamma).all():
        return chain
    cross = cross_greeks(chain.forward, chain.strike, chain.years, chain.rate, chain.iv)
    gex = chain.gamma * chain.oi * (chain.forward * chain.forward * ONE_PERCENT)
    return replace(chain, charm=cross.charm, vanna=cross.vanna, gex=gex)


def call_gex(chain: OptionChain, conventions: Conventions) -> float:
    """Return the calls' gamma exposure."""
    return sums_of(chain, conventions).of("gex", "call")


def put_gex(chain: OptionChain, conventions: Conventions) -> float:
    """Return the puts' gamma exposure, gross."""
    return sums_of(chain, conventions).of("gex", "put")


def net_gex(chain: OptionChain, conventions: Conventions) -> float:
    """Return the dealers' gamma exposure, as the conventions guess who they are."""
    return sums_of(chain, conventions).net("gex", conventions)


def gex_flip(chain: OptionChain, conventions: Conventions) -> float:
    """Return the level of the forward at which the net gamma exposure would change its sign."""
    return chain.forward * _nearest_flip((chain,), conventions)


def call_charm(chain: OptionChain, conventions: Conventions) -> float:
    """Return what a day does to the calls' delta, in rupees of index."""
    return sums_of(chain, conventions).of("charm", "call")


def put_charm(chain: OptionChain, conventions: Conventions) -> float:
    """Return what a day does to the puts' delta, in rupees of index."""
    return sums_of(chain, conventions).of("charm", "put")


def net_charm(chain: OptionChain, conventions: Conventions) -> float:
    """Return what a day does to the dealers' delta, as the conventions guess who they are."""
    return sums_of(chain, conventions).net("charm", conventions)


def call_vanna(chain: OptionChain, conventions: Conventions) -> float:
    """Return what a vol point does to the calls' delta, in rupees of index."""
    return sums_of(chain, conventions).of("vanna", "call")


def put_vanna(chain: OptionChain, conventions: Conventions) -> float:
    """Return what a vol point does to the puts' delta, in rupees of index."""
    return sums_of(chain, conventions).of("vanna", "put")


def net_vanna(chain: OptionChain, conventions: Conventions) -> float:
    """Return what a vol point does to the dealers' delta, as the conventions guess who they are."""
    return sums_of(chain, conventions).net("vanna", conventions)


def dealers(_: OptionChain, conventions: Conventions) -> float:
    """Return the code of the assumption that the net exposures rest on."""
    return float(DEALER_POSITIONS.index(conventions.dealers))


def index_call_gex(view: IndexView, conventions: Conventions) -> float:
    """Return the calls' gamma exposure over all expiries."""
    return sums_of_index(view, conventions).of("gex", "call")


def index_put_gex(view: IndexView, conventions: Conventions) -> float:
    """Return the puts' gamma exposure over all expiries, gross."""
    return sums_of_index(view, conventions).of("gex", "put")


def index_net_gex(view: IndexView, conventions: Conventions) -> float:
    """Return the dealers' gamma exposure over all expiries."""
    return sums_of_index(view, conventions).net("gex", conventions)


def index_gex_flip(view: IndexView, conventions: Conventions) -> float:
    """Return the level of the spot at which the net gamma exposure over all expiries would change its sign."""
    valued = [chain for chain in view.chains if np.isfinite(chain.forward)]
    if not valued:
        return float("nan")
    nearest = valued[0]
    return nearest.forward * float(np.exp(-nearest.rate * nearest.years)) * _nearest_flip(valued, conventions)


def index_call_charm(view: IndexView, conventions: Conventions) -> float:
    """Return what a day does to the calls' delta over all expiries, in rupees of index."""
    return sums_of_index(view, conventions).of("charm", "call")


def index_put_charm(view: IndexView, conventions: Conventions) -> float:
    """Return what a day does to the puts' delta over all expiries, in rupees of index."""
    return sums_of_index(view, conventions).of("charm", "put")


def index_net_charm(view: IndexView, conventions: Conventions) -> float:
    """Return what a day does to the dealers' delta over all expiries."""
    return sums_of_index(view, conventions).net("charm", conventions)


def index_call_vanna(view: IndexView, conventions: Conventions) -> float:
    """Return what a vol point does to the calls' delta over all expiries, in rupees of index."""
    return sums_of_index(view, conventions).of("vanna", "call")


def index_put_vanna(view: IndexView, conventions: Conventions) -> float:
    """Return what a vol point does to the puts' delta over all expiries, in rupees of index."""
    return sums_of_index(view, conventions).of("vanna", "put")


def index_net_vanna(view: IndexView, conventions: Conventions) -> float:
    """Return what a vol point does to the dealers' delta over all expiries."""
    return sums_of_index(view, conventions).net("vanna", conventions)


class _Slice(NamedTuple):
    """The strikes of an expiry that have a volatility and open interest of either side."""

    moneyness: Floats  # ln(F/K)/s + s/2, s = σ√T
    inverse: Floats  # 1/s
    weight: Floats  # e^(rT)·F·0.01/√(2π) · net open interest / s: with exp(−d1²/2), the gamma exposure


def _nearest_flip(chains: Sequence[OptionChain], conventions: Conventions) -> float:
    """Return the zero of the net gamma exposure nearest to the money, as a share of today's level; NaN without one.

    All forwards move by the same share; volatilities stay with their strikes. A sum of bells changes its sign no more
    often than their weights do, strike by strike, so the first chain's strikes are where to look, and today's level.
    """
    slices = [part for chain in chains if (part := _slice(chain, conventions)) is not None]
    ratio = strikes_of(chains[0]).strike / chains[0].forward
    money, zero = int(np.searchsorted(ratio, 1.0)), float("nan")
    for strikes in FLIP_STRIKES if slices else ():
        first = max(0, money - strikes)
        levels = np.concatenate([ratio[first:money], [1.0], ratio[money : money + strikes]])
        zero = _nearest_zero(slices, levels, money - first)
        if abs(zero - 1.0) <= min(levels[-1] - 1.0, 1.0 - levels[0]):  # nothing nearer lies outside
            break
    return zero


def _nearest_zero(slices: Sequence[_Slice], levels: Floats, money: int) -> float:
    """Return the zero nearest to levels[money], which is 1, between two of the levels."""
    net = _net_exposure(slices, levels)
    if not np.isfinite(net).all():
        return float("nan")
    size = np.abs(net)
    sign = np.where(size <= NOTHING * size.max(), 0.0, np.sign(net))
    known = np.flatnonzero(sign)
    changes = np.flatnonzero(np.diff(sign[known]))
    below, above = changes[known[changes + 1] <= money], changes[known[changes + 1] > money]
    zeros = [_zero_between(slices, levels[known[i]], levels[known[i + 1]]) for i in (*below[-1:], *above[:1])]
    return min(zeros, key=lambda zero: abs(zero - 1.0), default=float("nan"))


def _slice(chain: OptionChain, conventions: Conventions) -> _Slice | None:
    strikes = strikes_of(chain)
    of_calls, of_puts = conventions.signs
    interest = np.where(np.isfinite(chain.oi) & np.isfinite(chain.iv), chain.oi, 0.0)
    net = of_calls * np.where(strikes.call >= 0, interest[strikes.call], 0.0)
    net += of_puts * np.where(strikes.put >= 0, interest[strikes.put], 0.0)
    rows = np.flatnonzero(net)
    if not len(rows) or not np.isfinite(chain.forward):
        return None
    either = np.maximum(strikes.call, strikes.put)[rows]
    total = chain.iv[either] * np.sqrt(chain.years)
    inverse = 1.0 / total
    scale = np.exp(chain.rate * chain.years) * chain.forward * ONE_PERCENT / ROOT_2PI
    moneyness = np.log(chain.forward / chain.strike[either]) * inverse + 0.5 * total
    return _Slice(moneyness, inverse, scale * net[rows] * inverse)


def _net_exposure(slices: Sequence[_Slice], level: Floats) -> Floats:
    """Return the net gamma exposure at these levels over today's, in rupees per 1 % move."""
    total, moved = np.zeros(len(level)), np.log(level)
    for part in slices:
        d1 = np.multiply.outer(moved, part.inverse)
        d1 += part.moneyness
        d1 *= d1
        d1 *= -0.5
        np.maximum(d1, LEAST_EXPONENT, out=d1)
        # Not by `@`: BLAS would wake its threads for it.
        total += np.einsum("ij,j->i", np.exp(d1, out=d1), part.weight)
    return total * level


def _zero_between(slices: Sequence[_Slice], low: float, high: float) -> float:
    """Return the zero nearest to the money between two levels at which the net exposure has different signs."""
    level = low + (high - low) * FLIP_STEPS
    net = _net_exposure(slices, level)
    changes = np.flatnonzero(np.sign(net[1:]) != np.sign(net[:-1]))
    i = changes[-1 if high <= 1.0 else 0]
    return float(level[i] - net[i] * (level[i + 1] - level[i]) / (net[i + 1] - net[i]))


_GROSS = (
    "Sum over the {side} of gamma * OI * forward^2 * 0.01, gross: the change of their delta, in rupees of index, "
    "per 1 % move"
)
_NET = "calls and puts each with the sign of dealers: +1 where they are taken to be long, else -1"
_HELD = "Sum over the {side} of {what} * OI * forward"

EXPOSURE = (
    (Aggregate("call_gex", "rupees", _GROSS.format(side="calls"), source="SqueezeMetrics 2016"), call_gex),
    (Aggregate("put_gex", "rupees", _GROSS.format(side="puts"), source="SqueezeMetrics 2016"), put_gex),
    (Aggregate("net_gex", "rupees", f"Gamma exposure per 1 % move, {_NET}; by default call_gex - put_gex",
               source="SqueezeMetrics 2016"), net_gex),
    (Aggregate("gex_flip", "points",
               "Level of the forward nearest to it at which net gamma exposure, revalued there with each strike's "
               "volatility and OI held, changes its sign; looked for between the 40 strikes on either side; NaN "
               "without one", source="Perfiliev 2022"), gex_flip),
    (Aggregate("call_charm", "rupees/day", _HELD.format(side="calls", what="charm") + ": change of their delta a day"),
     call_charm),
    (Aggregate("put_charm", "rupees/day", _HELD.format(side="puts", what="charm") + ": change of their delta a day"),
     put_charm),
    (Aggregate("net_charm", "rupees/day", f"Charm exposure, {_NET}"), net_charm),
    (Aggregate("call_vanna", "rupees/vol point",
               _HELD.format(side="calls", what="vanna") + ": change of their delta per vol point"), call_vanna),
    (Aggregate("put_vanna", "rupees/vol point",
               _HELD.format(side="puts", what="vanna") + ": change of their delta per vol point"), put_vanna),
    (Aggregate("net_vanna", "rupees/vol point", f"Vanna exposure, {_NET}"), net_vanna),
    (Aggregate("dealers", "code",
               "Assumption that net exposures and flip levels rest on; see DEALER_POSITIONS (0: dealers are long the "
               "calls and short the puts)"), dealers),
)  # fmt: skip

INDEX_EXPOSURE = (
    (Aggregate("index_call_gex", "rupees", "Sum of call_gex over all collected expiries", "index"), index_call_gex),
    (Aggregate("index_put_gex", "rupees", "Sum of put_gex over all collected expiries", "index"), index_put_gex),
    (Aggregate("index_net_gex", "rupees", f"Gamma exposure of all collected expiries, {_NET}", "index"),
     index_net_gex),
    (Aggregate("index_gex_flip", "points",
               "Level of the spot nearest to it at which net gamma exposure of all collected expiries changes its "
               "sign, as gex_flip with all forwards moved by the same share; today's spot is taken as what the "
               "nearest forward is worth, F*exp(-rT)", "index", "Perfiliev 2022"), index_gex_flip),
    (Aggregate("index_call_charm", "rupees/day", "Sum of call_charm over all collected expiries", "index"),
     index_call_charm),
    (Aggregate("index_put_charm", "rupees/day", "Sum of put_charm over all collected expiries", "index"),
     index_put_charm),
    (Aggregate("index_net_charm", "rupees/day", f"Charm exposure of all collected expiries, {_NET}", "index"),
     index_net_charm),
    (Aggregate("index_call_vanna", "rupees/vol point", "Sum of call_vanna over all collected expiries", "index"),
     index_call_vanna),
    (Aggregate("index_put_vanna", "rupees/vol point", "Sum of put_vanna over all collected expiries", "index"),
     index_put_vanna),
    (Aggregate("index_net_vanna", "rupees/vol point", f"Vanna exposure of all collected expiries, {_NET}", "index"),
     index_net_vanna),
)  # fmt: skip
