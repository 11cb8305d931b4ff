"""Quotes and instruments over HTTP, read by the official client, against what the market knows exactly."""

from datetime import date, datetime

import numpy as np
import pytest
import requests
from kiteconnect.exceptions import DataException, InputException

from g6.model.contracts import ContractTable

AT = "2026-11-20T10:00"


def listed(served) -> ContractTable:
    day = served.clock.now().date()
    return ContractTable.concatenate(served.market.contracts(name, day) for name in served.market.indices)


def keys_of(table: ContractTable) -> list[str]:
    return [f"{exchange}:{symbol}" for exchange, symbol in zip(table.exchange, table.symbol, strict=True)]


def some(served, count: int = 400) -> ContractTable:
    table = listed(served)
    return table.take(np.linspace(0, len(table) - 1, count).astype(int))


def test_true_prices_lie_between_every_bid_and_ask(serve):
    served = serve(AT)
    table = some(served)
    quotes = served.client().quote(keys_of(table))
    true = served.market.true_prices(table, served.clock.now())
    with_book = 0
    for key, price in zip(keys_of(table), true.tolist(), strict=True):
        depth = quotes.get(key, {}).get("depth")
        if depth and depth["buy"][0]["price"] and depth["sell"][0]["price"]:
            with_book += 1
            assert depth["buy"][0]["price"] - 1e-9 <= price <= depth["sell"][0]["price"] + 1e-9
    assert with_book > 200


def test_quotes_say_what_the_market_says(serve):
    served = serve(AT)
    table = some(served)
    quotes = served.client().quote(keys_of(table))
    expected = served.market.quotes(table, served.clock.now())
    assert {key for key, there in zip(keys_of(table), expected.answered, strict=True) if there} == set(quotes)
    for row, key in enumerate(keys_of(table)):
        if expected.answered[row]:
            assert quotes[key]["last_price"] == pytest.approx(np.nan_to_num(expected.last[row]))
            assert quotes[key]["volume"] == expected.volume[row]
            assert quotes[key]["oi"] == expected.oi[row]


def test_an_index_is_quoted_at_its_spot_without_depth(serve):
    served = serve(AT)
    quotes = served.client().quote("NSE:NIFTY 50", "BSE:SENSEX", "NSE:NIFTY BANK")
    for key, name in (("NSE:NIFTY 50", "NIFTY"), ("BSE:SENSEX", "SENSEX"), ("NSE:NIFTY BANK", "BANKNIFTY")):
        assert quotes[key]["last_price"] == served.market.spot(name, served.clock.now()).last
    assert quotes["NSE:NIFTY 50"]["instrument_token"] == 256265
    assert quotes["BSE:SENSEX"]["instrument_token"] == 265
    assert "depth" not in quotes["NSE:NIFTY 50"]


def test_what_is_unknown_is_absent(serve):
    kite = serve(AT).client()
    assert set(kite.quote("NSE:NIFTY 50", "NFO:NOPE", "NSE:INDIA VIX", "garbage")) == {"NSE:NIFTY 50"}
    assert kite.quote("NFO:NOPE") == {}


def test_ohlc_and_ltp_agree_with_the_quote(serve):
    served = serve(AT)
    keys = [*keys_of(some(served, 50)), "NSE:NIFTY 50"]
    kite = served.client()
    quotes, ohlc, ltp = kite.quote(keys), kite.ohlc(keys), kite.ltp(keys)
    assert set(quotes) == set(ohlc) == set(ltp)
    for key, quote in quotes.items():
        short = {name: quote[name] for name in ("instrument_token", "last_price")}
        assert ltp[key] == short
        assert ohlc[key] == {**short, "ohlc": quote["ohlc"]}


def test_a_quote_has_five_levels_a_side_and_stamps_in_naive_ist(serve):
    served = serve(AT)
    quotes = served.client().quote(keys_of(some(served)))
    now = datetime(2026, 11, 20, 10)  # noqa: DTZ001  naive on Kite's wire
    never_traded = 0
    for quote in quotes.values():
        assert [len(quote["depth"][side]) for side in ("buy", "sell")] == [5, 5]
        assert quote["timestamp"] <= now
        if quote["last_trade_time"] is None:
            never_traded += 1
            assert quote["last_price"] == 0
        else:
            assert quote["last_trade_time"] <= quote["timestamp"]
    assert never_traded > 0


def test_a_repeated_key_is_answered_once(serve):
    assert list(serve(AT).client().ltp("NSE:NIFTY 50", "NSE:NIFTY 50")) == ["NSE:NIFTY 50"]


