"""Ticks as Kite's binary packets: big-endian, one packet per instrument, each behind its length.

Prices are unsigned 32-bit integers in units that the token's segment (its low byte) decides: 1e-7 rupees for
currency derivatives (3), 1e-4 for BCD and NCO (6, 12), else paise. Quantities and stamps are unsigned as well,
so a negative number wraps around as it does on the wire, and one beyond 32 bits stays at the greatest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from g6.model.columns import Ints
from g6.simulator.kite_server.ticks import IndexTicks, Ticks

HEARTBEAT = b"\x00"
MOST_PACKETS = 0xFFFF  # of one message
_32_BITS, _16_BITS = 0xFFFFFFFF, 0xFFFF

_LTP = [("token", ">u4"), ("last", ">u4")]
_QUOTE = [
    *_LTP,
    *((name, ">u4") for name in ("last_quantity", "average", "volume", "buy_quantity", "sell_quantity")),
    *((name, ">u4") for name in ("open", "high", "low", "close")),
]
_LEVEL = np.dtype([("quantity", ">u4"), ("price", ">u4"), ("orders", ">u2"), ("pad", ">u2")])
_FULL = [*_QUOTE, *((name, ">u4") for name in ("traded_at", "oi", "oi_high", "oi_low", "quoted_at"))]
_INDEX = [*_LTP, *((name, ">u4") for name in ("high", "low", "open", "close", "change"))]

PRICES = frozenset({"last", "average", "open", "high", "low", "close", "change"})


def _behind_length(fields: Sequence[tuple[Any, ...]]) -> np.dtype[np.void]:
    return np.dtype([("length", ">u2"), *fields])


LTP = _behind_length(_LTP)  # 8 bytes behind the length
QUOTE = _behind_length(_QUOTE)  # 44
FULL = _behind_length([*_FULL, ("depth", _LEVEL, (10,))])  # 184
INDEX_QUOTE = _behind_length(_INDEX)  # 28
INDEX_FULL = _behind_length([*_INDEX, ("quoted_at", ">u4")])  # 32


@dataclass(frozen=True, slots=True)
class Packets:
    """Some packets of one kind, each behind its length, ready to be put into a message."""

    count: int
    body: bytes


def ltp_packets(ticks: Ticks | IndexTicks) -> Packets:
    """Return 8-byte packets: token and last price, of contracts or indices."""
    return _packed(_filled(LTP, ticks))


def quote_packets(ticks: Ticks) -> Packets:
    """Return 44-byte packets: prices, quantities and the day's range, without open interest, stamps and depth."""
    return _packed(_filled(QUOTE, ticks))


def full_packets(ticks: Ticks) -> Packets:
    """Return 184-byte packets: everything."""
    rows = _filled(FULL, ticks)
    depth = rows["depth"]
    depth["quantity"] = _unsigned(ticks.depth_quantity)
    depth["price"] = _unsigned(ticks.depth_price * price_units(ticks.token)[:, None])
    depth["orders"] = np.clip(ticks.depth_orders, 0, _16_BITS)
    return _packed(rows)


def index_quote_packets(ticks: IndexTicks) -> Packets:
    """Return 28-byte packets of indices."""
    return _packed(_filled(INDEX_QUOTE, ticks))


def index_full_packets(ticks: IndexTicks) -> Packets:
    """Return 32-byte packets of indices: with the exchange's stamp."""
    return _packed(_filled(INDEX_FULL, ticks))


def message(parts: Sequence[Packets]) -> bytes:
    """Return one binary message. Raises ValueError for more packets than its 16-bit count can say."""
    count = sum(part.count for part in parts)
    if count > MOST_PACKETS:
        raise ValueError(f"{count} packets in one message, {MOST_PACKETS} are the most")
    return count.to_bytes(2, "big") + b"".join(part.body for part in parts)


def price_units(token: Ints) -> Ints:
    """Return how many of the wire's price units a paisa is, for each token."""
    segment = token & 0xFF
    units: Ints = np.select([segment == 3, (segment == 6) | (segment == 12)], [100_000, 100], 1)
    return units.astype(np.int64)


def _filled(layout: np.dtype[np.void], ticks: Ticks | IndexTicks) -> npt.NDArray[np.void]:
    """Return rows of a layout with every column that the ticks have by the same name."""
    rows = np.zeros(len(ticks), dtype=layout)
    rows["length"] = layout.itemsize - 2
    units = price_units(ticks.token)
    for name in layout.names or ():
        if name not in {"length", "depth"}:
            values = getattr(ticks, name)
            rows[name] = _unsigned(values * units if name in PRICES else values)
    return rows


def _unsigned(values: Ints) -> Ints:
    wrapped: Ints = np.where(values < 0, values & _32_BITS, np.minimum(values, _32_BITS))
    return wrapped


def _packed(rows: npt.NDArray[np.void]) -> Packets:
    return Packets(len(rows), rows.tobytes())
