"""A bad leg costs that leg only, a bad chain that chain only, and each says why."""

import math
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.clock import IST
from g6.collectors.reject import Limits, clean, reject_chain, reject_spot
from g6.model.chain import LEG_DEFECTS, OptionChain
from g6.model.quotes import QUOTE_COLUMNS, Spot

AT = datetime(2026, 8, 18, 10, 0, tzinfo=IST)
LIMITS = Limits()


def words(codes):
    return [LEG_DEFECTS[int(code)] for code in codes]


def with_value(n, row, value, base=100.0):
    column = np.full(n, base)
    column[row] = value
    return column


@pytest.mark.parametrize(
    ("columns", "word", "lost"),
    [
        ({"bid": 101.0, "ask": 100.0}, "crossed", {"bid", "ask"}),
        ({"last": 0.0}, "zero_price", {"last"}),
        ({"last": -5.0}, "negative", {"last"}),
        ({"ask": math.inf}, "negative", {"ask"}),
        ({"ask": 1e300}, "negative", {"ask"}),
        ({"volume": 1e18}, "negative", {"volume"}),
        ({"oi": -1.0}, "negative", {"oi"}),
        ({"ask_depth": -65.0}, "negative", {"ask_depth"}),
    ],
)
def test_a_defect_costs_its_leg_the_doubtful_columns_and_no_other_leg_anything(fine_quotes, columns, word, lost):
    fine = fine_quotes(AT, 5)
    bad = {}
    for name, value in columns.items():
        column = getattr(fine, name).copy()
        column[2] = value
        bad[name] = column
    cleaned, defects = clean(replace(fine, **bad), [slice(0, 5)])
    assert words(defects) == ["none", "none", word, "none", "none"]
    for name in QUOTE_COLUMNS:
        others = np.delete(getattr(cleaned, name), 2)
        assert np.array_equal(others, np.delete(getattr(fine, name), 2), equal_nan=True)
        if name in {"last", "bid", "ask", "oi"} | lost:
            assert math.isnan(getattr(cleaned, name)[2]) == (name in lost)


def test_a_price_of_zero_on_an_untraded_leg_is_no_price_and_no_defect(fine_quotes):
    quotes = fine_quotes(AT, 2, last=np.array([0.0, 5.0]), volume=np.array([0.0, 650.0]))
    cleaned, defects = clean(quotes, [slice(0, 2)])
    assert math.isnan(cleaned.last[0])
    assert words(defects) == ["none", "none"]


def test_an_unanswered_leg_is_absent(fine_quotes):
    _, defects = clean(fine_quotes(AT, 2, answered=np.array([True, False])), [slice(0, 2)])
    assert words(defects) == ["none", "absent"]


def test_zero_open_interest_everywhere_in_a_trading_chain_is_no_open_interest(fine_quotes):
    oi = np.array([0.0, 0.0, 0.0, 6500.0])
    cleaned, defects = clean(fine_quotes(AT, 4, oi=oi), [slice(0, 2), slice(2, 4)])
    assert np.isnan(cleaned.oi[:2]).all()
    assert cleaned.oi[2:].tolist() == [0.0, 6500.0]
    assert words(defects) == ["zero_oi", "zero_oi", "none", "none"]


prices = st.floats(allow_nan=True, allow_infinity=True, width=32)


@given(st.lists(st.tuples(prices, prices, prices, prices), min_size=1, max_size=20))
def test_what_is_left_is_always_sane(fine_quotes_factory, rows):
    last, bid, ask, oi = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    n = len(rows)
    cleaned, _ = clean(fine_quotes_factory(AT, n, last=last, bid=bid, ask=ask, oi=oi), [slice(0, n)])
    for values in (cleaned.last, cleaned.bid, cleaned.ask):
        known = values[~np.isnan(values)]
        assert (known > 0).all()
        assert np.isfinite(known).all()
    assert not (cleaned.bid > cleaned.ask).any()
    assert not (cleaned.oi < 0).any()


@pytest.fixture(scope="session")
def fine_quotes_factory():
    from g6.model.quotes import Quotes

    def make(at, n, **columns):
        return Quotes(at=at, answered=np.ones(n, dtype=bool), volume=np.ones(n), **columns)

    return make


def chain(n=10, answered=10, **columns):
    flags = np.zeros(n)
    flags[:answered] = 1
    return OptionChain(
        index="NIFTY", expiry=date(2026, 8, 18), codes=("this_week",), at=AT, expires_at=AT + timedelta(hours=5),
        spot=24350.0, spot_frozen=False, expected=n, lot=65, strike=np.arange(n) * 50.0 + 24000,
        is_call=np.ones(n, dtype=bool), answered=flags, **({"last": np.full(n, 10.0)} | columns),
    )  # fmt: skip


def test_exactly_the_needed_share_of_legs_is_enough():
    assert reject_chain(chain(answered=8), LIMITS) is None
    reason = reject_chain(chain(answered=7), LIMITS)
    assert reason is not None
    assert reason.word == "coverage"
    assert "7 of 10" in reason.detail


def test_a_chain_is_as_fresh_as_its_freshest_leg():
    ages = np.full(10, 10_000.0)
    assert reject_chain(chain(quote_age_seconds=with_value(10, 3, 5.0, 1e4)), LIMITS) is None
    reason = reject_chain(chain(quote_age_seconds=ages), LIMITS)
    assert reason is not None
    assert reason.word == "stale"


def test_a_chain_without_any_price_is_refused():
    reason = reject_chain(chain(last=np.full(10, np.nan)), LIMITS)
    assert reason is not None
    assert reason.word == "no_prices"


@pytest.mark.parametrize("level", [0.0, -1.0, math.inf, 1e15])
def test_an_impossible_spot_is_refused(level):
    reason = reject_spot(Spot(level, AT), AT, LIMITS, frozen=False)
    assert reason is not None
    assert reason.word == "bad_spot"


@pytest.mark.parametrize("spot", [None, Spot(math.nan, AT)])
def test_a_silent_spot_is_refused(spot):
    reason = reject_spot(spot, AT, LIMITS, frozen=False)
    assert reason is not None
    assert reason.word == "no_spot"


def test_an_old_spot_is_refused_unless_the_auction_holds_it():
    old = Spot(24350.0, AT - timedelta(seconds=181))
    reason = reject_spot(old, AT, LIMITS, frozen=False)
    assert reason is not None
    assert reason.word == "stale_spot"
    assert reject_spot(old, AT, LIMITS, frozen=True) is None
