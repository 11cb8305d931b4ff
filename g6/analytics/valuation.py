"""Implied volatility and Greeks of a chain's legs; needs the forward and the price."""

from dataclasses import replace

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.strikes import at_rows, strikes_of
from g6.analytics.volatility import VOL_POINT, greeks, implied_volatility
from g6.model.chain import OptionChain
from g6.model.columns import Floats


def add_iv(chain: OptionChain, conventions: Conventions) -> OptionChain:  # noqa: ARG001  (an enricher's form)
    """Set `leg_iv`, `iv_status` and `iv`.

    Every leg is solved from its own price. The strike has one volatility, its out-of-the-money leg's, whose price is
    time value alone; where that leg has none, the other's. The gap between the two is a measure of the quotes.
    """
    leg_iv, status = implied_volatility(
        chain.price, chain.forward, chain.strike, chain.years, chain.rate, chain.is_call
    )
    valued = replace(chain, leg_iv=leg_iv, iv_status=status.astype(np.float64))
    return replace(valued, iv=_per_strike(valued))


def add_greeks(chain: OptionChain, conventions: Conventions) -> OptionChain:  # noqa: ARG001  (an enricher's form)
    """Set the five Greeks of every leg at its strike's volatility, and `iv_error`: half a tick over vega."""
    values = greeks(chain.forward, chain.strike, chain.years, chain.rate, chain.iv, chain.is_call)
    with np.errstate(divide="ignore"):
        error = 0.5 * chain.tick * VOL_POINT / values.vega
    return replace(chain, iv_error=np.where(np.isfinite(error), error, np.nan), **values._asdict())


def _per_strike(chain: OptionChain) -> Floats:
    strikes = strikes_of(chain)
    call, put = at_rows(chain.leg_iv, strikes.call), at_rows(chain.leg_iv, strikes.put)
    upper = strikes.strike >= chain.forward
    outside, inside = np.where(upper, call, put), np.where(upper, put, call)
    return np.asarray(np.where(np.isfinite(outside), outside, inside)[strikes.place])
