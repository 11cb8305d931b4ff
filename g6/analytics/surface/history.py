"""Implied volatility beside what was: realised volatility, rank and percentile in a year, and India VIX."""

import math
from collections.abc import Callable

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.surface.term import constant_maturity
from g6.model.background import IndexView
from g6.model.columns import Aggregate, Floats

FEWEST_MINUTES, CLOSES = 30, 21
MATURITY_DAYS = 30.0
STILL = 1e-12  # of a standard deviation: a series that does not move
NAN = float("nan")


def realised_volatility_today(index: IndexView, conventions: Conventions) -> float:
    """Return √(mean of squared minute returns · minutes a session · sessions a year), of today's spot so far.

    Log returns from one recorded minute to the next. Minutes in which the index stood still at the end of its day are
    left out. NaN for fewer than 30 returns.
    """
    spot = _moving(index)
    returns = np.diff(np.log(spot[spot > 0]))
    if len(returns) < FEWEST_MINUTES:
        return NAN
    minutes_a_year = conventions.session_minutes * conventions.sessions_a_year
    return math.sqrt(float(np.mean(returns * returns)) * minutes_a_year)


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


def _moving(index: IndexView) -> Floats:
    """Return today's known levels with the one now; without the last ones while the index stands still."""
    levels = np.append(index.background.minute_spot, index.spot)
    spot: Floats = levels[np.isfinite(levels)]
    if not index.spot_frozen or not len(spot):
        return spot
    changed = np.flatnonzero(spot != spot[-1])
    return spot[: changed[-1] + 2] if len(changed) else spot[:1]


VOLATILITY = "1/sqrt(year)"
HISTORY: tuple[tuple[Aggregate, Callable[[IndexView, Conventions], float]], ...] = (
    (Aggregate("realised_volatility_today", VOLATILITY, "sqrt(mean of squared log returns from one recorded minute of "
     "today to the next * 375 minutes a session * 252 sessions a year); at least 30 returns; nights are not in it",
     scope="index", source="Andersen and Bollerslev 1998"), realised_volatility_today),
    (Aggregate("realised_volatility_20d", VOLATILITY, "Sample standard deviation of the last 20 daily log returns "
     "(21 closes before today) * sqrt(252)", scope="index", source="Hull, section 15.4"), realised_volatility_20d),
    (Aggregate("iv_less_realised", VOLATILITY, "atm_iv_30d - realised_volatility_20d", scope="index"),
     iv_less_realised),
    (Aggregate("iv_rank", "%", "100 * (iv - low) / (high - low): atm_iv_30d between the extremes of its closes of up "
     "to 252 stored days and itself; missing with fewer than 60 days", scope="index"), iv_rank),
    (Aggregate("iv_percentile", "%", "Share of up to 252 stored days that closed with an atm_iv_30d below the one now; "
     "missing with fewer than 60 days", scope="index"), iv_percentile),
    (Aggregate("iv_vix_correlation", "ratio", "Pearson correlation of today's minute changes of atm_iv_30d and of "
     "India VIX; missing with fewer than 30 pairs", scope="index"), iv_vix_correlation),
)  # fmt: skip
