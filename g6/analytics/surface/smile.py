"""The fitted smile of a chain: the enricher that sets it, and what others read from it.

`chain.smile` is a mapping of numbers. What describes the fit is always there:

- `status`      code of SMILE_STATUSES; all but 0 mean that there is no smile
- `quotes`      how many strikes it was fitted to
- `rmse`        vol points: root mean square of fitted less quoted volatility, weighted as the fit was
- `butterfly`   least of Durrleman's g from `lower_k` to `upper_k`; negative is arbitrage
- `lowest_k`, `highest_k`   where quotes begin and end, k = ln(strike/forward)
- `lower_k`, `upper_k`      where the smile may be read: a stated way beyond the quotes
- `quality`     0 … 1, see `_quality`

What is read from it is NaN unless the status is 0: the raw SVI parameters `a`, `b`, `rho`, `m`, `sigma`; `atm_iv` at
the forward, and the volatilities at spot deltas, `put_10_iv`, `put_25_iv`, `call_50_iv`, `call_25_iv`, `call_10_iv`.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from g6.analytics.conventions import Conventions
from g6.analytics.pricing import MID
from g6.analytics.strikes import Strikes, at_rows, strikes_of
from g6.analytics.surface.fit import fit_svi
from g6.analytics.surface.svi import Svi, butterfly
from g6.analytics.volatility import ROOT_2PI
from g6.model.chain import FITTED_SOURCES, SMILE_STATUSES, OptionChain
from g6.model.columns import Bools, Floats

FITTED, TOO_FEW_QUOTES, ONE_SIDED, POOR_FIT, ARBITRAGE, SETTLING, NO_FORWARD = range(len(SMILE_STATUSES))
QUOTED, INTERPOLATED, EXTRAPOLATED = (float(code) for code in range(len(FITTED_SOURCES)))
PARAMETERS = ("a", "b", "rho", "m", "sigma")
# Spot delta of a call at each point; a put of −0.25 is where the call has 0.75.
DELTAS = {"put_10_iv": 0.9, "put_25_iv": 0.75, "call_50_iv": 0.5, "call_25_iv": 0.25, "call_10_iv": 0.1}
QUANTILES = ndtri(np.array(list(DELTAS.values())))
NEWTON_STEPS, DELTA_TOLERANCE = 12, 1e-9
VOL_POINTS = 100.0
# Quotes that lost nearly all weight, and the share of such that makes a fit a poor one.
DISTRUSTED, MOST_DISTRUSTED = 0.1, 0.25
# What makes a smile a full one: so many quotes, and quotes out to a delta of 0.1 on both sides.
MANY_QUOTES, FULL_SPAN = 20, 1.2816
LEAST_BELL = 1e-12  # of vega over that at the money
# What SVI cannot follow grows with vega to the minus this: 0 would count volatilities alike, 1 prices. On NIFTY chains
# (135 of 2025) this one leaves least misfit from the money out to two standard deviations.
NOISE_EXPONENT = 0.75
NAN = float("nan")
UNREAD = MappingProxyType(dict.fromkeys((*PARAMETERS, "atm_iv", *DELTAS), NAN))


class _Quotes(NamedTuple):
    """Two-sided out-of-the-money quotes by ascending k: total variance, and how far it may be off."""

    k: Floats
    w: Floats
    error: Floats
    deviation: float  # √w at the forward, by the quotes on its two sides


def add_smile(chain: OptionChain, conventions: Conventions) -> OptionChain:
    """Set `smile`, `fitted_iv` and `fitted_iv_source`; needs the volatilities.

    Without a smile (too few two-sided quotes, no forward of the market's own, no quotes on one side of it, a fit that
    is off, arbitrage that no fit removes, an expiry that settles) its status says so and all else is NaN.
    """
    strikes = strikes_of(chain)
    moneyness, used, quotes = _quotes(chain, strikes, conventions)
    smile = _smile(chain, quotes, conventions)
    if smile["status"] != FITTED:
        return replace(chain, smile=smile)
    fitted = np.sqrt(total_variance(smile, moneyness) / chain.years)
    inside = (moneyness >= smile["lowest_k"]) & (moneyness <= smile["highest_k"])
    source = np.where(used, QUOTED, np.where(inside, INTERPOLATED, np.where(np.isfinite(fitted), EXTRAPOLATED, NAN)))
    return replace(chain, smile=smile, fitted_iv=fitted[strikes.place], fitted_iv_source=source[strikes.place])


def total_variance(smile: Mapping[str, float], k: Floats) -> Floats:
    """Return w = (implied volatility)² · years at k = ln(strike/forward); NaN where the smile may not be read."""
    return _read(smile, k, svi_of(smile).total_variance(k))


def total_variance_slope(smile: Mapping[str, float], k: Floats) -> Floats:
    """Return dw/dk; NaN where the smile may not be read."""
    return _read(smile, k, svi_of(smile).derivatives(k)[1])


def svi_of(smile: Mapping[str, float]) -> Svi:
    """Return the parameters; all NaN where there is no smile."""
    return Svi(*(smile.get(name, NAN) for name in PARAMETERS))


def _read(smile: Mapping[str, float], k: Floats, value: Floats) -> Floats:
    reached = (k >= smile.get("lower_k", NAN)) & (k <= smile.get("upper_k", NAN))
    return np.where(reached, value, np.nan)


def _quotes(chain: OptionChain, strikes: Strikes, conventions: Conventions) -> tuple[Floats, Bools, _Quotes]:
    """Return the moneyness of all strikes, which of them are quoted, and those quotes.

    A quote's error is half its spread over vega, or half a tick at least, and on top of that what no SVI smile can
    follow: `smile_noise` at the money, and more where prices hardly depend on volatility.
    """
    rows = np.where(strikes.strike >= chain.forward, strikes.call, strikes.put)
    iv = at_rows(chain.leg_iv, rows)
    used = (at_rows(chain.price_source, rows) == MID) & np.isfinite(iv)
    with np.errstate(invalid="ignore", divide="ignore"):  # a chain without a forward has no quote to use
        moneyness = np.log(strikes.strike / chain.forward)
    used = _within_span(moneyness, iv, used, chain.years, conventions)
    k, iv, rows = moneyness[used], iv[used], rows[used]
    total = iv * math.sqrt(chain.years) if len(k) else iv
    bell = np.maximum(np.exp(-0.5 * (0.5 * total - k / total) ** 2), LEAST_BELL)
    vega = bell * (chain.forward * math.sqrt(chain.years) * math.exp(-chain.rate * chain.years) / ROOT_2PI)
    half = 0.5 * np.maximum(chain.ask[rows] - chain.bid[rows], chain.tick)
    error = np.sqrt((half / vega) ** 2 + (conventions.smile_noise * bell**-NOISE_EXPONENT) ** 2)
    w = total * total
    deviation = math.sqrt(float(np.interp(0.0, k, w))) if len(k) else NAN
    return moneyness, used, _Quotes(k, w, 2.0 * total * math.sqrt(chain.years) * error, deviation)


def _within_span(moneyness: Floats, iv: Floats, used: Bools, years: float, conventions: Conventions) -> Bools:
    """Return the quotes that a smile is fitted to: those so many standard deviations from the forward.

    Or the nearest ones, twice as many as the fewest allowed. Farther out a price is a tick or two, which no SVI smile
    has: free of arbitrage out there, it would be bent at the money (0.15 instead of 0.06 vol points off, on the front
    expiries of 17 recorded NIFTY answers).
    """
    out = np.abs(moneyness[used])
    if not len(out):
        return used
    deviation = float(np.interp(0.0, moneyness[used], iv[used])) * math.sqrt(years)
    many = min(len(out), 2 * conventions.smile_fewest_quotes)
    span = max(conventions.smile_span * deviation, float(np.partition(out, many - 1)[many - 1]))
    return np.asarray(used & (np.abs(moneyness) <= span))


def _smile(chain: OptionChain, quotes: _Quotes, conventions: Conventions) -> Mapping[str, float]:
    k = quotes.k
    facts = {"status": float(FITTED), "quotes": float(len(k))}
    facts |= dict.fromkeys(("rmse", "butterfly", "lowest_k", "highest_k", "lower_k", "upper_k"), NAN)
    reason = _unfit(chain, k, conventions)
    if reason:
        return MappingProxyType(facts | {"status": float(reason), "quality": 0.0} | UNREAD)
    reach = min(conventions.smile_reach * quotes.deviation, 0.5 * float(k[-1] - k[0]))
    low, high = float(k[0]) - reach, float(k[-1]) + reach
    svi, trust = fit_svi(k, quotes.w, quotes.error, low, high)
    facts["rmse"] = rmse = _rmse(svi, quotes, trust, chain.years)
    facts["butterfly"] = butterfly(svi, low, high)
    facts |= {"lowest_k": float(k[0]), "highest_k": float(k[-1]), "lower_k": low, "upper_k": high}
    if not rmse <= conventions.smile_maximum_rmse or (trust < DISTRUSTED).mean() > MOST_DISTRUSTED:
        facts["status"] = float(POOR_FIT)
    elif not facts["butterfly"] >= 0:
        facts["status"] = float(ARBITRAGE)
    if facts["status"] != FITTED:
        return MappingProxyType(facts | {"quality": 0.0} | UNREAD)
    facts["quality"] = _quality(quotes, rmse / conventions.smile_maximum_rmse)
    return MappingProxyType(facts | dict(zip(PARAMETERS, svi, strict=True)) | _points(svi, chain.years, low, high))


def _unfit(chain: OptionChain, k: Floats, conventions: Conventions) -> int:
    """Return why no smile is fitted to these quotes; 0 for no reason."""
    if chain.settling:
        return SETTLING
    if len(k) < conventions.smile_fewest_quotes:
        return TOO_FEW_QUOTES
    if chain.forward_source == "spot":  # carried without dividends: 1 % off in a year, and a kink at the money
        return NO_FORWARD
    return FITTED if k[0] < 0 < k[-1] else ONE_SIDED


def _rmse(svi: Svi, quotes: _Quotes, trust: Floats, years: float) -> float:
    fitted = svi.total_variance(quotes.k)
    if not fitted.min() > 0:
        return NAN
    off = VOL_POINTS * (np.sqrt(fitted) - np.sqrt(quotes.w)) / math.sqrt(years)
    weight = trust * quotes.w / quotes.error**2  # of volatility, where the error is one of total variance
    return math.sqrt(float(weight @ (off * off)) / float(weight.sum()))


def _quality(quotes: _Quotes, misfit: float) -> float:
    """Return (1 − misfit) · number · span, each 0 … 1.

    `misfit` is the rmse over what is allowed; number, the quotes over 20; span, how far out of the money they go on
    the shorter side, over the distance of a delta of 0.1.
    """
    number = min(1.0, len(quotes.k) / MANY_QUOTES)
    shorter = min(-float(quotes.k[0]), float(quotes.k[-1]))
    return (1.0 - misfit) * number * min(1.0, shorter / (FULL_SPAN * quotes.deviation))


def _points(svi: Svi, years: float, low: float, high: float) -> dict[str, float]:
    """Return the volatility at the forward and at DELTAS; NaN where the smile may not be read."""
    at_forward = float(svi.total_variance(np.zeros(1))[0])
    k = _at_delta(svi, at_forward, low, high)
    with np.errstate(invalid="ignore"):
        iv = np.sqrt(svi.total_variance(k) / years)
    return {"atm_iv": math.sqrt(at_forward / years)} | dict(zip(DELTAS, iv.tolist(), strict=True))


def _at_delta(svi: Svi, at_forward: float, low: float, high: float) -> Floats:
    """Return k where Φ(d₁) is each of DELTAS, d₁ = −k/√w + √w/2; NaN where that is beyond the smile's ends.

    By Newton's method, held inside the ends. d₁ falls with k wherever there is no arbitrage (Fukasawa, "The normalizing
    transformation of the implied volatility smile", Mathematical Finance 22, 2012), so that there is one answer.
    """
    k = np.minimum(np.maximum(0.5 * at_forward - QUANTILES * math.sqrt(at_forward), low), high)
    for _ in range(NEWTON_STEPS):
        w, slope, _ = svi.derivatives(k)
        root = np.sqrt(w)
        off = 0.5 * root - k / root - QUANTILES
        steepness = np.minimum(0.25 * slope + 0.5 * slope * k / w - 1.0, -0.1) / root
        before, k = k, np.minimum(np.maximum(k - off / steepness, low), high)
        if (k == before).all() or np.abs(off).max() < DELTA_TOLERANCE:
            break
    return np.where(np.abs(off) < DELTA_TOLERANCE, k, np.nan)
