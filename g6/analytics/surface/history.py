"""Implied volatility beside what was: realised volatility, rank and percentile in a year, and India VIX."""

import math
from collections.abc import Callable

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.surface.term import constant_maturity
from g6.model.background import IndexView
from g6.model.columns import Aggregate, Floats

FEWEST_RETURNS, CLOSES = 30, 21
LONGEST_STEP = 5.0  # minutes: what an index did in a longer hole says little of its minutes
MATURITY_DAYS = 30.0
STILL = 1e-12  # of a standard deviation: a series that does not move
NAN = float("nan")


def realised_volatility_today(index: IndexView, conventions: Conventions) -> float:
    """Return √(variance a minute · minutes a session · sessions a year), of today's spot so far.

    The variance is the sum of the squared log returns from one recorded minute to the next over the minutes that they
    took: the same whatever the interval of the recording. NaN for fewer than 30 returns.
    """
    returns, minutes = _steps(index)
    if len(returns) < FEWEST_RETURNS:
        return NAN
    a_minute = float((returns * returns).sum() / minutes.sum())
    return math.sqrt(a_minute * conventions.session_minutes * conventions.sessions_a_year)


def realised_volatility_20d(index: IndexView, conventions: Conventions) -> float:
    """Return the standard deviation of the last 20 daily log returns, annualised (Hull, section 15.4).

    Of the closes of the 21 trading days before this one; NaN where one of them is missing.
    """
    close = index.background.daily_close[-CLOSES:]
    if len(close) < CLOSES or not (close > 0).all():
        return NAN
    return float(np.std(np.diff(np.log(close)), ddof=1)) * math.sqrt(conventions.sessions_a_year)


def iv_less_realised(index: IndexView, conventions: Conventions) -> float:
    """Return the 30-day volatility less the realised one of 20 days."""
    return _iv(index, conventions) - realised_volatility_20d(index, conventions)


def iv_rank(index: IndexView, conventions: Conventions) -> float:
    """Return where the 30-day volatility lies between the least and the greatest of the stored days and itself, %."""
    iv, days = _iv(index, conventions), _known_days(index, conventions)
    if not (np.isfinite(iv) and len(days)):
        return NAN
    low, high = min(iv, float(days.min())), max(iv, float(days.max()))
    return 100.0 * (iv - low) / (high - low) if high > low else NAN


def iv_percentile(index: IndexView, conventions: Conventions) -> float:
    """Return the share of the stored days whose 30-day volatility was below the one now, %."""
    iv, days = _iv(index, conventions), _known_days(index, conventions)
    return 100.0 * float(np.mean(days < iv)) if np.isfinite(iv) and len(days) else NAN


def iv_vix_correlation(index: IndexView, conventions: Conventions) -> float:
    """Return Pearson's correlation of today's minute changes of the 30-day volatility and of India VIX.

    Over the minutes in which both changes are known; NaN for too few of them, or where one of the two stands still.
    """
    background = index.background
    iv = np.append(background.minute_iv, _iv(index, conventions))
    vix = np.append(background.minute_vix, index.vix)
    if len(iv) != len(vix):
        return NAN
    changes = np.diff(np.stack([iv, vix]), axis=1)
    changes = changes[:, np.isfinite(changes).all(axis=0)]
    if changes.shape[1] < conventions.fewest_vix_pairs:
        return NAN
    changes = changes - changes.mean(axis=1, keepdims=True)
    lengths = np.sqrt((changes * changes).sum(axis=1))
    if not lengths.min() > STILL:
        return NAN
    return float(min(1.0, max(-1.0, changes[0] @ changes[1] / (lengths[0] * lengths[1]))))


def _iv(index: IndexView, conventions: Conventions) -> float:
    return constant_maturity(index, conventions, "atm_iv", MATURITY_DAYS)


def _known_days(index: IndexView, conventions: Conventions) -> Floats:
    """Return the stored days' volatilities; none where too few are known."""
    days = index.background.daily_iv
    known = days[np.isfinite(days)]
    return known if len(known) >= conventions.fewest_history_days else known[:0]


def _steps(index: IndexView) -> tuple[Floats, Floats]:
    """Return the log returns between today's known levels, and the minutes of each: of at most five, while it moves.

    From the first minute in which an auction holds the index still there are none: after the auction's one print,
    which no minute of trading made, the index stays where it is.
    """
    past = index.background
    spot, minute = np.append(past.minute_spot, index.spot), np.append(past.minute_of_day, index.minute_of_day)
    frozen = np.append(past.minute_frozen, float(index.spot_frozen))
    known = (spot > 0) & np.isfinite(spot) & np.isfinite(minute) & ~np.logical_or.accumulate(frozen > 0)
    returns, minutes = np.diff(np.log(spot[known])), np.diff(minute[known])
    used = (minutes > 0) & (minutes <= LONGEST_STEP)
    return returns[used], minutes[used]


VOLATILITY = "1/sqrt(year)"
_SHORT = "missing with fewer than fewest_history_days known (default 60)"
HISTORY: tuple[tuple[Aggregate, Callable[[IndexView, Conventions], float]], ...] = (
    (Aggregate("realised_volatility_today", VOLATILITY, "sqrt(variance a minute * session_minutes * sessions_a_year "
     "(default 375 and 252)): the sum of squared log returns from one recorded minute of today to the next over the "
     "sum of their minutes; steps of more than 5 minutes, and all from the closing auction on, are left out; at least "
     "30 returns; nights are not in it. From 2026-08-03 to 2026-12-06 the index moves 360 minutes a day",
     scope="index", source="Andersen and Bollerslev 1998"), realised_volatility_today),
    (Aggregate("realised_volatility_20d", VOLATILITY, "Sample standard deviation of the last 20 daily log returns "
     "(closes of the 21 trading days before today) * sqrt(sessions_a_year, default 252); missing where a close is",
     scope="index", source="Hull, section 15.4"), realised_volatility_20d),
    (Aggregate("iv_less_realised", VOLATILITY, "atm_iv_30d - realised_volatility_20d", scope="index"),
     iv_less_realised),
    (Aggregate("iv_rank", "%", "100 * (iv - low) / (high - low): atm_iv_30d between the extremes of its closes on the "
     f"252 trading days before and itself; {_SHORT}", scope="index"), iv_rank),
    (Aggregate("iv_percentile", "%", "Share of the known ones of the 252 trading days before that closed with an "
     f"atm_iv_30d below the one now; {_SHORT}", scope="index"), iv_percentile),
    (Aggregate("iv_vix_correlation", "ratio", "Pearson correlation of today's minute changes of atm_iv_30d and of "
     "India VIX; missing with fewer than fewest_vix_pairs (default 30)", scope="index"), iv_vix_correlation),
)  # fmt: skip
