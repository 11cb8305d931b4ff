"""Kite's quote answers: the official client's own parsing is the other opinion."""

import contextlib
import csv
import gzip
import json
import math
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kiteconnect import KiteConnect

from g6.clock import IST
from g6.errors import BadResponse
from g6.market.indices import load_indices
from g6.model.contracts import ContractTable
from g6.providers.kite.quote_columns import MEASURED, DecodedQuotes, decode_quotes, quotes_for, spots_for
from g6.providers.kite.stamps import epoch_seconds

AT = datetime(2026, 8, 18, 10, 16, tzinfo=IST)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  Kite's stamps have no zone
ABSENT = object()


def level(price: object = 99.5, quantity: object = 75) -> dict:
    return {"price": price, "quantity": quantity, "orders": 3}


def quote(**changes) -> dict:
    """An option's quote in Kite's form; a change to ABSENT takes the field away."""
    whole = {
        "instrument_token": 14866434, "timestamp": "2026-08-18 10:15:58", "last_trade_time": "2026-08-18 10:15:40",
        "last_price": 100.25, "last_quantity": 75, "buy_quantity": 1000, "sell_quantity": 900, "volume": 123450,
        "average_price": 98.7, "oi": 45600, "oi_day_high": 50000, "oi_day_low": 40000, "net_change": 0,
        "lower_circuit_limit": 0.05, "upper_circuit_limit": 800,
        "ohlc": {"open": 1, "high": 2, "low": 0.5, "close": 1.5},
        "depth": {"buy": [level()] * 5, "sell": [level(100.5, 150)] * 5},
    }  # fmt: skip
    return {name: value for name, value in (whole | changes).items() if value is not ABSENT}


def body_of(quotes: object, **envelope) -> bytes:
    return json.dumps({"status": "success", "data": quotes} | envelope).encode()


def decoded(**quotes) -> DecodedQuotes:
    return decode_quotes(body_of({f"NFO:{symbol}": content for symbol, content in quotes.items()}))


def by_client(body: bytes) -> dict:
    """What the official client makes of a body."""
    client = KiteConnect("key")
    return {key: client._format_response(content) for key, content in json.loads(body)["data"].items()}


def table_of(*symbols: str) -> ContractTable:
    n = len(symbols)
    return ContractTable(
        index=np.full(n, "NIFTY"), exchange=np.full(n, "NFO"), symbol=np.array(symbols, dtype=np.str_),
        token=np.arange(n), kind=np.full(n, "CE"), expiry=np.full(n, np.datetime64("2026-08-25")),
        strike=np.full(n, 1.0), lot=np.full(n, 65), tick=np.full(n, 0.05),
    )  # fmt: skip


def test_every_column_of_a_real_snapshot_is_what_the_official_client_reads(market_data: Path):
    with gzip.open(market_data / "kite_index_chain" / "index_OC_2026-02-03_10-28.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    quotes = {
        f"NFO:{row['Symbol']}{row['Strike']}{side}": quote(
            timestamp=row["timestamp"], last_trade_time=None, last_price=float(row[f"{side}_LTP"]),
            oi=int(row[f"{side}_OI"]), volume=int(row[f"{side}_Volume"]),
            depth={"buy": [level(float(row[f"{side}_LTP"]), 65)] * 5, "sell": [level(0, 0)] * 5},
        )
        for row in rows
        for side in ("CE", "PE")
    }  # fmt: skip
    body = body_of(quotes)
    ours, theirs = decode_quotes(body), by_client(body)
    assert list(ours.keys) == list(theirs)
    assert (len(ours), dict(ours.bad), ours.bad_stamps) == (2 * len(rows), {}, 0)
    for name, field in (("last", "last_price"), ("volume", "volume"), ("oi", "oi"), ("average_price",) * 2):
        assert getattr(ours, name).tolist() == [q[field] for q in theirs.values()]
    best = [q["depth"]["buy"][0]["price"] for q in theirs.values()]
    assert np.nan_to_num(ours.bid).tolist() == best
    assert np.isnan(ours.bid).tolist() == [price == 0 for price in best]
    assert np.isnan(ours.ask).all()
    assert (ours.ask_quantity == 0).all()
    for depth, side in ((ours.bid_depth, "buy"), (ours.ask_depth, "sell")):
        assert depth.tolist() == [sum(level["quantity"] for level in q["depth"][side]) for q in theirs.values()]
    assert ours.quoted_at.tolist() == [q["timestamp"].replace(tzinfo=IST).timestamp() for q in theirs.values()]
    assert np.isnan(ours.traded_at).all()


