"""3,000 full ticks → columns: the stream's decoder against the official client's parser, on the same bytes.

    .venv/bin/python scripts/bench/ticks.py [--ticks 3000] [--repeat 7]

Both give every field (prices in rupees, stamps, open interest, ten levels of depth); that the values are equal is
asserted before anything is timed. Two shapes of message: full packets only, as a chain's legs come, and full packets
with index packets among them. Best of the repeats, both in this run.
"""

import argparse
import sys
import time
from datetime import datetime

import numpy as np
from kiteconnect import KiteTicker

from g6.providers.kite_stream.packets import FULL, INDEX_FULL, columns, decode

TARGET = 50.0
STAMP = 1_763_610_300


def packets_of(layout: np.dtype, count: int, segment: int, rng: np.random.Generator) -> np.ndarray:
    packets = np.zeros(count, layout)
    packets["length"] = layout.itemsize - 2
    for name in layout.names[2:]:
        if name == "depth":
            packets["depth"]["price"] = rng.integers(0, 200_000, (count, 10))
            packets["depth"]["quantity"] = rng.integers(0, 1_000_000, (count, 10))
            packets["depth"]["orders"] = rng.integers(0, 5_000, (count, 10))
        else:
            packets[name] = rng.integers(0, 2_000_000, count)
    packets["token"] = (rng.permutation(count) + 30_000 << 8) | segment
    for name in {"quoted_at", "traded_at"} & set(layout.names):
        packets[name] = STAMP + rng.integers(0, 600, count)
    return packets


def message_of(ticks: int, indices: int) -> bytes:
    rng = np.random.default_rng(3)
    full = [row.tobytes() for row in packets_of(FULL, ticks, 2, rng)]
    index = [row.tobytes() for row in packets_of(INDEX_FULL, indices, 9, rng)]
    for number, row in enumerate(index):
        full.insert(number * ticks // max(indices, 1), row)
    return len(full).to_bytes(2) + b"".join(full)


def stamps(seconds: np.ndarray) -> list:
    return [datetime.fromtimestamp(s) for s in seconds]  # noqa: DTZ006  the official parser's own, host-local


def assert_equal(official: list[dict], message: bytes) -> None:
    packets = decode(message)
    legs, indices = columns(packets.full), columns(packets.index_full)
    ticks = [t for t in official if t["tradable"]]
    levels = [t for t in official if not t["tradable"]]
    same = {
        "token": "instrument_token", "last": "last_price", "last_quantity": "last_traded_quantity",
        "average_price": "average_traded_price", "volume": "volume_traded", "buy_quantity": "total_buy_quantity",
        "sell_quantity": "total_sell_quantity", "oi": "oi", "oi_high": "oi_day_high", "oi_low": "oi_day_low",
    }  # fmt: skip
    for ours, theirs in same.items():
        assert legs[ours].tolist() == [t[theirs] for t in ticks], ours
    assert indices["last"].tolist() == [t["last_price"] for t in levels]
    for side, part in ((ticks, legs), (levels, indices)):
        for name in ("open", "high", "low", "close"):
            assert part[name].tolist() == [t["ohlc"][name] for t in side], name
        assert stamps(part["quoted_at"]) == [t["exchange_timestamp"] for t in side]
    assert stamps(legs["traded_at"]) == [t["last_trade_time"] for t in ticks]
    for name in ("price", "quantity", "orders"):
        theirs = [[row[name] for row in t["depth"]["buy"] + t["depth"]["sell"]] for t in ticks]
        assert legs[f"depth_{name}"].tolist() == theirs, name


def ours_on(message: bytes) -> None:
    packets = decode(message)
    columns(packets.full)
    columns(packets.index_full)


def best_seconds(call, repeat: int) -> float:
    taken = []
    for _ in range(repeat):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ticks", type=int, default=3_000)
    parser.add_argument("--repeat", type=int, default=7)
    given = parser.parse_args()
    parse = KiteTicker("key", "token")._parse_binary  # noqa: SLF001  the yardstick is the client's own parser
    reached = True
    for what, indices in (("full packets only", 0), ("with 8 index packets", 8)):
        message = message_of(given.ticks, indices)
        assert_equal(parse(message), message)
        slow = best_seconds(lambda m=message: parse(m), given.repeat)
        fast = best_seconds(lambda m=message: ours_on(m), given.repeat)
        reached &= slow / fast >= TARGET
        print(f"{given.ticks} full ticks, {what}: official {slow * 1e3:.1f} ms, here {fast * 1e3:.3f} ms, "
              f"{slow / fast:.0f} times as fast (at least {TARGET:.0f} wanted), equal in every field")  # fmt: skip
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
