"""Breadth, sectors and mood against counting by hand; what is not known is neither up nor down."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.analytics import sectors
from g6.analytics.breadth import all_breadth, breadth, directions, group_name
from g6.analytics.mood import mood, mood_inputs, mood_score
from g6.analytics.surroundings import BREADTH, MARKET_MEASURES, survey_market
from g6.market.surroundings import load_surroundings
from g6.model.market_snapshot import (
    BREADTH_MEASURES,
    INDEX,
    MOODS,
    ROW_DEFECTS,
    SECTOR,
    SHARE,
    VIX,
    MarketSnapshot,
)
from g6.model.mood import MoodRule, MoodRules, MoodStep

AT = datetime.fromisoformat("2026-11-20T10:00+05:30")
NAN = float("nan")
Row = Mapping[str, object]


def market_of(rows: Sequence[Row]) -> MarketSnapshot:
    """Rows of kind, name, last, previous_close; by default a share of NIFTY, of one industry, without a defect."""

    def texts(field: str, default: str) -> np.ndarray:
        return np.array([str(row.get(field, default)) for row in rows] or [], np.str_).astype("U40")

    def numbers(field: str, default: float) -> np.ndarray:
        return np.array([float(row.get(field, default)) for row in rows])  # type: ignore[arg-type]

    kinds = texts("kind", SHARE)
    groups = [str(row.get("groups", "NIFTY" if row.get("kind", SHARE) == SHARE else "")) for row in rows]
    return MarketSnapshot(
        at=AT, frozen=False, key=texts("name", "X"), kind=kinds, name=texts("name", "X"),
        industry=texts("industry", "Power"), groups=np.array(groups, np.str_).astype("U40"), last=numbers("last", 100),
        previous_close=numbers("previous_close", 100), volume=numbers("volume", 10), defect=numbers("defect", 0),
    )  # fmt: skip


def index_row(change_ratio: float, **more: object) -> Row:
    return {"kind": INDEX, "name": "NIFTY", "last": 100 * (1 + change_ratio), **more}


@st.composite
def shares(draw: st.DrawFn) -> list[Row]:
    price = st.sampled_from([99.0, 100.0, 101.0, NAN])
    row = st.fixed_dictionaries({
        "last": price, "previous_close": st.sampled_from([100.0, NAN]), "volume": st.sampled_from([0.0, 5.0, NAN]),
        "defect": st.sampled_from([0, 0, 0, 1, 4, 5]), "industry": st.sampled_from(["Power", "Oil Gas & Fuels"]),
    })  # fmt: skip
    return draw(st.lists(row, max_size=12))


@given(shares())
def test_counts_are_those_of_going_through_the_shares_one_by_one(rows: list[Row]) -> None:
    up = down = flat = unknown = 0
    up_volume = down_volume = 0.0
    for row in rows:
        last, close, volume = (float(row[name]) for name in ("last", "previous_close", "volume"))  # type: ignore[arg-type]
        volume = 0.0 if math.isnan(volume) else volume
        if row["defect"] or math.isnan(last) or math.isnan(close):
            unknown += 1
        elif last > close:
            up, up_volume = up + 1, up_volume + volume
        elif last < close:
            down, down_volume = down + 1, down_volume + volume
        else:
            flat += 1
    market = market_of(rows)
    found = breadth(market, market.kind == SHARE)
    assert tuple(found) == BREADTH_MEASURES
    assert [found[name] for name in BREADTH_MEASURES[:4]] == [up, down, flat, unknown]
    known = up + down + flat
    expected = {
        "net_advances": up - down if known else NAN,
        "advance_decline_ratio": up / down if down else NAN,
        "breadth": (up - down) / known if known else NAN,
        "advance_volume": up_volume if known else NAN,
        "decline_volume": down_volume if known else NAN,
        "advance_volume_share": up_volume / (up_volume + down_volume) if up_volume + down_volume else NAN,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


@given(shares())
def test_industries_add_up_to_their_index(rows: list[Row]) -> None:
    found = all_breadth(market_of(rows))
    for name in ("advances", "declines", "unchanged", "unknown"):
        parts = [value for key, value in found.items() if key.endswith(f".{name}") and not key.startswith("NIFTY.")]
        assert sum(parts) == found.get(f"NIFTY.{name}", 0)


def test_a_share_counts_in_each_of_its_indices_and_in_one_industry() -> None:
    rows = [
        {"groups": "NIFTY BANKNIFTY", "industry": "Financial Services", "last": 101},
        {"groups": "BANKNIFTY", "industry": "Financial Services", "last": 99},
        {"groups": "NIFTY", "industry": "Power", "last": 99},
    ]
    found = all_breadth(market_of(rows))
    assert (found["NIFTY.advances"], found["NIFTY.declines"]) == (1, 1)
    assert (found["BANKNIFTY.advances"], found["BANKNIFTY.declines"]) == (1, 1)
    assert (found["FINANCIAL_SERVICES.advances"], found["FINANCIAL_SERVICES.declines"]) == (1, 0)
    assert found["POWER.declines"] == 1


def test_without_shares_there_is_no_breadth() -> None:
    assert all_breadth(market_of([index_row(0.01)])) == {}


@pytest.mark.parametrize("defect", range(1, len(ROW_DEFECTS)))
def test_a_share_with_a_defect_is_unknown_and_not_unchanged(defect: int) -> None:
    market = market_of([{"last": 101, "defect": defect}, {"last": 100}])
    assert np.array_equal(directions(market), [NAN, 0], equal_nan=True)
    assert [breadth(market, market.kind == SHARE)[name] for name in ("unchanged", "unknown")] == [1, 1]


@pytest.mark.parametrize(
    ("industry", "name"),
    [("Oil Gas & Consumable Fuels", "OIL_GAS_CONSUMABLE_FUELS"), ("", "OTHER"), ("../x", "X"), ("a" * 50, "A" * 32)],
)
def test_an_industrys_name_can_be_a_folders(industry: str, name: str) -> None:
    assert group_name(industry) == name


def test_every_industry_of_the_shipped_lists_keeps_a_name_of_its_own(project: Path) -> None:
    table = load_surroundings(project / "config" / "market.yaml")
    industries = {share.industry for shares in table.constituents.values() for share in shares}
    assert len({group_name(industry) for industry in industries}) == len(industries)


def sectors_at(*ratios: float) -> MarketSnapshot:
    return market_of([{"kind": SECTOR, "name": f"S{n}", "last": 100 * (1 + r)} for n, r in enumerate(ratios)])


def test_sectors_are_ranked_by_their_change() -> None:
    market = sectors_at(0.01, -0.02, 0.03, NAN)
    assert [name for name, _ in market.sectors_ranked] == ["S2", "S0", "S1"]
    assert (market.leader, market.laggard) == ("S2", "S1")
    assert sectors.leader_change_ratio(market) == pytest.approx(0.03)
    assert sectors.laggard_change_ratio(market) == pytest.approx(-0.02)
    assert sectors.sector_spread(market) == pytest.approx(0.05)
    assert sectors.sectors_up_share(market) == pytest.approx(2 / 3)
    assert sectors.sector_dispersion(market) == pytest.approx(np.std([0.01, -0.02, 0.03]))


@pytest.mark.parametrize(("word", "counts"), [
    ("none", True), ("frozen", True), ("stale", False), ("absent", False), ("no_price", False), ("no_close", False),
])  # fmt: skip
def test_a_sector_with_a_defect_leads_nothing_but_in_the_auction(word: str, counts: bool) -> None:
    defect = ROW_DEFECTS.index(word)
    market = market_of([
        {"kind": SECTOR, "name": "S0", "last": 110, "defect": defect}, {"kind": SECTOR, "name": "S1", "last": 101},
        {"kind": SECTOR, "name": "S2", "last": 99},
    ])  # fmt: skip
    assert market.leader == ("S0" if counts else "S1")
    assert sectors.sectors_up_share(market) == pytest.approx(2 / 3 if counts else 1 / 2)
    assert sectors.leader_change_ratio(market) == pytest.approx(0.1 if counts else 0.01)


@pytest.mark.parametrize("word", ["none", "no_close", "stale"])
def test_a_stale_india_vix_says_nothing_of_now(rules: MoodRules, word: str) -> None:
    vix = {"kind": VIX, "name": "INDIAVIX", "last": 13, "previous_close": 12, "defect": ROW_DEFECTS.index(word)}
    told = survey_market(market_of([vix]), rules)
    wanted = (NAN,) * 3 if word == "stale" else (13.0, 1.0, 1 / 12)
    names = ("india_vix", "india_vix_change", "india_vix_change_ratio")
    assert [told.aggregates[name] for name in names] == pytest.approx(wanted, nan_ok=True)
    assert told.vix == pytest.approx(wanted[0], nan_ok=True)
    assert mood_inputs(told, rules)["vix_change_ratio"] == pytest.approx(wanted[2], nan_ok=True)


def test_without_sectors_nobody_leads() -> None:
    market = sectors_at()
    assert (market.leader, market.laggard) == ("", "")
    assert all(math.isnan(f(market)) for f in (
        sectors.sectors_up_share, sectors.leader_change_ratio, sectors.laggard_change_ratio, sectors.sector_spread,
        sectors.sector_dispersion,
    ))  # fmt: skip
    assert math.isnan(sectors.sector_spread(sectors_at(0.01)))


@pytest.fixture(scope="module")
def rules(project: Path) -> MoodRules:
    return load_surroundings(project / "config" / "market.yaml").mood


def day(change: float, up: int, down: int, vix: float = 0.0, sector: Sequence[float] = (0.0,)) -> MarketSnapshot:
    """A market: NIFTY's change, shares up and down, India VIX's change, the sectors' changes."""
    rows: list[Row] = [index_row(change), {"kind": VIX, "name": "INDIAVIX", "last": 100 * (1 + vix)}]
    rows += [{"kind": SECTOR, "name": f"S{n}", "last": 100 * (1 + ratio)} for n, ratio in enumerate(sector)]
    rows += [{"last": 101}] * up + [{"last": 99}] * down
    return market_of(rows)


