"""The simulated shares, sectors and India VIX move with the simulated index, and every day follows the one before."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from g6.collectors.market import MarketOrder, order_market
from g6.market.indices import IndexDefinition
from g6.market.sessions import SessionCalendar
from g6.market.surroundings import Surroundings, load_surroundings
from g6.model.contracts import ContractTable
from g6.model.quotes import DAY_COLUMNS, Quotes
from g6.simulator.market import SimulatedMarket

SEED = 20260803
DAYS = ("2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20")


@pytest.fixture(scope="module")
def around(project) -> Surroundings:
    return load_surroundings(project / "config" / "market.yaml")


@pytest.fixture(scope="module")
def nse(indices: Mapping[str, IndexDefinition]) -> Mapping[str, IndexDefinition]:
    return {name: indices[name] for name in ("NIFTY", "BANKNIFTY")}


@pytest.fixture(scope="module")
def market(nse, calendar: SessionCalendar, around: Surroundings) -> SimulatedMarket:
    return SimulatedMarket(SEED, nse, calendar, around=around)


@pytest.fixture(scope="module")
def order(around: Surroundings, nse) -> MarketOrder:
    return order_market(around, list(nse.values()))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+05:30")


def weights(around: Surroundings, order: MarketOrder) -> np.ndarray:
    known = {share.symbol: share.weight for share in around.constituents["NIFTY"]}
    names = zip(order.rows.index.tolist(), order.kind.tolist(), strict=True)
    found = np.array([known.get(name, 0.0) if kind == "share" else 0.0 for name, kind in names])
    return found / found.sum()


def row(order: MarketOrder, name: str, kind: str) -> int:
    return int(np.flatnonzero((order.rows.index == name) & (order.kind == kind))[0])


def test_everything_asked_for_is_answered_with_its_day(market: SimulatedMarket, order: MarketOrder) -> None:
    quotes = market.quotes(order.rows, at("2026-11-20T10:00"))
    assert quotes.answered.all()
    for name in ("last", *DAY_COLUMNS):
        assert (getattr(quotes, name) > 0).all(), name
    assert (quotes.low <= np.minimum(quotes.last, quotes.open)).all()
    assert (quotes.high >= np.maximum(quotes.last, quotes.open)).all()
    shares = order.kind == "share"
    assert (quotes.volume[shares] > 0).all()
    assert np.isnan(quotes.volume[~shares]).all()
    assert (quotes.quote_age_seconds < 5).all()


@pytest.mark.parametrize("minute", ["09:15", "11:30", "15:14", "15:20", "15:36"])
@pytest.mark.parametrize("day", DAYS[-2:])
def test_the_members_weighted_returns_are_the_indexs_own(
    market: SimulatedMarket, order: MarketOrder, around: Surroundings, day: str, minute: str
) -> None:
    quotes = market.quotes(order.rows, at(f"{day}T{minute}"))
    returns = np.log(quotes.last / quotes.previous_close)
    nifty = returns[row(order, "NIFTY", "index")]
    # Prices have ticks: each return is off by no more than 0.05 over the price, twice.
    assert weights(around, order) @ returns == pytest.approx(nifty, abs=3e-4)


def test_members_do_not_all_do_the_same(market: SimulatedMarket, order: MarketOrder) -> None:
    quotes = market.quotes(order.rows, at("2026-11-20T14:00"))
    returns = (quotes.last / quotes.previous_close - 1)[order.kind == "share"]
    assert 0.002 < returns.std() < 0.05
    assert (returns > 0).any()
    assert (returns < 0).any()


def test_a_day_begins_where_the_one_before_ended(market: SimulatedMarket, order: MarketOrder) -> None:
    for day, following in pairwise(DAYS):
        ended = market.quotes(order.rows, at(f"{day}T20:00"))
        begins = market.quotes(order.rows, at(f"{following}T09:15"))
        assert np.array_equal(begins.previous_close, ended.last)


def test_the_range_of_a_day_only_widens_and_its_volume_only_grows(market: SimulatedMarket, order: MarketOrder) -> None:
    before: Quotes | None = None
    for minute in range(0, 385, 55):
        quotes = market.quotes(order.rows, at("2026-11-20T09:15") + timedelta(minutes=minute))
        if before is not None:
            assert (quotes.high >= before.high).all()
            assert (quotes.low <= before.low).all()
            assert np.array_equal(quotes.open, before.open)
            assert (np.nan_to_num(quotes.volume) >= np.nan_to_num(before.volume)).all()
        before = quotes


def test_the_auction_holds_shares_still_and_its_print_moves_them(market: SimulatedMarket, order: MarketOrder) -> None:
    moments = [market.quotes(order.rows, at(f"2026-11-20T{t}")) for t in ("15:15", "15:34", "15:35", "15:39")]
    began, held, printed, after = moments
    vix = order.kind == "vix"
    assert np.array_equal(began.last[~vix], held.last[~vix])
    assert (held.quote_age_seconds[order.kind == "share"] > 18 * 60).all()
    assert (printed.last[~vix] != held.last[~vix]).mean() > 0.9
    assert np.array_equal(printed.last[~vix], after.last[~vix])
    assert held.quote_age_seconds[vix] < 5
    shares = order.kind == "share"
    assert (printed.volume[shares] > held.volume[shares]).all()


def test_india_vix_rises_when_the_index_falls(market: SimulatedMarket, order: MarketOrder, calendar) -> None:
    """The surface's volatility leans against the index; what is quoted must show it."""
    day, nifty, vix = at("2026-11-20T15:30"), [], []
    for _ in range(60):
        quotes = market.quotes(order.rows.take(order.kind != "share"), day)
        own = order.kind[order.kind != "share"]
        change = quotes.last / quotes.previous_close - 1
        nifty.append(change[0])
        vix.append(change[own == "vix"][0])
        day = calendar.last_minute(day - timedelta(days=1), "NSE").replace(hour=15, minute=30)
    assert np.corrcoef(nifty, vix)[0, 1] < -0.5


