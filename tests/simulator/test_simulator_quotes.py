"""Quotes around the truth: on the tick grid, in lots, growing through the day, absent where nobody quotes."""

from datetime import timedelta

import lbriv
import numpy as np
import pytest

from g6.model.contracts import CALL, ContractTable
from g6.model.quotes import QUOTE_COLUMNS, Quotes
from g6.simulator.market import SimulatedMarket

AT = "2026-11-20T11:23:45"
PRICES = ("bid", "ask", "last")


@pytest.fixture(scope="module")
def table(market: SimulatedMarket) -> ContractTable:
    day = np.datetime64("2026-11-20").item()
    return ContractTable.concatenate(market.contracts(name, day) for name in market.indices)


@pytest.fixture(scope="module")
def quotes(market: SimulatedMarket, table: ContractTable, moment) -> Quotes:
    return market.quotes(table, moment(AT))


def nearest_options(market: SimulatedMarket, index: str, at, place: int = 0) -> ContractTable:
    table = market.contracts(index, at.date())
    expiry = np.datetime64(table.option_expiries()[place])
    return table.take((table.expiry == expiry) & (table.kind != "FUT"))


def around_the_money(table: ContractTable, level: float, strikes: int) -> np.ndarray:
    listed = np.unique(table.strike)
    atm = int(np.argmin(np.abs(listed - level)))
    return np.isin(table.strike, listed[max(0, atm - strikes) : atm + strikes + 1])


def test_the_truth_lies_between_bid_and_ask(market, table, quotes, moment):
    truth = market.true_prices(table, moment(AT))
    assert not (quotes.bid > truth).any()
    assert not (quotes.ask < truth).any()
    assert np.count_nonzero(np.isfinite(quotes.bid)) > 0.7 * len(table)


def test_bids_lie_below_asks_and_nothing_costs_less_than_a_tick(table, quotes):
    assert not (quotes.bid >= quotes.ask).any()
    for name in PRICES:
        assert not (getattr(quotes, name) < table.tick).any(), name


def test_prices_are_whole_ticks(table, quotes):
    for name in PRICES:
        ticks = getattr(quotes, name) / table.tick
        assert np.nanmax(np.abs(ticks - np.round(ticks))) < 1e-6, name


def test_quantities_are_whole_lots(table, quotes):
    for name in ("bid_quantity", "ask_quantity", "bid_depth", "ask_depth", "volume", "oi"):
        units = getattr(quotes, name)[quotes.answered]
        assert (units >= 0).all()
        assert (units % table.lot[quotes.answered] == 0).all(), name


def test_an_empty_side_has_no_quantity_and_a_full_one_at_least_a_lot(table, quotes):
    for price, quantity in ((quotes.bid, quotes.bid_quantity), (quotes.ask, quotes.ask_quantity)):
        there = np.isfinite(price)
        assert (quantity[there] >= table.lot[there]).all()
        assert (quantity[~there & quotes.answered] == 0).all()


def test_four_more_levels_stand_behind_the_best_one_while_a_price_of_a_tick_is_left(table, quotes):
    sides = (
        (quotes.bid, quotes.bid_quantity, quotes.bid_depth, quotes.bid > 100 * table.tick),
        (quotes.ask, quotes.ask_quantity, quotes.ask_depth, np.isfinite(quotes.ask)),
    )
    for price, best, depth, far_from_nothing in sides:
        there = np.isfinite(price)
        # Each level holds from half to twice the best one's lots, rounded up.
        assert (depth[far_from_nothing] >= 3 * best[far_from_nothing]).all()
        assert (depth[there] >= best[there]).all()
        assert (depth[there] <= 9 * best[there]).all()
        assert (depth[~there & quotes.answered] == 0).all()
    lowest = quotes.bid < 1.5 * table.tick
    assert lowest.any()
    assert (quotes.bid_depth[lowest] == quotes.bid_quantity[lowest]).all()


def test_who_does_not_answer_has_nothing_in_any_column(quotes):
    silent = ~quotes.answered
    assert 0 < silent.mean() < 0.02
    assert all(np.isnan(getattr(quotes, name)[silent]).all() for name in QUOTE_COLUMNS)
    assert np.isnan(quotes.broker_iv).all()


def test_the_last_price_was_between_bid_and_ask_when_it_was_made(market, moment):
    at = moment(AT)
    options = nearest_options(market, "MIDCPNIFTY", at)
    quotes = market.quotes(options, at)
    checked = 0
    for row in np.flatnonzero((quotes.trade_age_seconds < 3600) & np.isfinite(quotes.last))[::9]:
        then = at - timedelta(seconds=float(quotes.trade_age_seconds[row]))
        one = market.quotes(options.take(np.array([row])), then)
        tick = options.tick[row]
        # The instant is known to a microsecond only, and a tick may turn within one.
        floor = one.bid[0] if np.isfinite(one.bid[0]) else tick
        assert floor - tick * 1.01 <= quotes.last[row] <= one.ask[0] + tick * 1.01
        checked += 1
    assert checked > 10