# Worked out by hand from the table in config/market.yaml: points of index, breadth, VIX and sectors; 7 are the most.
@pytest.mark.parametrize(
    ("market", "points", "word"),
    [
        (day(0.012, 40, 10, -0.05, [0.01] * 3), 2 + 2 + 1 + 1, "bullish"),
        (day(0.004, 32, 18, 0.0, [0.01, -0.01]), 1 + 1 + 0 + 0, "rather bullish"),
        (day(0.001, 26, 24, 0.01, [0.01, -0.01]), 0, "neutral"),
        (day(-0.004, 15, 35, 0.04, [-0.01, -0.01, 0.01]), -1 - 1 - 1 - 1, "rather bearish"),
        (day(-0.015, 5, 45, 0.12, [-0.01] * 4), -2 - 2 - 2 - 1, "bearish"),
        (day(0.012, 10, 40, 0.0, [0.01, -0.01]), 2 - 2, "neutral"),
    ],
)
def test_the_mood_follows_the_stated_rules(rules: MoodRules, market: MarketSnapshot, points: int, word: str) -> None:
    surveyed = survey_market(market, rules)
    assert surveyed.aggregates["mood_score"] == pytest.approx(points / 7)
    assert surveyed.mood == word


@pytest.mark.parametrize(
    "market",
    [
        market_of([]),
        market_of([index_row(0.01)]),
        market_of([{"last": 101}] * 50),
        market_of([index_row(0.01, defect=5), *[{"last": 101, "defect": 5}] * 50]),
        market_of([index_row(NAN), *[{"last": 101}] * 50]),
    ],
    ids=["nothing", "no shares", "no index", "the auction", "an index without a level"],
)
def test_a_mood_without_what_it_needs_is_unknown(rules: MoodRules, market: MarketSnapshot) -> None:
    surveyed = survey_market(market, rules)
    assert math.isnan(surveyed.aggregates["mood"])
    assert surveyed.mood == "unknown"


