"""A minute over REST against the simulated Kite: few requests, all indices together, a failure costs what it must."""

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from kite_accounts import Desk, desk, jumping_clock
from scripted_broker import Asked, Reply, ScriptedBroker

from g6.clock import IST
from g6.errors import AuthError, BadResponse, TransientError
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.model.contracts import CALL, ContractTable
from g6.model.provider_report import DumpReport
from g6.providers.kite.options import KiteOptions
from g6.providers.kite.provider import KiteProvider
from g6.simulator.kite_server.faults import FaultPlan
from g6.simulator.kite_server.server import KiteServer
from g6.simulator.market import SimulatedMarket

AT = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
NAMES = ("NIFTY", "BANKNIFTY", "SENSEX")


class ListedToday:
    """A dump that is at hand, of what the market lists."""

    def __init__(self, market: SimulatedMarket, reason: str = "") -> None:
        self.table = ContractTable.concatenate(market.contracts(name, AT.date()) for name in NAMES)
        self.reason = reason

    def contracts(self, day: date) -> ContractTable:
        assert day == AT.date()
        return self.table

    def index_tokens(self, day: date) -> dict[str, int]:
        return {"NSE:NIFTY 50": 256265, "BSE:SENSEX": 265, "NSE:NIFTY IT": 259849}

    def report(self) -> DumpReport:
        return DumpReport(AT.date(), len(self.table), {}, self.reason)


@pytest.fixture(scope="module")
def indices(project: Path):
    return load_indices(project / "config" / "indices.yaml")


@pytest.fixture(scope="module")
def market(project: Path, indices) -> SimulatedMarket:
    return SimulatedMarket(20260803, indices, SessionCalendar.load(project / "config" / "calendar.yaml"))


@pytest.fixture
def wanted(indices):
    return [indices[name] for name in NAMES]


class Minute:
    """A provider at a simulated Kite, both on one clock."""

    def __init__(
        self, folder: Path, market: SimulatedMarket, faults: list[dict[str, object]], **options: float
    ) -> None:
        self.clock = jumping_clock(AT)
        plan = FaultPlan.parse({"faults": faults})
        self.server = KiteServer(market, self.clock, faults=plan).start()
        self.desk: Desk = desk(folder, self.server.url, self.clock, **options)
        self.dump = ListedToday(market)
        self.provider = KiteProvider("kite", self.desk.session, self.dump, self.clock)
        self.log_in()

    def log_in(self) -> None:
        self.desk.log_in(self.server.issue_token())


@pytest.fixture
def minute(tmp_path, market):
    made: list[Minute] = []

    def make(*faults: dict[str, object], **options: float) -> Minute:
        made.append(Minute(tmp_path, market, list(faults), **options))
        return made[-1]

    yield make
    for one in made:
        one.provider.close()
        one.server.stop()


