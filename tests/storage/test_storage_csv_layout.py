"""What the files say is what the chain says."""

import csv
import dataclasses
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage.csv_layout import LEG_HEADER, leg_lines, overview_header, overview_lines
from g6.storage.encoding import decode_snapshot, encode_snapshot


def rows(header: bytes, line: bytes) -> dict[str, str]:
    names, cells = csv.reader([header.decode(), line.decode()])
    assert len(names) == len(set(names)) == len(cells)
    return dict(zip(names, cells, strict=True))


def number(cell: str) -> float:
    return float(cell) if cell else np.nan


def one(chain: OptionChain, minute: Any) -> Snapshot:
    return Snapshot(minute, "sample", (IndexSnapshot(chain.index, chain.spot, False, chain.codes, (chain,)),))


def test_leg_header_begins_with_the_context_and_then_lists_call_and_put_side_by_side() -> None:
    names = LEG_HEADER.decode().split(",")
    assert names[:14] == [
        "ts", "expiry", "strike", "atm", "spot", "forward", "total_premium", "premium_basis",
        "years", "rate", "spot_frozen", "settling", "backfilled", "shed_mask",
    ]  # fmt: skip
    sides = names[14:]
    half = len(sides) // 2
    assert [n.removeprefix("ce_") for n in sides[:half]] == [n.removeprefix("pe_") for n in sides[half:]]
    assert {"last", "bid", "ask", "volume", "oi", "iv", "delta", "rho"} <= {n[3:] for n in sides}
    assert not {"offset", "strike", "is_call", "answered"} & {n[3:] for n in sides}


def test_overview_header_has_the_context_and_every_code(sample: ModuleType) -> None:
    assert overview_header(sample.AGGREGATES).decode().split(",") == [
        "ts", "spot", "spot_frozen", "expected_mask", "collected_mask", "expected_legs", "received_legs",
        "backfilled", "shed_mask", "anomalies",
        "this_week_expiry", "this_week_pcr_oi", "this_week_max_pain",
        "next_week_expiry", "next_week_pcr_oi", "next_week_max_pain",
        "this_month_expiry", "this_month_pcr_oi", "this_month_max_pain",
        "next_month_expiry", "next_month_pcr_oi", "next_month_max_pain",
    ]  # fmt: skip


def test_every_leg_value_reads_back_as_the_chains_own(sample: ModuleType) -> None:
    chain = sample.chain("NIFTY", *sample.WEEK, sample.OPEN)
    lines = leg_lines(one(chain, sample.OPEN), "last")
    assert [key[2] for key in lines] == ["m2", "m1", "atm", "p1", "p2"]
    for place, line in enumerate(lines.values()):
        row = rows(LEG_HEADER, line)
        for side, leg in (("ce", 2 * place), ("pe", 2 * place + 1)):
            for column in LEG_COLUMNS:
                name = f"{side}_{column.name}"
                if name in row:
                    value = getattr(chain, column.name)[leg] if leg < len(chain) else np.nan
                    np.testing.assert_equal(number(row[name]), value, err_msg=name)
        assert float(row["strike"]) == chain.strike[2 * place]


def test_context_of_a_row(sample: ModuleType) -> None:
    chain = dataclasses.replace(
        sample.chain("NIFTY", *sample.WEEK, sample.OPEN, tick=1, shift=-1), settling=True, years=0.012345678901
    )
    row = rows(LEG_HEADER, leg_lines(one(chain, sample.OPEN), "last")["NIFTY", "this_week", "p1"])
    assert list(row.values())[:6] == [
        "2026-11-20T09:15:00+05:30", "2026-11-24", "24000", "23950", "24003.15", "24011.1235",
    ]  # fmt: skip
    assert [row[name] for name in ("premium_basis", "years", "rate", "spot_frozen", "settling")] == [
        "last", "0.012345679", "0.0655", "1", "1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("basis", "call", "put", "total"),
    [
        ("last", 101.05, 99.1, "200.15"),  # 200.14999999999998 in binary
        ("price", 1.0, 2.0, "3"),
        ("average_price", 1.5, np.nan, ""),
        ("last", np.nan, np.nan, ""),
    ],
)
def test_total_premium_is_call_plus_put_on_its_basis(
    sample: ModuleType, basis: str, call: float, put: float, total: str
) -> None:
    chain = sample.chain("NIFTY", *sample.WEEK, sample.OPEN)
    values = np.where(chain.is_call, call, put)
    row = rows(
        LEG_HEADER,
        leg_lines(one(dataclasses.replace(chain, **{basis: values}), sample.OPEN), basis)["NIFTY", "this_week", "atm"],
    )
    assert (row["total_premium"], row["premium_basis"]) == (total, basis)


