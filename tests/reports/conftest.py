"""Data directories whose masters hold what a test says."""

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from g6.masters.store import Folded, MasterStore, Minute, content_of
from g6.masters.totals import PER_RUPEE, Group, Tick, day_totals

GROUP = Group("NIFTY", "this_week")
TODAY = date(2026, 11, 20)

Day = Mapping[int, float | Mapping[str, float]]  # minute → the ATM's total, or totals by offset; rupees


def ticks(day: Day) -> dict[int, Tick]:
    named = {minute: value if isinstance(value, Mapping) else {"atm": value} for minute, value in day.items()}
    return {m: {GROUP: {label: round(v * PER_RUPEE) for label, v in by.items()}} for m, by in named.items()}


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., Path]:
    """Makes a data directory of folded days, and of a day in hand, 2026-11-20."""

    def make(folded: Mapping[date, Day], today: Day, name: str = "data", index_shown: str = "NIFTY 50") -> Path:
        root = tmp_path / name
        root.mkdir()
        with closing(MasterStore.open(root)) as store:
            store.adopt(0.2, {"NIFTY": index_shown})
            for day, totals in sorted(folded.items()):
                of_day = day_totals(ticks(totals))
                store.settle(day, of_day, Folded(content_of(of_day), "files", 0, 0), {})
            store.apply("journal", 1, [Minute(TODAY, minute, tick) for minute, tick in ticks(today).items()])
        return root

    return make