@pytest.mark.parametrize(("call", "most"), [("quote", 500), ("ohlc", 1000), ("ltp", 1000)])
def test_a_call_takes_no_more_instruments_than_kite_does(serve, call, most):
    kite = serve(AT).client()
    keys = [f"N:{number}" for number in range(most + 1)]
    assert getattr(kite, call)(keys[:most]) == {}
    with pytest.raises(InputException) as refused:
        getattr(kite, call)(keys)
    assert refused.value.code == 400


def test_a_call_for_nothing_is_refused(serve):
    with pytest.raises(InputException):
        serve(AT).client().quote()


def test_a_url_of_fifteen_kilobytes_is_refused_by_the_front_end_in_html(serve):
    kite = serve(AT).client()
    with pytest.raises(DataException, match="414") as refused:
        kite.quote([f"NFO:MIDCPNIFTY26NOV{strike}CE" for strike in range(10_000, 10_490)])
    assert refused.value.code == 502
    assert "text/html" in str(refused.value)


def test_the_dump_lists_what_the_market_lists(serve):
    served = serve(AT)
    rows = [row for exchange in ("NFO", "BFO") for row in served.client().instruments(exchange)]
    table = listed(served)
    expected = {
        (exchange, symbol, name, expiry, strike, tick, lot, kind)
        for exchange, symbol, name, expiry, strike, tick, lot, kind in zip(
            table.exchange.tolist(), table.symbol.tolist(), table.index.tolist(), table.expiry.tolist(),
            table.strike.tolist(), table.tick.tolist(), table.lot.tolist(), table.kind.tolist(), strict=True,
        )
    }  # fmt: skip
    fields = ("exchange", "tradingsymbol", "name", "expiry", "strike", "tick_size", "lot_size", "instrument_type")
    assert {tuple(row[name] for name in fields) for row in rows} == expected
    assert len(rows) == len(expected)


def test_the_dumps_tokens_are_those_of_the_quotes(serve):
    served = serve(AT)
    kite = served.client()
    rows = {f"{row['exchange']}:{row['tradingsymbol']}": row for row in kite.instruments()}
    quotes = kite.ltp([*keys_of(some(served, 200)), "NSE:NIFTY 50"])
    segments = {"NFO": 2, "BFO": 5, "NSE": 9}
    for key, quote in quotes.items():
        assert rows[key]["instrument_token"] == quote["instrument_token"]
        assert int(rows[key]["exchange_token"]) << 8 | segments[key[:3]] == quote["instrument_token"]


def test_the_whole_dump_is_that_of_all_exchanges(serve):
    kite = serve(AT).client()
    parts = [row for exchange in ("NSE", "NFO", "BSE", "BFO") for row in kite.instruments(exchange)]
    assert kite.instruments() == parts
    indices = [row for row in parts if row["segment"] == "INDICES"]
    assert {row["tradingsymbol"] for row in indices} >= {"NIFTY 50", "NIFTY BANK", "SENSEX"}
    assert all(row["lot_size"] == 0 and row["instrument_type"] == "EQ" for row in indices)
    assert {row["segment"] for row in parts} == {"INDICES", "NFO-OPT", "NFO-FUT", "BFO-OPT", "BFO-FUT"}


def test_before_half_past_eight_the_dump_is_the_day_befores(serve):
    served = serve("2026-11-20T08:29:59")
    kite, listed_on = served.client(), served.market.contracts
    expected = [set(listed_on("NIFTY", date(2026, 11, day)).symbol.tolist()) for day in (19, 20)]
    before = {row["tradingsymbol"] for row in kite.instruments("NFO") if row["name"] == "NIFTY"}
    served.go_to("2026-11-20T08:30")
    after = {row["tradingsymbol"] for row in kite.instruments("NFO") if row["name"] == "NIFTY"}
    assert [before, after] == expected
    assert before != after


def test_an_unknown_exchange_is_refused(serve):
    with pytest.raises(InputException):
        serve(AT).client().instruments("XYZ")


def test_answers_are_gzipped_for_whoever_reads_that(serve):
    served = serve(AT)
    headers = {"Authorization": f"token simulated:{served.server.issue_token()}"}
    url = f"{served.server.url}/quote?i=NFO:{listed(served).symbol[100]}&i=NFO:{listed(served).symbol[101]}"
    packed = requests.get(url, headers=headers, timeout=5)
    plain = requests.get(url, headers={**headers, "Accept-Encoding": "identity"}, timeout=5)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_the_clock_can_be_read_by_whoever_shares_it(serve):
    assert requests.get(f"{serve(AT).server.url}/simulator/clock", timeout=5).json() == {
        "now": "2026-11-20T10:00:00+05:30",
        "speed": "max",
    }


def test_an_unknown_path_is_answered_in_kites_form(serve):
    answer = requests.get(f"{serve(AT).server.url}/nowhere/at/all", timeout=5)
    assert (answer.status_code, answer.json()["status"]) == (404, "error")
