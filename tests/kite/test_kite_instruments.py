"""Kite's instruments CSV: the official client and an independent reader are the other opinions."""

import contextlib
import dataclasses
import gzip
from datetime import date
from pathlib import Path

import kite_dump
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kiteconnect import KiteConnect

from g6.errors import BadResponse
from g6.model.contracts import ContractTable
from g6.providers.kite.csv_bytes import letters_of, made_of, numbers, split, whole_numbers
from g6.providers.kite.instruments import decode_instruments

HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)
CALL = "14866434,58072,NIFTY26AUG24500CE,NIFTY,0.0,2026-08-25,24500.0,0.05,65,CE,NFO-OPT,NFO"
PUT = "14866690,58073,NIFTY26AUG24500PE,NIFTY,0.0,2026-08-25,24500.0,0.05,65,PE,NFO-OPT,NFO"
FUTURE = "12468226,48704,NIFTY26OCTFUT,NIFTY,0.0,2026-10-27,0.0,0.1,65,FUT,NFO-FUT,NFO"
NIFTY_50 = "256265,1001,NIFTY 50,NIFTY 50,0,,0,0,0,EQ,INDICES,NSE"
EQUITY = '408065,1594,INFY,"INFOSYS, LIMITED",0,,0,0.05,1,EQ,NSE,NSE'


def dump(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def changed(row: str, **changes: str) -> str:
    fields = dict(zip(HEADER.split(","), row.split(","), strict=True)) | changes
    return ",".join(fields.values())


def backwards(row: str) -> str:
    return ",".join(reversed(row.split(",")))


def columns_of(table: ContractTable) -> dict[str, list]:
    return {field.name: getattr(table, field.name).tolist() for field in dataclasses.fields(table)}


@pytest.fixture(scope="module")
def real(market_data: Path) -> Path:
    return market_data / "instruments" / "kite_index_derivatives_2026-08-18.csv.gz"


def test_a_real_dump_reads_as_an_independent_reader_reads_it(real: Path):
    ours = decode_instruments(gzip.decompress(real.read_bytes()))
    assert columns_of(ours.contracts) == columns_of(kite_dump.read_dump(real))
    assert (ours.rows, dict(ours.bad_rows), dict(ours.indices)) == (9281, {}, {})


def test_a_real_dump_reads_as_the_official_client_reads_it(real: Path):
    body = gzip.decompress(real.read_bytes())
    theirs = KiteConnect("key")._parse_instruments(body)
    fields = {
        "index": "name", "exchange": "exchange", "symbol": "tradingsymbol", "token": "instrument_token",
        "kind": "instrument_type", "expiry": "expiry", "strike": "strike", "lot": "lot_size", "tick": "tick_size",
    }  # fmt: skip
    ours = columns_of(decode_instruments(body).contracts)
    assert ours == {name: [row[field] for row in theirs] for name, field in fields.items()}


def test_names_are_told_apart_exactly(real: Path):
    table = decode_instruments(gzip.decompress(real.read_bytes())).contracts
    assert len(table.of_index("NIFTY")) == 1725
    assert len(table.of_index("NIFTYNXT50")) == 1085


def test_derivatives_and_indices_are_read_and_nothing_else():
    mcx = changed(CALL, segment="MCX-OPT", exchange="MCX")
    gift = changed(NIFTY_50, tradingsymbol="MCXBULLDEX", exchange="MCX")
    sensex = changed(NIFTY_50, instrument_token="265", tradingsymbol="SENSEX", exchange="BSE")
    ours = decode_instruments(dump(CALL, EQUITY, NIFTY_50, mcx, gift, FUTURE, sensex))
    assert ours.contracts.symbol.tolist() == ["NIFTY26AUG24500CE", "NIFTY26OCTFUT"]
    assert dict(ours.indices) == {"NSE:NIFTY 50": 256265, "BSE:SENSEX": 265}
    assert (ours.rows, dict(ours.bad_rows)) == (7, {})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("14866434,58072,NIFTY26", "fields"),
        (CALL + ",surplus", "fields"),
        ("complete garbage", "fields"),
        (CALL.replace("NIFTY,", '"NIFTY,'), "fields"),
        (changed(CALL, instrument_token=""), "token"),
        (changed(CALL, instrument_token="x1"), "token"),
        (changed(CALL, instrument_token="-5"), "token"),
        (changed(CALL, instrument_token="0"), "token"),
        (changed(CALL, instrument_token="4294967296"), "token"),
        (changed(CALL, instrument_token="9" * 30), "token"),
        (changed(CALL, tradingsymbol=""), "symbol"),
        (changed(CALL, tradingsymbol="../../etc/passwd"), "symbol"),
        (changed(CALL, tradingsymbol=".NIFTY"), "symbol"),
        (changed(CALL, tradingsymbol="NIFTY\0"), "symbol"),
        (changed(CALL, tradingsymbol="N" * 41), "symbol"),
        (changed(CALL, tradingsymbol="NÏFTY"), "symbol"),
        (changed(CALL, name=""), "name"),
        (changed(CALL, name="nifty"), "name"),
        (changed(CALL, name="NIFTY 50"), "name"),
        (changed(CALL, name="N" * 33), "name"),
        (changed(CALL, name="NIFTY/.."), "name"),
        (changed(CALL, instrument_type="FUT"), "kind"),
        (changed(CALL, instrument_type="XX"), "kind"),
        (changed(CALL, exchange="BFO"), "kind"),
        (changed(CALL, expiry=""), "expiry"),
        (changed(CALL, expiry="2026-02-30"), "expiry"),
        (changed(CALL, expiry="25-08-2026"), "expiry"),
        (changed(CALL, expiry="2026-08-25T"), "expiry"),
        (changed(CALL, strike="0"), "strike"),
        (changed(CALL, strike=""), "strike"),
        (changed(CALL, strike="-100.0"), "strike"),
        (changed(CALL, strike="nan"), "strike"),
        (changed(CALL, strike="1.2.3"), "strike"),
        (changed(CALL, tick_size="0"), "tick"),
        (changed(CALL, tick_size="a"), "tick"),
        (changed(CALL, lot_size="0"), "lot"),
        (changed(CALL, lot_size="1.5"), "lot"),
        (PUT, "duplicate"),
        (changed(NIFTY_50, instrument_token="none"), "token"),
        (changed(NIFTY_50, tradingsymbol="a/b"), "symbol"),
        (changed(NIFTY_50, instrument_token="1"), "duplicate"),
    ],
)
def test_a_bad_row_costs_itself_alone_and_is_counted_by_its_reason(row, reason):
    ours = decode_instruments(dump(PUT, NIFTY_50, row, FUTURE))
    assert ours.contracts.token.tolist() == [14866690, 12468226]
    assert dict(ours.indices) == {"NSE:NIFTY 50": 256265}
    assert (ours.rows, dict(ours.bad_rows)) == (4, {reason: 1})


