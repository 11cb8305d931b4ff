"""Daily values stand on the trading days that they are of: what is missing between them is missing."""

import math
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from g6.analytics.conventions import Conventions
from g6.analytics.surface.history import realised_volatility_20d
from g6.background.recollection import Recollection
from g6.clock import IST
from g6.market.sessions import SessionCalendar
from g6.model.background import Background
from g6.settings import shipped

TODAY = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
HOLIDAYS = ("2026-10-02", "2026-10-20", "2026-11-10")
MUHURAT = "2026-11-08"  # a Sunday
# The 31 trading days before, by pandas: the exchange's list of holidays, and its one Sunday.
LAST = pd.bdate_range("2026-10-05", "2026-11-19", freq="C", holidays=list(HOLIDAYS)).union([pd.Timestamp(MUHURAT)])
DAYS = [day.date() for day in LAST]


def close_of(day: date) -> float:
    return 24_000.0 + 50 * (day.toordinal() % 7) + (day.toordinal() % 5)


def written(root: Path, days: Sequence[date]) -> None:
    path = root / "daily" / "NIFTY.csv"
    path.parent.mkdir(parents=True)
    rows = [f"{day},1,2,1,{close_of(day)},0.12,13" for day in days]
    path.write_text("\n".join(["date,open,high,low,close,atm_iv_30d,india_vix", *rows]) + "\n")


def background(root: Path) -> Background:
    known = Recollection(root, SessionCalendar.load(shipped("calendar.yaml")), {"NIFTY": "NSE"})
    known.begin(TODAY)
    return known.view("NIFTY", 24_000.0, (), spot_frozen=False).background


def realised(root: Path) -> float:
    known = Recollection(root, SessionCalendar.load(shipped("calendar.yaml")), {"NIFTY": "NSE"})
    known.begin(TODAY)
    return realised_volatility_20d(known.view("NIFTY", 24_000.0, (), spot_frozen=False), Conventions())


def test_the_series_are_of_the_trading_days_from_the_first_that_is_kept(tmp_path: Path) -> None:
    kept = [day for place, day in enumerate(DAYS) if place not in {3, len(DAYS) - 2}]
    written(tmp_path, kept)
    found = background(tmp_path)
    wanted = [close_of(day) if day in kept else math.nan for day in DAYS]
    assert np.array_equal(found.daily_close, wanted, equal_nan=True)
    assert np.isfinite(found.daily_iv).tolist() == [day in kept for day in DAYS]


@pytest.mark.parametrize(("missing", "known"), [(1, False), (2, False), (21, False), (22, True)])
def test_twenty_days_of_returns_need_each_of_the_last_21_closes(tmp_path: Path, missing: int, known: bool) -> None:
    written(tmp_path, [day for day in DAYS if day != DAYS[-missing]])
    closes = pd.Series([close_of(day) for day in DAYS[-21:]])
    expected = np.log(closes).diff().std() * math.sqrt(252) if known else math.nan
    assert realised(tmp_path) == pytest.approx(expected, nan_ok=True)


def test_a_recording_that_stopped_weeks_ago_does_not_pass_for_the_last_days(tmp_path: Path) -> None:
    written(tmp_path, DAYS[:25])
    assert math.isnan(realised(tmp_path))


def test_nothing_is_known_where_nothing_is_kept_or_only_what_is_still_to_come(tmp_path: Path) -> None:
    assert len(background(tmp_path / "none").daily_close) == 0
    written(tmp_path, [TODAY.date(), date(2026, 11, 23)])
    assert len(background(tmp_path).daily_close) == 0
