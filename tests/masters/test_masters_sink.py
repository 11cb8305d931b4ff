"""Every minute of the journal enters the masters once, however the sink is stopped and started again."""

import os
import sqlite3
from contextlib import closing
from datetime import date, timedelta

import pytest

from g6.errors import ConfigError, SinkError
from g6.masters.database import path_of
from g6.masters.premiums import minute_of_day, tick_of
from g6.masters.sink import MasterSink
from g6.masters.store import MasterStore, content_of
from g6.masters.totals import day_totals

FRIDAY = date(2026, 11, 20)


def streamed(world):
    with closing(MasterStore.open_read_only(world.root)) as store:
        return content_of(store.streamed(FRIDAY))


def expected(*snapshots):
    return content_of(day_totals({minute_of_day(s.minute): tick_of(s, "last") for s in snapshots}))


def test_report_says_how_many_totals_and_that_nothing_is_owed(world, wild_minute):
    minute = wild_minute(FRIDAY, 0)
    world.journal(FRIDAY).put(minute)
    report = world.masters.drain(world.journal(FRIDAY))
    totals = sum(len(of_group) for of_group in tick_of(minute, "last").values())
    assert (report.name, report.rows, report.lag_cycles, report.error) == ("masters", totals, 0, None)
    assert world.masters.drain(world.journal(FRIDAY)).rows == 0


def test_last_tick_of_a_minute_wins(world, wild_minute):
    for number, seed in ((0, 0), (1, 0), (1, 1), (0, 2)):
        world.minute(wild_minute(FRIDAY, number, seed))
    assert streamed(world) == expected(wild_minute(FRIDAY, 0, 2), wild_minute(FRIDAY, 1, 1))


@pytest.mark.parametrize("checkpoints", [True, False])
def test_restart_after_any_minute_applies_each_once(world, wild_minute, checkpoints):
    minutes = [wild_minute(FRIDAY, n) for n in range(8)]
    for minute in minutes:
        world.minute(minute)
        if checkpoints:
            world.masters.checkpoint(world.journal(FRIDAY))
        else:
            world.masters.close()  # its journal cursor has not moved, as after a kill
        world.masters = world.new_sink()
        assert world.masters.drain(world.journal(FRIDAY)).rows == 0
    assert streamed(world) == expected(*minutes)


def test_journal_that_began_anew_supplies_its_minutes_again_and_changes_nothing(new_world, wild_minute):
    world, other = new_world("one"), new_world("other")
    minutes = [wild_minute(FRIDAY, n) for n in range(4)]
    for minute in minutes:
        world.minute(minute)
        other.journal(FRIDAY).put(minute)
    before = streamed(world)
    assert world.masters.drain(other.journal(FRIDAY)).rows > 0
    assert streamed(world) == before == expected(*minutes)


def test_masters_that_were_lost_are_supplied_again(world, wild_minute):
    minutes = [wild_minute(FRIDAY, n) for n in range(20)]
    for minute in minutes:
        world.minute(minute)
    world.checkpoint(FRIDAY)
    world.masters.close()
    path_of(world.root).unlink()
    assert world.masters.drain(world.journal(FRIDAY)).lag_cycles == 0
    assert streamed(world) == expected(*minutes)


def test_backlog_gives_the_same_as_minute_by_minute(new_world, wild_minute):
    slow, quick = new_world("slow"), new_world("quick")
    for number in range(40):
        slow.minute(wild_minute(FRIDAY, number))
        quick.journal(FRIDAY).put(wild_minute(FRIDAY, number))
    quick.masters.drain(quick.journal(FRIDAY))
    slow.checkpoint(FRIDAY)
    quick.checkpoint(FRIDAY)
    assert streamed(slow) == streamed(quick)
    assert slow.files() == quick.files()


def test_cursor_of_the_journal_follows_at_checkpoints(world, wild_minute):
    journal = world.journal(FRIDAY)
    world.masters = world.new_sink(checkpoint_cycles=5)
    seen = []
    for number in range(11):
        journal.put(wild_minute(FRIDAY, number))
        world.masters.drain(journal)
        seen.append(journal.cursor("masters"))
    assert seen == [0, 0, 0, 0, 5, 5, 5, 5, 5, 10, 10]
    world.masters.checkpoint(journal)
    assert journal.cursor("masters") == 11


def test_cycle_does_not_wait_for_a_process_that_folds(world, wild_minute):
    journal = world.journal(FRIDAY)
    world.minute(wild_minute(FRIDAY, 0))
    with closing(sqlite3.connect(path_of(world.root), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal.put(wild_minute(FRIDAY, 1))
        report = world.masters.drain(journal)
        assert (report.rows, report.lag_cycles, report.error) == (0, 1, None)
        other.execute("ROLLBACK")
    assert world.masters.drain(journal).lag_cycles == 0
    assert streamed(world) == expected(wild_minute(FRIDAY, 0), wild_minute(FRIDAY, 1))


def test_failed_write_is_told_and_made_good(world, wild_minute):
    journal = world.journal(FRIDAY)
    world.minute(wild_minute(FRIDAY, 0))
    with closing(sqlite3.connect(path_of(world.root), isolation_level=None)) as other:
        other.execute("CREATE TRIGGER refuse BEFORE INSERT ON ticks BEGIN SELECT RAISE(ABORT, 'disk on fire'); END")
        journal.put(wild_minute(FRIDAY, 1))
        with pytest.raises(SinkError, match="disk on fire"):
            world.masters.drain(journal)
        other.execute("DROP TRIGGER refuse")
    world.masters.drain(journal)
    assert streamed(world) == expected(wild_minute(FRIDAY, 0), wild_minute(FRIDAY, 1))


def test_files_of_a_day_in_hand_say_what_folding_it_would(world):
    world.day(FRIDAY - timedelta(weeks=1), seed=3)
    world.day(FRIDAY, minutes=10)
    text = world.files()["NIFTY/this_week/atm/friday.csv"].decode()
    assert text.splitlines()[0] == "index,expiry_code,offset,weekday,minute,n,sum,mean,min,max,exponential_mean"
    assert text.splitlines()[1].startswith("NIFTY 50,this_week,atm,friday,09:15,2,")
    assert world.files()["SENSEX/this_week/p1m1/friday.csv"].startswith(b"index,")


def test_file_that_says_the_same_already_is_left_alone(world, wild_minute):
    world.minute(wild_minute(FRIDAY, 0))
    world.checkpoint(FRIDAY)
    path = world.root / "masters/NIFTY/this_week/atm/friday.csv"
    before = path.stat()
    world.masters.checkpoint(world.journal(FRIDAY))
    world.minute(wild_minute(FRIDAY, 0))
    world.checkpoint(FRIDAY)
    assert os.path.samestat(path.stat(), before)
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_file_that_cannot_be_written_is_written_later(world, wild_minute):
    world.minute(wild_minute(FRIDAY, 0))
    obstacle = world.root / "masters/NIFTY/this_week/atm"
    obstacle.parent.mkdir(parents=True)
    obstacle.write_text("a file where a folder belongs")
    with pytest.raises(SinkError, match="cannot write"):
        world.masters.checkpoint(world.journal(FRIDAY))
    obstacle.unlink()
    world.masters.checkpoint(world.journal(FRIDAY))
    assert "NIFTY/this_week/atm/friday.csv" in world.files()
    assert not list(world.root.rglob("*.tmp"))


def test_wrong_options_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="price basis"):
        MasterSink(tmp_path, {}, "bid")
    with pytest.raises(ConfigError, match="smoothing"):
        MasterSink(tmp_path, {}, smoothing=0)
