"""What a minute is compared with is what was before it, in whichever order and however often minutes are collected."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from g6.background.day_so_far import MINUTE, OPENING_WINDOW, SPOT, DaySoFar
from g6.background.recollection import Recollection
from g6.clock import IST
from g6.market.sessions import SessionCalendar
from g6.model.chain import OptionChain
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.settings import shipped

OPEN = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
EXPIRY = date(2026, 11, 23)
NO_LEGS = np.array([])


def minute(number: int) -> datetime:
    return OPEN + timedelta(minutes=number)


def snapshot(number: int, spot: float) -> Snapshot:
    chain = OptionChain(
        index="NIFTY", expiry=EXPIRY, codes=("this_week",), at=minute(number), expires_at=OPEN, spot=spot,
        spot_frozen=False, expected=0, lot=65,
        **dict.fromkeys(("strike", "is_call", "answered", "bid", "ask", "last", "oi", "volume"), NO_LEGS),
    )  # fmt: skip
    index = IndexSnapshot("NIFTY", spot, False, ("this_week",), (replace(chain, aggregates={"max_pain": spot}),), ())
    return Snapshot(minute(number), "simulated", (index,))


def so_far(ticks: list[tuple[int, float]]) -> DaySoFar:
    seen = DaySoFar({"NIFTY": OPEN})
    for number, spot in ticks:
        seen.remember(snapshot(number, spot))
    return seen


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(1, 1e5)), max_size=30), st.integers(0, 41))
def test_only_the_last_tick_of_each_minute_before_counts(ticks: list[tuple[int, float]], now: int) -> None:
    seen, last = so_far(ticks), {number: spot for number, spot in ticks if number < now}
    assert seen.series("NIFTY", SPOT, minute(now)).tolist() == [last[number] for number in sorted(last)]
    assert seen.series("NIFTY", MINUTE, minute(now)).tolist() == [9 * 60 + 15 + number for number in sorted(last)]
    opening = [number for number in sorted(last) if minute(number) - OPEN <= OPENING_WINDOW]
    expected = {"max_pain": last[opening[0]]} if opening else {}
    assert dict(seen.opening("NIFTY", EXPIRY, minute(now))) == expected


def test_a_minute_that_is_collected_again_is_not_compared_with_itself() -> None:
    seen = so_far([(1, 24_000.0)])
    assert not seen.opening("NIFTY", EXPIRY, minute(1))
    assert len(seen.series("NIFTY", SPOT, minute(1))) == 0
    seen.remember(snapshot(1, 24_010.0))
    assert seen.opening("NIFTY", EXPIRY, minute(2)) == {"max_pain": 24_010.0}


def test_a_second_tick_with_fewer_chains_is_remembered_as_little_as_it_is_journalled(tmp_path: Path) -> None:
    known = Recollection(tmp_path, SessionCalendar.load(shipped("calendar.yaml")), {"NIFTY": "NSE"})
    known.begin(minute(1))
    whole, poor = snapshot(1, 24_000.0), snapshot(1, 25_000.0)
    poor = replace(poor, indices=(replace(poor.indices[0], chains=()),))
    for tick in (whole, poor):
        known.remember(tick)
    known.begin(minute(2))
    assert known.view("NIFTY", 24_000.0, (), spot_frozen=False).background.minute_spot.tolist() == [24_000.0]