def test_what_is_not_required_is_left_out_of_the_most(rules: MoodRules) -> None:
    market = market_of([index_row(0.012), *[{"last": 101}] * 40, *[{"last": 99}] * 10])
    assert survey_market(market, rules).aggregates["mood_score"] == pytest.approx(4 / 4)


def test_no_rules_are_no_mood() -> None:
    assert math.isnan(mood_score(day(0.01, 40, 10), MoodRules()))


# Between the thresholds, where rounding cannot tell the two apart.
CHANGES = st.sampled_from([-0.02, -0.005, -0.001, 0.0, 0.001, 0.005, 0.02])


@given(CHANGES, st.integers(0, 50), st.lists(st.floats(-0.05, 0.05), max_size=4))
def test_a_market_turned_upside_down_has_the_opposite_mood(change: float, up: int, sector: list[float]) -> None:
    steps = (MoodStep(0.003, 1), MoodStep(0.01, 2), MoodStep(-0.003, -1), MoodStep(-0.01, -2))
    shares_up = (MoodStep(0.2, 1), MoodStep(-0.2, -1))
    symmetric = MoodRules(rules=(MoodRule("index_change_ratio", steps), MoodRule("breadth", shares_up)))
    first = survey_market(day(change, up, 50 - up, sector=sector), symmetric)
    second = survey_market(day(-change, 50 - up, up, sector=[-ratio for ratio in sector]), symmetric)
    assert first.aggregates["mood_score"] == -second.aggregates["mood_score"]
    assert mood(first, symmetric) == -mood(second, symmetric)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_farther_out_never_earns_less(value: float) -> None:
    rule = MoodRule("breadth", (MoodStep(0.2, 1), MoodStep(0.5, 2), MoodStep(-0.2, -1), MoodStep(-0.5, -2)))
    assert rule.points(value) <= rule.points(value + 0.1)


