"""The tape shows the market as it is, and adds what the market does not have without contradicting it."""

from dataclasses import fields
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from g6.clock import IST
from g6.model.contracts import ContractTable
from g6.simulator.kite_server.tape import Tape
from g6.simulator.kite_server.ticks import TICK_COLUMNS, Ticks
from g6.simulator.market import SimulatedMarket

MORNING = datetime(2026, 11, 20, 11, 23, 45, tzinfo=IST)
OPEN = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
CLOSE = datetime(2026, 11, 20, 15, 40, tzinfo=IST)
THROUGH_THE_DAY = [OPEN + timedelta(seconds=457 * step) for step in range(51)]


@pytest.fixture(scope="module")
def ticks(tape: Tape, table: ContractTable) -> Ticks:
    return tape.ticks(table, MORNING)


@pytest.fixture(scope="module")
def day(tape: Tape, table: ContractTable) -> list[Ticks]:
    some = table.take(np.arange(0, len(table), 7))
    return [tape.ticks(some, at) for at in THROUGH_THE_DAY]


def same(one: Ticks, other: Ticks) -> bool:
    return all((getattr(one, name) == getattr(other, name)).all() for name in TICK_COLUMNS)


def rupees(paise: np.ndarray) -> np.ndarray:
    """NaN for nothing."""
    return np.where(paise != 0, paise / 100, np.nan)


def test_what_the_market_quotes_is_what_the_tape_shows(market: SimulatedMarket, table, ticks):
    quotes = market.quotes(table, MORNING)
    assert (ticks.answered == quotes.answered).all()
    there = quotes.answered
    for ours, theirs in (
        (rupees(ticks.last), quotes.last),
        (rupees(ticks.average), quotes.average_price),
        (rupees(ticks.depth_price[:, 0]), quotes.bid),
        (rupees(ticks.depth_price[:, 5]), quotes.ask),
        (ticks.depth_quantity[:, 0], quotes.bid_quantity),
        (ticks.depth_quantity[:, 5], quotes.ask_quantity),
        (ticks.depth_quantity[:, :5].sum(axis=1), quotes.bid_depth),
        (ticks.depth_quantity[:, 5:].sum(axis=1), quotes.ask_depth),
        (ticks.volume, quotes.volume),
        (ticks.oi, quotes.oi),
    ):
        np.testing.assert_allclose(ours[there], theirs[there], rtol=0, atol=1e-9)


def test_who_does_not_answer_has_nothing(ticks):
    silent = ~ticks.answered
    assert 0 < silent.mean() < 0.02
    for name in set(TICK_COLUMNS) - {"answered", "token"}:
        assert (getattr(ticks, name)[silent] == 0).all(), name


def test_stamps_are_the_markets_ages_in_whole_seconds(market: SimulatedMarket, table, ticks):
    quotes = market.quotes(table, MORNING)
    now = MORNING.timestamp()
    traded = np.isfinite(quotes.trade_age_seconds)
    assert (ticks.traded_at[~traded] == 0).all()
    np.testing.assert_array_equal(ticks.traded_at[traded], np.floor(now - quotes.trade_age_seconds[traded]))
    assert (ticks.quoted_at >= ticks.traded_at).all()
    assert (ticks.quoted_at <= now).all()
    expected = np.maximum(np.floor(now - quotes.quote_age_seconds), ticks.traded_at)
    np.testing.assert_array_equal(ticks.quoted_at[ticks.answered], expected[ticks.answered])


def test_the_same_question_has_the_same_answer_in_any_order_and_company(market, tape, table, ticks):
    rows = np.random.default_rng(3).permutation(len(table))[:500]
    assert same(tape.ticks(table.take(rows), MORNING), ticks.take(rows))
    other = Tape(market)
    other.ticks(other.contracts(CLOSE.date()), CLOSE - timedelta(seconds=1))
    assert same(other.ticks(table, MORNING), ticks)


