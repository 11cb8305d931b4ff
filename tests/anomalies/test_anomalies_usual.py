"""What a weekday's premium usually is, out of the masters: levels and drifts of the days before."""

import logging
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from handmade_minutes import OPEN, HandMade

from g6.anomalies.usual import LEVEL_FLOOR, Profile, Usual
from g6.anomalies.watch import Watch
from g6.masters.database import path_of
from g6.masters.store import Folded, MasterStore, content_of
from g6.masters.totals import PER_RUPEE, Group, Totals

TODAY = OPEN.date()
MINUTES = np.arange(9 * 60 + 15, 15 * 60 + 30)
THIS_WEEK = Group("NIFTY", "this_week")


def decaying(level: float) -> np.ndarray:
    """A premium that loses a third over the day, and a tenth of itself within one minute, at 11:00."""
    passed = (MINUTES - MINUTES[0]) / len(MINUTES)
    return level * (1 - passed / 3) * np.where(MINUTES >= 11 * 60, 0.9, 1.0)


def fold(root: Path, levels: dict[date, float], group: Group = THIS_WEEK) -> None:
    store = MasterStore.open(root)
    for day, level in levels.items():
        whole = np.rint(decaying(level) * PER_RUPEE).astype(np.int64)
        totals = {group: Totals(("atm",), MINUTES, whole[np.newaxis])}
        store.settle(day, totals, Folded(content_of(totals), "files", 0, 0), {})
    store.close()


def weeks(count: int, level: float = 200.0, spread: float = 0.05) -> dict[date, float]:
    random = np.random.default_rng(1)
    return {
        TODAY - timedelta(weeks=week): level * float(np.exp(spread * random.standard_normal()))
        for week in range(count, 0, -1)
    }


def test_the_usual_premium_is_the_median_of_the_days_before(tmp_path: Path) -> None:
    levels = weeks(9)
    fold(tmp_path, {**levels, TODAY: 1000.0, TODAY - timedelta(days=1): 5000.0})
    profile = Usual.read(tmp_path, TODAY).of("NIFTY", ("this_week",))
    assert profile is not None
    expected = np.median([decaying(level) for level in levels.values()], axis=0)
    for place in (0, 100, 300):
        assert profile.at(int(MINUTES[place])).premium == pytest.approx(expected[place], abs=0.001)


def test_a_drift_is_that_of_the_days_that_have_both_minutes() -> None:
    days = np.full((8, 1440), np.nan)
    days[:5, 600], days[:5, 601] = np.log(100.0), np.log(90.0)
    days[5:, 601] = np.log(1000.0)  # recorded from 10:01 on
    profile = Profile(days)
    assert profile.drift(600, 601) == pytest.approx(np.log(0.9))
    assert profile.drift(601, 602) == 0.0


def test_few_days_are_no_habit(tmp_path: Path) -> None:
    fold(tmp_path, weeks(4))
    profile = Usual.read(tmp_path, TODAY).of("NIFTY", ("this_week",))
    assert profile is not None
    assert np.isnan(profile.at(600).premium)
    assert profile.drift(600, 601) == 0.0
    assert profile.scale == LEVEL_FLOOR


def test_a_chain_takes_the_first_of_its_codes_that_has_a_profile(tmp_path: Path) -> None:
    fold(tmp_path, weeks(6), Group("NIFTY", "this_month"))
    usual = Usual.read(tmp_path, TODAY)
    assert usual.of("NIFTY", ("this_week", "this_month")) is not None
    assert usual.of("NIFTY", ("this_week",)) is None
    assert usual.of("SENSEX", ("this_month",)) is None


def test_without_masters_nothing_is_usual(tmp_path: Path) -> None:
    assert Usual.read(tmp_path, TODAY).profiles == {}


def test_damaged_masters_are_told_and_cost_nothing_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path_of(tmp_path).parent.mkdir(parents=True)
    path_of(tmp_path).write_bytes(b"no database at all" * 100)
    with caplog.at_level(logging.WARNING):
        assert Usual.read(tmp_path, TODAY).profiles == {}
    assert "not known" in caplog.text


def minutes_at(market: HandMade, levels: np.ndarray) -> list:
    return [market.minute(number, premium=level, noise=0.2) for number, level in enumerate(levels)]


def found_in(root: Path, minutes: list) -> list:
    watch, found = Watch(root), []
    watch.begin(TODAY)
    for snapshot in minutes:
        found += watch.judge(snapshot)
        watch.remember(snapshot)
    return found


def test_a_drop_that_the_weekday_always_has_is_expected(market: HandMade, tmp_path: Path) -> None:
    ordinary = decaying(205.0)[:150]
    assert [one.series for one in found_in(tmp_path / "without", minutes_at(market, ordinary))] == ["premium"]
    fold(tmp_path / "with", weeks(9))
    assert found_in(tmp_path / "with", minutes_at(market, ordinary)) == []


def test_the_lack_of_such_a_drop_is_out_of_the_ordinary(market: HandMade, tmp_path: Path) -> None:
    fold(tmp_path, weeks(9, spread=0.02))
    (found,) = found_in(tmp_path, minutes_at(market, np.full(150, 200.0)))
    assert (f"{found.minute:%H:%M}", found.series) == ("11:00", "premium")
    assert found.deviation > 8
    assert found.expected == pytest.approx(180.0, rel=0.02)


def test_a_premium_far_from_its_weekdays_is_told_once_from_the_first_minute(market: HandMade, tmp_path: Path) -> None:
    fold(tmp_path, weeks(9))
    (found,) = found_in(tmp_path, minutes_at(market, decaying(600.0)[:120]))
    assert (found.minute, found.series) == (OPEN, "premium")
    assert found.reason.endswith("usual on a Friday at 09:15")
    assert found.expected == pytest.approx(200.0, rel=0.1)


def test_a_premium_that_jumps_and_is_then_far_from_its_weekdays_is_one_anomaly(
    market: HandMade, tmp_path: Path
) -> None:
    fold(tmp_path, weeks(9))
    levels = decaying(200.0)[:80] * np.where(np.arange(80) >= 60, 4.0, 1.0)
    (found,) = found_in(tmp_path, minutes_at(market, levels))
    assert found.minute == OPEN + timedelta(minutes=60)