prices = st.floats(0, 1e7, allow_nan=False).map(lambda price: round(price, 2)) | st.integers(0, 10**7)
quantities = st.integers(0, 2**50)  # five of them are still exact as a float
instants = st.integers(1, 2**32).map(lambda second: EPOCH + timedelta(days=365, seconds=second))
generated = st.fixed_dictionaries({
    "last": prices, "average_price": prices, "volume": quantities, "oi": quantities, "bid": prices,
    "bid_quantity": quantities, "ask": prices, "ask_quantity": quantities,
    "bids_below": st.lists(quantities, max_size=4), "asks_above": st.lists(quantities, max_size=4),
    "quoted_at": instants, "traded_at": st.none() | instants,
})  # fmt: skip


@given(st.dictionaries(st.text(min_size=1).map("NFO:".__add__), generated, max_size=8))
def test_what_was_quoted_is_what_is_decoded(quoted):
    ours = decode_quotes(body_of({
        key: quote(
            last_price=q["last"], average_price=q["average_price"], volume=q["volume"], oi=q["oi"],
            depth={
                "buy": [level(q["bid"], q["bid_quantity"]), *(level(1.0, n) for n in q["bids_below"])],
                "sell": [level(q["ask"], q["ask_quantity"]), *(level(1e6, n) for n in q["asks_above"])],
            },
            timestamp=str(q["quoted_at"]), last_trade_time=q["traded_at"] and str(q["traded_at"]),
        )
        for key, q in quoted.items()
    }))  # fmt: skip
    assert list(ours.keys) == list(quoted)
    assert not ours.bad
    assert ours.bid_depth.tolist() == [float(sum([q["bid_quantity"], *q["bids_below"]])) for q in quoted.values()]
    assert ours.ask_depth.tolist() == [float(sum([q["ask_quantity"], *q["asks_above"]])) for q in quoted.values()]
    for name in set(MEASURED) - {"bid_depth", "ask_depth"}:
        expected = [math.nan if name in ("bid", "ask") and q[name] == 0 else q[name] for q in quoted.values()]
        np.testing.assert_array_equal(getattr(ours, name), np.array(expected, dtype=float))
    for name in ("quoted_at", "traded_at"):
        expected = [q[name].replace(tzinfo=IST).timestamp() if q[name] else math.nan for q in quoted.values()]
        np.testing.assert_array_equal(getattr(ours, name), expected)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (None, "null"),
        ([], "not_an_object"),
        ("none", "not_an_object"),
        (7, "not_an_object"),
        ({}, "missing_field"),
        (quote(last_price=ABSENT), "missing_field"),
        (quote(oi=ABSENT), "missing_field"),
        (quote(depth=ABSENT), "no_depth"),
        (quote(depth=None), "no_depth"),
        (quote(depth={"buy": None, "sell": None}), "no_depth"),
        (quote(depth={"buy": [level()] * 5}), "no_depth"),
        (quote(depth={"buy": [{"quantity": 5}], "sell": [level()]}), "missing_field"),
        (quote(depth={"buy": [None], "sell": [level()]}), "wrong_type"),
        (quote(depth={"buy": "none", "sell": [level()]}), "no_depth"),
        (quote(depth={"buy": [level("99.5")] * 5, "sell": [level()] * 5}), "wrong_type"),
        (quote(last_price="100.25"), "wrong_type"),
        (quote(last_price=None), "wrong_type"),
        (quote(volume=True), "wrong_type"),
        (quote(oi=[1]), "wrong_type"),
    ],
)
def test_a_broken_quote_costs_itself_alone_and_is_counted_by_its_reason(broken, reason):
    ours = decoded(BEFORE=quote(), BROKEN=broken, AFTER=quote(last_price=7))
    assert list(ours.keys) == ["NFO:BEFORE", "NFO:AFTER"]
    assert ours.last.tolist() == [100.25, 7]
    assert dict(ours.bad) == {reason: 1}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty body"),
        (b" \n", "empty body"),
        (b"<html>502 Bad Gateway</html>", "broken JSON"),
        (body_of({"NFO:A": quote()})[:-40], "broken JSON"),
        (b'{"status":"success","data":{"NFO:A":{"last_price":NaN}}}', "broken JSON"),
        (b"\xff\xfe", "broken JSON"),
        (b"[" * 5000, "broken JSON"),
        (b"[]", "a list where an object belongs"),
        (b"null", "null where an object belongs"),
        (b"3.5", "a number where an object belongs"),
        (body_of(None), "data is null"),
        (body_of([quote()]), "data is a list"),
        (body_of("x"), "data is a text"),
        (b'{"status":"success"}', "success without data"),
        (b"{}", "success without data"),
        (
            body_of(None, status="error", error_type="TokenException", message="Token is\ninvalid"),
            "status error, TokenException: Token is invalid",
        ),
        (body_of(None, status="error", message="Gateway timed out"), "no error_type: Gateway timed out"),
        (body_of({}, error_type="GeneralException"), "GeneralException: no message"),
    ],
)
def test_an_answer_that_is_none_is_a_bad_response_that_says_what_it_was(body, words):
    with pytest.raises(BadResponse) as caught:
        decode_quotes(body)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("last", "reason"), [("24500", "wrong_type"), (None, "wrong_type"), (ABSENT, "missing_field")])