def test_every_measure_is_there_whatever_is_missing(rules: MoodRules) -> None:
    for market in (market_of([]), market_of([{"last": NAN}]), day(0.01, 3, 4)):
        assert tuple(survey_market(market, rules).aggregates) == tuple(m.name for m in MARKET_MEASURES)


def test_the_broad_index_breadth_is_the_markets(rules: MoodRules) -> None:
    surveyed = survey_market(day(0.01, 30, 20), rules)
    assert {m: surveyed.aggregates[m] for m in BREADTH_MEASURES} == surveyed.breadth_of("NIFTY")
    assert tuple(b.name for b in BREADTH) == BREADTH_MEASURES


def test_vix_is_told_with_its_change(rules: MoodRules) -> None:
    surveyed = survey_market(day(0.0, 1, 1, vix=0.05), rules)
    assert surveyed.vix == surveyed.aggregates["india_vix"] == pytest.approx(105.0)
    assert surveyed.aggregates["india_vix_change"] == pytest.approx(5.0)
    assert surveyed.aggregates["india_vix_change_ratio"] == pytest.approx(0.05)
    assert math.isnan(survey_market(market_of([]), rules).vix)


def test_measures_are_documented_and_named_once() -> None:
    assert all(measure.help and measure.unit and measure.scope == "market" for measure in MARKET_MEASURES)
    assert len({measure.name for measure in MARKET_MEASURES}) == len(MARKET_MEASURES)
    assert len(MOODS) == 5
