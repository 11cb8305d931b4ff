"""How much is traded and how lately: turnover, and the legs that nobody trades.

What a provider does not tell of any traded leg, its average price or the stamp of its last trade, is unknown of the
chain: what can be said of the untraded ones alone would pass for all of it.
"""

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.liquidity import medians, near_atm
from g6.model.chain import OptionChain
from g6.model.columns import Aggregate

NAN = float("nan")


def turnover(chain: OptionChain, _: Conventions) -> float:
    """Return the premium that changed hands today: Σ volume × average price, rupees."""
    traded = chain.volume > 0
    value = (chain.volume * chain.average_price)[traded]
    known = value[np.isfinite(value)]
    if len(value):
        return float(known.sum()) if len(known) else NAN
    return 0.0 if (chain.volume == 0).any() else NAN


def untraded_share(chain: OptionChain, _: Conventions) -> float:
    """Return the share of the legs with a known volume that have not traded today."""
    known = np.count_nonzero(chain.volume >= 0)
    return np.count_nonzero(chain.volume == 0) / known if known else NAN


def stale_share_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return the share of the window's legs that have not traded today, or last longer ago than the conventions say."""
    rows = np.flatnonzero(near_atm(chain, conventions.window_strikes))
    volume, age = chain.volume[rows], chain.trade_age_seconds[rows]
    untraded, dated = np.count_nonzero(volume == 0), (volume > 0) & np.isfinite(age)
    told = np.count_nonzero(dated)
    if untraded + told == 0 or (told == 0 and (volume > 0).any()):
        return NAN
    old = np.count_nonzero(dated & (age > conventions.stale_trade_seconds))
    return (untraded + old) / (untraded + told)


def trade_age_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return the median time since the last trade of the window's legs that traded today, seconds."""
    rows = np.flatnonzero(near_atm(chain, conventions.window_strikes) & (chain.volume > 0))
    age = chain.trade_age_seconds[rows]
    return medians(age[None, np.isfinite(age)])[0]


_WINDOW = "the legs at most window_strikes listed strikes from the ATM"

ACTIVITY = (
    (Aggregate("turnover", "rupees",
               "Sum over the collected legs of volume * average price of the day: premium, not notional; NaN where no "
               "traded leg's average is known"), turnover),
    (Aggregate("untraded_share", "ratio", "Share of the collected legs with a known volume whose volume is 0"),
     untraded_share),
    (Aggregate("stale_share_window", "ratio",
               f"Share of {_WINDOW} that have not traded today or not within stale_trade_seconds; a traded leg without "
               "a trade's stamp is left out, NaN where no traded leg has one"), stale_share_window),
    (Aggregate("trade_age_window", "seconds",
               f"Median time since the last trade over {_WINDOW} that traded today"), trade_age_window),
)  # fmt: skip
