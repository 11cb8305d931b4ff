"""What surrounds the options joins their plan, says what it does not know, and costs no chain anything."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from g6.collectors.build import build_chains
from g6.collectors.market import MarketOrder, build_market, order_market, with_market
from g6.collectors.plan import Depth, IndexOrder, Plan, make_plan
from g6.collectors.reject import Limits
from g6.market.indices import IndexDefinition
from g6.market.sessions import SessionCalendar
from g6.market.surroundings import Surroundings, load_surroundings
from g6.model.chain import LEG_COLUMN_NAMES
from g6.model.contracts import CALL, FUTURE, PUT, ContractTable
from g6.model.market_snapshot import ROW_DEFECTS, MarketSnapshot
from g6.model.quotes import Quotes, Spot

MORNING = datetime.fromisoformat("2026-11-20T10:00+05:30")
AUCTION = datetime.fromisoformat("2026-11-20T15:20+05:30")
AFTER_AUCTION = datetime.fromisoformat("2026-11-20T15:38+05:30")
STALE_AFTER_SECONDS = 180.0


@pytest.fixture(scope="module")
def surroundings(project: Path) -> Surroundings:
    return load_surroundings(project / "config" / "market.yaml")


@pytest.fixture
def order(surroundings: Surroundings, definitions: Mapping[str, IndexDefinition]) -> MarketOrder:
    return order_market(surroundings, [definitions["NIFTY"], definitions["SENSEX"]])


@pytest.fixture
def plan(definitions: Mapping[str, IndexDefinition], calendar: SessionCalendar) -> Plan:
    """Ten strikes of NIFTY, and the future."""
    strike = np.append(np.repeat(23500.0 + 50 * np.arange(10), 2), 0.0)
    n = len(strike)
    listed = ContractTable(
        index=np.full(n, "NIFTY"), exchange=np.full(n, "NFO"), symbol=np.array([f"S{i}" for i in range(n)]),
        token=np.arange(1, n + 1), kind=np.append(np.tile([CALL, PUT], n // 2), FUTURE),
        expiry=np.full(n, np.datetime64("2026-11-23")),
        strike=strike, lot=np.full(n, 65), tick=np.full(n, 0.05),
    )  # fmt: skip
    wanted = IndexOrder(definitions["NIFTY"], {"this_month": Depth(None, None)})
    return make_plan([wanted], listed, {"NIFTY": 23700.0}, calendar, MORNING)


def quoted(
    plan: Plan, fine_quotes: Callable[..., Quotes], at: datetime = MORNING, age: float = 1.0, **market: object
) -> Quotes:
    """Fine quotes of the plan; every level and share at 100 after a close of 99, but for what is given."""
    n, rows = len(plan.contracts), plan.market
    columns = {"last": np.full(n, 100.0), "previous_close": np.full(n, np.nan), "quote_age_seconds": np.ones(n)}
    columns["previous_close"][rows] = 99.0
    columns["quote_age_seconds"][rows] = age
    answered = np.ones(n, dtype=bool)
    for name, values in market.items():
        (answered if name == "answered" else columns[name])[rows] = values
    return fine_quotes(at, n, answered=answered, **columns)


@pytest.fixture
def built(order: MarketOrder, plan: Plan, fine_quotes: Callable[..., Quotes], calendar: SessionCalendar):
    def build(at: datetime = MORNING, **market: object) -> MarketSnapshot | None:
        whole = with_market(plan, order)
        quotes = quoted(whole, fine_quotes, at, **market)
        return build_market(whole, quotes, order, calendar, STALE_AFTER_SECONDS)

    return build


def defects(market: MarketSnapshot, kind: str) -> set[str]:
    return {ROW_DEFECTS[int(code)] for code in market.defect[market.kind == kind]}


def test_every_symbol_is_asked_for_once(order: MarketOrder) -> None:
    assert len(set(order.key.tolist())) == len(order)
    counted = {kind: int((order.kind == kind).sum()) for kind in ("index", "vix", "sector", "share")}
    assert counted == {"index": 2, "vix": 1, "sector": 11, "share": 59}
    bank = order.groups[order.key == "NSE:HDFCBANK"]
    assert bank.tolist() == ["NIFTY BANKNIFTY"]


@pytest.mark.parametrize(
    ("switches", "kinds"),
    [
        ({}, {"index", "vix", "sector", "share"}),
        ({"vix": False}, {"index", "sector", "share"}),
        ({"sectors": False, "breadth": False}, {"index", "vix"}),
    ],
)
def test_switches_leave_parts_out(
    surroundings: Surroundings,
    definitions: Mapping[str, IndexDefinition],
    switches: Mapping[str, bool],
    kinds: set[str],
) -> None:
    order = order_market(surroundings, [definitions["NIFTY"]], **switches)
    assert set(order.kind.tolist()) == kinds


def test_the_rows_stand_behind_the_plans_own(plan: Plan, order: MarketOrder) -> None:
    whole = with_market(plan, order)
    assert whole.contracts.symbol[: len(plan.contracts)].tolist() == plan.contracts.symbol.tolist()
    assert whole.contracts.symbol[whole.market].tolist() == order.rows.symbol.tolist()
    assert [chain.legs for chain in whole.chains] == [chain.legs for chain in plan.chains]


def test_nothing_is_asked_where_no_chain_is(
    order: MarketOrder, definitions: Mapping[str, IndexDefinition], calendar: SessionCalendar, plan: Plan
) -> None:
    orders = [IndexOrder(definitions["NIFTY"], {"this_month": Depth(None, None)})]
    empty = make_plan(orders, plan.contracts, {}, calendar, MORNING)
    assert with_market(empty, order) is empty
    assert with_market(plan, None) is plan


def test_a_closed_exchange_is_not_asked(order: MarketOrder, calendar: SessionCalendar) -> None:
    assert len(order.open_at(MORNING, calendar)) == len(order)
    assert len(order.open_at(MORNING.replace(hour=8), calendar)) == 0


def test_the_chains_are_the_same_whatever_the_market_says(
    plan: Plan, order: MarketOrder, fine_quotes: Callable[..., Quotes], calendar: SessionCalendar
) -> None:
    spots = {"NIFTY": Spot(23700.0, MORNING)}
    whole = with_market(plan, order)
    wild = quoted(whole, fine_quotes, last=np.inf, previous_close=-5.0, age=np.nan)
    alone = fine_quotes(MORNING, len(plan.contracts))
    pairs = zip(
        build_chains(whole, wild, spots, calendar, Limits()),
        build_chains(plan, alone, spots, calendar, Limits()),
        strict=True,
    )
    for (chain, refusal), (without, expected) in pairs:
        assert refusal == expected
        assert chain.expected == without.expected == 20
        for name in LEG_COLUMN_NAMES:
            assert np.array_equal(getattr(chain, name), getattr(without, name), equal_nan=name != "is_call"), name


def test_what_was_quoted_is_there(built) -> None:
    market = built()
    assert len(market) == 73
    assert (market.defect == 0).all()
    assert market.change == pytest.approx(1.0)
    assert market.change_ratio == pytest.approx(1 / 99)


def test_a_market_that_nobody_answered_is_none(built) -> None:
    assert built(answered=False) is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"answered": np.arange(73) == 0}, "absent"),
        ({"last": 0.0}, "no_price"),
        ({"last": np.nan}, "no_price"),
        ({"last": -3.0}, "no_price"),
        ({"last": np.inf}, "no_price"),
        ({"previous_close": 0.0}, "no_close"),
        ({"previous_close": np.nan}, "no_close"),
        ({"age": 181.0}, "stale"),
    ],
)
def test_what_says_nothing_of_the_direction_says_why(built, change: Mapping[str, object], word: str) -> None:
    market = built(**change)
    assert defects(market, "share") == {word}
    assert not np.isinf(market.last).any()


def test_an_unknown_age_is_not_an_old_one(built) -> None:
    assert defects(built(age=np.nan), "share") == {"none"}


def test_the_auction_holds_everything_still_but_india_vix(built) -> None:
    market = built(AUCTION)
    assert market.frozen
    assert defects(market, "share") == defects(market, "sector") == defects(market, "index") == {"frozen"}
    assert defects(market, "vix") == {"none"}


@pytest.mark.parametrize(("at", "word"), [(AUCTION, "frozen"), (AFTER_AUCTION, "none")])
def test_from_the_auction_on_the_last_quotes_before_it_hold_and_none_of_yesterday(
    built, at: datetime, word: str
) -> None:
    since = (at - at.replace(hour=15, minute=15)).total_seconds()
    for age, expected in ((since, word), (since + 179, word), (since + 181, "stale"), (25 * 3600.0, "stale")):
        market = built(at, age=age)
        for kind in ("share", "sector", "index"):
            assert defects(market, kind) == {expected}


@pytest.mark.parametrize("at", [MORNING, AUCTION, AFTER_AUCTION])
def test_india_vix_moves_on_and_is_stale_where_it_does_not(built, at: datetime) -> None:
    fresh, old = built(at, age=179.0), built(at, age=181.0)
    assert (defects(fresh, "vix"), defects(old, "vix")) == ({"none"}, {"stale"})
    assert fresh.vix == 100.0
    assert np.isnan(old.vix)


def test_a_sector_of_yesterday_does_not_lead(built, order: MarketOrder) -> None:
    first, second = np.flatnonzero(order.kind == "sector")[:2].tolist()
    last, age = np.full(73, 100.0), np.ones(73)
    last[first], age[first] = 110.0, 25 * 3600.0
    last[second] = 103.0
    for at in (MORNING, AUCTION, AFTER_AUCTION):
        market = built(at, last=last, age=age)
        assert market.leader == market.name[second]
        assert market.name[first] not in dict(market.sectors_ranked)
        assert len(market.sectors_ranked) == 10
