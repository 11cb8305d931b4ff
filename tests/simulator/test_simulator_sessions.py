"""What the market answers around the clock: the closing auction, before the open, after it, on closed days."""

from datetime import date, timedelta

import numpy as np
import pytest

from g6.market.sessions import OutsideCalendar


def test_the_published_level_stands_still_in_the_auction_while_the_fair_one_moves(market, moment):
    began = moment("2026-11-20T15:15")
    instants = [began + timedelta(minutes=n) for n in range(20)]
    for name in ("NIFTY", "SENSEX"):
        assert len({market.spot(name, at).last for at in instants}) == 1
        assert market.spot(name, began).last == pytest.approx(market.fair_level(name, began), abs=0.026)
        assert len({market.fair_level(name, at) for at in instants}) == len(instants)


def test_options_are_priced_on_the_fair_level_in_the_auction(market, moment):
    at = moment("2026-11-20T15:34")
    table = market.contracts("NIFTY", at.date())
    future = market.quotes(table.take(table.kind == "FUT"), at)
    assert future.bid[0] <= market.true_forward("NIFTY", date(2026, 11, 23), at) <= future.ask[0]


def test_after_the_auction_its_one_print_stays(market, moment):
    printed = market.fair_level("NIFTY", moment("2026-11-20T15:35"))
    levels = {market.spot("NIFTY", moment(f"2026-11-20T15:{minute}")).last for minute in (35, 37, 39)}
    assert len(levels) == 1
    assert levels.pop() == pytest.approx(printed, abs=0.026)


def test_there_was_no_auction_before_august_2026(market, moment):
    levels = {market.spot("NIFTY", moment(f"2026-07-31T15:{minute}")).last for minute in range(15, 30)}
    assert len(levels) > 10


def test_levels_are_published_with_a_stamp_of_the_session(market, moment):
    assert market.spot("NIFTY", moment("2026-11-20T12:00:03.5")).quoted_at == moment("2026-11-20T12:00:03")
    assert market.spot("NIFTY", moment("2026-11-21T12:00")).quoted_at == moment("2026-11-20T15:39:59")
    assert market.spot("NASDAQ", moment("2026-11-20T12:00")) is None


@pytest.mark.parametrize("later", ["2026-11-20T19:00", "2026-11-21T11:00", "2026-11-23T08:59"])
def test_outside_sessions_the_last_second_answers_and_ages_go_on(market, moment, later):
    last, asked = moment("2026-11-20T15:39:59"), moment(later)
    table = market.contracts("NIFTY", date(2026, 11, 20))
    table = table.take(table.expiry > np.datetime64("2026-11-20"))
    then, now = market.quotes(table, last), market.quotes(table, asked)
    for name in ("last", "bid", "ask", "volume", "oi", "average_price"):
        assert np.array_equal(getattr(then, name), getattr(now, name), equal_nan=True), name
    waited = (asked - last).total_seconds()
    aged = np.isfinite(then.trade_age_seconds)
    assert now.trade_age_seconds[aged] == pytest.approx(then.trade_age_seconds[aged] + waited)
    assert now.at == asked


def test_a_muhurat_hour_and_a_sunday_session_are_sessions(market, moment):
    for at in (moment("2025-10-21T14:00"), moment("2026-02-01T10:00")):
        quotes = market.quotes(market.contracts("NIFTY", at.date()), at)
        assert np.nansum(quotes.volume) > 0
        assert market.spot("NIFTY", at).quoted_at == at


def test_between_two_windows_nothing_trades(market, moment):
    first, second = moment("2024-03-02T10:10"), moment("2024-03-02T11:20")
    table = market.contracts("BANKNIFTY", first.date())
    before, after = market.quotes(table, first), market.quotes(table, second)
    assert np.array_equal(before.volume, after.volume, equal_nan=True)
    later = market.quotes(table, moment("2024-03-02T11:45"))
    assert np.nansum(later.volume) > np.nansum(after.volume)


def test_a_contract_that_closed_before_the_session_keeps_its_last_trade_and_has_no_book(market, moment):
    # From 2026-12-07 index contracts close at 15:30 on their expiry day, the session at 15:45.
    table = market.contracts("NIFTY", date(2026, 12, 8))
    expiring = table.take((table.expiry == np.datetime64("2026-12-08")) & (table.kind == "CE"))
    at_close, later = (market.quotes(expiring, moment(f"2026-12-08T15:{minute}")) for minute in (30, 40))
    assert np.isnan(later.bid).all()
    assert np.isnan(later.ask).all()
    assert np.array_equal(at_close.last, later.last, equal_nan=True)
    assert np.array_equal(at_close.volume, later.volume, equal_nan=True)
    alive = np.isfinite(later.trade_age_seconds)
    assert (later.trade_age_seconds[alive] >= 600).all()


def test_an_expiring_option_ends_at_its_intrinsic_value(market, moment):
    at = moment("2026-12-08T15:29:59")
    table = market.contracts("NIFTY", at.date())
    expiring = table.take((table.expiry == np.datetime64("2026-12-08")) & (table.kind == "CE"))
    intrinsic = np.maximum(market.fair_level("NIFTY", at) - expiring.strike, 0)
    assert np.abs(market.true_prices(expiring, at) - intrinsic).max() < 2


def test_the_first_day_of_the_calendar_is_a_day_like_any_other(market, calendar, moment):
    at = moment(f"{calendar.known_from.isoformat()}T11:00")
    quotes = market.quotes(market.contracts("NIFTY", at.date()), at)
    assert quotes.answered.mean() > 0.97


def test_days_beyond_the_calendar_are_refused(market, calendar, moment):
    beyond = moment("2027-06-01T10:00")
    with pytest.raises(OutsideCalendar):
        market.spot("NIFTY", beyond)
    with pytest.raises(OutsideCalendar):
        market.contracts("NIFTY", beyond.date())


def test_instants_are_understood_in_any_zone(market, moment):
    at = moment("2026-11-20T10:00")
    assert market.spot("NIFTY", at) == market.spot("NIFTY", at.astimezone(tz=None))
