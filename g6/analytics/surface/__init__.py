"""The volatility surface: an SVI smile per expiry, and what the smiles say alone and together.

- `svi`      the smile's formula, and Durrleman's function, which is negative where it prices with arbitrage
- `bends`, `misfit`, `fit`   fitting it: a quasi-explicit start, a polish, a price on arbitrage, distrust of outliers
- `smile`    the enricher: `chain.smile`, `fitted_iv` and `fitted_iv_source`; reading total variance at any k
- `slices`   measures of a chain: volatility at the forward, risk reversals, butterflies, skew, quality of the fit
- `term`     measures of an index: constant maturities, term structure, calendar arbitrage
- `history`  measures of an index: realised volatility, rank, percentile, company with India VIX

A smile that cannot be believed is none: its status says why, and everything that rests on it is NaN.
"""

from g6.analytics.surface.history import HISTORY
from g6.analytics.surface.slices import SMILES
from g6.analytics.surface.smile import add_smile, total_variance, total_variance_slope
from g6.analytics.surface.term import TERM

SURFACE = (*TERM, *HISTORY)

__all__ = ["SMILES", "SURFACE", "add_smile", "total_variance", "total_variance_slope"]
