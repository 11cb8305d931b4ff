"""What the straddle at the ATM has lost since the day's first minute, and what time alone would have taken.

The straddle is followed at the ATM, wherever that has moved: its change is of time and volatility, and but a little of
the index's way. In a chain of which the opening is not known every number here is NaN.
"""

import math

from g6.analytics import aggregates as of
from g6.analytics.conventions import Conventions
from g6.analytics.volatility import DAYS_A_YEAR
from g6.model.chain import OptionChain
from g6.model.columns import Aggregate

NAN = float("nan")
HOURS_A_DAY = 24.0
SHORTEST_HOURS = 0.25  # of a change that an hour's is made of: less would be a minute's noise, many times over
ROOT_2 = math.sqrt(2.0)


def straddle_change(chain: OptionChain, conventions: Conventions) -> float:
    """Return the straddle less that of the day's first minute, rupees."""
    return of.straddle(chain, conventions) - _at_open(chain, "straddle")


def straddle_change_ratio(chain: OptionChain, conventions: Conventions) -> float:
    """Return the straddle's change since the day's first minute as a share of what it was."""
    before = _at_open(chain, "straddle")
    return straddle_change(chain, conventions) / before if before > 0 else NAN


def straddle_change_per_hour(chain: OptionChain, conventions: Conventions) -> float:
    """Return the straddle's mean change an hour since the day's first minute; NaN in the first quarter of an hour."""
    hours = HOURS_A_DAY * (_at_open(chain, "days_to_expiry") - of.days_to_expiry(chain, conventions))
    return straddle_change(chain, conventions) / hours if hours >= SHORTEST_HOURS else NAN


def straddle_decay(chain: OptionChain, conventions: Conventions) -> float:
    """Return what the day's first straddle would have lost by now to time alone, negative, rupees: theta, summed up.

    Its forward, strike and volatility stay; only the time to expiry goes on. Theta times the hours would be far off on
    an expiry day, in whose course theta grows several times over.
    """
    days = _at_open(chain, "days_to_expiry"), of.days_to_expiry(chain, conventions)
    before, now = (_model_straddle(chain, max(each / DAYS_A_YEAR, conventions.minimum_years)) for each in days)
    return now - before if days[1] <= days[0] else NAN


def straddle_change_beyond_decay(chain: OptionChain, conventions: Conventions) -> float:
    """Return the straddle's change less what time alone would have made: above 0 where premium was bid up, rupees."""
    return straddle_change(chain, conventions) - straddle_decay(chain, conventions)


def _model_straddle(chain: OptionChain, years: float) -> float:
    """Return Black-76's call plus put, of the opening's forward, ATM and volatility with so much time left.

    With N(d) - N(-d) = erf(d/√2) they are e^(-rT)·(F·erf(d1/√2) - K·erf(d2/√2)).
    """
    forward, strike, volatility = (_at_open(chain, name) for name in ("forward", "atm_strike", "atm_iv"))
    if not (forward > 0 and strike > 0 and volatility > 0 and years > 0):
        return NAN
    deviation = volatility * math.sqrt(years)
    d1 = (math.log(forward) - math.log(strike)) / deviation + deviation / 2
    undiscounted = forward * math.erf(d1 / ROOT_2) - strike * math.erf((d1 - deviation) / ROOT_2)
    return math.exp(-chain.rate * years) * undiscounted


def _at_open(chain: OptionChain, name: str) -> float:
    return chain.opening.get(name, NAN)


_OPENING = "the day's first recorded minute"

DECAY = (
    (Aggregate("straddle_change", "rupees", f"Straddle at the ATM less that of {_OPENING} at its ATM"),
     straddle_change),
    (Aggregate("straddle_change_ratio", "ratio", f"straddle_change over the straddle of {_OPENING}"),
     straddle_change_ratio),
    (Aggregate("straddle_change_per_hour", "rupees/hour",
               f"straddle_change over the hours since {_OPENING}; NaN in the first quarter of an hour"),
     straddle_change_per_hour),
    (Aggregate("straddle_decay", "rupees",
               f"What time alone would have changed: Black-76 straddle of the forward, ATM and atm_iv of {_OPENING} "
               "with the time to expiry of now, less with that of then (theta, integrated)"), straddle_decay),
    (Aggregate("straddle_change_beyond_decay", "rupees", "straddle_change less straddle_decay"),
     straddle_change_beyond_decay),
)  # fmt: skip