def test_of_two_rows_with_one_key_the_first_sound_one_is_kept():
    broken, second = changed(CALL, lot_size="x"), changed(CALL, instrument_token="2")
    third = changed(CALL, instrument_token="3")
    other = changed(CALL, instrument_token="4", segment="BFO-OPT", exchange="BFO")
    ours = decode_instruments(dump(broken, second, third, other))
    assert ours.contracts.token.tolist() == [2, 4]
    assert dict(ours.bad_rows) == {"lot": 1, "duplicate": 1}


@pytest.mark.parametrize(
    ("symbol", "name"), [("M&M26AUG3000CE", "M&M"), ("BAJAJ-AUTO26AUG9000PE", "BAJAJ-AUTO"), ("ITC26AUG402.5CE", "ITC")]
)
def test_symbols_with_the_signs_that_real_ones_have_are_kept(symbol, name):
    ours = decode_instruments(dump(changed(CALL, tradingsymbol=symbol, name=name)))
    assert ours.contracts.symbol.tolist() == [symbol]
    assert ours.contracts.index.tolist() == [name]


@pytest.mark.parametrize(
    "body",
    [
        dump(CALL, FUTURE).replace(b"\n", b"\r\n"),
        dump(CALL, FUTURE).rstrip(b"\n"),
        b"\xef\xbb\xbf" + dump(CALL, "", FUTURE, ""),
        dump(CALL, FUTURE, header=HEADER.replace(",", ", ")),
        dump(CALL.replace("NIFTY,", '"NIFTY",'), FUTURE),
        dump(*(",".join(f'"{field}"' for field in row.split(",")) for row in (CALL, FUTURE))),
        dump(*(f"new,{row},column" for row in (CALL, FUTURE)), header=f"a,{HEADER},b"),
        dump(*(backwards(row) for row in (CALL, FUTURE)), header=backwards(HEADER)),
        dump(CALL, changed(FUTURE, strike="")),
    ],
    ids=["crlf", "no last line end", "mark and empty lines", "spaced header", "a quoted name", "all quoted",
         "more columns", "another order", "a future without a strike"],
)  # fmt: skip
def test_other_ways_to_write_the_same_rows_read_the_same(body):
    plain = decode_instruments(dump(CALL, FUTURE))
    ours = decode_instruments(body)
    assert columns_of(ours.contracts) == columns_of(plain.contracts)
    assert (ours.rows, dict(ours.bad_rows)) == (2, {})


