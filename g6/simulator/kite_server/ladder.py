"""The book below its best prices: levels outward by whole ticks, their quantities and numbers of orders."""

from dataclasses import dataclass

import numpy as np

from g6.model.columns import Floats, Ints
from g6.simulator.hashing import Keys, derive, uniform

LEVELS = 5  # of each side
GAP, LOTS, ORDERS, BEYOND = range(64, 68)  # streams of a side's draws
MOST_ORDERS = 60
LOTS_AN_ORDER = 4.0


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the book, (n, 5), the best first; `total` is the whole side's quantity. Empty levels are 0."""

    price: Ints
    quantity: Ints
    orders: Ints
    total: Ints


def side(best: Ints, lots: Ints, *, direction: int, tick: Ints, lot: Ints, apart: Ints, draws: Keys) -> Side:
    """Return the side that begins at `best` (paise, 0: empty) and goes `direction` (-1 buy, 1 sell) from there.

    `lots` stand at the best level, which is kept as it is. `apart` is the spread in ticks: the wider it is,
    the wider the levels lie apart. `draws` is one key per contract, side and second.
    """
    levels = np.arange(LEVELS)
    drawn = {s: uniform(derive(draws[:, None], s, levels)) for s in (GAP, LOTS, ORDERS)}
    gaps = 1 + np.floor(drawn[GAP] ** 3 * np.clip(apart, 1, 40)[:, None] / 2).astype(np.int64)
    gaps[:, 0] = 0
    price = best[:, None] + direction * tick[:, None] * np.cumsum(gaps, axis=1)
    there = (best > 0)[:, None] & (price >= tick[:, None])
    standing = np.ceil(lots[:, None] * (0.5 + 1.5 * drawn[LOTS])).astype(np.int64)
    standing[:, 0] = lots
    orders = 1 + np.floor(drawn[ORDERS] * np.minimum(standing / LOTS_AN_ORDER, MOST_ORDERS - 1)).astype(np.int64)
    quantity = np.where(there, standing * lot[:, None], 0)
    shown = quantity.sum(axis=1)
    beyond = np.floor(shown / lot * 3.0 * uniform(derive(draws, BEYOND))).astype(np.int64) * lot
    return Side(np.where(there, price, 0), quantity, np.where(there, orders, 0), shown + beyond)


def ticks_apart(bid: Floats, ask: Floats, tick: Floats) -> Ints:
    """Return ask less bid in ticks, 8 where a side is empty."""
    apart = np.round((ask - bid) / tick)
    return np.where(np.isfinite(apart), apart, 8).astype(np.int64)
