"""Kite's binary ticks as numpy columns: one message in, one structured array per kind of packet out.

A message is a big-endian u16 packet count, then for each packet a u16 length and a body; its length is its kind:

    8 last price · 44 quote · 184 full (quote, open interest, stamps, depth) · 28 index · 32 index with its stamp

A message of one byte is the heartbeat. Prices are signed integers, in units that depend on the segment, which is the
low byte of the token. (Kite Connect 3, "WebSocket streaming".)
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from g6.model.columns import Floats, Ints

Wire = npt.NDArray[np.void]

CURRENCY, BSE_CURRENCY, COMMODITY = 3, 6, 12  # segments whose prices are not in paise
LEVELS = 5  # of depth, on either side
LONGEST_RUN = 4096  # packets looked at together

_QUOTE = (
    ("length", ">u2"), ("token", ">u4"), ("last", ">i4"), ("last_quantity", ">u4"), ("average_price", ">i4"),
    ("volume", ">u4"), ("buy_quantity", ">u4"), ("sell_quantity", ">u4"),
    ("open", ">i4"), ("high", ">i4"), ("low", ">i4"), ("close", ">i4"),
)  # fmt: skip
_INDEX = (
    ("length", ">u2"), ("token", ">u4"), ("last", ">i4"), ("high", ">i4"), ("low", ">i4"), ("open", ">i4"),
    ("close", ">i4"), ("change", ">i4"),
)  # fmt: skip
_LEVEL = np.dtype([("quantity", ">u4"), ("price", ">i4"), ("orders", ">u2"), ("pad", ">u2")])

# Each layout begins with the length that stands before the packet, so that a message of one kind is one array.
LTP = np.dtype([("length", ">u2"), ("token", ">u4"), ("last", ">i4")])
QUOTE = np.dtype([*_QUOTE])
FULL = np.dtype(
    [*_QUOTE, ("traded_at", ">u4"), ("oi", ">u4"), ("oi_high", ">u4"), ("oi_low", ">u4"), ("quoted_at", ">u4"),
     ("depth", _LEVEL, (2 * LEVELS,))]
)  # fmt: skip
INDEX = np.dtype([*_INDEX])
INDEX_FULL = np.dtype([*_INDEX, ("quoted_at", ">u4")])

# By the packet's own length, in the order of the fields of `Packets`.
LAYOUTS = {layout.itemsize - 2: layout for layout in (LTP, QUOTE, FULL, INDEX, INDEX_FULL)}
PRICES = frozenset({"last", "average_price", "open", "high", "low", "close", "change"})


@dataclass(frozen=True, slots=True)
class Packets:
    """The packets of one message by kind, each in the order of the message; what could not be read is counted.

    `broken` tells that packets were lost with what made no sense: the framing ended in the middle of a packet.
    """

    ltp: Wire = field(default_factory=lambda: np.empty(0, LTP))
    quote: Wire = field(default_factory=lambda: np.empty(0, QUOTE))
    full: Wire = field(default_factory=lambda: np.empty(0, FULL))
    index: Wire = field(default_factory=lambda: np.empty(0, INDEX))
    index_full: Wire = field(default_factory=lambda: np.empty(0, INDEX_FULL))
    malformed: int = 0
    broken: bool = False

    def __len__(self) -> int:
        return len(self.ltp) + len(self.quote) + len(self.full) + len(self.index) + len(self.index_full)


def decode(message: bytes) -> Packets:
    """Split a message; never raises. A heartbeat is no packet, and an empty message makes no sense.

    Unknown lengths, a packet that ends beyond the message and bytes after the last packet count as malformed.
    """
    if len(message) == 1:
        return Packets()
    if len(message) < 2:
        return Packets(malformed=1, broken=True)
    slices: dict[int, list[bytes]] = {length: [] for length in LAYOUTS}
    malformed, end, left = 0, 2, int.from_bytes(message[:2])
    for begin, length, count in _runs(message):
        end, left = begin + count * (length + 2), left - count
        if length in LAYOUTS:
            slices[length].append(message[begin:end])
        else:
            malformed += count
    broken = left > 0
    malformed += broken or end < len(message)
    # Joined as bytes: numpy joins structured arrays field by field.
    ltp, quote, full, index, index_full = (np.frombuffer(b"".join(slices[n]), LAYOUTS[n]) for n in LAYOUTS)
    return Packets(ltp, quote, full, index, index_full, malformed, broken)


def _runs(message: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (where its first length word is, length, count) of neighbours of one length, while packets are whole."""
    begin, left = 2, int.from_bytes(message[:2])
    while left and begin + 2 <= len(message):
        length = int.from_bytes(message[begin : begin + 2])
        fits = min(left, LONGEST_RUN, (len(message) - begin) // (length + 2))
        if fits == 0:
            return
        count = 1
        # A look at the neighbour first: where kinds alternate, an array for each packet would be dear.
        if fits > 1 and message[begin + length + 2 : begin + length + 4] == message[begin : begin + 2]:
            lengths = np.ndarray(fits, ">u2", message, begin, strides=(length + 2,))
            count = int((lengths != length).argmax()) or fits
        yield begin, length, count
        begin, left = begin + count * (length + 2), left - count


def divisors(token: Wire) -> Floats:
    """Return what a price's integer is divided by to give rupees (or index points), for each token."""
    segment = token.astype(np.int64) & 0xFF
    small = (segment == BSE_CURRENCY) | (segment == COMMODITY)
    divisor: Floats = np.where(segment == CURRENCY, 1e7, np.where(small, 1e4, 1e2))
    return divisor


def columns(part: Wire) -> dict[str, Floats | Ints]:
    """Return every field of one kind of packets as a native column: prices in rupees, stamps in epoch seconds (UTC).

    Depth is of shape (packets, 10), the five bids first, best before worse. Zeros stay zeros.
    """
    divisor = divisors(part["token"])
    found: dict[str, Floats | Ints] = {
        name: part[name] / divisor if name in PRICES else part[name].astype(np.int64)
        for name in part.dtype.names or ()
        if name not in {"length", "depth"}
    }
    if "depth" in (part.dtype.names or ()):
        depth = part["depth"]
        found["depth_price"] = depth["price"] / divisor[:, None]
        found |= {f"depth_{name}": depth[name].astype(np.int64) for name in ("quantity", "orders")}
    return found
