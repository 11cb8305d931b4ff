"""The board of last ticks: it holds what a living connection has said in full, and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from g6.providers.kite_stream.board import Board
from g6.providers.kite_stream.instruments import of_contracts
from g6.providers.kite_stream.packets import decode

TOKENS = [n << 8 | segment for n in (1, 2, 3) for segment in (2, 5)]
CONNECTIONS = (1, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("follow"), st.lists(st.sampled_from(TOKENS), unique=True), st.sampled_from("ab")),
        st.tuples(st.just("full"), st.sampled_from(TOKENS), st.sampled_from(CONNECTIONS), st.integers(1, 99)),
        st.tuples(st.just("quote"), st.sampled_from(TOKENS), st.sampled_from(CONNECTIONS)),
        st.tuples(st.just("doubt"), st.sampled_from(CONNECTIONS)),
        st.tuples(st.just("mute"), st.sampled_from(["NFO", "BFO"])),
    ),
    max_size=25,
)


class Model:
    """The same, one instrument at a time: token → (symbol, last price, who confirmed it)."""

    def __init__(self) -> None:
        self.rows: dict[int, list] = {}

    def follow(self, tokens, suffix) -> None:
        old = self.rows
        self.rows = {}
        for token in tokens:
            kept = old.get(token)
            self.rows[token] = kept if kept and kept[0] == suffix else [suffix, None, None]

    def full(self, token, connection, last) -> None:
        if token in self.rows:
            self.rows[token][1:] = [float(last), connection]

    def quote(self, token, _connection) -> None:
        if token in self.rows:
            self.rows[token][2] = None

    def doubt(self, connection) -> None:
        for row in self.rows.values():
            row[2] = None if row[2] == connection else row[2]

    def mute(self, exchange) -> None:
        for token, row in self.rows.items():
            row[2] = None if (token & 0xFF == 5) == (exchange == "BFO") else row[2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.sets(st.sampled_from(CONNECTIONS)))
def test_whatever_happens_what_holds_is_what_one_by_one_would_hold(table, wire, steps, alive):
    board, model = Board(), Model()
    for what, *given_ in steps:
        getattr(model, what)(*given_)
        match what:
            case "follow":
                tokens, suffix = given_
                board.follow(of_contracts(table(*tokens, symbols=[f"{t}{suffix}" for t in tokens])))
            case "full":
                token, connection, last = given_
                board.update(decode(wire.message(wire.full(token, last))), connection)
            case "quote":
                token, connection = given_
                board.update(decode(wire.message(wire.quote(token, 1.0))), connection)
            case "doubt":
                board.distrust(connection=given_[0])
            case "mute":
                board.distrust(exchange=given_[0])
    rows, holds = board.read(np.array(TOKENS), alive)
    for token, row, held in zip(TOKENS, rows, holds, strict=True):
        _, last, by = model.rows.get(token, (None, None, None))
        assert held == (by in alive)
        if held:
            assert row["last"] == last


@pytest.fixture
def read(table: Callable, wire) -> Callable[..., np.void]:
    def read(packet: bytes, token: int = 256 << 8 | 2) -> np.void:
        board = Board()
        board.follow(of_contracts(table(token)))
        board.update(decode(wire.message(packet)), 1)
        rows, held = board.read(np.array([token]), [1])
        assert held.all()
        return rows[0]

    return read


def test_a_full_packet_gives_the_best_level_of_each_side(read, wire):
    row = read(wire.full(256 << 8 | 2, 101.5, bid=101.4, ask=101.65, oi=7_800, at=wire.STAMP, traded=wire.STAMP - 3))
    assert (row["last"], row["bid"], row["ask"]) == (101.5, 101.4, 101.65)
    assert (row["bid_quantity"], row["ask_quantity"], row["volume"], row["oi"]) == (75, 65, 5, 7_800)
    assert (row["quoted_at"], row["traded_at"]) == (wire.STAMP, wire.STAMP - 3)


def test_an_empty_side_has_no_price_and_a_missing_stamp_is_none(read, wire):
    row = read(wire.full(256 << 8 | 2, 5.0, bid=0, ask=0, at=0, traded=0))
    assert np.isnan([row["bid"], row["ask"], row["quoted_at"], row["traded_at"]]).all()
    assert (row["bid_quantity"], row["ask_quantity"]) == (0, 0)
    assert (row["bid_depth"], row["ask_depth"]) == (0, 0)


def test_depth_is_the_quantity_of_all_five_levels_of_its_own_side(read, wire):
    row = read(wire.full(256 << 8 | 2, 101.5, bid=101.4, ask=101.65))
    assert (row["bid_depth"], row["ask_depth"]) == (75 * (1 + 2 + 3 + 4 + 5), 65 * (1 + 2 + 3 + 4 + 5))


def test_depth_of_the_largest_quantities_the_wire_has_does_not_overflow(read, wire):
    packet = bytearray(wire.full(256 << 8 | 2, 5.0))
    levels = range(len(packet) - 120, len(packet), 12)
    for begin in levels:
        packet[begin : begin + 4] = b"\xff" * 4
    row = read(bytes(packet))
    assert row["bid_depth"] == row["ask_depth"] == 5 * (2**32 - 1)


def test_an_index_has_a_level_and_a_stamp(read, wire):
    row = read(wire.index(256_265, 24_787.85), 256_265)
    assert (row["last"], row["quoted_at"]) == (24_787.85, wire.STAMP)
    assert np.isnan(row["bid"])


def test_an_update_names_the_exchanges_that_ticked(table, wire):
    board = Board()
    board.follow(of_contracts(table(256 << 8 | 2, 256 << 8 | 5)))
    assert board.update(decode(wire.message(wire.full(256 << 8 | 5, 1.0))), 1) == {"BFO"}
    assert board.update(decode(wire.message(wire.full(999 << 8 | 2, 1.0))), 1) == frozenset()