def test_expiry_with_two_codes_is_there_under_both(sample: ModuleType) -> None:
    lines = leg_lines(sample.snapshot(0, expiries=(sample.MONTH,), indices=("NIFTY",)), "last")
    assert lines["NIFTY", "this_week", "atm"] == lines["NIFTY", "this_month", "atm"]
    overview = rows(
        overview_header(sample.AGGREGATES),
        overview_lines(sample.snapshot(0, expiries=(sample.MONTH,)), sample.AGGREGATES)["NIFTY"],
    )
    assert overview["this_week_expiry"] == overview["this_month_expiry"] == "2026-11-24"
    assert overview["next_week_expiry"] == ""


def test_numbers_are_plain(sample: ModuleType) -> None:
    chain = sample.chain("NIFTY", *sample.WEEK, sample.OPEN)
    values = np.resize([12.0, 1.5, -0.0, np.nan, 1e7, 1e15, 0.05, -3.0, np.inf], len(chain))
    lines = leg_lines(one(dataclasses.replace(chain, last=values), sample.OPEN), "price").values()
    cells = [rows(LEG_HEADER, line)[f"{side}_last"] for line in lines for side in ("ce", "pe")]
    assert cells == ["12", "1.5", "0", "", "10000000", "1000000000000000", "0.05", "-3", "", ""]


def test_order_of_legs_does_not_matter(sample: ModuleType) -> None:
    chain = sample.chain("NIFTY", *sample.WEEK, sample.OPEN)
    shuffled = np.random.default_rng(1).permutation(len(chain))
    other = dataclasses.replace(chain, **{c.name: getattr(chain, c.name)[shuffled] for c in LEG_COLUMNS})
    assert leg_lines(one(other, sample.OPEN), "last") == leg_lines(one(chain, sample.OPEN), "last")


def test_strike_without_an_offset_has_no_row(sample: ModuleType) -> None:
    chain = sample.chain("NIFTY", *sample.WEEK, sample.OPEN)
    lost = dataclasses.replace(chain, offset=np.where(chain.strike == 24050, np.nan, chain.offset))
    assert [key[2] for key in leg_lines(one(lost, sample.OPEN), "last")] == ["m2", "m1", "atm", "p2"]


def test_layout_of_a_minute_read_back_is_that_of_the_minute(sample: ModuleType) -> None:
    minute = sample.snapshot(0)
    read = decode_snapshot(encode_snapshot(minute))
    assert leg_lines(read, "last") == leg_lines(minute, "last")
    assert overview_lines(read, sample.AGGREGATES) == overview_lines(minute, sample.AGGREGATES)


def test_overview_row_says_what_was_wanted_and_what_came(sample: ModuleType) -> None:
    line = overview_lines(sample.snapshot(0, tick=1), sample.AGGREGATES)["NIFTY"]
    row = rows(overview_header(sample.AGGREGATES), line)
    # this_week 1, next_week 2, this_month 4, next_month 8
    assert [row[n] for n in ("spot", "spot_frozen", "expected_mask", "collected_mask")] == ["24003.15", "1", "11", "9"]
    assert [row[n] for n in ("expected_legs", "received_legs")] == ["27", "20"]
    assert [row[n] for n in ("this_week_pcr_oi", "next_month_max_pain", "this_month_pcr_oi")] == ["1.5", "24000", ""]


def test_index_without_an_accepted_chain_has_an_overview_row(sample: ModuleType) -> None:
    minute = Snapshot(sample.OPEN, "sample", (IndexSnapshot("NIFTY", np.nan, False, ("this_week",), ()),))
    row = rows(overview_header(sample.AGGREGATES), overview_lines(minute, sample.AGGREGATES)["NIFTY"])
    assert [row[n] for n in ("spot", "expected_mask", "collected_mask", "expected_legs")] == ["", "1", "0", "0"]
    assert leg_lines(minute, "last") == {}
