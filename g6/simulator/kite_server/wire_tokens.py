"""Instrument tokens as Kite writes them: the exchange's own number << 8 | segment.

A client reads the price divisor and whether a packet is an index's from the low byte, so the market's own
tokens, which know nothing of segments, cannot go on the wire.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from g6.model.columns import Ints, Texts
from g6.model.contracts import ContractTable
from g6.simulator.hashing import text_key
from g6.simulator.legs import contract_keys

SEGMENTS: Mapping[str, int] = MappingProxyType({"NSE": 1, "NFO": 2, "BSE": 4, "BFO": 5})
INDICES = 9
NUMBERS = 2**24  # exchange numbers, so that a token fits 32 bits

# Kite's own; any other index gets a number by its symbol.
INDEX_TOKENS: Mapping[str, int] = MappingProxyType({
    "NSE:NIFTY 50": 256265,
    "NSE:NIFTY BANK": 260105,
    "NSE:NIFTY FIN SERVICE": 257801,
    "NSE:NIFTY MID SELECT": 288009,
    "NSE:NIFTY NEXT 50": 270857,
    "NSE:INDIA VIX": 264969,
    "BSE:SENSEX": 265,
    "BSE:BANKEX": 274441,
})  # fmt: skip


def index_token(spot_symbol: str) -> int:
    """Return the token of an index, such as 256265 for `NSE:NIFTY 50`."""
    return INDEX_TOKENS.get(spot_symbol) or (text_key(spot_symbol) % (NUMBERS - 1) + 1) << 8 | INDICES


def contract_tokens(contracts: ContractTable) -> Ints:
    """Return 32-bit tokens, unique within the table and nearly always the same on every day.

    The number is a hash of who the contract is; where two fall on one, the later row takes the next free one.
    """
    tokens = (contract_keys(contracts) % np.uint64(NUMBERS)).astype(np.int64) << 8 | _segments(contracts.exchange)
    taken: set[int] = set()
    for row, token in enumerate(tokens.tolist()):
        free = token
        while free in taken or free < 256:
            free = (free + 256) % (NUMBERS << 8)
        tokens[row] = free
        taken.add(free)
    return tokens


def _segments(exchange: Texts) -> Ints:
    names = list(SEGMENTS)
    segments: Ints = np.select([exchange == name for name in names], [SEGMENTS[name] for name in names], 0)
    return segments.astype(np.int64)
