"""Kite's instruments CSV as a contract table. One bad row costs itself alone and is counted by its reason."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase, digits
from types import MappingProxyType

import numpy as np

from g6.errors import BadResponse
from g6.model.columns import Bools, Ints
from g6.model.contracts import CALL, FUTURE, PUT, ContractTable
from g6.providers.kite import csv_bytes
from g6.providers.kite.csv_bytes import Raw, Rows

# What is read, and how many bytes of it. A column that Kite adds is no harm, nor is another order.
WIDTHS: Mapping[str, int] = MappingProxyType({
    "instrument_token": 10, "tradingsymbol": 40, "name": 32, "expiry": 10, "strike": 16, "tick_size": 16,
    "lot_size": 10, "instrument_type": 8, "segment": 8, "exchange": 8,
})  # fmt: skip

# Segment → exchange and the kinds that it may hold.
SEGMENTS: Mapping[bytes, tuple[bytes, tuple[bytes, ...]]] = MappingProxyType({
    b"NFO-OPT": (b"NFO", (CALL.encode(), PUT.encode())), b"NFO-FUT": (b"NFO", (FUTURE.encode(),)),
    b"BFO-OPT": (b"BFO", (CALL.encode(), PUT.encode())), b"BFO-FUT": (b"BFO", (FUTURE.encode(),)),
})  # fmt: skip
INDEX_SEGMENT = b"INDICES"
INDEX_EXCHANGES = (b"NSE", b"BSE")  # MCX and others have indices of their own, which nobody asks for
SHARE_TYPE = b"EQ"

# Names and symbols may become parts of paths and queries: neither may begin like one or hold what divides one.
FIRST_LETTERS = csv_bytes.letters_of(ascii_uppercase + ascii_lowercase + digits)
NAME_LETTERS = csv_bytes.letters_of(ascii_uppercase + digits + "_&-")
SYMBOL_LETTERS = csv_bytes.letters_of(ascii_uppercase + ascii_lowercase + digits + " _&.-")

TOKEN_MAX = 2**32 - 1  # their width on the wire
HEADER_MAX_BYTES = 4096


@dataclass(frozen=True, slots=True, eq=False)
class DecodedDump:
    """What a dump said: options and futures in its order, spot symbol ("NSE:NIFTY 50") → token, and what was skipped.

    `shares` is the same for shares ("NSE:RELIANCE" → token); their rows are not judged, a bad one is not there.
    `rows` counts every row but the header, of any segment. `bad_rows` counts the skipped ones by the first reason that
    holds: "fields" (a wrong number of them), "token", "symbol", "name", "kind" (not one of its segment, or of an
    exchange not its own), "expiry", "strike", "tick", "lot" or "duplicate" (the key exchange:symbol stood before; the
    first one is kept). Rows of segments that G6 has no use for are neither read nor judged.
    """

    contracts: ContractTable
    indices: Mapping[str, int]
    rows: int
    bad_rows: Mapping[str, int]
    shares: Mapping[str, int] = field(default_factory=dict)


def decode_instruments(body: bytes) -> DecodedDump:
    """Return the NFO and BFO derivatives and the NSE and BSE indices of an instruments CSV.

    Raises BadResponse when the body does not begin with Kite's header.
    """
    header, _, content = body.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    titles = _titles(header)
    rows, wrong = csv_bytes.split(content, len(titles))
    bad = Counter({"fields": wrong})
    columns = _Columns(rows, {name: titles.index(name) for name in WIDTHS})
    segment = columns.raw("segment")
    derivatives = np.isin(segment, list(SEGMENTS))
    contracts = _contracts(columns.take(derivatives), segment[derivatives], bad)
    indices = _indices(columns.take(segment == INDEX_SEGMENT), bad)
    found = {word: count for word, count in bad.items() if count}
    shares = _shares(columns.take(np.isin(segment, INDEX_EXCHANGES) & (columns.raw("instrument_type") == SHARE_TYPE)))
    return DecodedDump(contracts, indices, len(rows) + wrong, MappingProxyType(found), shares)


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Rows by the names of their columns."""

    rows: Rows
    places: Mapping[str, int]

    def raw(self, name: str) -> Raw:
        return self.rows.text(self.places[name], WIDTHS[name])

    def take(self, mask: Bools) -> "_Columns":
        return _Columns(self.rows.take(mask), self.places)


def _titles(header: bytes) -> list[str]:
    # The documentation's own example has a space after each comma.
    titles = [title.strip(' "\r') for title in header[:HEADER_MAX_BYTES].decode("ascii", "replace").split(",")]
    lacking = [name for name in WIDTHS if name not in titles]
    if len(lacking) == len(WIDTHS):
        raise BadResponse("instruments answer: not Kite's CSV; its first line is no header")
    if lacking:
        raise BadResponse(f"instruments answer: not Kite's CSV; its header lacks {', '.join(lacking)}")
    return titles


