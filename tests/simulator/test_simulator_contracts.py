"""The day's contracts: the right expiries, uneven strikes around yesterday's close, a broker's symbols."""

import csv
import gzip
import re
from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import pytest

from g6.market.listing import listed_expiries, lot_on
from g6.model.contracts import CALL, FUTURE, PUT


def strikes(table, expiry: date, kind: str = CALL) -> np.ndarray:
    return table.strike[(table.expiry == np.datetime64(expiry)) & (table.kind == kind)]


def test_expiries_are_those_of_the_day_around_holidays(market):
    # Tuesday the 24th of November 2026 is a holiday, so the monthly expires on Monday; so does 26 January's.
    nifty = market.contracts("NIFTY", date(2026, 11, 20))
    assert nifty.option_expiries()[:7] == (
        date(2026, 11, 23), date(2026, 12, 1), date(2026, 12, 8), date(2026, 12, 15), date(2026, 12, 22),
        date(2026, 12, 29), date(2027, 1, 25),
    )  # fmt: skip
    assert nifty.future_expiries() == (date(2026, 11, 23), date(2026, 12, 29), date(2027, 1, 25))
    banknifty = market.contracts("BANKNIFTY", date(2026, 11, 20))
    assert banknifty.option_expiries()[:3] == banknifty.future_expiries() == nifty.future_expiries()


def test_an_expiry_is_listed_on_its_last_day_and_gone_on_the_next(market):
    monday, wednesday = market.contracts("NIFTY", date(2026, 11, 23)), market.contracts("NIFTY", date(2026, 11, 25))
    assert monday.option_expiries()[0] == date(2026, 11, 23)
    assert wednesday.option_expiries()[0] == date(2026, 12, 1)


def test_every_listed_expiry_has_options_and_no_other(market, indices, calendar):
    for name, index in indices.items():
        for day in (date(2024, 6, 3), date(2025, 4, 30), date(2026, 8, 18)):
            table = market.contracts(name, day)
            assert table.option_expiries() == listed_expiries(index, day, calendar).all
            assert table.future_expiries() == listed_expiries(index, day, calendar).monthly


@pytest.mark.parametrize(("index", "fine"), [("NIFTY", 50), ("BANKNIFTY", 100), ("MIDCPNIFTY", 25), ("SENSEX", 100)])
def test_strikes_are_fine_near_yesterdays_close_and_coarse_in_the_wings(market, moment, index, fine):
    day = date(2026, 11, 20)
    table = market.contracts(index, day)
    monthly = strikes(table, table.future_expiries()[0])
    steps = np.diff(monthly)
    close = market.fair_level(index, moment("2026-11-19T15:39:59"))
    near = np.abs(monthly[:-1] / close - 1) < 0.05
    assert (steps[near] == fine).all()
    assert steps[0] > fine
    assert steps[-1] > fine
    assert abs((monthly[0] + monthly[-1]) / 2 / close - 1) < 0.02


def test_far_expiries_are_coarse_and_their_sides_differ(market):
    table = market.contracts("NIFTY", date(2026, 11, 20))
    differing = 0
    for expiry in table.option_expiries():
        calls, puts = strikes(table, expiry), strikes(table, expiry, PUT)
        if (expiry - date(2026, 11, 20)).days < 100:
            assert np.array_equal(calls, puts)
        else:
            assert len(calls) < 40
            differing += not np.array_equal(calls, puts)
    assert differing >= 3


def test_contracts_do_not_change_within_a_day_or_on_the_closed_days_after_it(market):
    friday = market.contracts("SENSEX", date(2026, 11, 20))
    for closed in (date(2026, 11, 21), date(2026, 11, 22)):
        assert market.contracts("SENSEX", closed).symbol.tolist() == friday.symbol.tolist()


def test_symbols_name_months_by_letters_and_weeks_by_days(market):
    table = market.contracts("NIFTY", date(2026, 11, 20))
    symbols = set(table.symbol.tolist())
    atm = strikes(table, date(2026, 12, 1)).tolist()[50]
    assert {f"NIFTY26D01{atm:.0f}CE", f"NIFTY26NOV{atm:.0f}PE", "NIFTY26NOVFUT", "NIFTY27JANFUT"} <= symbols
    september = market.contracts("SENSEX", date(2026, 8, 18)).symbol.tolist()
    assert any(re.fullmatch(r"SENSEX26903\d{5}CE", symbol) for symbol in september)
    october = market.contracts("SENSEX", date(2026, 9, 18)).symbol.tolist()
    assert any(re.fullmatch(r"SENSEX26O01\d{5}PE", symbol) for symbol in october)


def test_symbols_and_tokens_are_unique_and_tokens_fit_a_tickers_field(market):
    tables = [market.contracts(name, date(2026, 11, 20)) for name in market.indices]
    for column in ("symbol", "token"):
        values = np.concatenate([getattr(table, column) for table in tables])
        assert len(np.unique(values)) == len(values)
    assert min(t.token.min() for t in tables) >= 0
    assert max(t.token.max() for t in tables) < 2**32


def test_a_contract_keeps_its_token_from_day_to_day(market):
    days = [market.contracts("BANKNIFTY", date(2026, 11, day)) for day in (18, 19, 20)]
    known: dict[str, int] = {}
    for table in days:
        for symbol, token in zip(table.symbol.tolist(), table.token.tolist(), strict=True):
            assert known.setdefault(symbol, token) == token


def test_lots_and_ticks_are_the_definitions(market, indices):
    for name in ("NIFTY", "BANKNIFTY"):
        table = market.contracts(name, date(2025, 11, 14))
        assert table.lot.tolist() == [lot_on(indices[name], day) for day in table.expiry.tolist()]
        assert len(set(table.lot.tolist())) == 2  # the revision of January 2026 lies ahead
        future = table.kind == FUTURE
        assert set(table.tick[future]) == {indices[name].future_tick}
        assert set(table.tick[~future]) == {indices[name].option_tick}


def test_an_unknown_index_has_no_contracts(market):
    assert len(market.contracts("NASDAQ", date(2026, 11, 20))) == 0


def test_counts_and_reach_are_like_a_real_days(market, market_data):
    with gzip.open(market_data / "instruments" / "kite_index_derivatives_2026-08-18.csv.gz", "rt") as file:
        real: dict[tuple[str, date], list[float]] = defaultdict(list)
        for row in csv.DictReader(file):
            if row["instrument_type"] == "CE":
                real[row["name"], date.fromisoformat(row["expiry"])].append(float(row["strike"]))
    day = date(2026, 8, 18)
    for name in ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX"):
        table = market.contracts(name, day)
        # Expiry days beyond the table of holidays are known by weekday alone.
        near = [expiry for expiry in table.option_expiries() if expiry < day + timedelta(days=75)]
        for expiry in [e for e in near if (name, e) in real]:
            assert 0.5 < len(strikes(table, expiry)) / len(real[name, expiry]) < 2.5, (name, expiry)
        codes = [e for (index, e) in real if index == name and e < day + timedelta(days=45)]
        assert set(codes) - set(near) <= {date(2026, 9, 17), date(2026, 10, 1)}, name