def test_a_broken_level_is_not_blamed_on_the_book_that_it_never_had(last, reason):
    level_of_index = {"NSE:NIFTY 50": quote(last_price=last, depth=ABSENT)}
    assert dict(decode_quotes(body_of(level_of_index)).bad) == {reason: 1}


def test_a_number_beyond_all_bounds_costs_its_own_quote():
    body = body_of({"NFO:A": quote(oi=7), "NFO:B": quote()}).replace(b'"oi": 7', b'"oi": 1e999')
    ours = decode_quotes(body)
    assert list(ours.keys) == ["NFO:B"]
    assert dict(ours.bad) == {"wrong_type": 1}


def test_no_known_key_is_an_empty_answer_and_no_error():
    ours = decode_quotes(body_of({}))
    assert len(ours) == 0
    assert ours.last.shape == (0,)
    assert not quotes_for(table_of("A", "B"), [ours], AT).answered.any()


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_raise_nothing_but_bad_response(body):
    with contextlib.suppress(BadResponse):
        decode_quotes(body)


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | st.text(max_size=20) | st.just("2026-02-30 10:00:00")
fields = st.sampled_from(
    ["last_price", "average_price", "volume", "oi", "depth", "buy", "sell", "price", "quantity", "timestamp"]
)
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=4), max_leaves=12
)
bent = st.dictionaries(fields, anything, max_size=5).map(lambda changes: quote(**changes))


@given(st.dictionaries(st.sampled_from(["NFO:A", "BFO:B", "NSE:NIFTY 50", "", "x"]), bent | anything), anything)
def test_json_of_any_shape_keeps_or_counts_each_quote(quotes, document):
    ours = decode_quotes(body_of(quotes))
    assert len(ours) + sum(ours.bad.values()) == len(quotes)
    assert {len(getattr(ours, name)) for name in (*MEASURED, "quoted_at", "traded_at")} == {len(ours)}
    with contextlib.suppress(BadResponse):
        decode_quotes(json.dumps(document).encode())


def test_an_empty_side_of_the_book_is_no_price_whether_written_as_zeros_or_as_nothing():
    ours = decoded(
        ZEROS=quote(depth={"buy": [level(0, 0)] * 5, "sell": [level()] * 5}),
        NOTHING=quote(depth={"buy": [], "sell": [level()]}),
    )
    assert np.isnan(ours.bid).all()
    assert ours.bid_quantity.tolist() == [0, 0]
    assert ours.ask.tolist() == [99.5, 99.5]


