"""Time to expiry and the forward: what the options of an expiry are priced on."""

from dataclasses import replace

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.pricing import MID
from g6.analytics.strikes import Strikes, at_rows, strikes_of
from g6.model.chain import OptionChain
from g6.model.columns import Floats

SECONDS_A_YEAR = 365 * 86400
# Fewer two-sided pairs than this near the money, and last prices have to help.
FEWEST_QUOTED_PAIRS = 3


def add_forward(chain: OptionChain, conventions: Conventions) -> OptionChain:
    """Set `years`, `rate`, `forward` and `forward_source`; needs the price.

    Put-call parity near the money says where the market itself puts the forward; else the future's price; else the
    spot, carried at the rate. The index may stand still in a closing auction while its options trade, so spot is last.
    """
    years = years_to_expiry(chain, conventions)
    valued = replace(chain, years=years, rate=conventions.rate)
    carried = chain.spot * np.exp(conventions.rate * years)
    if conventions.model == "nse":
        return replace(valued, forward=float(carried), forward_source="spot")
    parity = _parity_forward(valued, conventions)
    if np.isfinite(parity):
        return replace(valued, forward=parity, forward_source="parity")
    if np.isfinite(chain.future) and chain.future > 0:
        return replace(valued, forward=chain.future, forward_source="future")
    return replace(valued, forward=float(carried), forward_source="spot")


def years_to_expiry(chain: OptionChain, conventions: Conventions) -> float:
    """Return the time from the quotes to the contract's own close, in years of 365 days; NaN once that has passed.

    Floored at `minimum_years`; in the NSE model whole calendar days, at least one.
    """
    if conventions.model == "nse":
        return max(1, (chain.expiry - chain.at.date()).days) / 365
    remaining = (chain.expires_at - chain.at).total_seconds()
    return max(remaining / SECONDS_A_YEAR, conventions.minimum_years) if remaining > 0 else float("nan")


def _parity_forward(chain: OptionChain, conventions: Conventions) -> float:
    """Return the median of K + e^(rT)(C − P) over the strikes nearest the money; NaN where no pair has prices.

    Nearest to the spot first, then to the forward so found, which the spot may be far from.
    """
    strikes = strikes_of(chain)
    forwards = _forwards(chain, strikes, np.where(chain.price_source == MID, chain.price, np.nan))
    if np.count_nonzero(np.isfinite(forwards)) < FEWEST_QUOTED_PAIRS:
        forwards = _forwards(chain, strikes, chain.price)
    known = np.isfinite(forwards)
    if not known.any():
        return float("nan")
    level, implied, forward = strikes.strike[known], forwards[known], chain.spot
    for _ in range(2):
        nearest = np.argsort(np.abs(level - forward), kind="stable")[: conventions.parity_strikes]
        forward = float(np.median(implied[nearest]))
    return forward if forward > 0 else float("nan")


def _forwards(chain: OptionChain, strikes: Strikes, price: Floats) -> Floats:
    call, put = at_rows(price, strikes.call), at_rows(price, strikes.put)
    return np.asarray(strikes.strike + np.exp(chain.rate * chain.years) * (call - put))
