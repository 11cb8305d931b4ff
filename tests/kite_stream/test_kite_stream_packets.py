"""The decoder of ticks: equal to the official parser on every packet there is, and unmoved by any that is none."""

import struct
from datetime import datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from kiteconnect import KiteTicker

from g6.providers.kite_stream.packets import columns, decode

official = KiteTicker("key", "token")._parse_binary

SEGMENTS = (1, 2, 3, 4, 5, 6, 7, 9, 12)
PRICE = st.integers(0, 2**31 - 1)
COUNT = st.integers(0, 2**32 - 1)
INDEX = 9


def token(*segments: int):
    return st.builds(
        lambda number, segment: number << 8 | segment, st.integers(1, 2**24 - 1), st.sampled_from(segments)
    )


def body(kinds: str, *parts) -> st.SearchStrategy[bytes]:
    """Packets of big-endian fields: p a price, c a count or stamp."""
    fields = [PRICE if kind == "p" else COUNT for kind in kinds]
    return st.tuples(*parts, *fields).map(lambda values: struct.pack(f">{len(values)}I", *values))


LEG = token(*(segment for segment in SEGMENTS if segment != INDEX))
LEVEL = st.tuples(COUNT, PRICE, st.integers(0, 2**16 - 1)).map(lambda level: struct.pack(">IIHH", *level, 0))
DEPTH = st.lists(LEVEL, min_size=10, max_size=10).map(b"".join)
QUOTE = body("pcpcccpppp", LEG)
KINDS = {
    "ltp": body("p", token(*SEGMENTS)),
    "quote": QUOTE,
    "full": st.builds(lambda *parts: b"".join(parts), QUOTE, body("ccccc"), DEPTH),
    "index": body("pppppp", token(INDEX)),
    "index_full": body("ppppppc", token(INDEX)),
}
PACKETS = st.lists(st.one_of(*KINDS.values()), max_size=12)
LENGTHS = {8, 28, 32, 44, 184}


def message(packets: list[bytes]) -> bytes:
    return struct.pack(">H", len(packets)) + b"".join(struct.pack(">H", len(p)) + p for p in packets)


def flat(tick: dict) -> dict:
    """An official tick in our words."""
    words = {
        "instrument_token": "token", "last_price": "last", "last_traded_quantity": "last_quantity",
        "average_traded_price": "average_price", "volume_traded": "volume", "total_buy_quantity": "buy_quantity",
        "total_sell_quantity": "sell_quantity", "oi_day_high": "oi_high", "oi_day_low": "oi_low",
        "last_trade_time": "traded_at", "exchange_timestamp": "quoted_at",
    }  # fmt: skip
    row = {words.get(name, name): value for name, value in tick.items()} | tick.get("ohlc", {})
    for name in ("quantity", "price", "orders"):
        if "depth" in tick:
            row[f"depth_{name}"] = [level[name] for side in ("buy", "sell") for level in tick["depth"][side]]
    return {name: value for name, value in row.items() if name not in {"tradable", "mode", "ohlc", "change", "depth"}}


def rows(part) -> list[dict]:
    """One kind of our packets, as rows; stamps as the official parser has them, local to the host."""
    table = {name: values.tolist() for name, values in columns(part).items()}
    table.pop("change", None)  # Kite's is in points, the official parser's its own, in percent
    for name in {"traded_at", "quoted_at"} & set(table):
        table[name] = [datetime.fromtimestamp(seconds) for seconds in table[name]]  # noqa: DTZ006  the official parser's own
    return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]


def of_kind(ticks: list[dict], packets: list[bytes], length: int) -> list[dict]:
    return [flat(tick) for tick, packet in zip(ticks, packets, strict=True) if len(packet) == length]


@given(PACKETS)
def test_every_field_of_every_kind_is_the_official_parsers(packets):
    decoded, ticks = decode(message(packets)), official(message(packets))
    assert decoded.malformed == 0
    assert len(decoded) == len(packets)
    for length, part in zip((8, 44, 184, 28, 32), (decoded.ltp, decoded.quote, decoded.full, decoded.index,
                                                   decoded.index_full), strict=True):  # fmt: skip
        assert rows(part) == of_kind(ticks, packets, length)


@given(st.binary(max_size=400))
def test_no_bytes_whatever_raise(noise):
    decoded = decode(noise)
    assert len(decoded) >= 0
    assert decoded.malformed >= 0


@given(PACKETS.filter(bool), st.data())
def test_a_message_that_was_cut_is_counted_and_keeps_what_came_whole(packets, data):
    whole = message(packets)
    cut = whole[: data.draw(st.integers(2, len(whole) - 1))]
    decoded = decode(cut)
    came, end = 0, 2
    for packet in packets:
        end += 2 + len(packet)
        came += end <= len(cut)
    assert decoded.broken
    assert decoded.malformed == 1
    assert len(decoded) == came


@given(PACKETS, st.lists(st.binary(max_size=200).filter(lambda b: len(b) not in LENGTHS), min_size=1, max_size=3))
def test_packets_of_unknown_length_are_counted_and_cost_no_other(packets, unknown):
    mixed = [*unknown[:1], *packets, *unknown[1:]]
    decoded = decode(message(mixed))
    assert decoded.malformed == len(unknown)
    assert not decoded.broken
    assert len(decoded) == len(packets)


@given(PACKETS, st.binary(min_size=1, max_size=9))
def test_bytes_behind_the_last_packet_are_counted_and_cost_none(packets, more):
    decoded = decode(message(packets) + more)
    assert decoded.malformed == 1
    assert len(decoded) == len(packets)


def test_a_heartbeat_is_no_packet_and_nothing_at_all_is_malformed():
    assert (len(decode(b"\x00")), decode(b"\x00").malformed) == (0, 0)
    assert decode(b"").malformed == 1


def test_prices_below_zero_are_read_as_such():
    packet = struct.pack(">Ii", 256 << 8 | 2, -125)
    assert columns(decode(message([packet])).ltp)["last"].tolist() == [-1.25]


def test_prices_are_divided_by_what_the_segment_says():
    packets = [struct.pack(">II", 77 << 8 | segment, 123_456_789) for segment in (2, 3, 5, 6, 9, 12)]
    last = columns(decode(message(packets)).ltp)["last"]
    assert np.array_equal(last, [1234567.89, 12.3456789, 1234567.89, 12345.6789, 1234567.89, 12345.6789])