def test_last_and_open_lie_within_the_days_range(day):
    for ticks in day:
        traded = ticks.volume > 0
        for price in (ticks.last, ticks.open):
            assert (ticks.low[traded] <= price[traded]).all()
            assert (price[traded] <= ticks.high[traded]).all()
        assert (ticks.low[traded] > 0).all()
        for name in ("open", "high", "low"):
            assert (getattr(ticks, name)[~traded] == 0).all()


def test_the_days_range_holds_every_last_price_seen_so_far(day):
    highest = np.maximum.accumulate([np.where(t.volume > 0, t.last, 0) for t in day])
    for ticks, high in zip(day, highest, strict=True):
        assert (ticks.high >= high).all()


def test_the_days_range_only_widens_and_the_open_stays(day):
    for before, after in pairwise(day):
        traded = before.volume > 0
        assert (after.high >= before.high).all()
        assert (after.low <= before.low)[traded].all()
        assert (after.open == before.open)[traded].all()
        assert (after.close == before.close).all()


def test_the_days_range_is_no_wider_than_prices_and_spreads_explain(day, table):
    """Of futures, whose spread is narrow, half of the range at least is prices seen every few minutes."""
    futures = (table.take(np.arange(0, len(table), 7)).kind == "FUT") & (day[-1].volume > 0)
    seen = np.array([t.last[futures] for t in day])
    high, low = day[-1].high[futures], day[-1].low[futures]
    span = high - low
    assert futures.any()
    assert (span > 0).all()
    assert ((seen.max(axis=0) - seen.min(axis=0)) > 0.5 * span).all()


def test_open_interest_lies_within_the_days_range_which_only_widens(day):
    for ticks in day:
        assert (ticks.oi_low <= ticks.oi).all()
        assert (ticks.oi <= ticks.oi_high).all()
    for before, after in pairwise(day):
        assert (after.oi_high >= before.oi_high).all()
        assert (after.oi_low <= before.oi_low).all()


def test_close_is_the_session_befores_last_price(market, tape, table):
    yesterday = market.quotes(table, datetime(2026, 11, 19, 15, 39, 59, tzinfo=IST))
    today = tape.ticks(table, MORNING)
    known = np.isfinite(yesterday.last) & today.answered
    assert known.mean() > 0.5
    np.testing.assert_array_equal(today.close[known], np.rint(100 * yesterday.last[known]))


def test_the_book_falls_away_from_its_best_prices_by_whole_ticks(table, ticks):
    tick = np.rint(100 * table.tick).astype(int)[:, None]
    for price, away in ((ticks.depth_price[:, :5], -1), (ticks.depth_price[:, 5:], 1)):
        assert (price % tick == 0).all()
        steps = np.diff(price, axis=1)
        both = price[:, 1:] > 0
        assert (away * steps[both] > 0).all()
        assert ((price > 0)[:, :-1] >= (price > 0)[:, 1:]).all(), "an empty level has no level behind it"


def test_every_level_has_a_price_a_quantity_of_whole_lots_and_orders_or_is_empty(table, ticks):
    there = ticks.depth_price > 0
    assert there.any(axis=0).all()
    assert (ticks.depth_quantity % table.lot[:, None] == 0).all()
    assert ((ticks.depth_quantity > 0) == there).all()
    assert ((ticks.depth_orders > 0) == there).all()
    assert (ticks.depth_orders * table.lot[:, None] <= ticks.depth_quantity).all()


def test_the_book_has_at_least_what_its_depth_shows(ticks):
    assert (ticks.buy_quantity >= ticks.depth_quantity[:, :5].sum(axis=1)).all()
    assert (ticks.sell_quantity >= ticks.depth_quantity[:, 5:].sum(axis=1)).all()


def test_the_last_trade_is_whole_lots_and_no_more_than_the_volume(table, ticks):
    assert (ticks.last_quantity % table.lot == 0).all()
    assert ((ticks.last_quantity > 0) == (ticks.last > 0)).all()
    traded = ticks.volume > 0
    assert (ticks.last_quantity <= ticks.volume)[traded].all()


