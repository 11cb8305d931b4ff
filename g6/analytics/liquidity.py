"""How dear and how deep the books are: spread, depth and imbalance of the legs near the ATM.

A leg whose bid and ask are both there, the bid not above the ask, is two-sided. A quantity counts where its price does:
one that stands at a price that was refused is no depth, and its leg is left out.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from g6.analytics.conventions import Conventions
from g6.model.chain import OptionChain
from g6.model.columns import Aggregate, Bools, Floats

NAN = float("nan")
CALLS, PUTS = 0, 1
PRICE_DECIMALS = 6  # more than any price has: what a difference of two has beyond is no price


class _Spreads(NamedTuple):
    window: float  # medians over the two-sided legs of the window
    ratio_window: float
    atm: float  # means over the one or two two-sided legs at the ATM
    ratio_atm: float


class _Quantities(NamedTuple):
    """Sums over the window's legs, (bids, asks) x (calls, puts); NaN where no leg's quantities are known."""

    best: Floats
    five_levels: Floats


def spread_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return the median of ask less bid over the window's two-sided legs, rupees."""
    return _spreads(chain, conventions.window_strikes).window


def spread_window_ratio(chain: OptionChain, conventions: Conventions) -> float:
    """Return the median of ask less bid over their mid, over the window's two-sided legs."""
    return _spreads(chain, conventions.window_strikes).ratio_window


def spread_window_ticks(chain: OptionChain, conventions: Conventions) -> float:
    """Return the window's median spread in price steps of the contract."""
    return _in_ticks(spread_window(chain, conventions), chain)


def spread_atm(chain: OptionChain, conventions: Conventions) -> float:
    """Return the mean of ask less bid over the ATM's two-sided legs, rupees."""
    return _spreads(chain, conventions.window_strikes).atm


def spread_atm_ratio(chain: OptionChain, conventions: Conventions) -> float:
    """Return the mean of ask less bid over their mid, over the ATM's two-sided legs."""
    return _spreads(chain, conventions.window_strikes).ratio_atm


def spread_atm_ticks(chain: OptionChain, conventions: Conventions) -> float:
    """Return the ATM's mean spread in price steps of the contract."""
    return _in_ticks(spread_atm(chain, conventions), chain)


def best_quantity_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return what stands at the best bids and asks of the window's legs together, units."""
    return _total(_quantities(chain, conventions.window_strikes).best)


def depth_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return what stands on five levels of either side of the window's legs together, units."""
    return _total(_quantities(chain, conventions.window_strikes).five_levels)


def call_best_imbalance_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return how far buyers outweigh sellers at the best prices of the window's calls, -1 to 1."""
    return _imbalance(_quantities(chain, conventions.window_strikes).best, CALLS)


def put_best_imbalance_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return how far buyers outweigh sellers at the best prices of the window's puts, -1 to 1."""
    return _imbalance(_quantities(chain, conventions.window_strikes).best, PUTS)


def call_depth_imbalance_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return how far buyers outweigh sellers on five levels of the window's calls, -1 to 1."""
    return _imbalance(_quantities(chain, conventions.window_strikes).five_levels, CALLS)


def put_depth_imbalance_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return how far buyers outweigh sellers on five levels of the window's puts, -1 to 1."""
    return _imbalance(_quantities(chain, conventions.window_strikes).five_levels, PUTS)


# Half a dozen measures ask the same of one chain, in turn.
@lru_cache(maxsize=2)
def _spreads(chain: OptionChain, window: int) -> _Spreads:
    rows = np.flatnonzero(near_atm(chain, window) & (chain.bid > 0) & (chain.ask >= chain.bid))
    bid, ask = chain.bid[rows], chain.ask[rows]
    apart = np.round(ask - bid, PRICE_DECIMALS)
    spread = np.stack([apart, 2.0 * apart / (ask + bid)])
    return _Spreads(*medians(spread), *_means(spread[:, chain.offset[rows] == 0]))


@lru_cache(maxsize=2)
def _quantities(chain: OptionChain, window: int) -> _Quantities:
    rows = np.flatnonzero(near_atm(chain, window))
    quantity = np.stack([chain.bid_quantity[rows], chain.ask_quantity[rows]])
    sound = ((np.stack([chain.bid[rows], chain.ask[rows]]) > 0) | (quantity == 0)).all(axis=0)
    sides = np.stack([chain.is_call[rows] & sound, ~chain.is_call[rows] & sound])
    return _Quantities(_sums(quantity, sides), _sums(np.stack([chain.bid_depth[rows], chain.ask_depth[rows]]), sides))


