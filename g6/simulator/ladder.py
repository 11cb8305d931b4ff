"""The book below its best prices: levels outward by whole ticks, their quantities and numbers of orders."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from g6.model.columns import Floats, Ints
from g6.simulator.hashing import Keys, derive, uniform
from g6.simulator.legs import Legs
from g6.simulator.whole import paise, units

LEVELS = 5  # of each side
GAP, LOTS, ORDERS, BEYOND = range(64, 68)  # streams of a side's draws
BUY, SELL = 80, 81  # streams of a book's draws
SECOND_OF_BOOK = 2**35  # what a book's second is counted from
MOST_ORDERS = 60
LOTS_AN_ORDER = 4.0


@dataclass(frozen=True, slots=True)
class Levels:
    """One side's levels, (n, 5), the best first: price (paise) and lots, 0 where a level is empty."""

    price: Ints
    lots: Ints


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the book, (n, 5), the best first; `total` is the whole side's quantity. Empty levels are 0."""

    price: Ints
    quantity: Ints
    orders: Ints
    total: Ints


def sides_of(legs: Legs, quotes: Mapping[str, Floats], seconds: Floats) -> tuple[Side, Side]:
    """Return the buyers' and the sellers' side around the best prices and quantities of these quotes."""
    lot = units(legs.lot)
    buy, sell = ((_completed(levels, lot, draws)) for levels, draws in _both(legs, quotes, seconds))
    return buy, sell


def depths_of(legs: Legs, quotes: Mapping[str, Floats], seconds: Floats) -> tuple[Floats, Floats]:
    """Return the units on all levels of the buyers' and of the sellers' side: what `sides_of` adds up to."""
    bid, ask = (levels.lots.sum(axis=1) * legs.lot for levels, _ in _both(legs, quotes, seconds))
    return bid, ask


def _both(legs: Legs, quotes: Mapping[str, Floats], seconds: Floats) -> list[tuple[Levels, Keys]]:
    apart = ticks_apart(quotes["bid"], quotes["ask"], legs.tick)
    second = derive(legs.day_key, np.floor(seconds).astype(np.int64) + SECOND_OF_BOOK)
    found = []
    for name, direction, stream in (("bid", -1, BUY), ("ask", 1, SELL)):
        draws = derive(second, stream)
        lots = units(quotes[f"{name}_quantity"] / legs.lot)
        step = direction * paise(legs.tick)
        found.append((levels_from(paise(quotes[name]), lots, step=step, apart=apart, draws=draws), draws))
    return found


def levels_from(best: Ints, lots: Ints, *, step: Ints, apart: Ints, draws: Keys) -> Levels:
    """Return the levels that begin at `best` (paise, 0: empty) and go from there by whole steps, a tick each.

    `lots` stand at the best level, which is kept as it is. `apart` is the spread in ticks: the wider it is,
    the wider the levels lie apart. `draws` is one key per contract, side and second.
    """
    gaps = 1 + np.floor(_drawn(draws, GAP) ** 3 * np.clip(apart, 1, 40)[:, None] / 2).astype(np.int64)
    gaps[:, 0] = 0
    price = best[:, None] + step[:, None] * np.cumsum(gaps, axis=1)
    there = (best > 0)[:, None] & (price >= np.abs(step)[:, None])
    standing = np.ceil(lots[:, None] * (0.5 + 1.5 * _drawn(draws, LOTS))).astype(np.int64)
    standing[:, 0] = lots
    return Levels(np.where(there, price, 0), np.where(there, standing, 0))


def _completed(levels: Levels, lot: Ints, draws: Keys) -> Side:
    """Return a side with its orders, and with what stands beyond the levels that are shown."""
    most = np.minimum(levels.lots / LOTS_AN_ORDER, MOST_ORDERS - 1)
    orders = np.where(levels.lots > 0, 1 + np.floor(_drawn(draws, ORDERS) * most).astype(np.int64), 0)
    shown = levels.lots.sum(axis=1)
    beyond = np.floor(shown * 3.0 * uniform(derive(draws, BEYOND))).astype(np.int64)
    return Side(levels.price, levels.lots * lot[:, None], orders, (shown + beyond) * lot)


def _drawn(draws: Keys, stream: int) -> Floats:
    return uniform(derive(draws[:, None], stream, np.arange(LEVELS)))


def ticks_apart(bid: Floats, ask: Floats, tick: Floats) -> Ints:
    """Return ask less bid in ticks, 8 where a side is empty."""
    apart = np.round((ask - bid) / tick)
    return np.where(np.isfinite(apart), apart, 8).astype(np.int64)