def test_outside_the_session_its_last_second_answers_and_stamps_stand(tape, table):
    some = table.take(np.arange(0, len(table), 11))
    evening, night = (tape.ticks(some, CLOSE + timedelta(hours=h)) for h in (0, 6))
    assert same(evening, night)


def test_on_a_sunday_fridays_last_quotes_stand(tape):
    sunday = datetime(2026, 11, 22, 12, 0, tzinfo=IST)
    some = tape.contracts(sunday.date()).take(np.arange(0, 9000, 11))
    friday = tape.ticks(some, CLOSE)
    assert same(tape.ticks(some, sunday), friday)
    assert friday.answered.any()


@pytest.mark.parametrize("at", [OPEN, MORNING, datetime(2026, 11, 20, 15, 25, tzinfo=IST), CLOSE])
def test_indices_show_the_published_level_within_its_range(market, tape, at):
    names = list(market.indices)
    ticks = tape.index_ticks(names, at)
    assert ticks.index.tolist() == names
    assert ticks.last.tolist() == [round(100 * market.spot(name, at).last) for name in names]
    assert ((ticks.low <= ticks.last) & (ticks.last <= ticks.high)).all()
    assert ((ticks.low <= ticks.open) & (ticks.open <= ticks.high)).all()
    assert (ticks.change == ticks.last - ticks.close).all()


def test_an_index_closes_where_it_was_published_last_the_day_before(market, tape):
    ticks = tape.index_ticks(["NIFTY", "SENSEX"], MORNING)
    before = datetime(2026, 11, 19, 20, 0, tzinfo=IST)
    assert ticks.close.tolist() == [round(100 * market.spot(name, before).last) for name in ("NIFTY", "SENSEX")]


def test_an_index_that_the_market_does_not_know_has_no_row(tape):
    assert tape.index_ticks(["INDIA VIX", "NIFTY"], MORNING).index.tolist() == ["NIFTY"]
    assert len(tape.index_ticks([], MORNING)) == 0


def test_tokens_are_unique_fit_32_bits_and_end_in_the_exchanges_segment(tape, table):
    listing = tape.listing(MORNING.date())
    tokens = np.concatenate([table.token, listing.index_tokens])
    assert len(np.unique(tokens)) == len(tokens)
    assert (tokens < 2**32).all()
    assert (tokens > 0).all()
    assert (table.token & 0xFF == np.where(table.exchange == "NFO", 2, 5)).all()
    assert (listing.index_tokens & 0xFF == 9).all()
    assert dict(zip(listing.symbols, listing.index_tokens.tolist(), strict=True))["NSE:NIFTY 50"] == 256265


def test_a_contract_keeps_its_token_from_day_to_day(tape):
    one, other = (tape.contracts(datetime(2026, 11, d, tzinfo=IST).date()) for d in (19, 20))
    tokens = dict(zip(other.symbol.tolist(), other.token.tolist(), strict=True))
    both = [(tokens[s], t) for s, t in zip(one.symbol.tolist(), one.token.tolist(), strict=True) if s in tokens]
    assert len(both) > 5000
    assert np.mean([a == b for a, b in both]) > 0.999


def test_a_token_leads_to_its_row_and_a_strange_one_nowhere(tape, table):
    listing = tape.listing(MORNING.date())
    rows = np.array([5, 4000, 17])
    assert listing.contract_rows(table.token[rows]).tolist() == rows.tolist()
    strange = np.array([1, 256265, 2**32 - 1])
    assert listing.contract_rows(strange).tolist() == [-1, -1, -1]
    assert listing.index_rows(strange).tolist() == [-1, 0, -1]
    assert listing.contract_rows(np.empty(0, np.int64)).tolist() == []


def test_columns_are_named_once(ticks):
    assert {f.name for f in fields(ticks)} == {*TICK_COLUMNS, "at"}