def test_a_last_price_stays_until_the_next_trade(market, moment):
    at = moment(AT)
    options = nearest_options(market, "BANKEX", at)
    before, after = market.quotes(options, at), market.quotes(options, at + timedelta(seconds=20))
    untraded = (before.volume == after.volume) & (before.volume > 0)
    assert untraded.sum() > 20
    assert (before.last[untraded] == after.last[untraded]).all()
    assert after.trade_age_seconds[untraded] == pytest.approx(before.trade_age_seconds[untraded] + 20, abs=1e-5)
    assert (after.trade_age_seconds[after.volume > before.volume] <= 20).all()


def test_volume_never_falls_and_starts_near_nothing(market, moment):
    opening = moment("2026-11-20T09:15:00")
    options = nearest_options(market, "NIFTY", opening)
    instants = [opening + timedelta(seconds=s) for s in (0, 1, 5, 30, 60, 300, 3600, 3601, 7200, 14400, 23099)]
    volumes = np.array([market.quotes(options, at).volume for at in instants])
    answered = np.isfinite(volumes[0])
    assert (np.diff(volumes[:, answered], axis=0) >= 0).all()
    assert volumes[0, answered].sum() < 1e-3 * volumes[-1, answered].sum()


def test_most_is_traded_early_and_late(market, moment):
    options = nearest_options(market, "NIFTY", moment(AT))
    hours = [("09:15", "09:45"), ("12:00", "12:30"), ("15:09", "15:39")]
    traded = [
        np.nansum(market.quotes(options, moment(f"2026-11-20T{end}")).volume)
        - np.nansum(market.quotes(options, moment(f"2026-11-20T{begin}")).volume)
        for begin, end in hours
    ]
    assert traded[0] > 1.3 * traded[1]
    assert traded[2] > 1.3 * traded[1]


def test_open_interest_moves_through_the_day_and_is_taken_up_the_next_morning(market, moment):
    evening, morning = moment("2026-11-19T15:39:59"), moment("2026-11-20T09:15")
    options = nearest_options(market, "NIFTY", morning)
    held = [market.quotes(options, at).oi for at in (evening, morning, moment(AT), moment("2026-11-20T15:39"))]
    both = np.isfinite(held[0]) & np.isfinite(held[1])
    # The evening's last published figure lacks the last minute's business.
    assert held[1][both] == pytest.approx(held[0][both], rel=0.1, abs=130)
    assert held[1][both].sum() == pytest.approx(held[0][both].sum(), rel=0.01)
    assert np.nanmean(held[2] != held[1]) > 0.5
    assert np.nansum(held[3]) > 1.02 * np.nansum(held[1])


def test_the_average_price_is_one_that_the_day_has_seen(market, moment):
    at = moment(AT)
    options = nearest_options(market, "BANKNIFTY", at)
    quotes = market.quotes(options, at)
    begin = moment("2026-11-20T09:15")
    seconds = np.linspace(0, (at - begin).total_seconds(), 400)
    seen = np.array([market.true_prices(options, begin + timedelta(seconds=float(s))) for s in seconds])
    traded = np.isfinite(quotes.average_price)
    slack = np.maximum(0.05, 0.02 * seen[:, traded].max(axis=0))
    assert traded.sum() > 100
    assert (quotes.average_price[traded] >= seen[:, traded].min(axis=0) - slack).all()
    assert (quotes.average_price[traded] <= seen[:, traded].max(axis=0) + slack).all()


def test_who_has_not_traded_today_carries_an_older_price_and_says_so(market, moment):
    opening = moment("2026-11-20T09:15:02")
    options = nearest_options(market, "FINNIFTY", opening)
    quotes = market.quotes(options, opening)
    carried = (quotes.volume == 0) & np.isfinite(quotes.last)
    assert carried.sum() > 30
    overnight = (opening - moment("2026-11-19T15:40")).total_seconds()
    assert (quotes.trade_age_seconds[carried] >= overnight).all()
    assert np.isnan(quotes.average_price[carried]).all()


def test_ages_are_never_negative_and_short_at_the_money(market, quotes, moment):
    assert not (quotes.quote_age_seconds < 0).any()
    assert not (quotes.trade_age_seconds < 0).any()
    options = nearest_options(market, "NIFTY", moment(AT))
    near = around_the_money(options, market.fair_level("NIFTY", moment(AT)), 3)
    assert (market.quotes(options, moment(AT)).trade_age_seconds[near] < 10).all()


def test_wings_without_a_book_have_never_traded(table, quotes):
    # Less than a tick leaves a bid out, but never the ask.
    unquoted = quotes.answered & np.isnan(quotes.ask)
    assert 0.02 < unquoted.mean() < 0.3
    assert (quotes.volume[unquoted] == 0).all()
    assert np.isnan(quotes.last[unquoted]).all()
    assert np.isnan(quotes.bid[unquoted]).all()
    assert np.isnan(quotes.average_price[unquoted]).all()


