"""Packets, read back by the official client's own parser: every field is the column that it came from."""

import struct
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.clock import IST
from g6.simulator.kite_server import packets
from g6.simulator.kite_server.tape import Tape
from g6.simulator.kite_server.ticks import TICK_COLUMNS, IndexTicks, Ticks

AT = datetime(2026, 11, 20, 11, 23, 45, tzinfo=IST)
DIVISORS = {3: 1e7, 6: 1e4, 12: 1e4}
PAISE = {3: 2**32 // 100_000, 6: 2**32 // 100, 12: 2**32 // 100}  # the most that 32 bits hold, by segment
SEGMENTS = (1, 2, 3, 4, 5, 6, 7, 8, 12)
STAMPS = ("quoted_at", "traded_at")
PRICES = ("last", "average", "open", "high", "low", "close", "depth_price")


@st.composite
def tick_rows(draw) -> Ticks:
    """Columns over the whole range of values that the wire holds."""
    n = draw(st.integers(1, 4))
    segments = draw(st.lists(st.sampled_from(SEGMENTS), min_size=n, max_size=n))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    token = random.integers(0, 2**24, n) << 8 | np.array(segments)
    most = np.array([PAISE.get(segment, 2**32) for segment in segments])
    columns = {}
    for name in set(TICK_COLUMNS) - {"answered", "token"}:
        limit = most if name in PRICES else np.full(n, 2**16 if name == "depth_orders" else 2**32)
        shape = (n, 10) if name.startswith("depth_") else (n,)
        limit = limit[:, None] if len(shape) == 2 else limit
        # Small, great and extreme values alike, not just those of the greatest magnitude.
        drawn = np.floor(limit ** random.random(shape)).astype(np.int64) - 1
        columns[name] = np.where(random.random(shape) < 0.1, limit - 1, drawn)
    return Ticks(at=AT, answered=np.ones(n, dtype=bool), token=token, **columns)


@st.composite
def index_rows(draw) -> IndexTicks:
    n = draw(st.integers(1, 4))
    column = st.lists(st.integers(0, 2**32 - 1), min_size=n, max_size=n).map(np.array)
    change = st.lists(st.integers(-(2**31), 2**31 - 1), min_size=n, max_size=n).map(np.array)
    names = np.array([f"I{row}" for row in range(n)])
    token = np.array(draw(st.lists(st.integers(0, 2**24 - 1), min_size=n, max_size=n))) << 8 | 9
    return IndexTicks(
        AT, names, names, np.ones(n, dtype=bool), token,
        *(draw(column) for _ in ("last", "open", "high", "low", "close")), draw(change), draw(column),
    )  # fmt: skip


def local(epoch_seconds: int) -> datetime | None:
    """What the client makes of a stamp: a naive time of the machine's own zone."""
    return datetime.fromtimestamp(epoch_seconds)  # noqa: DTZ006  that is what the client does


def price(ticks: Ticks | IndexTicks, column: str, row: int) -> float:
    """A price as the client says it: the wire's integer over its divisor."""
    segment = int(ticks.token[row]) & 0xFF
    divisor = DIVISORS.get(segment, 100.0)
    return int(getattr(ticks, column)[row]) * round(divisor / 100) / divisor


def same_prices(tick, ticks: Ticks | IndexTicks, row: int) -> None:
    assert tick["instrument_token"] == ticks.token[row]
    assert tick["last_price"] == price(ticks, "last", row)
    assert tick["ohlc"] == {name: price(ticks, name, row) for name in ("open", "high", "low", "close")}


def same_trading(tick, ticks: Ticks, row: int) -> None:
    assert tick["tradable"]
    assert tick["average_traded_price"] == price(ticks, "average", row)
    for ours, theirs in (
        ("last_quantity", "last_traded_quantity"), ("volume", "volume_traded"),
        ("buy_quantity", "total_buy_quantity"), ("sell_quantity", "total_sell_quantity"),
    ):  # fmt: skip
        assert tick[theirs] == getattr(ticks, ours)[row]


def same_full(tick, ticks: Ticks, row: int) -> None:
    same_prices(tick, ticks, row)
    same_trading(tick, ticks, row)
    assert (tick["oi"], tick["oi_day_high"], tick["oi_day_low"]) == (
        ticks.oi[row], ticks.oi_high[row], ticks.oi_low[row],
    )  # fmt: skip
    assert tick["exchange_timestamp"] == local(int(ticks.quoted_at[row]))
    assert tick["last_trade_time"] == local(int(ticks.traded_at[row]))
    levels = [*tick["depth"]["buy"], *tick["depth"]["sell"]]
    assert [level["quantity"] for level in levels] == ticks.depth_quantity[row].tolist()
    assert [level["orders"] for level in levels] == ticks.depth_orders[row].tolist()
    divisor = DIVISORS.get(int(ticks.token[row]) & 0xFF, 100.0)
    wire = ticks.depth_price[row] * round(divisor / 100)
    assert [level["price"] for level in levels] == [value / divisor for value in wire.tolist()]


@given(ticks=tick_rows())
@settings(max_examples=150, deadline=None)
def test_full_packets_say_every_column(parse: Callable, ticks: Ticks):
    read = parse(packets.message([packets.full_packets(ticks)]))
    assert [tick["mode"] for tick in read] == ["full"] * len(ticks)
    for row, tick in enumerate(read):
        same_full(tick, ticks, row)


@given(ticks=tick_rows())
@settings(max_examples=100, deadline=None)
def test_quote_packets_say_prices_and_quantities_and_nothing_else(parse: Callable, ticks: Ticks):
    read = parse(packets.message([packets.quote_packets(ticks)]))
    for row, tick in enumerate(read):
        assert tick["mode"] == "quote"
        assert not {"oi", "depth", "exchange_timestamp"} & set(tick)
        same_prices(tick, ticks, row)
        same_trading(tick, ticks, row)


@given(ticks=tick_rows())
@settings(max_examples=50, deadline=None)
def test_ltp_packets_say_the_last_price(parse: Callable, ticks: Ticks):
    read = parse(packets.message([packets.ltp_packets(ticks)]))
    assert [tick["mode"] for tick in read] == ["ltp"] * len(ticks)
    assert [tick["instrument_token"] for tick in read] == ticks.token.tolist()
    assert [tick["last_price"] for tick in read] == [price(ticks, "last", row) for row in range(len(ticks))]


@given(ticks=index_rows())
@settings(max_examples=100, deadline=None)
def test_index_packets_say_level_range_and_in_full_the_stamp(parse: Callable, ticks: IndexTicks):
    quote = parse(packets.message([packets.index_quote_packets(ticks)]))
    full = parse(packets.message([packets.index_full_packets(ticks)]))
    for row, (short, long) in enumerate(zip(quote, full, strict=True)):
        assert (short["mode"], long["mode"]) == ("quote", "full")
        assert long["exchange_timestamp"] == local(int(ticks.quoted_at[row]))
        for tick in (short, long):
            assert not tick["tradable"]
            same_prices(tick, ticks, row)


@given(ticks=index_rows())
@settings(max_examples=50, deadline=None)
def test_the_change_of_an_index_is_signed_and_follows_its_close(ticks: IndexTicks):
    """The client computes its own change in per cent, so this field is read by its documented offset."""
    message = packets.message([packets.index_quote_packets(ticks)])
    for row in range(len(ticks)):
        (change,) = struct.unpack_from(">i", message, 2 + 30 * row + 2 + 24)
        assert change == ticks.change[row]


def test_a_day_of_the_market_passes_the_wire_unharmed(parse: Callable, tape: Tape):
    table = tape.contracts(AT.date()).take(np.arange(0, 9000, 13))
    ticks = tape.ticks(table, AT)
    read = parse(packets.message([packets.full_packets(ticks)]))
    assert len(read) == len(ticks)
    for row, tick in enumerate(read):
        same_full(tick, ticks, row)


@pytest.mark.parametrize(
    ("encode", "length"),
    [
        (packets.ltp_packets, 8), (packets.quote_packets, 44), (packets.full_packets, 184),
        (packets.index_quote_packets, 28), (packets.index_full_packets, 32),
    ],
)  # fmt: skip
def test_packets_have_their_documented_length_behind_it(tape: Tape, encode, length: int):
    indices = encode in {packets.index_quote_packets, packets.index_full_packets}
    rows = tape.index_ticks(["NIFTY", "SENSEX"], AT) if indices else tape.ticks(tape.contracts(AT.date()).take(
        np.array([0, 1])), AT)  # fmt: skip
    message = packets.message([encode(rows)])
    assert message[:2] == b"\x00\x02"
    assert len(message) == 2 + 2 * (2 + length)
    assert struct.unpack_from(">H", message, 2) == struct.unpack_from(">H", message, 4 + length) == (length,)


def test_kinds_may_share_a_message(parse: Callable, tape: Tape):
    contracts = tape.ticks(tape.contracts(AT.date()).take(np.array([3, 4])), AT)
    indices = tape.index_ticks(["NIFTY"], AT)
    parts = [
        packets.index_full_packets(indices), packets.full_packets(contracts.take(np.array([0]))),
        packets.ltp_packets(contracts.take(np.array([1]))), packets.ltp_packets(contracts.take(np.empty(0, int))),
    ]  # fmt: skip
    assert [tick["mode"] for tick in parse(packets.message(parts))] == ["full", "full", "ltp"]


def test_a_negative_price_wraps_and_one_beyond_32_bits_stays_at_the_greatest(parse: Callable, tape: Tape):
    ticks = tape.ticks(tape.contracts(AT.date()).take(np.array([3, 4])), AT)
    last = np.array([-1, 2**33])
    bent = Ticks(at=AT, **{name: last if name == "last" else getattr(ticks, name) for name in TICK_COLUMNS})
    assert [tick["last_price"] for tick in parse(packets.message([packets.ltp_packets(bent)]))] == [42949672.95] * 2


def test_a_message_of_more_packets_than_its_count_can_say_is_refused():
    with pytest.raises(ValueError, match="65536 packets"):
        packets.message([packets.Packets(2**16, b"")])


def test_stamps_are_seconds_since_1970_in_utc(tape: Tape):
    ticks = tape.index_ticks(["NIFTY"], AT)
    message = packets.message([packets.index_full_packets(ticks)])
    (stamp,) = struct.unpack_from(">I", message, 4 + 28)
    assert datetime.fromtimestamp(stamp, UTC) == datetime(2026, 11, 20, 5, 53, 45, tzinfo=UTC)
