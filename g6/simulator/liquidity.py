"""How much of a contract is traded and held: shares by expiry, by moneyness and by roundness of the strike.

Calibrated by eye on NSE's chains of December 2025: four days before expiry 97 % of NIFTY's option volume is in
the nearest expiry; calls lie above the money and puts below; a strike in the money by one standard deviation
trades a few hundredths of the one as far out of it; multiples of 500 and 1000 stand out.
Moneyness m is ln(K/level) over the standard deviation to expiry, so that shares depend on a contract and the
day's level alone, never on which other contracts are listed or asked for.
"""

import numpy as np

from g6.model.columns import Bools, Floats
from g6.simulator.contracts import Kind

SHORTEST_DAYS = 1.5  # to expiry, when moneyness is measured
QUIET_BEYOND = 0.045  # |ln(K/level)|
FAR_DAYS = 130


def deviation(annual_volatility: float, days: Floats) -> Floats:
    """Return the standard deviation of the log level over so many calendar days."""
    spread: Floats = annual_volatility * np.sqrt(np.maximum(days, SHORTEST_DAYS) / 365)
    return spread


def volume_share(kind: Kind, days: float, *, has_weeklies: bool) -> float:
    """Return the share of an ordinary day's volume that an expiry draws, so many calendar days ahead."""
    if kind is Kind.QUARTERLY:
        return float(0.001 * np.exp(-days / 300))
    if not has_weeklies:
        return float(1.6 * np.exp(-days / 12))
    last_days = 1.8 * np.exp(-days / 3)
    ahead = 0.0008 * np.exp(-days / 30) if kind is Kind.WEEKLY else 0.09 * np.exp(-days / 20)
    return float(max(last_days, ahead))


def interest_share(kind: Kind, days: float, *, has_weeklies: bool) -> float:
    """Return the share of the index's open interest that an expiry holds, so many calendar days ahead."""
    if kind is Kind.QUARTERLY:
        return float(0.08 * np.exp(-days / 250))
    if not has_weeklies:
        return float(1.1 * np.exp(-days / 30))
    last_days = 0.9 * np.exp(-days / 6)
    ahead = 0.004 * np.exp(-days / 20) if kind is Kind.WEEKLY else 0.6 * np.exp(-days / 28)
    return float(max(last_days, ahead))


def volume_density(moneyness: Floats, is_call: Bools) -> Floats:
    """Return volume per unit of moneyness; 1 in all on either side of the chain."""
    out = np.where(is_call, moneyness, -moneyness)
    density: Floats = np.exp(-np.where(out > 0, out / 1.1, -2.8 * out)) / (1.1 + 1 / 2.8)
    return density


def interest_density(moneyness: Floats, is_call: Bools) -> Floats:
    """Return open interest per unit of moneyness, highest near one deviation out of the money; 1 in all."""
    out = np.where(is_call, moneyness, -moneyness)
    above = (0.6 + np.abs(out)) * np.exp(-np.abs(out) / 1.6)
    density: Floats = np.where(out > 0, above, 0.6 * np.exp(-2.0 * np.abs(out))) / (0.6 * 1.6 + 1.6**2 + 0.3)
    return density


def side(momentum: float, is_call: Bools) -> Floats:
    """Return the side's share of business: rallies favour puts, which are sold against them, falls calls."""
    lean = np.clip(5 * momentum, -0.2, 0.2) / 2
    share: Floats = 0.5 * np.exp(np.where(is_call, -lean, lean))
    return share


def roundness(strike: Floats, step: float) -> Floats:
    """Return how a strike stands out among its neighbours; 1 on average."""
    favours = [strike % (multiple * step) == 0 for multiple in (20, 10, 2)]
    return np.select(favours, [2.6, 2.2, 1.2], 0.8) / 1.12


def quiet_edge(spread: float) -> float:
    """Return the |ln(K/level)| up to which every contract of a near expiry is quoted."""
    return QUIET_BEYOND + 1.5 * spread


def quoted_share(away: Floats, edge: float, days: int) -> Floats:
    """Return the chance that a contract is quoted at all: 1 up to the edge, then falling to a quarter.

    Beyond some four months half of the contracts have no market maker.
    """
    return np.clip(1 - 0.5 * (away - edge) / edge, 0.25, 1.0) * (0.5 if days > FAR_DAYS else 1.0)


def relative_spread(lots_a_day: Floats) -> Floats:
    """Return ask less bid over the price, for so many lots a day: 0.13 % at 3 million, 3 % at 40."""
    wide: Floats = 0.0013 * 10 ** (0.28 * (6.5 - np.log10(lots_a_day + 1)))
    return wide


def trades_a_day(lots: Floats) -> Floats:
    """Return how many trades so many lots make: each one lot when few, at most one a second."""
    return np.minimum(np.ceil(lots**0.8), 22_500.0)