def test_a_last_price_of_zero_is_handed_on_as_it_is():
    assert decoded(NEVER=quote(last_price=0)).last.tolist() == [0]


@given(st.lists(st.none() | st.just("") | instants.map(str), max_size=6))
def test_stamps_are_indian_time(texts):
    seconds, unread = epoch_seconds(texts)
    expected = [datetime.fromisoformat(t).replace(tzinfo=IST).timestamp() if t else math.nan for t in texts]
    np.testing.assert_array_equal(seconds, expected)
    assert unread == 0


def test_leap_days_are_days():
    seconds, _ = epoch_seconds(["2028-02-29 00:00:00", "2000-02-29 23:59:59"])
    assert [datetime.fromtimestamp(s, IST).day for s in seconds] == [29, 29]


@pytest.mark.parametrize(
    "stamp",
    ["2026-02-30 10:00:00", "2026-13-01 10:00:00", "2026-00-10 10:00:00", "2026-01-00 10:00:00", "2027-02-29 10:00:00",
     "2026-01-01 24:00:00", "2026-01-01 10:60:00", "2026-01-01 10:00:60", "2026-01-01T10:00:00", "2026-01-01 10:00:0x",
     "2026/01/01 10:00:00", "2026-01-01", "９026-01-01 10:00:00", " 026-01-01 10:00:00", 1771389958, True, {}],
)  # fmt: skip
def test_a_stamp_that_names_no_instant_is_nan_and_counted(stamp):
    seconds, unread = epoch_seconds(["2026-08-18 10:15:00", stamp])
    assert np.isnan(seconds).tolist() == [False, True]
    assert unread == 1


@pytest.mark.parametrize("never", [None, "", "1970-01-01 05:30:00", "0001-01-01 00:00:00"])
def test_never_is_nan_and_nothing_to_count(never):
    seconds, unread = epoch_seconds([never])
    assert np.isnan(seconds).all()
    assert unread == 0


def test_rows_follow_the_contracts_and_who_is_absent_has_not_answered():
    first, second = decoded(C=quote(last_price=3), A=quote(last_price=1)), decoded(D=quote(last_price=4), B=None)
    quotes = quotes_for(table_of("A", "B", "C", "D"), [first, second], AT)
    assert quotes.answered.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(quotes.last, [1, math.nan, 3, 4])
    assert np.isnan([getattr(quotes, name)[1] for name in (*MEASURED, "quote_age_seconds", "trade_age_seconds")]).all()
    np.testing.assert_array_equal(quotes.quote_age_seconds, [2, math.nan, 2, 2])
    np.testing.assert_array_equal(quotes.trade_age_seconds, [20, math.nan, 20, 20])
    assert np.isnan(quotes.broker_iv).all()


def test_no_answer_at_all_leaves_every_row_unanswered():
    quotes = quotes_for(table_of("A"), [], AT)
    assert quotes.answered.tolist() == [False]
    assert quotes.at == AT


def test_one_symbol_on_two_exchanges_is_two_contracts():
    assert not quotes_for(table_of("A"), [decode_quotes(body_of({"BFO:A": quote()}))], AT).answered.any()


def test_spots_are_read_without_a_book_and_an_absent_one_is_absent(project: Path):
    indices = load_indices(project / "config" / "indices.yaml")
    no_book = {"volume": 0, "last_trade_time": "", "depth": {"buy": None, "sell": None}}
    body = body_of({
        "NSE:NIFTY 50": quote(last_price=24500.35) | no_book,
        "BSE:SENSEX": {"last_price": 0, "timestamp": "2026-08-18 09:00:00"},
        "NSE:NIFTY BANK": None,
        "NSE:NIFTY FIN SERVICE": quote(timestamp=None),
    })  # fmt: skip
    spots = spots_for(indices.values(), [decode_quotes(body)])
    assert set(spots) == {"NIFTY", "SENSEX"}
    assert spots["NIFTY"].last == 24500.35
    assert spots["NIFTY"].quoted_at == AT - timedelta(seconds=2)
    assert spots["SENSEX"].last == 0  # a holiday's level, for others to judge
