"""Kite's answers into columns: ours against the official client's own parsing of the same bytes, in one run.

    .venv/bin/python scripts/bench/kite_decoding.py [--rounds 20] [--dump-rounds 3]

- quotes:      a body of 450 option quotes (`/quote`). The client: its JSON parser and `_format_response`.
- instruments: a CSV of 117,000 rows (`/instruments`), every one a derivative, which is more than ours has to read of a
               real dump. The client: `_parse_instruments`.

What both make of the bytes is compared field by field before anything is timed. Rounds alternate, so that whatever else
the machine does meets both; the figures are medians of wall time. Ends with exit code 1 when a target is missed.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
from kiteconnect import KiteConnect

from g6.clock import IST
from g6.providers.kite.instruments import decode_instruments
from g6.providers.kite.quote_columns import decode_quotes

QUOTES, ROWS = 450, 117_000
RATIO_TARGET, DUMP_SECONDS_TARGET = 10.0, 0.6
HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)
FIELDS = {
    "index": "name", "exchange": "exchange", "symbol": "tradingsymbol", "token": "instrument_token",
    "kind": "instrument_type", "expiry": "expiry", "strike": "strike", "lot": "lot_size", "tick": "tick_size",
}  # fmt: skip
CLIENT = KiteConnect("key")
format_response = CLIENT._format_response  # noqa: SLF001  the client's parsing is what is measured against
parse_instruments = CLIENT._parse_instruments  # noqa: SLF001


def quote_body(rng: random.Random) -> bytes:
    """A whole answer, with empty book sides and contracts that never traded among its quotes."""
    quotes = {f"NFO:NIFTY26AUG{15000 + 50 * n}{'CE' if n % 2 else 'PE'}": quote(rng, n) for n in range(QUOTES)}
    return json.dumps({"status": "success", "data": quotes}, separators=(",", ":")).encode()


def quote(rng: random.Random, number: int) -> dict:
    traded = rng.random() < 0.9
    return {
        "instrument_token": 14866434 + 256 * number, "timestamp": stamp(rng),
        "last_trade_time": stamp(rng) if traded else None, "last_price": price(rng) if traded else 0,
        "last_quantity": 65, "buy_quantity": rng.randrange(10**6), "sell_quantity": rng.randrange(10**6),
        "volume": rng.randrange(10**8), "average_price": price(rng), "oi": rng.randrange(10**7),
        "oi_day_high": rng.randrange(10**7), "oi_day_low": rng.randrange(10**6), "net_change": 0,
        "lower_circuit_limit": 0.05, "upper_circuit_limit": 1210.85,
        "ohlc": {"open": price(rng), "high": price(rng), "low": price(rng), "close": price(rng)},
        "depth": {side: book(rng, empty=rng.random() < 0.05) for side in ("buy", "sell")},
    }  # fmt: skip


def price(rng: random.Random) -> float:
    return round(rng.uniform(0.05, 900), 2)


def stamp(rng: random.Random) -> str:
    return f"2026-08-18 {rng.randrange(9, 16):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"


def book(rng: random.Random, *, empty: bool) -> list[dict]:
    if empty:
        return [{"price": 0, "quantity": 0, "orders": 0}] * 5
    return [
        {"price": price(rng), "quantity": rng.randrange(65, 9000, 65), "orders": rng.randrange(1, 40)} for _ in "12345"
    ]


def instruments_csv() -> bytes:
    """Chains of as many underlyings as it takes, four weekly expiries each."""
    rows, first = [HEADER], date(2026, 8, 25)
    for n in range(ROWS):
        underlying, leg = divmod(n, 1000)
        expiry, strike = first + timedelta(7 * (leg % 4)), 100.0 + 2.5 * (leg // 8)
        kind, exchange = "CE" if leg // 4 % 2 else "PE", "BFO" if underlying % 3 == 0 else "NFO"
        symbol = f"STOCK{underlying}{expiry:%y%m%d}{strike:g}{kind}"
        rows.append(
            f"{10_000_000 + 256 * n},{39_062 + n},{symbol},STOCK{underlying},0.0,{expiry},{strike},0.05,65,"
            f"{kind},{exchange}-OPT,{exchange}"
        )
    return "\n".join([*rows, ""]).encode()


def client_quotes(body: bytes) -> dict:
    data = json.loads(body)["data"]  # as `requests` parses it
    return {key: format_response(data[key]) for key in data}


def require_equal_quotes(body: bytes) -> None:
    ours, theirs = decode_quotes(body), client_quotes(body)
    assert list(ours.keys) == list(theirs)
    assert not ours.bad
    quotes = list(theirs.values())
    for name, field in (("last", "last_price"), ("volume",) * 2, ("oi",) * 2, ("average_price",) * 2):
        assert getattr(ours, name).tolist() == [q[field] for q in quotes], name
    for name, side in (("bid", "buy"), ("ask", "sell")):
        best = [q["depth"][side][0] for q in quotes]
        assert np.nan_to_num(getattr(ours, name)).tolist() == [level["price"] for level in best], name
        assert getattr(ours, f"{name}_quantity").tolist() == [level["quantity"] for level in best], name
    for name, field in (("quoted_at", "timestamp"), ("traded_at", "last_trade_time")):
        stamps = [q[field].replace(tzinfo=IST).timestamp() if q[field] else np.nan for q in quotes]
        assert np.array_equal(getattr(ours, name), stamps, equal_nan=True), name


def require_equal_instruments(body: bytes) -> None:
    ours, theirs = decode_instruments(body), parse_instruments(body)
    assert not ours.bad_rows
    assert len(theirs) == ROWS
    for name, field in FIELDS.items():
        assert getattr(ours.contracts, name).tolist() == [row[field] for row in theirs], name


def compared(rounds: int, ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of each, in alternating rounds."""
    seconds: dict[Callable[[], object], list[float]] = {ours: [], theirs: []}
    for _ in range(rounds):
        for work, taken in seconds.items():
            begun = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begun)
    return statistics.median(seconds[ours]), statistics.median(seconds[theirs])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--dump-rounds", type=int, default=3)
    options = parser.parse_args()
    body, dump = quote_body(random.Random(1)), instruments_csv()
    require_equal_quotes(body)
    require_equal_instruments(dump)
    quotes = compared(options.rounds, lambda: decode_quotes(body), lambda: client_quotes(body))
    rows = compared(options.dump_rounds, lambda: decode_instruments(dump), lambda: parse_instruments(dump))
    for what, size, (ours, theirs) in (
        (f"{QUOTES} quotes", len(body), quotes),
        (f"{ROWS:,} instruments", len(dump), rows),
    ):
        print(f"{what:>20}, {size / 1e6:5.2f} MB: ours {ours * 1e3:7.1f} ms, official client {theirs * 1e3:7.1f} ms, "
              f"{theirs / ours:5.1f} times as fast, results equal")  # fmt: skip
    met = min(quotes[1] / quotes[0], rows[1] / rows[0]) >= RATIO_TARGET and rows[0] <= DUMP_SECONDS_TARGET
    verdict = "met" if met else "MISSED"
    print(f"targets ({RATIO_TARGET:g} times each, instruments within {DUMP_SECONDS_TARGET:g} s): {verdict}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
