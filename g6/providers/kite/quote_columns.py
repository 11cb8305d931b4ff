"""Kite's quote answer (`GET /quote`) as columns: one broken quote costs itself alone.

The classes below declare what is read; msgspec checks their types while it parses and steps over the rest, three
quarters of a quote, without making objects of it. Stamps are read all together (`stamps`).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from g6.clock import IST
from g6.errors import BadResponse
from g6.market.indices import IndexDefinition
from g6.model.columns import Floats
from g6.model.contracts import ContractTable
from g6.model.quotes import DAY_COLUMNS, Quotes, Spot
from g6.providers.kite.stamps import epoch_seconds

# DecodedQuotes' measured columns, in the order in which they are read from a quote.
MEASURED = (
    "last", "average_price", "volume", "oi", "bid", "bid_quantity", "bid_depth", "ask", "ask_quantity", "ask_depth",
)  # fmt: skip
STAMPS = ("quoted_at", "traded_at")

# A level of an exchange's own index has no book; its sides are null, or the depth is not there at all.
SPOT_EXCHANGES = ("NSE:", "BSE:")
NO_BOOK = (np.nan,) * 7  # open interest, and the two sides
OHLC = ("open", "high", "low", "close")  # Kite's names of DAY_COLUMNS: `close` is that of the session before
BEYOND_ANY = 1e15  # no price and no volume is so large
MESSAGE_MAX_CHARACTERS = 200


@dataclass(frozen=True, slots=True, eq=False)
class DecodedQuotes:
    """One answer's quotes: `keys` ("NFO:NIFTY26AUGFUT") and float columns parallel to them.

    Prices in rupees; volume, oi and quantities in units, a depth being that of all levels shown, which are five. `bid`
    and `ask` are NaN where that side of the book is empty; `last` and `average_price` are as Kite wrote them, 0
    included. Of keys on NSE and BSE, which are levels of indices and shares, `last`, the stamps, the volume and the
    day's open, high, low and previous close are read, and the rest is NaN; of derivatives the day's are NaN.
    `quoted_at` and `traded_at` are epoch seconds, NaN where the text was null, empty or no instant.
    `bad` counts the quotes that were skipped, by reason; `bad_stamps` the stamps that were there and made no sense.
    """

    keys: Sequence[str]
    last: Floats
    average_price: Floats
    volume: Floats
    oi: Floats
    bid: Floats
    bid_quantity: Floats
    bid_depth: Floats
    ask: Floats
    ask_quantity: Floats
    ask_depth: Floats
    open: Floats
    high: Floats
    low: Floats
    previous_close: Floats
    quoted_at: Floats
    traded_at: Floats
    bad: Mapping[str, int]
    bad_stamps: int

    def __len__(self) -> int:
        return len(self.keys)


class _Level(msgspec.Struct, gc=False):
    price: float  # a float takes whole numbers, too, but no text and no truth value
    quantity: float


class _Depth(msgspec.Struct, gc=False):
    buy: list[_Level]
    sell: list[_Level]


class _Leg(msgspec.Struct, gc=False):
    """A derivative's quote."""

    last_price: float
    average_price: float
    volume: float
    oi: float
    depth: _Depth
    timestamp: Any = None
    last_trade_time: Any = None


class _Spot(msgspec.Struct, gc=False):
    """The quote of an index's level or of a share. What is wrong with the rest of it costs the rest alone."""

    last_price: float
    average_price: Any = None
    volume: Any = None
    ohlc: Any = None
    timestamp: Any = None
    last_trade_time: Any = None


class _Answer(msgspec.Struct, gc=False):
    data: dict[str, msgspec.Raw]  # quotes as bytes, so that one that is broken does not take the others with it
    status: Any = None
    error_type: Any = None


ANSWER, LEG, SPOT = msgspec.json.Decoder(_Answer), msgspec.json.Decoder(_Leg), msgspec.json.Decoder(_Spot)
EMPTY_SIDE = [_Level(0.0, 0.0)]
UNREADABLE = (ValueError, RecursionError)  # what msgspec raises; its own errors are ValueErrors


