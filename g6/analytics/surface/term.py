"""The surface of an index over all its expiries: constant maturities, term structure, and arbitrage in time."""

import math
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.surface.smile import FITTED, VOL_POINTS, svi_of
from g6.model.background import IndexView
from g6.model.chain import OptionChain
from g6.model.columns import Aggregate

DAYS_A_YEAR = 365.0
A_DAY = 1 / DAYS_A_YEAR
NODES = np.linspace(0.0, 1.0, 33)
NAN = float("nan")
VOLATILITY = "1/sqrt(year)"


class Calendar(NamedTuple):
    """Neighbouring expiries that were compared, those of them with arbitrage, and the share of places that have it."""

    pairs: int
    violations: int
    share: float


@lru_cache(maxsize=2)  # two dozen measures ask for them in turn
def fitted_chains(index: IndexView) -> tuple[OptionChain, ...]:
    """Return the chains that have a smile, nearest expiry first."""
    fitted = [chain for chain in index.chains if chain.smile.get("status") == FITTED and chain.years > 0]
    return tuple(sorted(fitted, key=lambda chain: chain.years))


def constant_maturity(index: IndexView, conventions: Conventions, name: str, days: float) -> float:
    """Return a volatility of the smiles, `atm_iv` or one at a delta, interpolated to a maturity of so many days.

    Linearly in total variance, iv²·years, between the expiries on either side, each at its own forward or delta. A
    maturity before the first expiry or after the last takes that one's volatility, if their days are within the ratio
    of the conventions; else NaN.
    """
    years = days / DAYS_A_YEAR
    near, far = None, None
    for chain in fitted_chains(index):
        if np.isfinite(chain.smile[name]):
            if chain.years <= years:
                near = chain
            elif far is None:
                far = chain
    if near is None or far is None:
        return _nearest(near or far, name, years, conventions.maturity_reach_ratio)
    share = (years - near.years) / (far.years - near.years)
    variance = (1.0 - share) * _variance(near, name) + share * _variance(far, name)
    return math.sqrt(variance / years)


def risk_reversal_at(index: IndexView, conventions: Conventions, delta: int, days: float) -> float:
    """Return the call's less the put's volatility at a delta in percent and a maturity in days."""
    call, put = (constant_maturity(index, conventions, f"{side}_{delta}_iv", days) for side in ("call", "put"))
    return call - put


def butterfly_at(index: IndexView, conventions: Conventions, delta: int, days: float) -> float:
    """Return the mean of call's and put's volatility at a delta in percent, less that at the forward."""
    call, put = (constant_maturity(index, conventions, f"{side}_{delta}_iv", days) for side in ("call", "put"))
    return 0.5 * (call + put) - constant_maturity(index, conventions, "atm_iv", days)


def term_slope(index: IndexView, _: Conventions) -> float:
    """Return the volatility at the forward of the back expiry less that of the front one."""
    front, back = _front_and_back(index)
    return back.smile["atm_iv"] - front.smile["atm_iv"] if front and back else NAN


def forward_variance(index: IndexView, _: Conventions) -> float:
    """Return (w_back − w_front)/(years_back − years_front) at the forwards; NaN where that is negative: arbitrage."""
    front, back = _front_and_back(index)
    if front is None or back is None:
        return NAN
    rate = (_variance(back, "atm_iv") - _variance(front, "atm_iv")) / (back.years - front.years)
    return rate if rate >= 0 else NAN


def calendar_violations(index: IndexView, _: Conventions) -> float:
    """Return how many neighbouring expiries have calendar arbitrage between them; NaN with fewer than two smiles."""
    found = calendar(index)
    return float(found.violations) if found.pairs else NAN


def surface_quality(index: IndexView, _: Conventions) -> float:
    """Return the mean quality of all chains' smiles, times the share of places without calendar arbitrage."""
    qualities = [chain.smile["quality"] for chain in index.chains if "quality" in chain.smile]
    return sum(qualities) / len(qualities) * (1.0 - calendar(index).share) if qualities else NAN


@lru_cache(maxsize=2)
def calendar(index: IndexView) -> Calendar:
    """Compare neighbouring smiles: total variance may not fall with time at any k (Gatheral and Jacquier 2014, 2.1).

    At 33 places of the k that both have quotes over. It falls where the far smile is lower by more than the errors of
    both fits, their rmse as total variance, account for.
    """
    falls = [fall for near, far in pairwise(fitted_chains(index)) if (fall := _falling(near, far)) is not None]
    if not falls:
        return Calendar(0, 0, 0.0)
    return Calendar(len(falls), sum(fall > 0 for fall in falls), sum(falls) / len(falls))


