"""Historical candles, read by the official client."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from kiteconnect.exceptions import InputException

from g6.clock import IST

DAY = "2026-11-20"


def brisk(served):
    """A contract that trades all the time: the nearest NIFTY call at the money, with its token and key."""
    table = served.market.contracts("NIFTY", date.fromisoformat(DAY))
    spot = served.market.spot("NIFTY", served.clock.now()).last
    calls = table.take((table.kind == "CE") & (table.expiry == table.expiry.min()))
    row = int(np.argmin(np.abs(calls.strike - spot)))
    key = f"NFO:{calls.symbol[row]}"
    return key, calls.take(np.array([row]))


def token_of(kite, key):
    return next(row["instrument_token"] for row in kite.instruments("NFO") if f"NFO:{row['tradingsymbol']}" == key)


def test_a_minute_of_a_brisk_contract_has_a_candle_of_its_trades(serve):
    served = serve(f"{DAY}T10:30")
    kite = served.client()
    key, contract = brisk(served)
    candles = kite.historical_data(token_of(kite, key), f"{DAY} 09:15:00", f"{DAY} 10:29:00", "minute", oi=True)
    opened = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
    assert [c["date"] for c in candles] == [opened + timedelta(minutes=minute) for minute in range(75)]
    assert all(c["date"].utcoffset() == timedelta(hours=5, minutes=30) for c in candles)
    for candle in candles:
        assert candle["low"] <= min(candle["open"], candle["close"])
        assert candle["high"] >= max(candle["open"], candle["close"])
        assert candle["volume"] > 0
        end = candle["date"] + timedelta(seconds=59.999)
        assert candle["close"] == served.market.quotes(contract, end).last[0]
        assert candle["oi"] == served.market.quotes(contract, end).oi[0]
    quoted = served.market.quotes(contract, served.clock.now() - timedelta(milliseconds=1))
    assert sum(c["volume"] for c in candles) == pytest.approx(quoted.volume[0], rel=0.01)


def test_candles_lie_around_the_true_price(serve):
    served = serve(f"{DAY}T10:30")
    kite = served.client()
    key, contract = brisk(served)
    for candle in kite.historical_data(token_of(kite, key), f"{DAY} 09:30:00", f"{DAY} 10:00:00", "minute"):
        moments = [candle["date"] + timedelta(seconds=second) for second in range(0, 60, 5)]
        true = [served.market.true_prices(contract, moment)[0] for moment in moments]
        assert candle["low"] <= max(true) + 1.0
        assert candle["high"] >= min(true) - 1.0


def test_open_interest_comes_only_when_asked_for(serve):
    served = serve(f"{DAY}T10:30")
    kite = served.client()
    (candle,) = kite.historical_data(256265, f"{DAY} 10:00:00", f"{DAY} 10:00:00", "minute")
    assert "oi" not in candle


def test_an_index_has_candles_without_volume(serve):
    served = serve(f"{DAY}T10:30")
    candles = served.client().historical_data(256265, f"{DAY} 09:15:00", f"{DAY} 10:00:00", "minute", oi=True)
    assert len(candles) == 46
    for candle in candles:
        opened = served.market.spot("NIFTY", candle["date"]).last
        assert candle["open"] == opened
        assert candle["low"] <= opened <= candle["high"]
        assert (candle["volume"], candle["oi"]) == (0, 0)


def test_longer_candles_hold_the_shorter_ones(serve):
    served = serve("2026-11-20T12:00")
    kite = served.client()
    token = token_of(kite, brisk(served)[0])
    span = (f"{DAY} 09:15:00", f"{DAY} 11:59:00")
    minutes = kite.historical_data(token, *span, "minute", oi=True)
    for candle in kite.historical_data(token, *span, "15minute", oi=True):
        inside = [m for m in minutes if candle["date"] <= m["date"] < candle["date"] + timedelta(minutes=15)]
        assert candle["open"] == inside[0]["open"]
        assert candle["close"] == inside[-1]["close"]
        assert candle["high"] == max(m["high"] for m in inside)
        assert candle["low"] == min(m["low"] for m in inside)
        assert candle["oi"] == inside[-1]["oi"]


def test_the_minute_at_hand_ends_now_and_later_ones_are_not_there(serve):
    served = serve(f"{DAY}T10:00:30")
    kite = served.client()
    key, contract = brisk(served)
    candles = kite.historical_data(token_of(kite, key), f"{DAY} 09:59:00", f"{DAY} 15:30:00", "minute")
    assert [c["date"].strftime("%H:%M") for c in candles] == ["09:59", "10:00"]
    assert candles[-1]["close"] == served.market.quotes(contract, served.clock.now()).last[0]


def test_days_without_a_session_have_no_candles(serve):
    served = serve("2026-11-23T10:00")
    days = served.client().historical_data(256265, "2026-11-20", "2026-11-23", "day")
    assert [d["date"].date() for d in days] == [date(2026, 11, 20), date(2026, 11, 23)]


def test_an_expired_contract_has_no_history(serve):
    served = serve(f"{DAY}T10:00")
    kite = served.client()
    key, contract = brisk(served)
    token = token_of(kite, key)
    assert kite.historical_data(token, f"{DAY} 09:20:00", f"{DAY} 09:21:00", "minute")
    days = contract.expiry[0].item() - date.fromisoformat(DAY)
    served.clock.pause((days + timedelta(days=2)).total_seconds())
    with pytest.raises(InputException, match="invalid token"):
        served.client().historical_data(token, f"{DAY} 09:20:00", f"{DAY} 09:21:00", "minute")


@pytest.mark.parametrize(
    ("token", "begin", "until", "interval", "said"),
    [
        (1, f"{DAY} 09:20:00", f"{DAY} 09:21:00", "minute", "invalid token"),
        ("x", f"{DAY} 09:20:00", f"{DAY} 09:21:00", "minute", "invalid token"),
        (256265, "2026-09-01 09:20:00", f"{DAY} 09:21:00", "minute", "60 days"),
        (256265, f"{DAY} 09:21:00", f"{DAY} 09:20:00", "minute", "invalid from date"),
        (256265, "yesterday", f"{DAY} 09:20:00", "minute", "invalid from date"),
        (256265, f"{DAY} 09:20:00", "2026-13-40", "minute", "invalid to date"),
        (256265, f"{DAY} 09:20:00", f"{DAY} 09:21:00", "second", "invalid interval"),
    ],
)
def test_what_cannot_be_answered_is_an_input_exception(serve, token, begin, until, interval, said):
    with pytest.raises(InputException, match=said) as refused:
        serve(f"{DAY}T10:00").client().historical_data(token, begin, until, interval)
    assert refused.value.code == 400
