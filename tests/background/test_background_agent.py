"""What minutes are compared with, in days that the whole agent recorded on the simulator."""

import math
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from g6 import unified_main
from g6.background.daily_series import read_daily, write_day
from g6.background.recollection import Recollection
from g6.background.recorded import last_minutes_of, minutes_of
from g6.clock import IST
from g6.market.sessions import SessionCalendar
from g6.model.snapshot import Snapshot
from g6.settings import Settings, load, shipped
from g6.storage.reader import JournalReader

THURSDAY, FRIDAY = date(2026, 11, 19), date(2026, 11, 20)


def settings_of(root: Path, at: str, **more: str) -> Settings:
    plain = {
        "metrics.port": "0", "console.concise": "true", "clock.speed": "max", "logging.level": "WARNING",
        "storage.data_dir": str(root), "clock.at": at, "collection.indices": "NIFTY,SENSEX",
    }  # fmt: skip
    return load(plain | more, {}, root.parent)


def run(root: Path, at: str, cycles: int, **more: str) -> None:
    assert unified_main.run(settings_of(root, at, **more), cycles=cycles) == 0


def recorded(root: Path, day: date) -> list[Snapshot]:
    return list(JournalReader(root).snapshots(day))


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The end of a Thursday and the beginning of the Friday after it."""
    root = tmp_path_factory.mktemp("two_days") / "data"
    run(root, "2026-11-19T15:34+05:30", 6)
    run(root, "2026-11-20T09:15+05:30", 4)
    return root


def legs_of(snapshot: Snapshot, column: str) -> dict[tuple[str, date, float, bool], float]:
    found = {}
    for chain in snapshot.chains:
        for strike, is_call, value in zip(chain.strike, chain.is_call, getattr(chain, column), strict=True):
            found[chain.index, chain.expiry, float(strike), bool(is_call)] = float(value)
    return found


def test_each_leg_is_compared_with_the_last_minute_of_the_trading_day_before(two_days: Path) -> None:
    yesterday = recorded(two_days, THURSDAY)[-1]
    for column, source in (("previous_close", "last"), ("previous_oi", "oi")):
        before = legs_of(yesterday, source)
        for today in recorded(two_days, FRIDAY):
            found = legs_of(today, column)
            wanted = {key: before.get(key, math.nan) for key in found}
            assert found == pytest.approx(wanted, nan_ok=True)
            assert sum(map(math.isfinite, found.values())) > 0.7 * len(found)


def test_a_first_recorded_day_has_nothing_before_it(two_days: Path) -> None:
    for snapshot in recorded(two_days, THURSDAY):
        assert np.isnan(list(legs_of(snapshot, "previous_oi").values())).all()


def test_a_recording_that_ended_at_noon_does_not_pass_for_the_close(tmp_path: Path) -> None:
    run(tmp_path / "data", "2026-11-19T12:00+05:30", 2)
    run(tmp_path / "data", "2026-11-20T09:15+05:30", 1)
    assert np.isnan(list(legs_of(recorded(tmp_path / "data", FRIDAY)[0], "previous_oi").values())).all()


def test_the_opening_is_the_days_first_minute_and_no_minute_is_compared_with_itself(two_days: Path) -> None:
    first, *later = recorded(two_days, FRIDAY)
    opening = {(chain.index, chain.expiry): dict(chain.aggregates) for chain in first.chains}
    assert all(not chain.opening for chain in first.chains)
    for snapshot in later:
        for chain in snapshot.chains:
            assert dict(chain.opening) == pytest.approx(opening[chain.index, chain.expiry], nan_ok=True)


def test_a_day_that_was_begun_late_has_no_opening(two_days: Path) -> None:
    assert all(not chain.opening for snapshot in recorded(two_days, THURSDAY) for chain in snapshot.chains)


@pytest.mark.long
def test_a_restart_changes_nothing(two_days: Path, tmp_path: Path) -> None:
    run(tmp_path / "data", "2026-11-19T15:34+05:30", 6)
    for minute in range(15, 19):
        run(tmp_path / "data", f"2026-11-20T09:{minute}+05:30", 1)
    for one, other in zip(recorded(two_days, FRIDAY), recorded(tmp_path / "data", FRIDAY), strict=True):
        for chain, again in zip(one.chains, other.chains, strict=True):
            assert dict(chain.aggregates) == pytest.approx(dict(again.aggregates), nan_ok=True)
            assert dict(chain.opening) == pytest.approx(dict(again.opening), nan_ok=True)
        for index, same in zip(one.indices, other.indices, strict=True):
            assert dict(index.aggregates) == pytest.approx(dict(same.aggregates), nan_ok=True)


def test_a_restart_knows_when_each_minute_was_and_whether_the_index_stood_still(two_days: Path) -> None:
    known = Recollection(two_days, SessionCalendar.load(shipped("calendar.yaml")), {"NIFTY": "NSE"})
    known.begin(datetime(2026, 11, 19, 15, 38, tzinfo=IST))
    view = known.view("NIFTY", 24_000.0, (), spot_frozen=False)
    assert view.minute_of_day == 15 * 60 + 38
    assert view.background.minute_of_day.tolist() == [15 * 60 + minute for minute in range(34, 38)]
    assert view.background.minute_frozen.tolist() == [1, 0, 0, 0], "the auction ends at 15:35"


def test_the_daily_row_is_what_the_overview_file_says(two_days: Path) -> None:
    assert set(write_day(two_days, THURSDAY, minutes_of(two_days, THURSDAY))) == {"NIFTY", "SENSEX"}
    assert set(write_day(two_days, THURSDAY, minutes_of(two_days, THURSDAY))) == {"NIFTY", "SENSEX"}, "again"
    spot = pd.read_csv(two_days / "csv/NIFTY/overview" / f"{THURSDAY}.csv")["spot"]
    daily = pd.read_csv(two_days / "daily/NIFTY.csv")
    row = daily.iloc[0]
    assert len(daily) == 1
    assert (row["open"], row["high"], row["low"], row["close"]) == (spot.iloc[0], spot.max(), spot.min(), spot.iloc[-1])
    assert read_daily(two_days, "NIFTY", [THURSDAY]).close.tolist() == [spot.iloc[-1]]
    assert read_daily(two_days, "NIFTY", [THURSDAY - timedelta(days=1)]).close.tolist() == [], (
        "nothing before the first"
    )


def test_the_last_minutes_come_newest_first(two_days: Path) -> None:
    wanted = [snapshot.minute for snapshot in recorded(two_days, THURSDAY)][::-1][:3]
    assert [snapshot.minute for snapshot in last_minutes_of(two_days, THURSDAY, 3)] == wanted


def test_a_damaged_line_of_the_daily_file_costs_that_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "daily/NIFTY.csv"
    path.parent.mkdir()
    path.write_text(
        "date,open,high,low,close,atm_iv_30d,india_vix\nnonsense\n2026-11-18,1,2,1,1.5,,x\n2026-11-19,1,2,1,1.5,,13\n"
    )
    daily = read_daily(tmp_path, "NIFTY", [date(2026, 11, 17), date(2026, 11, 18), THURSDAY])
    assert daily.close.tolist() == [1.5]
    assert math.isnan(daily.iv[0])
