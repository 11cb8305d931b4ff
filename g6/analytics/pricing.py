"""Which of a leg's prices is the one to believe."""

from dataclasses import replace

import numpy as np

from g6.analytics.conventions import Conventions
from g6.model.chain import PRICE_SOURCES, OptionChain
from g6.model.columns import Bools, Floats

NONE, MID, LAST = (float(PRICE_SOURCES.index(word)) for word in ("none", "mid", "last"))


def add_price(chain: OptionChain, conventions: Conventions) -> OptionChain:
    """Set `price` and `price_source`, what implied volatility is solved from."""
    price, source = fair_price(chain, conventions)
    return replace(chain, price=price, price_source=source)


def fair_price(chain: OptionChain, conventions: Conventions) -> tuple[Floats, Floats]:
    """Return the mid of a sane spread, else the last price of a fresh trade, else NaN; and its source's code.

    A trade of unknown age counts as fresh. In the NSE model it is the last price alone.
    """
    fresh = ~(chain.trade_age_seconds > conventions.stale_trade_seconds) & ~np.isnan(chain.last)
    if conventions.model == "nse":
        fresh, sane = ~np.isnan(chain.last), np.zeros(len(chain), dtype=bool)
    else:
        sane = sane_spread(chain, conventions)
    price = np.where(sane, 0.5 * (chain.bid + chain.ask), np.where(fresh, chain.last, np.nan))
    return price, np.where(sane, MID, np.where(fresh, LAST, NONE))


def sane_spread(chain: OptionChain, conventions: Conventions) -> Bools:
    """Return the legs with both sides quoted, not crossed, and no further apart than the conventions allow."""
    spread, mid = chain.ask - chain.bid, 0.5 * (chain.ask + chain.bid)
    widest = np.maximum(conventions.maximum_spread_ratio * mid, conventions.maximum_spread_ticks * chain.tick)
    return np.asarray((spread >= 0) & (spread <= widest))


def premium(chain: OptionChain, conventions: Conventions) -> Floats:
    """Return the price per leg that premiums and their aggregates are told in: last, or the day's average."""
    return chain.average_price if conventions.price_basis == "average" else chain.last
