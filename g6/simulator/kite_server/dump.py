"""The instruments dump: one gzipped CSV a day for each exchange, new at about 08:30, and its faults."""

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

from g6.clock import IST
from g6.model.columns import Bools
from g6.model.contracts import FUTURE, SHARE, ContractTable
from g6.simulator.kite_server.faults import EVERY_INSTRUMENT, Fault
from g6.simulator.kite_server.tape import Listing, Tape

HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)
EXCHANGES = ("NSE", "NFO", "BSE", "BFO")
PUBLISHED_AT = time(8, 30)
DUMPS_KEPT = 16

# How a row of twelve fields is spoilt, in turn.
SPOILERS: tuple[Callable[[list[str]], list[str]], ...] = (
    lambda row: [*row[:6], "n/a", *row[7:]],  # the strike
    lambda row: [*row[:8], "", *row[9:]],  # the lot
    lambda row: row[:7],
    lambda row: ["", *row[1:]],  # the token
    lambda row: [*row[:5], "0000-00-00", *row[6:]],  # the expiry
)


class Dump:
    """The CSV of an exchange, or of all (None), as it is at an instant. Thread-safe; kept until the day is over."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._lock = threading.Lock()
        self._made = lru_cache(maxsize=DUMPS_KEPT)(self._make)

    def gzipped(self, exchange: str | None, at: datetime, faults: Sequence[Fault] = ()) -> bytes:
        """Return the gzipped CSV, as the faults of the dump leave it.

        Before 08:30 it is the day before's. Raises OutsideCalendar.
        """
        own = tuple(fault for fault in faults if fault.do in FAULTS)
        with self._lock:
            return self._made(exchange, dump_day(at), own)

    def _make(self, exchange: str | None, day: date, faults: tuple[Fault, ...]) -> bytes:
        stale = sum(fault.options["days"] for fault in faults if fault.do == "stale_dump")
        listing = self._tape.listing(day - timedelta(days=stale))
        exchanges = EXCHANGES if exchange is None else (exchange,)
        rows = [row for name in exchanges for row in _rows(listing, name, faults)]
        for fault in faults:
            if fault.do == "bad_rows":
                rows = _spoilt(rows, fault.options["count"])
        return gzip.compress("\n".join([HEADER, *rows, ""]).encode(), 6, mtime=0)


FAULTS = frozenset({"stale_dump", "bad_rows", "new_strikes"})


def dump_day(at: datetime) -> date:
    """Return the day whose dump is served at an instant."""
    at = at.astimezone(IST)
    return at.date() if at.time() >= PUBLISHED_AT else at.date() - timedelta(days=1)


def _rows(listing: Listing, exchange: str, faults: Sequence[Fault]) -> Iterator[str]:
    if exchange in {"NSE", "BSE"}:
        yield from _index_rows(listing, exchange)
        yield from _share_rows(listing, exchange)
        return
    contracts = listing.contracts.take(listing.contracts.exchange == exchange)
    for fault in faults:
        if fault.do == "new_strikes":
            contracts = contracts.take(~_new(contracts, fault))
    yield from _contract_rows(contracts)


def _index_rows(listing: Listing, exchange: str) -> Iterator[str]:
    for symbol, token in zip(listing.symbols, listing.index_tokens.tolist(), strict=True):
        where, _, name = symbol.partition(":")
        if where == exchange:
            yield f"{token},{token >> 8},{name},{name},0,,0,0,0,EQ,INDICES,{exchange}"


def _share_rows(listing: Listing, exchange: str) -> Iterator[str]:
    shares = listing.contracts.take((listing.contracts.kind == SHARE) & (listing.contracts.exchange == exchange))
    for symbol, token, tick in zip(shares.symbol.tolist(), shares.token.tolist(), shares.tick.tolist(), strict=True):
        yield f"{token},{token >> 8},{symbol},{symbol},0,,0,{tick},1,EQ,{exchange},{exchange}"


def _contract_rows(contracts: ContractTable) -> Iterator[str]:
    columns: Mapping[str, list[object]] = {
        name: getattr(contracts, name).tolist()
        for name in ("token", "symbol", "index", "strike", "tick", "lot", "kind", "exchange")
    }
    expiries = np.datetime_as_string(contracts.expiry).tolist()
    for token, symbol, name, strike, tick, lot, kind, exchange, expiry in zip(*columns.values(), expiries, strict=True):
        segment = f"{exchange}-{'FUT' if kind == FUTURE else 'OPT'}"
        number = int(str(token)) >> 8
        yield f"{token},{number},{symbol},{name},0.0,{expiry},{strike},{tick},{lot},{kind},{segment},{exchange}"


def _new(contracts: ContractTable, fault: Fault) -> Bools:
    """Return what is traded but not yet in the dump: what the fault matches, else each expiry's highest strike."""
    if fault.match != EVERY_INSTRUMENT:
        return fault.match.of_contracts(contracts)
    options = contracts.kind != FUTURE
    highest = np.full(len(contracts), -np.inf)
    for index, expiry in {*zip(contracts.index.tolist(), contracts.expiry.tolist(), strict=True)}:
        own = (contracts.index == index) & (contracts.expiry == np.datetime64(expiry))
        highest[own] = contracts.strike[own].max()
    new: Bools = options & (contracts.strike == highest)
    return new


def _spoilt(rows: Sequence[str], count: int) -> list[str]:
    """Return the rows with `count` of them, evenly spread, made unreadable in one way or another."""
    spoilt = list(rows)
    places = np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)).tolist()
    for number, place in enumerate(places):
        spoilt[place] = ",".join(SPOILERS[number % len(SPOILERS)](rows[place].split(",")))
    return spoilt
