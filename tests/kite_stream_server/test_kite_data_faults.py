"""Faults of the data on columns: they touch what they match, in the plan's order, and nothing else."""

from datetime import datetime

import numpy as np
import pytest

from g6.clock import IST
from g6.simulator.kite_server.data_faults import faulty_index_ticks, faulty_ticks
from g6.simulator.kite_server.faults import FaultPlan
from g6.simulator.kite_server.ticks import INDEX_COLUMNS, TICK_COLUMNS

AT = datetime(2026, 11, 20, 11, 23, 45, tzinfo=IST)
NAMES = ["NIFTY", "BANKNIFTY", "SENSEX"]


@pytest.fixture(scope="module")
def some(table):
    return table.take(np.arange(0, len(table), 31))


def standing(*faults: dict):
    entries = [{"name": "scripted", **fault} for fault in faults]
    return FaultPlan.parse({"faults": entries}).standing("stream", AT)


def differing(one, other, columns) -> set[str]:
    return {name for name in columns if (getattr(one, name) != getattr(other, name)).any()}


def test_without_faults_of_the_data_the_tape_is_what_is_said(tape, some):
    faults = standing({"do": "mute"}, {"do": "garbage"})
    assert not differing(faulty_ticks(tape, some, faults, AT), tape.ticks(some, AT), TICK_COLUMNS)
    assert not differing(faulty_index_ticks(tape, NAMES, faults, AT), tape.index_ticks(NAMES, AT), INDEX_COLUMNS)


@pytest.mark.parametrize(
    ("kind", "columns", "index_columns"),
    [
        ("missing", {"answered"}, {"answered"}),
        ("calls_only", {"answered"}, set()),
        ("crossed", {"depth_price"}, set()),
        ("negative", {"last", "depth_price"}, {"last"}),
        ("zero_spot", set(), {"last"}),
    ],
)
def test_a_fault_changes_its_columns_of_the_rows_that_it_matches(tape, some, kind, columns, index_columns):
    faults = standing({"do": kind, "match": {"index": "NIFTY"}})
    bent, plain = faulty_ticks(tape, some, faults, AT), tape.ticks(some, AT)
    indices, plain_indices = faulty_index_ticks(tape, NAMES, faults, AT), tape.index_ticks(NAMES, AT)
    assert differing(bent, plain, TICK_COLUMNS) == columns
    assert differing(indices, plain_indices, INDEX_COLUMNS) == index_columns
    others = np.flatnonzero(some.index != "NIFTY")
    assert not differing(bent.take(others), plain.take(others), TICK_COLUMNS)
    assert not differing(indices.take(np.array([1, 2])), plain_indices.take(np.array([1, 2])), INDEX_COLUMNS)


def test_frozen_rows_are_those_of_the_windows_beginning(tape, some):
    faults = standing({"do": "frozen", "from": "10:00", "match": {"exchange": "NFO"}})
    begun = AT.replace(hour=10, minute=0, second=0)
    bent = faulty_ticks(tape, some, faults, AT)
    there = some.exchange == "NFO"
    assert not differing(bent.take(there), tape.ticks(some, begun).take(there), TICK_COLUMNS)
    assert not differing(bent.take(~there), tape.ticks(some, AT).take(~there), TICK_COLUMNS)


def test_frozen_indices_are_matched_by_their_own_exchange(tape):
    faults = standing({"do": "frozen", "from": "10:00", "match": {"exchange": "BSE", "kind": "INDEX"}})
    begun = AT.replace(hour=10, minute=0, second=0)
    bent = faulty_index_ticks(tape, NAMES, faults, AT)
    assert bent.last[2] == tape.index_ticks(NAMES, begun).last[2]
    assert (bent.last[:2] == tape.index_ticks(NAMES, AT).last[:2]).all()


def test_an_index_is_matched_by_its_trading_symbol(tape):
    faults = standing({"do": "missing", "match": {"symbol": "NIFTY*"}})
    assert faulty_index_ticks(tape, NAMES, faults, AT).answered.tolist() == [False, False, True]


def test_what_one_fault_took_away_a_later_one_does_not_bring_back(tape, some):
    faults = standing({"do": "missing"}, {"do": "frozen", "from": "10:00"})
    assert not faulty_ticks(tape, some, faults, AT).answered.any()
    assert not faulty_index_ticks(tape, NAMES, faults, AT).answered.any()


def test_a_crossed_book_needs_both_sides(tape, some):
    bent, plain = faulty_ticks(tape, some, standing({"do": "crossed"}), AT), tape.ticks(some, AT)
    both = (plain.depth_price[:, 0] > 0) & (plain.depth_price[:, 5] > 0)
    assert both.any()
    assert not both.all()
    assert (bent.depth_price[both, 0] > bent.depth_price[both, 5]).all()
    assert (bent.depth_price[~both] == plain.depth_price[~both]).all()
