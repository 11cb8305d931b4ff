"""Masters made from the journals are those that streaming and the ends of the days left."""

from datetime import date, timedelta

import pytest

from g6.masters.premiums import totals_of
from g6.masters.rebuild import build_masters
from g6.masters.reconciliation import compare, reconcile
from g6.storage.reader import JournalReader

DAYS = [date(2026, 11, 20) + timedelta(days=n) for n in (0, 3, 7)]


@pytest.fixture
def recorded(world):
    for number, day in enumerate(DAYS):
        world.day(day, seed=number)
        reconcile(world.root, day)
    return world


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_files_are_the_same_byte_for_byte(recorded, tmp_path, order):
    reader = JournalReader(recorded.root)
    days = [(DAYS[n], totals_of(reader.snapshots(DAYS[n]), "last")) for n in order]
    beside = tmp_path / "beside"
    assert build_masters(beside, days, {"NIFTY": "NIFTY 50"}) == len(recorded.files())
    built = {str(p.relative_to(beside / "masters")): p.read_bytes() for p in sorted(beside.rglob("*.csv"))}
    assert built == recorded.files()


def test_interrupted_build_is_gone_on_with(recorded, tmp_path):
    reader = JournalReader(recorded.root)
    days = [(day, totals_of(reader.snapshots(day), "last")) for day in DAYS]
    for some in (days[:1], days[:2], days, days):
        build_masters(tmp_path / "beside", some, {"NIFTY": "NIFTY 50"})
    built = tmp_path / "beside" / "masters"
    assert {str(p.relative_to(built)): p.read_bytes() for p in sorted(built.rglob("*.csv"))} == recorded.files()


def test_masters_that_were_built_anew_agree_with_the_daily_files(recorded):
    reader = JournalReader(recorded.root)
    build_masters(recorded.root, [(d, totals_of(reader.snapshots(d), "last")) for d in DAYS], {})
    assert all(compare(recorded.root, day).agreed for day in DAYS)