@pytest.mark.parametrize("index", ["NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX"])
@pytest.mark.parametrize("place", [0, 1])
def test_thirty_strikes_around_the_money_are_quoted_on_both_sides(market, moment, index, place):
    at = moment("2026-11-18T12:00")
    options = nearest_options(market, index, at, place)
    near = around_the_money(options, market.fair_level(index, at), 15)
    quotes = market.quotes(options, at)
    both = np.isfinite(quotes.bid) & np.isfinite(quotes.ask)
    assert both[near].mean() > 0.98
    assert np.isfinite(quotes.last[near]).mean() > (0.98 if place == 0 else 0.9)


def test_spreads_widen_away_from_the_money_and_with_time_to_expiry(market, moment):
    at = moment(AT)
    level = market.fair_level("NIFTY", at)
    relative = []
    for place in (0, 2, 4):
        options = nearest_options(market, "NIFTY", at, place)
        quotes = market.quotes(options, at)
        near = around_the_money(options, level, 4)
        relative.append(np.nanmedian(((quotes.ask - quotes.bid) / (quotes.ask + quotes.bid))[near]))
    assert relative == sorted(relative)
    options = nearest_options(market, "NIFTY", at)
    deep = (options.kind == CALL) & (options.strike < 0.95 * level)
    quotes = market.quotes(options, at)
    width = quotes.ask - quotes.bid
    assert np.nanmedian(width[deep]) > 10 * np.nanmedian(width[around_the_money(options, level, 4)])


def test_business_is_near_the_money_on_round_strikes_and_in_the_nearest_expiry(market, moment):
    at = moment("2026-11-20T15:30")
    table = market.contracts("NIFTY", at.date())
    quotes = market.quotes(table, at)
    volume, held = np.nan_to_num(quotes.volume), np.nan_to_num(quotes.oi)
    options = table.kind != "FUT"
    nearest = options & (table.expiry == table.expiry[options].min())
    assert volume[nearest].sum() > 0.8 * volume[options].sum()
    close = nearest & (np.abs(table.strike / market.fair_level("NIFTY", at) - 1) < 0.02)
    assert volume[close].sum() > 0.75 * volume[nearest].sum()
    assert held[nearest & (table.strike % 500 == 0)].mean() > 2 * held[nearest & (table.strike % 100 == 50)].mean()


def test_calls_are_held_above_the_money_and_puts_below(market, moment):
    at = moment("2026-11-20T15:30")
    options = nearest_options(market, "BANKNIFTY", at)
    held = np.nan_to_num(market.quotes(options, at).oi)
    level, is_call = market.fair_level("BANKNIFTY", at), options.kind == CALL
    for side, out in ((is_call, options.strike > level), (~is_call, options.strike < level)):
        assert held[side & out].sum() > 3 * held[side & ~out].sum()


def test_the_put_call_ratio_is_one_that_markets_have(market, moment):
    ratios = []
    for day in ("2026-03-05", "2026-05-12", "2026-07-22", "2026-09-08", "2026-10-30", "2026-11-20"):
        options = nearest_options(market, "NIFTY", moment(f"{day}T12:00"))
        held = np.nan_to_num(market.quotes(options, moment(f"{day}T12:00")).oi)
        ratios.append(held[options.kind != CALL].sum() / held[options.kind == CALL].sum())
    assert 0.65 < min(ratios) < max(ratios) < 1.45


def test_the_volatility_solved_from_mids_is_the_true_one_within_the_spread(market, moment):
    at = moment(AT)
    for index, place in (("NIFTY", 0), ("NIFTY", 5), ("BANKNIFTY", 0), ("SENSEX", 1)):
        options = nearest_options(market, index, at, place)
        level = market.fair_level(index, at)
        otm = (options.kind == CALL) == (options.strike > level)
        legs = options.take(otm & around_the_money(options, level, 12))
        quotes, expiry = market.quotes(legs, at), legs.expiry[0].item()
        closes = moment(f"{expiry}T{'15:40' if expiry.isoformat() < '2026-12-07' else '15:30'}")
        years = (closes - at).total_seconds() / (365 * 86_400)
        forward, growth = market.true_forward(index, expiry, at), np.exp(0.065 * years)
        low, middle, high = (
            solve(price * growth, forward, legs) / np.sqrt(years)
            for price in (quotes.bid, (quotes.bid + quotes.ask) / 2, quotes.ask)
        )
        truth = market.true_iv(index, expiry, legs.strike, at)
        assert (low <= truth + 1e-9).all()
        assert (high >= truth - 1e-9).all()
        assert np.median(np.abs(middle - truth)) < 0.002


def solve(undiscounted: np.ndarray, forward: float, legs: ContractTable) -> np.ndarray:
    """Return σ√T by Jäckel's method."""
    sides = np.where(legs.kind == CALL, 1, -1)
    return np.array(
        [lbriv.implied_vol(p, forward, k, q) for p, k, q in zip(undiscounted, legs.strike, sides, strict=True)]
    )
