"""Which rows stand for the keys of a quote call, such as NFO:NIFTY26NOV24000CE or NSE:NIFTY 50."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from g6.model.columns import Ints
from g6.simulator.kite_server.tape import Listing, Tape

DAYS_KEPT = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asked for and is listed: index names, and rows of the day's contracts with their keys."""

    indices: tuple[str, ...]
    rows: Ints
    keys: tuple[str, ...]  # parallel to `rows`


class DayKeys:
    """The keys of one day."""

    def __init__(self, listing: Listing) -> None:
        self._indices: Mapping[str, str] = dict(zip(listing.symbols, listing.indices, strict=True))
        pairs = zip(listing.contracts.exchange.tolist(), listing.contracts.symbol.tolist(), strict=True)
        self._rows: Mapping[str, int] = {f"{exchange}:{symbol}": row for row, (exchange, symbol) in enumerate(pairs)}

    def find(self, keys: Iterable[str]) -> Asked:
        """Return what is listed of these keys, each once, in order; the rest is left out."""
        distinct = dict.fromkeys(keys)
        rows = {key: self._rows[key] for key in distinct if key in self._rows}
        indices = tuple(self._indices[key] for key in distinct if key in self._indices)
        return Asked(indices, np.array(list(rows.values()), np.int64), tuple(rows))


class ListedKeys:
    """The keys of any day, kept for the last ones."""

    def __init__(self, tape: Tape) -> None:
        self.of = lru_cache(maxsize=DAYS_KEPT)(lambda day: self._of(tape, day))

    @staticmethod
    def _of(tape: Tape, day: date) -> DayKeys:
        return DayKeys(tape.listing(day))
