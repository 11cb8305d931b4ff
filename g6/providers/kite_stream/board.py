"""The last tick of every instrument, in columns, and whether it still holds.

Only changes are sent. So what a connection said of an instrument holds as long as that connection lives, however long
ago it was; and nothing holds that was said before it was made. What is sent first is a cached tick without open
interest, depth and stamps: an instrument is *confirmed* by a full packet only.
"""

from collections.abc import Collection

import numpy as np

from g6.model.columns import Bools, Floats, Ints
from g6.providers.kite_stream.instruments import NO_INSTRUMENTS, Instruments
from g6.providers.kite_stream.packets import LEVELS, Packets, Wire, divisors

MEASURED = (
    "last", "bid", "ask", "bid_quantity", "ask_quantity", "bid_depth", "ask_depth", "volume", "oi", "average_price",
)  # fmt: skip
# The day of a level or a share → what the packet calls it; of derivatives nobody asks for it.
DAY = {"open": "open", "high": "high", "low": "low", "previous_close": "close"}
ROW = np.dtype([(name, np.float64) for name in (*MEASURED, *DAY, "quoted_at", "traded_at")])
NOBODY = 0  # no connection has this number


class Board:
    """Rows sorted by token. A row belongs to the exchange and symbol that its token stood for when it was wanted."""

    def __init__(self) -> None:
        self._instruments = NO_INSTRUMENTS
        self._rows = np.empty(0, ROW)
        self._confirmed_by = np.empty(0, np.int64)
        self._exchanges: list[str] = []
        self._exchange_code = np.empty(0, np.int64)  # place in `_exchanges` of each row's

    @property
    def exchanges(self) -> frozenset[str]:
        """Return the exchanges of the instruments that are followed."""
        return frozenset(self._exchanges)

    def follow(self, wanted: Instruments) -> None:
        """Keep rows for these and forget the others; a token that stands for something else begins anew."""
        order = np.argsort(wanted.token)
        new = Instruments(wanted.token[order], wanted.symbol[order], wanted.exchange[order])
        places, known = self._find(new.token)
        old = self._instruments
        known[known] = (old.symbol[places[known]] == new.symbol[known]) & (
            old.exchange[places[known]] == new.exchange[known]
        )
        rows, confirmed_by = _blank(len(new)), np.full(len(new), NOBODY)
        rows[known], confirmed_by[known] = self._rows[places[known]], self._confirmed_by[places[known]]
        self._instruments, self._rows, self._confirmed_by = new, rows, confirmed_by
        names, self._exchange_code = np.unique(new.exchange, return_inverse=True)
        self._exchanges = names.tolist()

    def update(self, packets: Packets, connection: int) -> frozenset[str]:
        """Write what a message of this connection said; return the exchanges whose instruments were in it.

        Packets of instruments that are not followed are passed over.
        """
        heard: set[str] = set()
        for part in (packets.ltp, packets.quote, packets.index):
            # Less than was asked for: open interest and depth of the row can no longer be relied on.
            self._confirmed_by[self._heard(part, heard)[0]] = NOBODY
        places, full = self._heard(packets.full, heard)
        self._rows[places], self._confirmed_by[places] = _leg_rows(full), connection
        places, index = self._heard(packets.index_full, heard)
        self._rows[places], self._confirmed_by[places] = _index_rows(index), connection
        return frozenset(heard)

    def distrust(self, *, connection: int | None = None, exchange: str | None = None) -> None:
        """Confirm nothing any more of what this connection said, or of this exchange, until the next full packet."""
        if connection is not None:
            self._confirmed_by[self._confirmed_by == connection] = NOBODY
        if exchange is not None:
            self._confirmed_by[self._instruments.exchange == exchange] = NOBODY

    def tokens_of(self, exchange: str) -> list[int]:
        """Return the tokens that are followed of an exchange."""
        tokens: list[int] = self._instruments.token[self._instruments.exchange == exchange].tolist()
        return tokens

    def read(self, token: Ints, alive: Collection[int]) -> tuple[Wire, Bools]:
        """Return copies of the rows of these tokens, and which of them a living connection has confirmed."""
        places, known = self._find(token)
        rows = _blank(len(token))
        rows[known] = self._rows[places[known]]
        confirmed = np.zeros(len(token), bool)
        confirmed[known] = np.isin(self._confirmed_by[places[known]], list(alive))
        return rows, confirmed

    def _heard(self, part: Wire, heard: set[str]) -> tuple[Ints, Wire]:
        """Return where the packets of followed instruments belong, and those packets; add their exchanges."""
        if len(part) == 0:
            return np.empty(0, np.int64), part
        places, known = self._find(part["token"].astype(np.int64))
        places = places[known]
        heard.update(self._exchanges[code] for code in np.flatnonzero(np.bincount(self._exchange_code[places])))
        return places, part[known]

    def _find(self, token: Ints) -> tuple[Ints, Bools]:
        """Return the place of each token, and whether it is followed at all."""
        mine = self._instruments.token
        if len(mine) == 0:
            return np.zeros(len(token), np.int64), np.zeros(len(token), bool)
        places = np.minimum(np.searchsorted(mine, token), len(mine) - 1)
        return places, mine[places] == token


def _blank(count: int) -> Wire:
    rows: Wire = np.empty(count, ROW)
    for name in ROW.names or ():
        rows[name] = np.nan
    return rows


def _leg_rows(full: Wire) -> Wire:
    """Columns of full packets, prices as Kite wrote them; a zero bid or ask is an empty side, a zero stamp is none."""
    rows, divisor = _blank(len(full)), divisors(full["token"])
    sides = {"bid": full["depth"][:, :LEVELS], "ask": full["depth"][:, LEVELS:]}
    for side, levels in sides.items():
        best = levels[:, 0]
        rows[side], rows[f"{side}_quantity"] = _or_none(best["price"]) / divisor, best["quantity"]
        rows[f"{side}_depth"] = levels["quantity"].sum(axis=1, dtype=np.float64)
    for name in ("last", "average_price"):
        rows[name] = full[name] / divisor
    for name, of_packet in DAY.items():
        rows[name] = full[of_packet] / divisor
    for name in ("volume", "oi"):
        rows[name] = full[name]
    for name in ("quoted_at", "traded_at"):
        rows[name] = _or_none(full[name])
    return rows


def _index_rows(index: Wire) -> Wire:
    rows = _blank(len(index))
    divisor = divisors(index["token"])
    for name, of_packet in {"last": "last", **DAY}.items():
        rows[name] = index[of_packet] / divisor
    rows["quoted_at"] = _or_none(index["quoted_at"])
    return rows


def _or_none(values: Wire) -> Floats:
    return np.where(values == 0, np.nan, values)