def _contracts(columns: _Columns, segment: Raw, bad: Counter[str]) -> ContractTable:
    name, symbol, kind = columns.raw("name"), columns.raw("tradingsymbol"), columns.raw("instrument_type")
    exchange = columns.raw("exchange")
    token, lot = _tokens(columns), csv_bytes.whole_numbers(columns.raw("lot_size"))
    strike, tick = csv_bytes.numbers(columns.raw("strike")), csv_bytes.numbers(columns.raw("tick_size"))
    expiry = csv_bytes.days(columns.raw("expiry"))
    future = kind == FUTURE.encode()
    strike[future] = 0.0  # some dumps write 0 and some leave it empty
    defects = {
        "token": token < 0,
        "symbol": ~csv_bytes.made_of(symbol, SYMBOL_LETTERS, FIRST_LETTERS),
        "name": ~csv_bytes.made_of(name, NAME_LETTERS, FIRST_LETTERS),
        "kind": ~_placed(segment, exchange, kind),
        "expiry": np.isnat(expiry),
        "strike": ~(future | (strike > 0)),
        "tick": ~(tick > 0),
        "lot": lot <= 0,
    }
    kept = _first_of_each(exchange, symbol, _sound(defects, bad), bad)
    return ContractTable(
        index=name[kept].astype(np.str_), exchange=exchange[kept].astype(np.str_),
        symbol=symbol[kept].astype(np.str_), token=token[kept], kind=kind[kept].astype(np.str_),
        expiry=expiry[kept], strike=strike[kept], lot=lot[kept], tick=tick[kept],
    )  # fmt: skip


def _indices(columns: _Columns, bad: Counter[str]) -> Mapping[str, int]:
    columns = columns.take(np.isin(columns.raw("exchange"), INDEX_EXCHANGES))
    exchange, symbol, token = columns.raw("exchange"), columns.raw("tradingsymbol"), _tokens(columns)
    sound = _sound({"token": token < 0, "symbol": ~csv_bytes.made_of(symbol, SYMBOL_LETTERS, FIRST_LETTERS)}, bad)
    kept = _first_of_each(exchange, symbol, sound, bad)
    return _tokens_by_key(exchange[kept], symbol[kept], token[kept])


def _shares(columns: _Columns) -> Mapping[str, int]:
    token, symbol = _tokens(columns), columns.raw("tradingsymbol")
    kept = (token > 0) & csv_bytes.made_of(symbol, SYMBOL_LETTERS, FIRST_LETTERS)
    return _tokens_by_key(columns.raw("exchange")[kept], symbol[kept], token[kept])


def _tokens_by_key(exchange: Raw, symbol: Raw, token: Ints) -> Mapping[str, int]:
    rows = zip(exchange.tolist(), symbol.tolist(), token.tolist(), strict=True)
    return MappingProxyType({f"{e.decode()}:{s.decode()}": t for e, s, t in rows})


def _tokens(columns: _Columns) -> Ints:
    tokens = csv_bytes.whole_numbers(columns.raw("instrument_token"))
    return np.where((tokens > 0) & (tokens <= TOKEN_MAX), tokens, -1)


def _placed(segment: Raw, exchange: Raw, kind: Raw) -> Bools:
    placed = np.zeros(len(segment), dtype=np.bool_)
    for name, (own_exchange, kinds) in SEGMENTS.items():
        placed |= (segment == name) & (exchange == own_exchange) & np.isin(kind, kinds)
    return placed


def _sound(defects: Mapping[str, Bools], bad: Counter[str]) -> Bools:
    """Return where no defect holds; a row with several is counted once, under the first."""
    sound = np.ones(len(next(iter(defects.values()))), dtype=np.bool_)
    for word, hit in defects.items():
        bad[word] += int((hit & sound).sum())
        sound &= ~hit
    return sound


def _first_of_each(exchange: Raw, symbol: Raw, sound: Bools, bad: Counter[str]) -> Bools:
    """Return the sound rows without those whose key stood in a sound row before."""
    rows = np.flatnonzero(sound)
    keys = np.char.add(np.char.add(exchange[rows], b":"), symbol[rows]).tolist()
    first = dict(zip(reversed(keys), reversed(rows.tolist()), strict=True))  # the last one written is the first row
    bad["duplicate"] += len(keys) - len(first)
    kept = np.zeros(len(sound), dtype=np.bool_)
    kept[list(first.values())] = True
    return kept