def test_india_vix_is_near_the_surface_at_thirty_days(market: SimulatedMarket, order: MarketOrder) -> None:
    moment = at("2026-11-20T12:00")
    strike = market.true_forward("NIFTY", moment.date() + timedelta(days=30), moment)
    implied = market.true_iv("NIFTY", moment.date() + timedelta(days=30), np.array([strike]), moment)[0]
    vix = market.quotes(order.rows, moment).last[order.kind == "vix"][0]
    assert 100 * implied < vix < 108 * implied


def test_sectors_go_with_their_shares(market: SimulatedMarket, order: MarketOrder, around: Surroundings) -> None:
    it = [share for share in around.constituents["NIFTY"] if share.industry == "Information Technology"]
    quotes = market.quotes(order.rows, at("2026-11-20T14:00"))
    returns = np.log(quotes.last / quotes.previous_close)
    mean = sum(s.weight * returns[row(order, s.symbol, "share")] for s in it) / sum(s.weight for s in it)
    assert returns[row(order, "NIFTYIT", "sector")] == pytest.approx(mean, abs=3e-4)


def test_banks_go_with_their_index(market: SimulatedMarket, order: MarketOrder, calendar: SessionCalendar) -> None:
    """Of the members of both indices, the mean return follows BANKNIFTY more closely than NIFTY."""
    banks = [place for place, groups in enumerate(order.groups.tolist()) if "BANKNIFTY" in groups]
    nifty, bank, mean = [], [], []
    day = at("2026-11-20T12:00")
    for _ in range(40):
        quotes = market.quotes(order.rows, day)
        returns = quotes.last / quotes.previous_close - 1
        nifty.append(returns[row(order, "NIFTY", "index")])
        bank.append(returns[row(order, "BANKNIFTY", "index")])
        mean.append(returns[banks].mean())
        day = calendar.last_minute(day - timedelta(days=1), "NSE").replace(hour=12, minute=0)
    assert np.corrcoef(mean, bank)[0, 1] > np.corrcoef(mean, nifty)[0, 1]


def test_neither_order_nor_company_of_questions_matters(
    nse, calendar: SessionCalendar, around: Surroundings, order: MarketOrder
) -> None:
    forwards, backwards = (SimulatedMarket(5, nse, calendar, around=around) for _ in range(2))
    moments = [at("2026-11-19T10:00"), at("2026-11-20T10:00")]
    first = [forwards.quotes(order.rows, moment) for moment in moments]
    second = [backwards.quotes(order.rows, moment) for moment in reversed(moments)][::-1]
    alone = backwards.quotes(order.rows.take(np.array([30])), moments[0])
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.last, other.last)
    assert alone.last[0] == first[0].last[30]


def test_another_seed_is_another_market(nse, calendar: SessionCalendar, around: Surroundings, order) -> None:
    one, other = (SimulatedMarket(seed, nse, calendar, around=around) for seed in (5, 6))
    moment = at("2026-11-20T10:00")
    assert (one.quotes(order.rows, moment).last != other.quotes(order.rows, moment).last).all()


def test_options_are_the_same_with_and_without_what_surrounds_them(
    market: SimulatedMarket, nse, calendar: SessionCalendar, order: MarketOrder
) -> None:
    moment = at("2026-11-20T10:00")
    plain = SimulatedMarket(SEED, nse, calendar)
    options = plain.contracts("NIFTY", moment.date()).take(np.arange(100))
    alone = plain.quotes(options, moment)
    together = market.quotes(ContractTable.concatenate([options, order.rows]), moment)
    assert np.array_equal(together.last[:100], alone.last, equal_nan=True)
    assert np.array_equal(together.bid[:100], alone.bid, equal_nan=True)


def test_a_market_without_them_does_not_answer_for_them(nse, calendar: SessionCalendar, order: MarketOrder) -> None:
    quotes = SimulatedMarket(SEED, nse, calendar).quotes(order.rows, at("2026-11-20T10:00"))
    assert not quotes.answered.any()
    assert np.isnan(quotes.last).all()


def test_a_market_without_the_broad_index_answers_for_levels_it_has(
    indices, calendar: SessionCalendar, around: Surroundings, order: MarketOrder
) -> None:
    only = SimulatedMarket(SEED, {"BANKNIFTY": indices["BANKNIFTY"]}, calendar, around=around)
    quotes = only.quotes(order.rows, at("2026-11-20T10:00"))
    assert order.rows.index[quotes.answered].tolist() == ["BANKNIFTY"]


def test_the_calendars_first_day_has_a_previous_close(market: SimulatedMarket, order: MarketOrder, calendar) -> None:
    first = calendar.next_open(at(f"{calendar.known_from}T00:00"), "NSE")
    quotes = market.quotes(order.rows, first + timedelta(hours=1))
    assert (quotes.previous_close > 0).all()
    assert np.abs(quotes.last / quotes.previous_close - 1).max() < 0.2
