"""What the legs of a chain, or of all chains of an index, add up to: calls and puts, all of them and the window's."""

from functools import lru_cache
from typing import Literal

import numpy as np

from g6.analytics.conventions import Conventions
from g6.model.background import IndexView
from g6.model.chain import OptionChain
from g6.model.columns import Bools, Floats, freeze

Quantity = Literal["oi", "volume", "oi_change", "delta_oi", "gex", "charm", "vanna"]
Side = Literal["call", "put"]

QUANTITIES: tuple[Quantity, ...] = ("oi", "volume", "oi_change", "delta_oi", "gex", "charm", "vanna")
SIDES: tuple[Side, ...] = ("call", "put")


class Sums:
    """Sums by quantity and side. A leg of which something is unknown adds nothing; NaN where no leg is known."""

    __slots__ = ("_by_place",)

    def __init__(self, by_place: Floats) -> None:
        self._by_place = by_place  # quantity x (call, put, the window's call, put)

    def of(self, quantity: Quantity, side: Side, *, window: bool = False) -> float:
        """Return a sum; with `window` over the legs near the ATM alone."""
        return float(self._by_place[QUANTITIES.index(quantity), SIDES.index(side) + 2 * window])

    def net(self, quantity: Quantity, conventions: Conventions) -> float:
        """Return the sum over both sides, each with its sign by the conventions; NaN where either is."""
        of_calls, of_puts = conventions.signs
        return of_calls * self.of(quantity, "call") + of_puts * self.of(quantity, "put")

    def ratio(self, quantity: Quantity, *, window: bool = False) -> float:
        """Return puts over calls; NaN unless the calls' sum is positive and the puts' not negative."""
        call, put = (self.of(quantity, side, window=window) for side in SIDES)
        return put / call if call > 0 and put >= 0 else float("nan")


def sums_of(chain: OptionChain, conventions: Conventions) -> Sums:
    """Return the sums over a chain's legs."""
    return _of_chain(chain, conventions.window_strikes)


def sums_of_index(view: IndexView, conventions: Conventions) -> Sums:
    """Return the sums over the legs of all its chains."""
    return _of_index(view, conventions.window_strikes)


def in_window(chain: OptionChain, strikes: int) -> Bools:
    """Return the legs at most so many listed strikes away from the ATM; none in a chain without an ATM."""
    return np.asarray(np.abs(chain.offset) <= strikes)


# Three dozen measures ask for the sums of the same chain in turn.
@lru_cache(maxsize=2)
def _of_chain(chain: OptionChain, window: int) -> Sums:
    return Sums(freeze(_summed(chain, window)))


@lru_cache(maxsize=1)
def _of_index(view: IndexView, window: int) -> Sums:
    total = np.full((len(QUANTITIES), 4), np.nan)
    for chain in view.chains:
        part = _summed(chain, window)
        total = np.where(np.isnan(total), part, total + np.nan_to_num(part))
    return Sums(freeze(total))


def _summed(chain: OptionChain, window: int) -> Floats:
    held = chain.oi * chain.forward
    of_legs = np.stack(
        [chain.oi, chain.volume, chain.oi_change, chain.delta * chain.oi, chain.gex, chain.charm * held,
         chain.vanna * held]
    )  # fmt: skip
    near = in_window(chain, window)
    places = np.stack([chain.is_call, ~chain.is_call, chain.is_call & near, ~chain.is_call & near])
    known = np.isfinite(of_legs)
    total, count = (_by_place(values, places) for values in (np.where(known, of_legs, 0.0), known))
    return np.asarray(np.where(count > 0, total, np.nan))


def _by_place(values: Floats | Bools, places: Bools) -> Floats:
    # Not by `@`: BLAS would wake its threads for it.
    return np.asarray(np.einsum("qn,pn->qp", values.astype(np.float64), places.astype(np.float64)))
