"""When a fault strikes, how often, and whom."""

import numpy as np
import pytest
from kite_clock import ist
from kiteconnect.exceptions import DataException, NetworkException

from g6.model.contracts import ContractTable
from g6.simulator.kite_server.faults import FaultPlan, FaultWatch, Match

INDEX = "NSE:NIFTY 50"


def plan(**fault):
    return FaultPlan.parse({"faults": [{"name": "scripted", "on": "quote", "do": "status", **fault}]})


def strikes(faults, clock_text, endpoint="quote"):
    return bool(faults.active(endpoint, moment(clock_text)))


def moment(text):
    return ist(f"2026-11-20T{text}")


def test_a_window_begins_with_its_first_instant_and_ends_before_its_last():
    faults = plan(**{"from": "09:25", "until": "09:26"})
    times = ("09:24:59", "09:25:00", "09:25:59", "09:26:00", "15:00:00")
    assert [strikes(faults, t) for t in times] == [False, True, True, False, False]


def test_without_a_window_a_fault_is_always_on():
    assert all(strikes(plan(), t) for t in ("00:00:00", "12:00:00", "23:59:59"))


def test_a_window_repeats_every_so_many_minutes_from_its_first_on():
    faults = plan(**{"from": "09:25", "until": "09:26", "every_minutes": 20})
    on = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60) if strikes(faults, _text(minute))]
    assert on == [_text(minute)[:5] for minute in range(9 * 60 + 25, 24 * 60, 20)]


def _text(minute):
    return f"{minute // 60:02}:{minute % 60:02}:30"


def test_times_are_counted_anew_in_each_window():
    faults = plan(**{"from": "09:25", "until": "09:26", "every_minutes": 20, "times": 2})
    for window in ("09:25", "09:45", "10:05"):
        assert [strikes(faults, f"{window}:{second:02}") for second in range(4)] == [True, True, False, False]


def test_looking_does_not_use_a_fault_up():
    faults = plan(times=1)
    for _ in range(3):
        assert faults.standing("quote", moment("10:00:00"))
    assert [strikes(faults, "10:00:00"), strikes(faults, "10:00:01")] == [True, False]


def test_a_fault_strikes_only_where_it_is_on():
    faults = plan(on=["quote", "profile"])
    assert [strikes(faults, "10:00:00", on) for on in ("quote", "profile", "ltp")] == [True, True, False]


def test_the_server_obeys_windows_and_times_on_its_own_clock(serve):
    served = serve(
        "2026-11-20T09:24",
        faults=[{"name": "outage", "on": "quote", "do": "status", "from": "09:25", "until": "09:27", "times": 2}],
    )
    kite = served.client()
    assert kite.quote(INDEX)
    served.go_to("2026-11-20T09:25:10")
    for _ in range(2):
        with pytest.raises(NetworkException):
            kite.quote(INDEX)
    assert kite.quote(INDEX)


def test_windows_are_told_as_they_begin_and_end():
    watch = FaultWatch(plan(**{"name": "outage", "from": "09:25", "until": "09:26", "every_minutes": 20}))
    told = {t: watch.changes(moment(t)) for t in ("09:24:00", "09:25:10", "09:25:20", "09:26:10", "09:45:00")}
    begins, ends = ["fault begins: outage (status)"], ["fault ends: outage (status)"]
    assert list(told.values()) == [[], begins, [], ends, begins]


def sample(served) -> ContractTable:
    table = served.market.contracts("NIFTY", served.clock.now().date())
    return table.take(np.arange(0, len(table), 7)[:150])


def keys_of(table):
    return [f"{e}:{s}" for e, s in zip(table.exchange, table.symbol, strict=True)]


def test_missing_keys_are_absent_and_the_others_are_there(serve):
    fault = {"name": "holes", "do": "missing", "from": "10:01", "match": {"index": "NIFTY", "kind": "PE"}}
    served = serve(faults=[fault])
    kite, table = served.client(), sample(served)
    before = set(kite.ltp(keys_of(table)))
    served.clock.pause(60)
    after = set(kite.ltp([*keys_of(table), INDEX]))
    puts = {key for key, kind in zip(keys_of(table), table.kind, strict=True) if kind == "PE"}
    assert after == before - puts | {INDEX}