def decode_quotes(body: bytes) -> DecodedQuotes:
    """Return the columns of a quote answer; an answer without any quote is an empty one.

    A quote that is no object ("null", "not_an_object"), lacks a field ("missing_field") or the book ("no_depth"), or
    has anything but a number where one belongs ("wrong_type") is skipped and counted under that word.
    Raises BadResponse for a body that is no quote answer, naming what it is; so too for an error inside an HTTP 200.
    """
    bad: Counter[str] = Counter()
    quotes: dict[str, _Leg | _Spot] = {}
    for key, raw in _raw_quotes(body).items():
        try:
            quotes[key] = SPOT.decode(raw) if key.startswith(SPOT_EXCHANGES) else LEG.decode(raw)
        except UNREADABLE:
            bad[_defect(raw)] += 1
    columns, bad_stamps = _columns(quotes.values())
    return DecodedQuotes(keys=list(quotes), bad=MappingProxyType(dict(bad)), bad_stamps=bad_stamps, **columns)


def _raw_quotes(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        answer = ANSWER.decode(body)
    except UNREADABLE:
        answer = None
    if answer is None or answer.status == "error" or answer.error_type:
        quotes_in(body)  # raises, and says what it is
        raise BadResponse("quote answer: of an unknown form")
    return answer.data


def quotes_in(body: bytes) -> dict[str, Any]:
    """Return the answer's `data`: key → quote as Kite wrote it. Raises as `decode_quotes` does."""
    if not body.strip():
        raise BadResponse("quote answer: empty body")
    try:
        document = msgspec.json.decode(body)
    except UNREADABLE as error:  # their text names a place and never quotes the body
        raise BadResponse(f"quote answer: broken JSON ({error})") from error
    if not isinstance(document, dict):
        raise BadResponse(f"quote answer: {_kind(document)} where an object belongs")
    if document.get("status") == "error" or document.get("error_type"):
        raise BadResponse(_error_in(document))
    if "data" not in document:
        raise BadResponse("quote answer: success without data")
    data = document["data"]
    if not isinstance(data, dict):
        raise BadResponse(f"quote answer: data is {_kind(data)} where an object belongs")
    return data


def quote_keys(contracts: ContractTable) -> list[str]:
    """Return what Kite calls each contract: "NFO:NIFTY26AUGFUT"."""
    pairs = zip(contracts.exchange.tolist(), contracts.symbol.tolist(), strict=True)
    return [f"{exchange}:{symbol}" for exchange, symbol in pairs]


def quotes_for(contracts: ContractTable, decoded: Sequence[DecodedQuotes], at: datetime) -> Quotes:
    """Return one row per contract, from however many answers; a contract that is in none has not answered.

    Ages are seconds before `at` (aware), negative for a stamp after it. A key in two answers is the later one's.
    """
    keys = chain.from_iterable(answer.keys for answer in decoded)
    row_of = {key: row for row, key in enumerate(keys)}
    # Row −1 is one of NaN, appended for those who did not answer.
    rows = np.array([row_of.get(key, -1) for key in quote_keys(contracts)], dtype=np.int64)
    missing = np.array([np.nan])
    columns = {
        name: np.concatenate([*(getattr(answer, name) for answer in decoded), missing])[rows]
        for name in (*MEASURED, *STAMPS, *DAY_COLUMNS)
    }
    now = at.timestamp()
    quote_age, trade_age = now - columns.pop("quoted_at"), now - columns.pop("traded_at")
    return Quotes(at=at, answered=rows >= 0, quote_age_seconds=quote_age, trade_age_seconds=trade_age, **columns)


def spots_for(indices: Iterable[IndexDefinition], decoded: Sequence[DecodedQuotes]) -> dict[str, Spot]:
    """Return index name → spot, as Kite wrote it (0 on holidays); an index that did not answer is absent.

    So is one whose quote has no stamp: nothing could tell whether it stands still.
    """
    levels = {
        key: (float(last), float(stamp))
        for answer in decoded
        for key, last, stamp in zip(answer.keys, answer.last, answer.quoted_at, strict=True)
        if not np.isnan(stamp)
    }
    return {
        index.name: Spot(levels[index.spot_symbol][0], datetime.fromtimestamp(levels[index.spot_symbol][1], IST))
        for index in indices
        if index.spot_symbol in levels
    }


def _columns(quotes: Collection[_Leg | _Spot]) -> tuple[dict[str, Floats], int]:
    """Return the columns by name, and how many stamps made no sense."""
    rows = chain.from_iterable(map(_measured, quotes))
    table = np.fromiter(rows, np.float64, len(quotes) * len(MEASURED)).reshape(len(quotes), len(MEASURED))
    columns: dict[str, Floats] = dict(zip(MEASURED, np.ascontiguousarray(table.T), strict=True))
    for side in ("bid", "ask"):
        columns[side][columns[side] == 0] = np.nan
    stamps = [quote.timestamp for quote in quotes] + [quote.last_trade_time for quote in quotes]
    seconds, bad_stamps = epoch_seconds(stamps)
    columns["quoted_at"], columns["traded_at"] = seconds.reshape(2, len(quotes))
    return columns | _day_columns(quotes), bad_stamps


def _measured(quote: _Leg | _Spot) -> tuple[float, ...]:
    if isinstance(quote, _Spot):
        return (quote.last_price, _number(quote.average_price), _number(quote.volume), *NO_BOOK)
    # Kite fills both sides with five levels of zeros; an empty list can mean nothing else.
    buy, sell = quote.depth.buy or EMPTY_SIDE, quote.depth.sell or EMPTY_SIDE
    return (
        quote.last_price, quote.average_price, quote.volume, quote.oi,
        buy[0].price, buy[0].quantity, sum([level.quantity for level in buy]),
        sell[0].price, sell[0].quantity, sum([level.quantity for level in sell]),
    )  # fmt: skip


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < BEYOND_ANY:
        return float(value)
    return np.nan


def _day_columns(quotes: Collection[_Leg | _Spot]) -> dict[str, Floats]:
    """Return DAY_COLUMNS of levels and shares, NaN for derivatives."""
    table = np.full((len(DAY_COLUMNS), len(quotes)), np.nan)
    for row, quote in enumerate(quotes):
        if isinstance(quote, _Spot) and isinstance(quote.ohlc, dict):
            table[:, row] = [_number(quote.ohlc.get(name)) for name in OHLC]
    return dict(zip(DAY_COLUMNS, table, strict=True))


def _defect(raw: msgspec.Raw) -> str:
    """Return what is wrong with a quote that does not decode."""
    try:
        quote = msgspec.json.decode(raw)
    except UNREADABLE:  # a number too large for any, a text that is none
        return "wrong_type"
    if not isinstance(quote, dict):
        return "null" if quote is None else "not_an_object"
    last = quote.get("last_price")
    if not isinstance(last, int | float) or isinstance(last, bool):
        return "wrong_type" if "last_price" in quote else "missing_field"
    depth = quote.get("depth")
    if not isinstance(depth, dict) or not all(isinstance(depth.get(side), list) for side in ("buy", "sell")):
        return "no_depth"
    levels = [level for side in ("buy", "sell") for level in depth[side] if isinstance(level, dict)]
    whole = {"average_price", "volume", "oi"} <= set(quote) and all({"price", "quantity"} <= set(x) for x in levels)
    return "wrong_type" if whole else "missing_field"


def _error_in(document: Mapping[str, Any]) -> str:
    kind, message = (" ".join(str(document.get(name) or f"no {name}").split()) for name in ("error_type", "message"))
    return f"quote answer: status error, {kind[:MESSAGE_MAX_CHARACTERS]}: {message[:MESSAGE_MAX_CHARACTERS]}"


def _kind(value: Any) -> str:
    names = {type(None): "null", list: "a list", str: "a text", bool: "a truth value", dict: "an object"}
    return names.get(type(value), "a number")
