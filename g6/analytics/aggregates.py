"""One number per chain. Each is a function of a valued chain; NaN where what it needs is missing."""

from functools import lru_cache

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.pricing import premium
from g6.analytics.strikes import at_rows, strikes_of
from g6.model.chain import OptionChain
from g6.model.columns import Bools, Floats

# Strikes on either side of the ATM whose two volatilities are compared.
GAP_STRIKES = 5
SECONDS_A_DAY = 86400.0


def forward(chain: OptionChain, _: Conventions) -> float:
    """Return the forward that the chain is valued on."""
    return chain.forward


def atm_strike(chain: OptionChain, _: Conventions) -> float:
    """Return the at-the-money strike."""
    return chain.atm


def atm_iv(chain: OptionChain, _: Conventions) -> float:
    """Return the volatility of the at-the-money strike."""
    return _first(chain.iv, chain.strike == chain.atm)


def straddle(chain: OptionChain, conventions: Conventions) -> float:
    """Return call plus put at the ATM, on the price basis."""
    call, put = _atm_premiums(chain, conventions)
    return call + put


def synthetic_future(chain: OptionChain, conventions: Conventions) -> float:
    """Return K + C − P at the ATM on the price basis, as the exchange's users quote it: undiscounted."""
    call, put = _atm_premiums(chain, conventions)
    return chain.atm + call - put


def basis(chain: OptionChain, conventions: Conventions) -> float:
    """Return the synthetic future less the spot."""
    return synthetic_future(chain, conventions) - chain.spot


def pcr_oi(chain: OptionChain, _: Conventions) -> float:
    """Return put over call open interest, over the collected legs."""
    return _ratio(chain.oi, chain.is_call)


def pcr_volume(chain: OptionChain, _: Conventions) -> float:
    """Return put over call volume, over the collected legs."""
    return _ratio(chain.volume, chain.is_call)


def call_oi(chain: OptionChain, _: Conventions) -> float:
    """Return the calls' open interest in units."""
    return _sum(chain.oi, chain.is_call)


def put_oi(chain: OptionChain, _: Conventions) -> float:
    """Return the puts' open interest in units."""
    return _sum(chain.oi, ~chain.is_call)


def call_volume(chain: OptionChain, _: Conventions) -> float:
    """Return the calls' volume in units."""
    return _sum(chain.volume, chain.is_call)


def put_volume(chain: OptionChain, _: Conventions) -> float:
    """Return the puts' volume in units."""
    return _sum(chain.volume, ~chain.is_call)


@lru_cache(maxsize=2)  # its drift asks once more
def max_pain(chain: OptionChain, _: Conventions) -> float:
    """Return the strike at which option holders would be paid least: argmin of Σ CE·max(0, K−k) + Σ PE·max(0, k−K).

    Over the collected strikes, in one pass by running sums; of equal ones the nearest to the spot.
    """
    strikes = strikes_of(chain)
    level = strikes.strike
    calls, puts = (np.nan_to_num(at_rows(chain.oi, rows)) for rows in (strikes.call, strikes.put))
    if not (calls.sum() + puts.sum()) > 0:
        return float("nan")
    paid_to_calls = level * np.cumsum(calls) - np.cumsum(calls * level)
    above = puts[::-1].cumsum()[::-1], (puts * level)[::-1].cumsum()[::-1]
    pain = paid_to_calls + above[1] - level * above[0]
    if not np.isfinite(pain).all():
        return float("nan")
    least = level[pain == pain.min()]
    return float(least[np.argmin(np.abs(least - chain.spot))])


def max_call_oi_strike(chain: OptionChain, _: Conventions) -> float:
    """Return the strike with the most call open interest, which many read as resistance."""
    return _strike_of_most(chain, chain.is_call)


def max_put_oi_strike(chain: OptionChain, _: Conventions) -> float:
    """Return the strike with the most put open interest, which many read as support."""
    return _strike_of_most(chain, ~chain.is_call)


def coverage(chain: OptionChain, _: Conventions) -> float:
    """Return the share of the legs asked for that answered."""
    return chain.received / chain.expected if chain.expected else float("nan")


def iv_coverage(chain: OptionChain, _: Conventions) -> float:
    """Return the share of the priced legs that have a volatility of their own; the deep wings never all do."""
    priced = np.count_nonzero(np.isfinite(chain.price))
    return np.count_nonzero(np.isfinite(chain.leg_iv)) / priced if priced else float("nan")


def iv_gap(chain: OptionChain, _: Conventions) -> float:
    """Return the median gap between a strike's call and put volatility near the money: small when parity holds."""
    strikes = strikes_of(chain)
    gap = np.abs(at_rows(chain.leg_iv, strikes.call) - at_rows(chain.leg_iv, strikes.put))
    near = np.abs(at_rows(chain.offset, np.maximum(strikes.call, strikes.put))) <= GAP_STRIKES
    known = gap[near & np.isfinite(gap)]
    return float(np.median(known)) if len(known) else float("nan")


def days_to_expiry(chain: OptionChain, _: Conventions) -> float:
    """Return the calendar days from the quotes to the contract's own close."""
    return (chain.expires_at - chain.at).total_seconds() / SECONDS_A_DAY


def _atm_premiums(chain: OptionChain, conventions: Conventions) -> tuple[float, float]:
    prices, at_the_money = premium(chain, conventions), chain.strike == chain.atm
    return _first(prices, at_the_money & chain.is_call), _first(prices, at_the_money & ~chain.is_call)


def _first(values: Floats, where: Bools) -> float:
    rows = np.flatnonzero(where)
    return float(values[rows[0]]) if len(rows) else float("nan")


def _sum(values: Floats, where: Bools) -> float:
    """Return the sum of what is known; NaN when nothing is."""
    known = values[where & np.isfinite(values)]
    return float(known.sum()) if len(known) else float("nan")


def _ratio(values: Floats, is_call: Bools) -> float:
    calls, puts = _sum(values, is_call), _sum(values, ~is_call)
    return puts / calls if calls > 0 else float("nan")


def _strike_of_most(chain: OptionChain, where: Bools) -> float:
    rows = np.flatnonzero(where & (chain.oi > 0))
    return float(chain.strike[rows[np.argmax(chain.oi[rows])]]) if len(rows) else float("nan")
