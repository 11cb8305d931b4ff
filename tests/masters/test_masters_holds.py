"""The masters hold what they have not folded, know a journal again wherever it lies, and are done with quiet days."""

import shutil
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta

from g6.clock import IST
from g6.masters.database import path_of
from g6.masters.holds import masters_hold, unsettled_days
from g6.masters.reconciliation import reconcile
from g6.masters.store import MasterStore
from g6.model.snapshot import IndexSnapshot, Snapshot

FRIDAY = date(2026, 11, 20)
NEXT = FRIDAY + timedelta(days=3)


def test_a_day_is_held_until_it_is_folded(world):
    world.day(FRIDAY)
    assert "not folded" in masters_hold(world.root, kept=True)(FRIDAY)
    assert "not folded" in masters_hold(world.root, kept=False)(FRIDAY)
    assert unsettled_days(world.root, NEXT) == (FRIDAY,)
    assert unsettled_days(world.root, FRIDAY) == ()
    reconcile(world.root, FRIDAY)
    assert masters_hold(world.root, kept=True)(FRIDAY) is None
    assert unsettled_days(world.root, NEXT) == ()


def test_minutes_that_come_after_the_fold_hold_the_day_again(world, wild_minute):
    world.day(FRIDAY)
    reconcile(world.root, FRIDAY)
    world.minute(wild_minute(FRIDAY, 20))
    assert "not folded" in masters_hold(world.root, kept=True)(FRIDAY)


def test_a_day_that_the_masters_do_not_know_is_held_where_masters_are_kept(world):
    world.day(FRIDAY)
    reconcile(world.root, FRIDAY)
    assert "do not know it" in masters_hold(world.root, kept=True)(NEXT)
    assert masters_hold(world.root, kept=False)(NEXT) is None


def test_masters_that_have_not_begun_hold_where_they_are_to_be_kept(tmp_path):
    assert "have not begun" in masters_hold(tmp_path, kept=True)(FRIDAY)
    assert masters_hold(tmp_path, kept=False)(FRIDAY) is None
    assert unsettled_days(tmp_path, NEXT) == ()


def test_masters_that_cannot_be_read_hold_everything(world):
    world.day(FRIDAY)
    world.masters.close()
    for path in (world.root / "masters").glob("masters.sqlite3*"):
        path.write_bytes(b"no masters" * 1000)
    assert "is damaged" in masters_hold(world.root, kept=False)(FRIDAY)


def test_a_day_in_which_nothing_was_traded_is_done_with_once(world):
    quiet = Snapshot(
        minute=datetime(2026, 11, 20, 9, 15, tzinfo=IST),
        provider="sample",
        indices=(IndexSnapshot("NIFTY", 24000.0, spot_frozen=False, expected_codes=(), chains=()),),
    )
    world.minute(quiet)
    assert unsettled_days(world.root, NEXT) == (FRIDAY,)
    assert [reconcile(world.root, FRIDAY).basis for _ in range(2)] == ["nothing", "nothing"]
    assert unsettled_days(world.root, NEXT) == ()
    assert masters_hold(world.root, kept=True)(FRIDAY) is None
    world.day(FRIDAY)
    assert reconcile(world.root, FRIDAY).basis == "files", "what comes after all is folded"


def test_a_directory_that_was_moved_is_gone_on_with(new_world, wild_minute):
    world = new_world("here")
    for number in range(4):
        world.minute(wild_minute(FRIDAY, number))
    world.checkpoint(FRIDAY)
    world.masters.close()
    world.journal(FRIDAY).close()
    elsewhere = new_world("elsewhere")
    shutil.rmtree(elsewhere.root)
    shutil.copytree(world.root, elsewhere.root)
    assert elsewhere.masters.drain(elsewhere.journal(FRIDAY)).rows == 0


def test_masters_that_knew_a_journal_by_its_path_know_it_still(world, wild_minute):
    for number in range(4):
        world.minute(wild_minute(FRIDAY, number))
    world.checkpoint(FRIDAY)
    world.masters.close()
    identity = world.journal(FRIDAY).identity
    with closing(sqlite3.connect(path_of(world.root))) as tables, tables:
        tables.execute("UPDATE applied SET journal = ? WHERE journal = ?", (f"/srv/g6 data/{identity}", identity))
    assert world.masters.drain(world.journal(FRIDAY)).rows == 0
    with closing(MasterStore.open_read_only(world.root)) as store:
        assert store.applied(identity) == 4
        assert store.applied(f"another {identity}") == store.applied(identity.replace("2026-11-20", "2026-11-19")) == 0
