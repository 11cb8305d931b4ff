"""Levels that a chain draws: where open interest stands, how far the index is expected to go, and how likely that is.

The reference is the spot, or the forward while the spot is frozen.
"""

import numpy as np

from g6.analytics import aggregates as of
from g6.analytics.conventions import Conventions
from g6.analytics.probability import closing_beyond, touching
from g6.analytics.sums import sums_of
from g6.analytics.volatility import DAYS_A_YEAR
from g6.model.chain import OptionChain
from g6.model.columns import Aggregate, Floats

TRADING_DAYS_A_YEAR = 252


def reference(chain: OptionChain) -> float:
    """Return the level that lower and higher are meant from."""
    return chain.forward if chain.spot_frozen and np.isfinite(chain.forward) else chain.spot


def support_oi(chain: OptionChain, _: Conventions) -> float:
    """Return the strike with the most put open interest at or below the reference."""
    return _below(chain, chain.oi)


def resistance_oi(chain: OptionChain, _: Conventions) -> float:
    """Return the strike with the most call open interest at or above the reference."""
    return _above(chain, chain.oi)


def support_oi_change(chain: OptionChain, _: Conventions) -> float:
    """Return the strike at or below the reference whose puts gained the most open interest since yesterday."""
    return _below(chain, chain.oi_change)


def resistance_oi_change(chain: OptionChain, _: Conventions) -> float:
    """Return the strike at or above the reference whose calls gained the most open interest since yesterday."""
    return _above(chain, chain.oi_change)


def max_pain_drift(chain: OptionChain, conventions: Conventions) -> float:
    """Return how far max pain has come since the day's first minute."""
    return of.max_pain(chain, conventions) - _at_open(chain, "max_pain")


def expected_move_straddle(chain: OptionChain, conventions: Conventions) -> float:
    """Return the straddle at the ATM, times the factor of the conventions."""
    return conventions.straddle_factor * of.straddle(chain, conventions)


def expected_move_iv(chain: OptionChain, conventions: Conventions) -> float:
    """Return one standard deviation to the expiry."""
    return chain.forward * of.atm_iv(chain, conventions) * float(np.sqrt(chain.years))


def expected_low_straddle(chain: OptionChain, conventions: Conventions) -> float:
    """Return the forward less the straddle's expected move."""
    return chain.forward - expected_move_straddle(chain, conventions)


def expected_high_straddle(chain: OptionChain, conventions: Conventions) -> float:
    """Return the forward plus the straddle's expected move."""
    return chain.forward + expected_move_straddle(chain, conventions)


def expected_low_iv(chain: OptionChain, conventions: Conventions) -> float:
    """Return the forward less one standard deviation."""
    return chain.forward - expected_move_iv(chain, conventions)


def expected_high_iv(chain: OptionChain, conventions: Conventions) -> float:
    """Return the forward plus one standard deviation."""
    return chain.forward + expected_move_iv(chain, conventions)


def support_close_probability(chain: OptionChain, conventions: Conventions) -> float:
    """Return how likely the expiry is to settle below the support."""
    return closing_beyond(chain, support_oi(chain, conventions), above=False)


def support_touch_probability(chain: OptionChain, conventions: Conventions) -> float:
    """Return how likely the support is to be touched."""
    return touching(support_close_probability(chain, conventions))


def resistance_close_probability(chain: OptionChain, conventions: Conventions) -> float:
    """Return how likely the expiry is to settle above the resistance."""
    return closing_beyond(chain, resistance_oi(chain, conventions), above=True)


def resistance_touch_probability(chain: OptionChain, conventions: Conventions) -> float:
    """Return how likely the resistance is to be touched."""
    return touching(resistance_close_probability(chain, conventions))


def expected_low_close_probability(chain: OptionChain, conventions: Conventions) -> float:
    """Return how likely the expiry is to settle more than a standard deviation below the forward."""
    return closing_beyond(chain, expected_low_iv(chain, conventions), above=False)


def expected_low_touch_probability(chain: OptionChain, conventions: Conventions) -> float:
    """Return how likely the lower bound of the expected move is to be touched."""
    return touching(expected_low_close_probability(chain, conventions))


def expected_high_close_probability(chain: OptionChain, conventions: Conventions) -> float:
    """Return how likely the expiry is to settle more than a standard deviation above the forward."""
    return closing_beyond(chain, expected_high_iv(chain, conventions), above=True)


def expected_high_touch_probability(chain: OptionChain, conventions: Conventions) -> float:
    """Return how likely the upper bound of the expected move is to be touched."""
    return touching(expected_high_close_probability(chain, conventions))


def breakout_ratio(chain: OptionChain, _: Conventions) -> float:
    """Return the forward's move since the day's first minute over what a day was expected to bring then; signed.

    Expected is F·IV·√T of that minute, with T a trading day, 1/252 year, or the time to the expiry if that is less.
    """
    before = _at_open(chain, "forward")
    years = min(_at_open(chain, "days_to_expiry") / DAYS_A_YEAR, 1 / TRADING_DAYS_A_YEAR)
    expected = before * _at_open(chain, "atm_iv") * float(np.sqrt(years)) if years > 0 else float("nan")
    return (chain.forward - before) / expected if expected > 0 else float("nan")


def breakout_volume(chain: OptionChain, conventions: Conventions) -> float:
    """Return 1 where the move's own side trades more in the window today: calls in a rise, puts in a fall; else 0."""
    sums = sums_of(chain, conventions)
    more_calls = sums.of("volume", "call", window=True) - sums.of("volume", "put", window=True)
    return _agrees(breakout_ratio(chain, conventions), more_calls)