def near_atm(chain: OptionChain, window: int) -> Bools:
    """Return which legs are at most so many listed strikes from the ATM."""
    near: Bools = np.abs(chain.offset) <= window
    return near


def medians(values: Floats) -> list[float]:
    """Return the median of each row, of finite values; NaN of empty ones. A third of what numpy's own takes."""
    ordered, count = np.sort(values, axis=1), values.shape[1]
    if not count:
        return [NAN] * len(values)
    found: list[float] = (0.5 * (ordered[:, (count - 1) // 2] + ordered[:, count // 2])).tolist()
    return found


def _means(values: Floats) -> list[float]:
    found: list[float] = values.mean(axis=1).tolist() if values.shape[1] else [NAN] * len(values)
    return found


def _sums(of_legs: Floats, sides: Bools) -> Floats:
    """Return the sums of (bids, asks) x legs over each side's legs of which both are known."""
    known = np.isfinite(of_legs).all(axis=0) & sides
    total = np.einsum("qn,sn->qs", np.where(known.any(axis=0), of_legs, 0.0), known.astype(np.float64))
    return np.where(known.any(axis=1), total, NAN)


def _total(sums: Floats) -> float:
    """Return the sum of what is known; NaN when nothing is."""
    known = sums[np.isfinite(sums)]
    return float(known.sum()) if len(known) else NAN


def _imbalance(sums: Floats, side: int) -> float:
    bids, asks = sums[:, side].tolist()
    return (bids - asks) / (bids + asks) if bids + asks > 0 else NAN


def _in_ticks(spread: float, chain: OptionChain) -> float:
    return round(spread / chain.tick, PRICE_DECIMALS) if chain.tick > 0 else NAN


_WINDOW = "the legs at most window_strikes listed strikes from the ATM"
_TWO_SIDED = "with a bid and an ask, the bid not above the ask"
_KNOWN = "a leg with an unknown quantity, or one at a refused price, is left out; NaN where none is left"
_BEST, _FIVE = "quantity at the best price", "quantity on the best five levels"
_SOURCE = "Cartea, Donnelly and Jaimungal 2018 (volume imbalance)"


def _imbalance_of(side: str, quantity: str) -> str:
    return f"(bids - asks) / (bids + asks) of the {quantity}, summed over the {side} among {_WINDOW}; {_KNOWN}"


LIQUIDITY = (
    (Aggregate("spread_window", "rupees", f"Median of ask - bid over {_WINDOW} {_TWO_SIDED}"), spread_window),
    (Aggregate("spread_window_ratio", "ratio", f"Median of (ask - bid) / mid over {_WINDOW} {_TWO_SIDED}"),
     spread_window_ratio),
    (Aggregate("spread_window_ticks", "ticks", "spread_window over the contract's price step"), spread_window_ticks),
    (Aggregate("spread_atm", "rupees", f"Mean of ask - bid over the call and put at the ATM, if {_TWO_SIDED}"),
     spread_atm),
    (Aggregate("spread_atm_ratio", "ratio",
               f"Mean of (ask - bid) / mid over the call and put at the ATM, if {_TWO_SIDED}"), spread_atm_ratio),
    (Aggregate("spread_atm_ticks", "ticks", "spread_atm over the contract's price step"), spread_atm_ticks),
    (Aggregate("best_quantity_window", "units", f"Sum of the {_BEST}, bids and asks, over {_WINDOW}; {_KNOWN}"),
     best_quantity_window),
    (Aggregate("depth_window", "units", f"Sum of the {_FIVE}, bids and asks, over {_WINDOW}; {_KNOWN}"), depth_window),
    (Aggregate("call_best_imbalance_window", "1", _imbalance_of("calls", _BEST), source=_SOURCE),
     call_best_imbalance_window),
    (Aggregate("put_best_imbalance_window", "1", _imbalance_of("puts", _BEST), source=_SOURCE),
     put_best_imbalance_window),
    (Aggregate("call_depth_imbalance_window", "1", _imbalance_of("calls", _FIVE), source=_SOURCE),
     call_depth_imbalance_window),
    (Aggregate("put_depth_imbalance_window", "1", _imbalance_of("puts", _FIVE), source=_SOURCE),
     put_depth_imbalance_window),
)  # fmt: skip
