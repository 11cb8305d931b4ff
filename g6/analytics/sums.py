"""What the legs of a chain, or of all chains of an index, add up to: calls and puts, all of them and the window's."""

from functools import lru_cache
from typing import Literal

import numpy as np

from g6.analytics.conventions import Conventions
from g6.model.background import IndexView
from g6.model.chain import OptionChain
from g6.model.columns import Floats

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
    return Sums(_summed(_Summands(chain, conventions.window_strikes)))


def sums_of_index(view: IndexView, conventions: Conventions) -> Sums:
    """Return the sums over the legs of all its chains."""
    return Sums(_of_index(view, conventions.window_strikes))


class _Summands:
    """What is summed of a chain, as a key: the same arrays give the same sums, since nobody can write into them."""

    __slots__ = ("columns", "forward", "window")

    def __init__(self, chain: OptionChain, window: int) -> None:
        self.columns = (chain.oi, chain.volume, chain.oi_change, chain.delta, chain.gex, chain.charm, chain.vanna,
                        chain.offset, chain.is_call)  # fmt: skip
        self.forward, self.window = chain.forward, window

    def __hash__(self) -> int:
        return hash((id(self.columns[0]), id(self.columns[4]), self.window))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Summands)
            and self.window == other.window
            and self.forward == other.forward
            and all(mine is its for mine, its in zip(self.columns, other.columns, strict=True))
        )


# Three dozen measures ask for the sums of the same chain in turn, and its index once more for those of all its chains.
@lru_cache(maxsize=24)
def _summed(of: _Summands) -> Floats:
    """Return the sums by quantity and place."""
    oi, volume, oi_change, delta, gex, charm, vanna, offset, is_call = of.columns
    held = oi * of.forward
    of_legs = np.stack([oi, volume, oi_change, delta * oi, gex, charm * held, vanna * held])
    near = np.abs(offset) <= of.window
    places = np.stack([is_call, ~is_call, is_call & near, ~is_call & near]).astype(np.float64)
    known = np.isfinite(of_legs)
    total = _by_place(np.where(known, of_legs, 0.0), places)
    return np.asarray(np.where(_by_place(known.astype(np.float64), places) > 0, total, np.nan))


def _by_place(values: Floats, places: Floats) -> Floats:
    # Not by `@`: BLAS would wake its threads for it.
    return np.asarray(np.einsum("qn,pn->qp", values, places))


@lru_cache(maxsize=1)
def _of_index(view: IndexView, window: int) -> Floats:
    total = np.full((len(QUANTITIES), 4), np.nan)
    for chain in view.chains:
        part = _summed(_Summands(chain, window))
        total = np.where(np.isnan(total), part, total + np.nan_to_num(part))
    return total