def breakout_oi(chain: OptionChain, conventions: Conventions) -> float:
    """Return 1 where writers moved behind the move: in a rise more puts than calls were added since yesterday."""
    sums = sums_of(chain, conventions)
    more_puts = sums.of("oi_change", "put", window=True) - sums.of("oi_change", "call", window=True)
    return _agrees(breakout_ratio(chain, conventions), more_puts)


def _agrees(move: float, sign: float) -> float:
    if np.isnan(move) or np.isnan(sign) or move == 0:
        return float("nan")
    return float(move * sign > 0)


def _at_open(chain: OptionChain, name: str) -> float:
    return chain.opening.get(name, float("nan"))


def _below(chain: OptionChain, interest: Floats) -> float:
    """Return the put strike at or below the reference with the most of this, the nearest of equals; NaN if none."""
    rows = np.flatnonzero(~chain.is_call & (chain.strike <= reference(chain)) & (interest > 0))
    return float(chain.strike[rows][interest[rows] == interest[rows].max()].max()) if len(rows) else float("nan")


def _above(chain: OptionChain, interest: Floats) -> float:
    """Return the call strike at or above the reference with the most of this, the nearest of equals; NaN if none."""
    rows = np.flatnonzero(chain.is_call & (chain.strike >= reference(chain)) & (interest > 0))
    return float(chain.strike[rows][interest[rows] == interest[rows].max()].min()) if len(rows) else float("nan")


_REFERENCE = "the reference (spot, or the forward while the spot is frozen)"
_TIE = "of equals the nearest; NaN where none has any"
_STRADDLE = "straddle_factor (default 1) * straddle at the ATM, on the price basis: about the mean absolute move"
_IV = "forward * atm_iv * sqrt(T), one standard deviation"
_CLOSE = (
    "N(d2) - n(d2) ds/dk, s = sqrt(total variance) at k = ln(level/forward), from the fitted smile (from the strikes' "
    "volatilities, where none is fitted); NaN where the fit is refused or does not reach"
)
_TOUCH = "before the expiry: twice that of closing beyond it (reflection of a driftless walk), at most 1"
_DIGITAL, _REFLECTION = "Breeden and Litzenberger 1978", "reflection principle"
_CONFIRMS = "1 or 0; NaN without a move or its data"

LEVELS = (
    (Aggregate("support_oi", "points", f"Strike at or below {_REFERENCE} with the most put OI; {_TIE}"), support_oi),
    (Aggregate("resistance_oi", "points", f"Strike at or above {_REFERENCE} with the most call OI; {_TIE}"),
     resistance_oi),
    (Aggregate("support_oi_change", "points",
               f"Strike at or below {_REFERENCE} whose put OI rose most since yesterday; {_TIE}"), support_oi_change),
    (Aggregate("resistance_oi_change", "points",
               f"Strike at or above {_REFERENCE} whose call OI rose most since yesterday; {_TIE}"),
     resistance_oi_change),
    (Aggregate("max_pain_drift", "points", "Max pain less that of the day's first recorded minute"), max_pain_drift),
    (Aggregate("expected_move_straddle", "points", f"Expected move to the expiry: {_STRADDLE}"),
     expected_move_straddle),
    (Aggregate("expected_low_straddle", "points", "Forward less expected_move_straddle"), expected_low_straddle),
    (Aggregate("expected_high_straddle", "points", "Forward plus expected_move_straddle"), expected_high_straddle),
    (Aggregate("expected_move_iv", "points", f"Expected move to the expiry: {_IV}"), expected_move_iv),
    (Aggregate("expected_low_iv", "points", "Forward less expected_move_iv"), expected_low_iv),
    (Aggregate("expected_high_iv", "points", "Forward plus expected_move_iv"), expected_high_iv),
    (Aggregate("support_close_probability", "1", f"Probability of settling below support_oi: 1 less {_CLOSE}",
               source=_DIGITAL), support_close_probability),
    (Aggregate("support_touch_probability", "1", f"Probability of touching support_oi {_TOUCH}", source=_REFLECTION),
     support_touch_probability),
    (Aggregate("resistance_close_probability", "1", f"Probability of settling above resistance_oi: {_CLOSE}",
               source=_DIGITAL), resistance_close_probability),
    (Aggregate("resistance_touch_probability", "1", f"Probability of touching resistance_oi {_TOUCH}",
               source=_REFLECTION), resistance_touch_probability),
    (Aggregate("expected_low_close_probability", "1", f"Probability of settling below expected_low_iv: 1 less {_CLOSE}",
               source=_DIGITAL), expected_low_close_probability),
    (Aggregate("expected_low_touch_probability", "1", f"Probability of touching expected_low_iv {_TOUCH}",
               source=_REFLECTION), expected_low_touch_probability),
    (Aggregate("expected_high_close_probability", "1", f"Probability of settling above expected_high_iv: {_CLOSE}",
               source=_DIGITAL), expected_high_close_probability),
    (Aggregate("expected_high_touch_probability", "1", f"Probability of touching expected_high_iv {_TOUCH}",
               source=_REFLECTION), expected_high_touch_probability),
    (Aggregate("breakout_ratio", "1",
               "Forward less that of the day's first recorded minute, over that minute's forward * atm_iv * sqrt(T), T "
               "the least of 1/252 year and its time to expiry: beyond 1 or -1 a day moves more than it was expected "
               "to"), breakout_ratio),
    (Aggregate("breakout_volume", "bool",
               "Whether the window's volume confirms the sign of breakout_ratio: in a rise calls trade more than puts, "
               f"in a fall puts; {_CONFIRMS}"), breakout_volume),
    (Aggregate("breakout_oi", "bool",
               "Whether the window's OI change since yesterday confirms the sign of breakout_ratio: in a rise more "
               f"puts than calls were added, in a fall more calls; {_CONFIRMS}"), breakout_oi),
)  # fmt: skip
