"""Every measure, for whatever a minute may bring: a finite number or NaN, never an error or a warning."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quoted_smiles import quoted_chain, raw_svi

from g6.analytics import AGGREGATES, CORE, DERIVED, ENRICHERS, INDEX_AGGREGATES, MEASURES, aggregate, enrich, survey
from g6.analytics.conventions import Conventions
from g6.analytics.surroundings import MARKET_AGGREGATES, survey_market
from g6.clock import IST
from g6.model.background import Background, IndexView
from g6.model.chain import LEG_COLUMNS, LEG_DEFECTS, OptionChain
from g6.model.market_snapshot import INDEX, SECTOR, SHARE, VIX, MarketSnapshot
from g6.model.mood import MoodRule, MoodRules, MoodStep

SMILE = raw_svi(a=0.00004, b=0.009, rho=-0.35, m=0.002, sigma=0.018, years=7 / 365)
COLLECTED = [
    column.name for column in LEG_COLUMNS if column.origin in {"collected", "context"} and column.name != "defect"
]
PRICES = ("last", "bid", "ask", "average_price", "previous_close")
QUANTITIES = ("oi", "volume", "previous_oi", "bid_quantity", "ask_quantity")
WILD = [0.0, -1.0, 1e-300, 5e-324, 1e-9, 1e9, 1e150, 1e300, 1.7e308, math.inf, -math.inf, math.nan]
ALL_CONVENTIONS = [Conventions(), Conventions(model="nse"), Conventions(price_basis="average", dealers="long_both")]


@cache
def usual() -> OptionChain:
    """A week's chain of 56 strikes with everything known: quotes, quantities, yesterday, the day's opening."""
    chain = quoted_chain(SMILE, spread=0.4, tick=0.05)
    random, n = np.random.default_rng(11), len(chain)
    lean = np.exp(np.where(chain.is_call, 1, -1) * (chain.strike / 24000 - 1) * 60)  # calls above, puts below
    oi = 65.0 * np.round(lean * random.integers(1, 9999, n))
    columns = {
        "oi": oi, "volume": 65.0 * random.integers(1, 9999, n),
        "previous_oi": oi * random.uniform(0.5, 1.0, n), "previous_close": chain.last * random.uniform(0.8, 1.2, n),
        "average_price": chain.last * random.uniform(0.9, 1.1, n),
        "trade_age_seconds": random.integers(0, 1500, n) * 1.0, "quote_age_seconds": np.ones(n),
        "broker_iv": np.full(n, 0.11), "defect": np.zeros(n),
        "bid_quantity": 65.0 * random.integers(1, 99, n), "ask_quantity": 65.0 * random.integers(1, 99, n),
    }  # fmt: skip
    rest = {name: random.integers(1, 99, n) * 1.0 for name in COLLECTED if np.isnan(getattr(chain, name)).all()}
    chain = replace(chain, **(rest | columns))
    return replace(chain, opening=valued(chain).aggregates | {"forward": 23900.0, "days_to_expiry": 7.04})


def rows_of(chain: OptionChain, rows: np.ndarray) -> OptionChain:
    return replace(chain, **{column.name: getattr(chain, column.name)[rows] for column in LEG_COLUMNS})


def valued(chain: OptionChain, conventions: Conventions = ALL_CONVENTIONS[0]) -> OptionChain:
    return aggregate(enrich(chain, conventions), conventions)


@cache
def of_day(minutes: int = 90, days: int = 252) -> Background:
    random = np.random.default_rng(5)
    return Background(
        minute_of_day=555.0 + np.arange(minutes), minute_frozen=np.zeros(minutes),
        minute_spot=24000 + random.normal(0, 5, minutes).cumsum(), minute_iv=0.11 + random.normal(0, 0.001, minutes),
        minute_vix=11 + random.normal(0, 0.1, minutes),
        daily_close=24000 + random.normal(0, 150, days).cumsum(), daily_iv=random.uniform(0.09, 0.2, days),
    )  # fmt: skip


@cache
def later(conventions: Conventions) -> OptionChain:
    return valued(quoted_chain(SMILE, days=35.0, strikes=np.arange(0.8, 1.2, 0.01) * 24000, spread=0.4), conventions)


def everything(
    chain: OptionChain, conventions: Conventions = ALL_CONVENTIONS[0], background: Background | None = None
) -> dict[str, float]:
    """All aggregates of the chain, and of an index of this chain and a usual one, or of this one alone."""
    told = valued(chain, conventions)
    found = dict(told.aggregates)
    for beside in ((), (later(conventions),)):
        view = IndexView("NIFTY", chain.spot, chain.spot_frozen, (told, *beside), background or of_day(), 11.2, 700.0)
        for name, value in survey(view, conventions).items():
            found[f"{name} of {1 + len(beside)}"] = value
    return found


def assert_sound(found: Mapping[str, float]) -> None:
    assert all(type(value) is float for value in found.values())
    assert [name for name, value in found.items() if math.isinf(value)] == []


DAY = timedelta(days=1)
ODD = {
    "usual": lambda c: c,
    "no legs": lambda c: rows_of(c, np.array([], int)),
    "one call": lambda c: rows_of(c, np.array([0])),
    "one put": lambda c: rows_of(c, np.array([57])),
    "one strike": lambda c: rows_of(c, np.array([60, 61])),
    "no calls": lambda c: rows_of(c, np.flatnonzero(~c.is_call)),
    "no puts": lambda c: rows_of(c, np.flatnonzero(c.is_call)),
    "calls below, puts above": lambda c: rows_of(c, np.flatnonzero(c.is_call == (c.strike < 24000))),
    "wings only": lambda c: rows_of(c, np.flatnonzero(np.abs(c.strike / 24000 - 1) > 0.04)),
    "all of it unknown": lambda c: replace(c, **{name: np.full(len(c), math.nan) for name in COLLECTED}),
    "all of it zero": lambda c: replace(c, **{name: np.zeros(len(c)) for name in COLLECTED}),
    "no open interest": lambda c: replace(c, oi=np.zeros(len(c))),
    "open interest unknown": lambda c: replace(c, oi=np.full(len(c), math.nan)),
    "yesterday unknown": lambda c: replace(c, previous_oi=np.full(len(c), math.nan), opening={}),
    "yesterday nothing": lambda c: replace(c, previous_oi=np.zeros(len(c)), previous_close=np.zeros(len(c))),
    "one price for all": lambda c: replace(c, **{name: np.full(len(c), 100.0) for name in PRICES}),
    "spot frozen": lambda c: replace(c, spot_frozen=True, spot=23650.0),
    "spot unknown": lambda c: replace(c, spot=math.nan),
    "spot zero": lambda c: replace(c, spot=0.0),
    "spot negative": lambda c: replace(c, spot=-24000.0),
    "spot and reference wild": lambda c: replace(c, spot=1e300, reference=1e-300),
    "spot far off": lambda c: replace(c, spot=1.0),
    "spot infinite": lambda c: replace(c, spot=math.inf, reference=-math.inf),
    "future alone": lambda c: replace(c, last=c.last * np.nan, bid=c.bid * np.nan, future=24000.0),
    "future wild": lambda c: replace(c, last=c.last * np.nan, bid=c.bid * np.nan, future=1e300),
    "last half hour": lambda c: replace(c, at=c.expires_at - timedelta(minutes=17), settling=True),
    "last second": lambda c: replace(c, at=c.expires_at - timedelta(seconds=1), settling=True),
    "last half hour without saying so": lambda c: replace(c, at=c.expires_at - timedelta(minutes=17)),
    "no time": lambda c: replace(c, at=c.expires_at),
    "after the end": lambda c: replace(c, at=c.expires_at + DAY),
    "a hundred years": lambda c: replace(c, expires_at=c.expires_at + 36500 * DAY),
    "nobody asked": lambda c: replace(c, expected=0, lot=0),
    "no tick": lambda c: replace(c, tick=0.0),
    "tick unknown": lambda c: replace(c, tick=math.nan),
    "opening wild": lambda c: replace(c, opening=dict.fromkeys(c.opening, 1e300)),
    "opening tiny": lambda c: replace(c, opening=dict.fromkeys(c.opening, 1e-300)),
    "opening zero": lambda c: replace(c, opening=dict.fromkeys(c.opening, 0.0)),
    "strikes doubled": lambda c: rows_of(c, np.sort(np.r_[np.arange(len(c)), np.arange(20)])),
    "strike impossible": lambda c: replace(c, strike=np.where(np.arange(len(c)) < 2, 0.0, c.strike)),
    "strike unknown": lambda c: replace(c, strike=np.where(np.arange(len(c)) < 2, math.nan, c.strike)),
    "every leg refused": lambda c: replace(c, defect=np.full(len(c), float(LEG_DEFECTS.index("negative")))),
}  # fmt: skip


@pytest.mark.parametrize("conventions", ALL_CONVENTIONS, ids=["usual", "nse", "average"])
@pytest.mark.parametrize("what", ODD)
def test_every_measure_of_an_odd_chain_is_a_number_or_nan(what, conventions):
    assert_sound(everything(ODD[what](usual()), conventions))


@pytest.mark.parametrize("value", WILD)
@pytest.mark.parametrize("name", [*COLLECTED, "all prices", "all quantities"])
def test_a_column_of_one_wild_value_gives_numbers_or_nan(name, value):
    names = {"all prices": PRICES, "all quantities": QUANTITIES}.get(name, (name,))
    chain = usual()
    assert_sound(everything(replace(chain, **{n: np.full(len(chain), value) for n in names})))


@pytest.mark.parametrize("value", WILD)
def test_a_leg_of_wild_values_gives_numbers_or_nan_and_leaves_most_of_the_rest_as_it_was(value):
    chain = usual()
    leg = int(np.argmin(np.abs(chain.strike - 23808)))
    bent = {name: np.where(np.arange(len(chain)) == leg, value, getattr(chain, name)) for name in PRICES}
    assert_sound(everything(replace(chain, **bent)))
    told, clean = valued(replace(chain, **bent)).aggregates, valued(chain).aggregates
    for name in ("forward", "atm_iv", "max_pain", "pcr_oi", "pcr_volume", "support_oi", "straddle"):
        assert told[name] == pytest.approx(clean[name], rel=1e-3), name
    for name in ("atm_forward_iv", "risk_reversal_25", "expected_low_close_probability"):
        assert told[name] == pytest.approx(clean[name], abs=0.002), name


values = st.one_of(st.sampled_from(WILD), st.floats(allow_nan=True, allow_infinity=True), st.floats(0.05, 2e4))


@st.composite
def any_chain(draw: st.DrawFn) -> OptionChain:
    """Some legs of the usual chain, some of their columns in part replaced by whatever floats there are."""
    chain = usual()
    rows = draw(st.lists(st.integers(0, len(chain) - 1), min_size=1, max_size=30, unique=True))
    chain = rows_of(chain, np.sort(np.array(rows)))
    changed = {}
    for name in draw(st.lists(st.sampled_from(COLLECTED), max_size=6, unique=True)):
        column = getattr(chain, name).copy()
        for row in draw(st.lists(st.integers(0, len(chain) - 1), min_size=1, max_size=5)):
            column[row] = draw(values)
        changed[name] = column
    left = draw(st.floats(-1e4, 1e6))
    spot = draw(st.one_of(st.just(chain.spot), values))
    return replace(chain, at=chain.expires_at - timedelta(seconds=left), spot=spot, spot_frozen=draw(st.booleans()),
                   **changed)  # fmt: skip


@given(any_chain(), st.sampled_from(ALL_CONVENTIONS))
@settings(max_examples=60, deadline=None)
def test_any_legs_with_any_values_give_numbers_or_nan(chain, conventions):
    assert_sound(everything(chain, conventions))


@pytest.mark.long
@given(any_chain(), st.sampled_from(ALL_CONVENTIONS))
@settings(max_examples=3000, deadline=None)
def test_very_many_such_chains_give_numbers_or_nan(chain, conventions):
    assert_sound(everything(chain, conventions))


SERIES = ("minute_of_day", "minute_frozen", "minute_spot", "minute_iv", "minute_vix", "daily_close", "daily_iv")


@pytest.mark.parametrize("value", WILD)
@pytest.mark.parametrize("share", [0.05, 1.0])
def test_a_past_of_wild_values_gives_numbers_or_nan(value, share):
    past, random = of_day(), np.random.default_rng(2)
    bent = {
        name: np.where(random.random(len(getattr(past, name))) < share, value, getattr(past, name)) for name in SERIES
    }
    past = replace(past, **bent)
    chain = valued(usual())
    view = IndexView(
        "NIFTY", chain.spot, spot_frozen=False, chains=(chain,), background=past, vix=value, minute_of_day=value
    )
    assert_sound(survey(view, Conventions()))


@pytest.mark.parametrize("minutes", [0, 1, 2, 31])
def test_a_short_past_gives_numbers_or_nan(minutes):
    chain = valued(usual())
    for frozen in (False, True):
        view = IndexView("NIFTY", math.nan, frozen, (chain,), of_day(minutes, minutes))
        assert_sound(survey(view, Conventions()))


RULES = MoodRules(rules=tuple(
    MoodRule(name, (MoodStep(0.002, 1.0), MoodStep(-0.002, -1.0)))
    for name in ("index_change_ratio", "breadth", "vix_change_ratio", "sectors_up_share")
))  # fmt: skip


@pytest.mark.parametrize("value", WILD)
@pytest.mark.parametrize("name", ["last", "previous_close", "volume", "high"])
def test_a_market_of_wild_values_gives_numbers_or_nan(name, value):
    kinds = [VIX, INDEX, SECTOR, SECTOR, SHARE, SHARE, SHARE]
    n = len(kinds)
    columns = {"last": np.full(n, 101.0), "previous_close": np.full(n, 100.0), "volume": np.ones(n), "high": np.ones(n)}
    for rows in (slice(0, n), slice(1, 2), slice(4, 5)):
        bent = columns[name].copy()
        bent[rows] = value
        market = MarketSnapshot(
            at=datetime(2026, 11, 20, 10, 0, tzinfo=IST), frozen=False, key=np.array([f"NSE:{i}" for i in range(n)]),
            kind=np.array(kinds), name=np.array(["INDIAVIX", "NIFTY", *"ABCDE"]), industry=np.array(["IT"] * n),
            groups=np.array(["NIFTY"] * n), defect=np.zeros(n), **(columns | {name: bent}),
        )  # fmt: skip
        surveyed = survey_market(market, RULES)
        assert_sound(surveyed.aggregates)
        assert_sound(surveyed.breadth)
        assert set(surveyed.aggregates) == {descriptor.name for descriptor, _ in MARKET_AGGREGATES}


def test_the_usual_chain_has_nearly_everything():
    # Else the tests above would be about NaN alone.
    found = everything(usual())
    assert {name for name in found if math.isnan(found[name]) and not name.endswith(" of 1")} == set()
    assert len(found) == len(AGGREGATES) + 2 * len(INDEX_AGGREGATES)
    assert len(AGGREGATES) == len(CORE) + len(DERIVED)
    assert len(MEASURES) == len(AGGREGATES) + len(INDEX_AGGREGATES) + len(MARKET_AGGREGATES)
    assert [enricher.name for enricher in ENRICHERS][:3] == ["price", "forward", "atm"]