def test_a_zero_spot_is_zero_in_every_kind_of_quote(serve):
    kite = serve(faults=[{"name": "pre-open", "do": "zero_spot", "match": {"index": "NIFTY"}}]).client()
    for call in (kite.quote, kite.ohlc, kite.ltp):
        answer = call(INDEX, "BSE:SENSEX")
        assert answer[INDEX]["last_price"] == 0
        assert answer["BSE:SENSEX"]["last_price"] > 0


def test_frozen_quotes_stand_still_from_the_windows_beginning(serve):
    served = serve(faults=[{"name": "stuck", "do": "frozen", "from": "10:05", "match": {"index": "NIFTY"}}])
    kite, key = served.client(), keys_of(sample(served))[5]
    served.go_to("2026-11-20T10:05")
    began = kite.quote(key, INDEX, "BSE:SENSEX")
    served.go_to("2026-11-20T10:20")
    later = kite.quote(key, INDEX, "BSE:SENSEX")
    assert later[key] == began[key]
    assert later[INDEX] == began[INDEX]
    assert later["BSE:SENSEX"]["timestamp"] > began["BSE:SENSEX"]["timestamp"]


def test_a_share_is_the_same_instruments_every_time(serve):
    table = sample(serve())
    touched = Match(share=0.2).of_contracts(table)
    assert np.array_equal(touched, Match(share=0.2).of_contracts(table))
    assert 0.05 < touched.mean() < 0.4
    assert (touched <= Match(share=0.5).of_contracts(table)).all()


def test_a_match_narrows_by_every_word_it_has(serve):
    table = sample(serve())
    symbol = table.symbol[20]
    assert Match(symbol=f"{symbol[:8]}*").of_contracts(table).sum() >= 1
    assert table.symbol[Match(symbol=symbol, exchange="NFO", index="NIFTY").of_contracts(table)].tolist() == [symbol]
    assert not Match(symbol=symbol, exchange="BFO").of_contracts(table).any()


def test_a_stale_dump_is_that_of_days_before(serve):
    stale = serve("2026-11-20T10:00", faults=[{"name": "x", "do": "stale_dump", "days": 3}]).client()
    fresh = serve("2026-11-17T10:00").client()
    assert stale.instruments("NFO") == fresh.instruments("NFO")


def test_new_strikes_are_quoted_though_the_dump_lacks_them(serve):
    fault = {"name": "x", "do": "new_strikes", "match": {"index": "NIFTY", "kind": "CE", "share": 0.1}}
    served = serve(faults=[fault])
    kite, table = served.client(), served.market.contracts("NIFTY", serve().clock.now().date())
    dumped = {f"NFO:{row['tradingsymbol']}" for row in kite.instruments("NFO")}
    lacking = set(keys_of(table)) - dumped
    assert 0 < len(lacking) < 0.2 * len(table)
    assert all(key.endswith("CE") for key in lacking)
    assert kite.ltp(sorted(lacking))


def test_without_a_match_the_highest_strike_of_each_expiry_is_new(serve):
    served = serve(faults=[{"name": "x", "do": "new_strikes"}])
    dumped = {row["tradingsymbol"] for row in served.client().instruments("NFO")}
    table = served.market.contracts("NIFTY", served.clock.now().date())
    for expiry in table.option_expiries():
        own = table.take((table.expiry == np.datetime64(expiry)) & (table.kind != "FUT"))
        lacking = ~np.isin(own.symbol, list(dumped))
        assert np.array_equal(lacking, own.strike == own.strike.max())


def test_bad_rows_break_the_clients_own_parser(serve):
    with pytest.raises((ValueError, TypeError)):
        serve(faults=[{"name": "x", "do": "bad_rows", "count": 3}]).client().instruments("NFO")


def test_bad_rows_are_as_many_as_the_plan_says(serve):
    good, bad = (serve(faults=faults).client() for faults in ([], [{"name": "x", "do": "bad_rows", "count": 7}]))
    rows = [kite._get("market.instruments", {"exchange": "NFO"}).splitlines() for kite in (good, bad)]
    assert len(rows[0]) == len(rows[1])
    assert sum(one != other for one, other in zip(*rows, strict=True)) == 7


def test_a_dump_in_html_is_no_dump(serve):
    with pytest.raises(DataException, match="text/html"):
        serve(faults=[{"name": "x", "do": "dump_html"}]).client().instruments("NFO")