def near_legs(table: ContractTable, count: int = 1200) -> ContractTable:
    return table.take(np.arange(0, len(table), max(1, len(table) // count)))


def test_contracts_are_those_of_the_indices_asked_for_and_one_table_all_day(minute, wanted):
    provider = minute().provider
    table = provider.contracts(wanted[:2], AT)
    assert set(table.index.tolist()) == {"NIFTY", "BANKNIFTY"}
    assert provider.contracts(wanted[:2], AT + timedelta(hours=3)) is table


def test_tokens_for_the_stream_are_those_of_the_indices_asked_for(minute, wanted):
    assert minute().provider.index_tokens(wanted, AT) == {"NIFTY": 256265, "SENSEX": 265}


def test_all_spots_come_in_one_request_and_are_the_markets_own(minute, market, wanted):
    one = minute()
    spots = one.provider.spots(wanted, AT)
    assert one.desk.counts()["quote"] == (1, {})
    for name in NAMES:
        expected = market.spot(name, AT)
        assert expected is not None
        assert spots[name].last == pytest.approx(expected.last, abs=0.01)
        assert spots[name].quoted_at.utcoffset() == timedelta(hours=5, minutes=30)
        assert timedelta() <= AT - spots[name].quoted_at <= timedelta(seconds=5)


def test_all_legs_of_all_indices_go_out_together_in_few_requests(minute, market, wanted):
    one = minute()
    table = near_legs(one.provider.contracts(wanted, AT))
    quotes = one.provider.quotes(table, AT)
    calls, failures = one.desk.counts()["quote"]
    assert calls == -(-len(table) // 450)
    assert failures == {}  # the limiter keeps to the pace that the server enforces
    assert quotes.answered.mean() > 0.95
    assert quotes.at == one.clock.now()
    paced = (calls - 1) * KiteOptions().quote_interval_seconds
    assert (quotes.at - AT).total_seconds() == pytest.approx(paced, abs=0.01)
    ages = quotes.quote_age_seconds[quotes.answered]
    assert np.nanmin(ages) >= 0


def test_prices_are_the_markets_own_row_by_row(minute, market, wanted):
    one = minute()
    table = near_legs(one.provider.contracts(wanted, AT), 300)
    quotes, truth = one.provider.quotes(table, AT), market.quotes(table, AT)
    both = quotes.answered & truth.answered
    assert both.sum() > 200
    for name in ("bid", "ask", "bid_quantity", "ask_quantity", "bid_depth", "ask_depth"):
        np.testing.assert_allclose(getattr(quotes, name)[both], getattr(truth, name)[both], atol=0.011, err_msg=name)


def test_one_request_that_fails_costs_its_own_legs_and_is_explained(minute, wanted):
    # Both tries of the second of the minute's requests.
    fault = {"name": "down", "on": "quote", "do": "status", "status": 503, "times": 2, "from": "10:00"}
    one = minute(fault, batch_count=100)
    table = near_legs(one.provider.contracts(wanted, AT), 300)
    quotes = one.provider.quotes(table, AT)
    assert not quotes.answered[:100].any()
    assert np.isnan(quotes.last[:100]).all()
    assert quotes.answered[100:].mean() > 0.95
    report = one.provider.report()
    problem = next(p for p in report.problems if "quote requests failed" in p)
    assert re.match(r"1 of \d+ quote requests failed, 100 legs are missing: kite.quote: .*HTTP 503", problem)
    assert one.provider.report().problems == ()  # said once


def test_when_nothing_answers_the_failure_is_the_minutes(minute, wanted):
    one = minute({"name": "down", "on": "quote", "do": "status", "status": 503})
    with pytest.raises(TransientError, match="HTTP 503"):
        one.provider.quotes(near_legs(one.provider.contracts(wanted, AT)), AT)
    with pytest.raises(TransientError):
        one.provider.spots(wanted, AT)


def test_a_token_that_dies_in_the_middle_ends_the_minute_at_once_and_a_login_heals_it(minute, wanted):
    one = minute()
    table = near_legs(one.provider.contracts(wanted, AT), 300)
    one.provider.quotes(table, AT)
    one.server.kill_token()
    with pytest.raises(AuthError, match="g6 login"):
        one.provider.quotes(table, AT)
    assert one.desk.counts()["quote"][0] == 2
    report = one.provider.report()
    assert report.token is not None
    assert report.token.state == "dead"
    assert any("run `g6 login" in problem for problem in report.problems)
    one.log_in()
    assert one.provider.quotes(table, AT).answered.mean() > 0.95
    assert one.provider.report().problems == ()


def test_an_app_without_market_data_says_what_to_buy(minute, wanted):
    one = minute({"name": "personal app", "on": "quote", "do": "no_market_data"})
    with pytest.raises(AuthError, match="Connect plan"):
        one.provider.spots(wanted, AT)


def test_legs_that_the_broker_leaves_out_have_not_answered(minute, wanted):
    one = minute({"name": "illiquid", "on": "quote", "do": "missing", "match": {"kind": "PE"}})
    table = near_legs(one.provider.contracts(wanted, AT), 300)
    quotes = one.provider.quotes(table, AT)
    assert not quotes.answered[table.kind == "PE"].any()
    assert quotes.answered[table.kind == CALL].mean() > 0.95
    assert one.provider.report().problems == ()


def test_a_minute_without_legs_asks_nothing(minute, wanted):
    one = minute()
    empty = one.provider.contracts([], AT)
    assert len(one.provider.quotes(empty, AT)) == 0
    assert one.desk.counts()["quote"] == (0, {})


def test_an_old_dump_is_among_the_problems(minute):
    one = minute()
    one.dump.reason = "today's cannot be had: HTTP 502"
    assert any("today's cannot be had" in problem for problem in one.provider.report().problems)


def test_the_budget_of_the_minute_bounds_the_requests(minute, wanted):
    one = minute(seconds=3.5, batch_count=100)
    one.desk.deadline.restart()
    table = near_legs(one.provider.contracts(wanted, AT), 1000)
    quotes = one.provider.quotes(table, AT)
    assert one.clock.elapsed() < 3.5
    assert 0 < quotes.answered.sum() <= 400
    assert any("quote requests failed" in problem for problem in one.provider.report().problems)


def quote_of(last: float) -> dict[str, object]:
    level = [{"price": last, "quantity": 50, "orders": 1}] * 5
    return {
        "timestamp": "2026-11-20 10:00:00", "last_trade_time": None, "last_price": last, "average_price": last,
        "volume": 1, "oi": 1, "depth": {"buy": level, "sell": level}, "ohlc": {},
    }  # fmt: skip


def test_a_broken_answer_costs_its_batch_and_a_broken_quote_itself(tmp_path, market, wanted):
    def script(asked: Asked) -> Reply:
        if asked.keys[0] == first:
            return Reply(200, b'{"status":"success","data":{"NFO:')
        quotes: dict[str, object] = {key: quote_of(10.0) for key in asked.keys}
        quotes[asked.keys[1]] = None
        return Reply(200, json.dumps({"status": "success", "data": quotes}).encode())

    with ScriptedBroker(script) as broker:
        at_desk = desk(tmp_path, broker.url, jumping_clock(AT), batch_count=50)
        at_desk.log_in("token")
        provider = KiteProvider("kite", at_desk.session, ListedToday(market), at_desk.clock)
        table = provider.contracts(wanted, AT).take(np.arange(150))
        first = f"{table.exchange[0]}:{table.symbol[0]}"
        quotes = provider.quotes(table, AT)
        assert quotes.answered.sum() == 98
        problems = provider.report().problems
        assert any("50 legs are missing" in problem for problem in problems)
        assert any("2 quotes could not be used (2 null)" in problem for problem in problems)
        broker.script = lambda _: Reply(200, b"[]")
        with pytest.raises(BadResponse):
            provider.quotes(table, AT)