def test_a_dump_without_rows_is_an_empty_table():
    for body in (dump(), HEADER.encode()):
        ours = decode_instruments(body)
        assert (len(ours.contracts), dict(ours.indices), ours.rows, dict(ours.bad_rows)) == (0, {}, 0, {})
        assert ContractTable.concatenate([ours.contracts]).expiry.dtype == np.dtype("datetime64[D]")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no header"),
        (b"<html><body>502 Bad Gateway</body></html>", "no header"),
        (b'{"status":"error","error_type":"TokenException"}', "no header"),
        (b"\x1f\x8b\x08\x00", "no header"),
        (dump(CALL, header=HEADER.replace("expiry", "maturity")), "lacks expiry"),
    ],
)
def test_what_is_no_dump_is_a_bad_response_that_says_so(body, words):
    with pytest.raises(BadResponse, match=words):
        decode_instruments(body)


options = st.fixed_dictionaries({
    "instrument_token": st.integers(1, 2**32 - 1).map(str),
    "tradingsymbol": st.from_regex(r"[A-Z0-9][A-Za-z0-9 _&.-]{0,39}", fullmatch=True),
    "name": st.from_regex(r"[A-Z0-9][A-Z0-9_&-]{0,31}", fullmatch=True),
    "expiry": st.dates(date(1970, 1, 1), date(2999, 12, 31)).map(str),
    "strike": st.decimals("0.01", "9999999", places=2).map(str),
    "tick_size": st.sampled_from(["0.05", "0.1", "1", "0.0025", ".5"]),
    "lot_size": st.integers(1, 10**9).map(str),
    "instrument_type": st.sampled_from(["CE", "PE"]),
    "exchange": st.sampled_from(["NFO", "BFO"]),
})  # fmt: skip


@given(st.lists(options, max_size=6, unique_by=lambda row: (row["exchange"], row["tradingsymbol"])))
def test_what_was_listed_is_what_is_decoded(listed):
    rows = [changed(CALL, **row, segment=f"{row['exchange']}-OPT") for row in listed]
    ours = decode_instruments(dump(*rows))
    assert not ours.bad_rows
    assert columns_of(ours.contracts) == {
        "index": [row["name"] for row in listed], "exchange": [row["exchange"] for row in listed],
        "symbol": [row["tradingsymbol"] for row in listed], "token": [int(row["instrument_token"]) for row in listed],
        "kind": [row["instrument_type"] for row in listed],
        "expiry": [date.fromisoformat(row["expiry"]) for row in listed],
        "strike": [float(row["strike"]) for row in listed], "lot": [int(row["lot_size"]) for row in listed],
        "tick": [float(row["tick_size"]) for row in listed],
    }  # fmt: skip


@given(st.binary(max_size=300) | st.binary(max_size=300).map((HEADER + "\n").encode().__add__))
def test_bytes_of_any_kind_raise_nothing_but_bad_response(body):
    with contextlib.suppress(BadResponse):
        decode_instruments(body)


fragments = st.lists(
    st.sampled_from([*",\n\"'\r\0 ;", "NFO-OPT", "NFO", "CE", "2026-08-25", "1", "é", CALL]), max_size=40
)


@given(fragments.map("".join))
def test_a_garbled_row_takes_no_other_with_it(garbage):
    ours = decode_instruments(dump(FUTURE, garbage, PUT))
    assert {"NIFTY26OCTFUT", "NIFTY26AUG24500PE"} <= set(ours.contracts.symbol.tolist())
    assert len(ours.contracts) + sum(ours.bad_rows.values()) <= ours.rows


@given(st.lists(st.from_regex(r"[0-9]{0,10}(\.[0-9]{0,5})?", fullmatch=True), min_size=1))
def test_numbers_are_to_the_last_bit_what_python_reads(texts):
    expected = [float(text) if text.strip(".") else np.nan for text in texts]
    np.testing.assert_array_equal(numbers(np.array(texts, dtype="S16")), expected)


@given(st.lists(st.text("0123456789.-+ ex", max_size=16), min_size=1))
def test_whole_numbers_are_digits_and_nothing_else(texts):
    expected = [int(text) if text.isdecimal() else -1 for text in texts]
    assert whole_numbers(np.array(texts, dtype="S16")).tolist() == expected


@given(st.integers(1, 5), st.lists(st.lists(st.text("ab", max_size=3), min_size=1, max_size=6), max_size=8))
def test_lines_are_kept_by_their_number_of_fields(width, lines):
    rows, wrong = split("\n".join(",".join(line) for line in lines).encode(), width)
    expected = [line for line in lines if len(line) == width and line != [""]]
    assert wrong == sum(line != [""] and len(line) != width for line in lines)
    for column in range(width):
        assert [text.decode() for text in rows.text(column, 4).tolist()] == [line[column] for line in expected]


def test_an_allow_list_asks_for_the_first_letter_too():
    letters, first = letters_of("AB-"), letters_of("AB")
    texts = np.array([b"A-B", b"-AB", b"", b"AxB"], dtype="S4")
    assert made_of(texts, letters, first).tolist() == [True, False, False, False]