def _falling(near: OptionChain, far: OptionChain) -> float | None:
    """Return the share of common places where total variance falls; None for no place in common, or no time between."""
    low = max(chain.smile["lowest_k"] for chain in (near, far))
    high = min(chain.smile["highest_k"] for chain in (near, far))
    if not (low < high and near.years < far.years):
        return None
    k = low + (high - low) * NODES
    sooner, later = svi_of(near.smile).total_variance(k), svi_of(far.smile).total_variance(k)
    slack = np.sqrt(sooner * near.years) * near.smile["rmse"] + np.sqrt(later * far.years) * far.smile["rmse"]
    return float(np.mean(sooner - later > 2.0 / VOL_POINTS * slack))


def _front_and_back(index: IndexView) -> tuple[OptionChain | None, OptionChain | None]:
    """Return the two nearest fitted expiries that are a day away or more."""
    chains = [chain for chain in fitted_chains(index) if chain.years >= A_DAY]
    different = [chain for chain in chains if chain.years > chains[0].years]
    return (chains[0], different[0]) if different else (None, None)


def _nearest(chain: OptionChain | None, name: str, years: float, ratio: float) -> float:
    if chain is None or max(chain.years / years, years / chain.years) > ratio:
        return NAN
    return chain.smile[name]


def _variance(chain: OptionChain, name: str) -> float:
    return chain.smile[name] ** 2 * chain.years


_CONSTANT = (
    "to {0} days, interpolated linearly in total variance (volatility^2 * years) between the fitted smiles of the "
    "expiries on either side; the nearest expiry's own if its days are within maturity_reach_ratio (default 1.25)"
)


MATURITIES = (7, 14, 30)  # days
POINTS = {
    "atm_iv": "at the forward",
    "put_10_iv": "where a put's spot delta is -0.10",
    "put_25_iv": "where a put's spot delta is -0.25",
    "call_50_iv": "where a call's spot delta is 0.50",
    "call_25_iv": "where a call's spot delta is 0.25",
    "call_10_iv": "where a call's spot delta is 0.10",
}


def _iv(name: str, of: str, words: str, days: int) -> tuple[Aggregate, Callable[[IndexView, Conventions], float]]:
    told = Aggregate(name, VOLATILITY, f"Volatility {words} {_CONSTANT.format(days)}", scope="index")
    return told, partial(constant_maturity, name=of, days=float(days))


TERM: tuple[tuple[Aggregate, Callable[[IndexView, Conventions], float]], ...] = (
    *(_iv(f"{of}_{days}d", of, words, days) for days in MATURITIES for of, words in POINTS.items()),
    (Aggregate("risk_reversal_25_30d", VOLATILITY, "call_25_iv_30d - put_25_iv_30d", scope="index",
     source="Wystup 2006"), partial(risk_reversal_at, delta=25, days=30.0)),
    (Aggregate("butterfly_25_30d", VOLATILITY, "(call_25_iv_30d + put_25_iv_30d) / 2 - atm_iv_30d", scope="index",
     source="Wystup 2006"), partial(butterfly_at, delta=25, days=30.0)),
    (Aggregate("term_slope", VOLATILITY, "atm_forward_iv of the back less that of the front expiry: the two nearest "
     "fitted ones that are a day away or more", scope="index"), term_slope),
    (Aggregate("forward_variance", "1/year", "(iv_back^2 T_back - iv_front^2 T_front) / (T_back - T_front) of "
     "atm_forward_iv and years, front and back as in term_slope; missing where negative", scope="index",
     source="Gatheral 2006"), forward_variance),
    (Aggregate("calendar_violations", "expiries", "Neighbouring expiries whose fitted total variance falls with time "
     "at one of 33 k in common, by more than both fits' rmse accounts for", scope="index",
     source="Gatheral and Jacquier 2014"), calendar_violations),
    (Aggregate("surface_quality", "ratio", "Mean smile_quality of the expiries * (1 - share of the k compared for "
     "calendar_violations that violate)", scope="index"), surface_quality),
)  # fmt: skip
