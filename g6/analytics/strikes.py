"""Calls and puts side by side: where the two legs of each strike lie in a chain's columns."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from g6.model.chain import OptionChain
from g6.model.columns import Bools, Floats, Ints


class Strikes(NamedTuple):
    """The chain's distinct strikes, ascending, and per strike the rows of its call and its put (-1: not listed)."""

    strike: Floats
    call: Ints
    put: Ints
    place: Ints  # per leg: the position of its strike

    @property
    def both(self) -> Bools:
        """Return which strikes have both legs."""
        return np.asarray((self.call >= 0) & (self.put >= 0))


class _Legs:
    """A chain's identity columns as a key: the same arrays are the same legs, since nobody can write into them."""

    __slots__ = ("is_call", "strike")

    def __init__(self, chain: OptionChain) -> None:
        self.strike, self.is_call = chain.strike, chain.is_call

    def __hash__(self) -> int:
        return hash((id(self.strike), id(self.is_call)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Legs) and other.strike is self.strike and other.is_call is self.is_call


def strikes_of(chain: OptionChain) -> Strikes:
    """Pair the legs of a chain, in whatever order they lie; in ascending order, as chains are built, it is fastest."""
    return _paired(_Legs(chain))


# Five steps and aggregates of a chain ask the same; its identity columns are the same arrays all the way.
@lru_cache(maxsize=4)
def _paired(legs: _Legs) -> Strikes:
    strike, place = _distinct(legs.strike)
    rows = np.arange(len(legs.strike))
    call, put = np.full(len(strike), -1), np.full(len(strike), -1)
    call[place[legs.is_call]] = rows[legs.is_call]
    put[place[~legs.is_call]] = rows[~legs.is_call]
    return Strikes(strike, call, put, place)


def _distinct(strike: Floats) -> tuple[Floats, Ints]:
    """Return the distinct strikes and the place of each leg's among them."""
    rises = np.diff(strike)
    if (rises < 0).any():
        return np.unique(strike, return_inverse=True)
    place = np.concatenate([np.zeros(min(1, len(strike)), np.int64), np.cumsum(rises > 0)])
    return strike[np.searchsorted(place, np.arange(place[-1] + 1))] if len(place) else strike, place


def at_rows(values: Floats, rows: Ints) -> Floats:
    """Return the values at these rows; NaN for a row of -1."""
    return np.where(rows >= 0, values[rows], np.nan)
