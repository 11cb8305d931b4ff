"""State and place in the journal change together; a day enters history once, whatever order days come in."""

import itertools
import os
import sqlite3
from contextlib import closing
from datetime import date, timedelta

import pytest

from g6.errors import ConfigError, SinkError
from g6.masters.database import DamagedMasters, MastersBusy, path_of
from g6.masters.encoding import encode_profile
from g6.masters.store import Folded, MasterStore, Minute, content_of
from g6.masters.totals import Group, day_totals

FRIDAYS = [date(2026, 11, 6) + timedelta(weeks=n) for n in range(4)]
GROUP = Group("NIFTY", "this_week")
OTHER = Group("SENSEX", "next_week")


@pytest.fixture
def store(tmp_path):
    with closing(MasterStore.open(tmp_path)) as opened:
        yield opened


def tick(value, group=GROUP):
    return {group: {"atm": value, "p1": value + 10, "m1": value + 20}}


def totals(value, group=GROUP, minutes=(555, 556)):
    return day_totals({minute: tick(value + minute, group) for minute in minutes})


def settle(store, day, of_day, *, differences=0, seen=None):
    return store.settle(day, of_day, Folded(content_of(of_day), "files", 6, differences), seen or {})


def profile_bytes(store, group=GROUP):
    return encode_profile(store.settled_profile(4, group))


def test_minute_and_place_in_the_journal_change_together_or_not_at_all(tmp_path, store):
    store.apply("journal a", 1, [Minute(FRIDAYS[0], 555, tick(1))])
    with closing(sqlite3.connect(path_of(tmp_path))) as other:
        other.execute("CREATE TRIGGER refuse BEFORE INSERT ON applied BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(SinkError):
        store.apply("journal a", 2, [Minute(FRIDAYS[0], 556, tick(2))])
    assert store.applied("journal a") == 1
    assert set(store.ticks(FRIDAYS[0])) == {555}


def test_another_journal_has_a_place_of_its_own(store):
    store.apply("journal a", 7, [])
    assert (store.applied("journal a"), store.applied("journal b")) == (7, 0)


def test_later_version_of_a_minute_replaces_it_as_a_whole(store):
    store.apply("j", 1, [Minute(FRIDAYS[0], 555, {**tick(1), **tick(5, OTHER)})])
    store.apply("j", 2, [Minute(FRIDAYS[0], 555, tick(2))])
    assert store.ticks(FRIDAYS[0]) == {555: tick(2)}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_profile_does_not_depend_on_the_order_in_which_days_are_folded(tmp_path, store, order):
    for number in order:
        settle(store, FRIDAYS[number], totals(1000 * number**2))
    with closing(MasterStore.open(tmp_path / "straight")) as straight:
        for number, friday in enumerate(FRIDAYS):
            settle(straight, friday, totals(1000 * number**2))
        assert profile_bytes(store) == profile_bytes(straight)


def test_folding_a_day_again_replaces_it(tmp_path, store):
    for number, friday in enumerate(FRIDAYS[:3]):
        settle(store, friday, totals(1000 * number))
    changed = settle(store, FRIDAYS[1], totals(5, minutes=(555, 600)))
    assert changed == (GROUP,)
    assert settle(store, FRIDAYS[1], totals(5, minutes=(555, 600))) == ()
    with closing(MasterStore.open(tmp_path / "straight")) as straight:
        for friday, of_day in zip(FRIDAYS, (totals(0), totals(5, minutes=(555, 600)), totals(2000)), strict=False):
            settle(straight, friday, of_day)
        assert profile_bytes(store) == profile_bytes(straight)


def test_group_that_a_replaced_day_lacks_leaves_history(store):
    settle(store, FRIDAYS[0], {**totals(1), **totals(2, OTHER)})
    settle(store, FRIDAYS[0], totals(1))
    assert store.settled_profile(4, OTHER).n.sum() == 0
    assert set(store.day(FRIDAYS[0])) == {GROUP}


def test_days_of_other_weekdays_do_not_meet(store):
    settle(store, FRIDAYS[0], totals(1))
    settle(store, FRIDAYS[0] + timedelta(days=3), totals(100))
    assert store.settled_profile(4, GROUP).n.max() == 1
    assert store.settled_profile(0, GROUP).n.max() == 1


@pytest.mark.parametrize("number", range(3))
def test_streaming_profile_is_the_one_that_folding_leaves(store, number):
    for friday in (FRIDAYS[0], FRIDAYS[2]):
        settle(store, friday, totals(friday.day))
    store.apply("j", 1, [Minute(FRIDAYS[number], 555, tick(9)), Minute(FRIDAYS[number], 700, tick(10))])
    latest = store.latest(FRIDAYS[number])
    streaming = encode_profile(store.profile(4, GROUP, {FRIDAYS[number]: latest}))
    settle(store, FRIDAYS[number], latest)
    assert streaming == profile_bytes(store)


def test_minutes_that_agreed_are_let_go_and_those_that_came_since_stay(store):
    store.apply("j", 2, [Minute(FRIDAYS[0], 555, tick(1)), Minute(FRIDAYS[0], 556, tick(2))])
    seen = store.versions(FRIDAYS[0])
    store.apply("j", 4, [Minute(FRIDAYS[0], 556, tick(3)), Minute(FRIDAYS[0], 557, tick(4))])
    settle(store, FRIDAYS[0], day_totals({555: tick(1), 556: tick(2)}), seen=seen)
    assert store.ticks(FRIDAYS[0]) == {556: tick(3), 557: tick(4)}
    assert store.unsettled_days() == (FRIDAYS[0],)
    wanted = day_totals({555: tick(1), 556: tick(3), 557: tick(4)})
    assert content_of(store.latest(FRIDAYS[0])) == content_of(store.streamed(FRIDAYS[0])) == content_of(wanted)


def test_minutes_that_differed_stay_as_evidence_and_count_no_more(store):
    store.apply("j", 1, [Minute(FRIDAYS[0], 555, tick(1))])
    settle(store, FRIDAYS[0], day_totals({555: tick(2)}), differences=3, seen=store.versions(FRIDAYS[0]))
    assert store.unsettled_days() == ()
    assert content_of(store.streamed(FRIDAYS[0])) == content_of(day_totals({555: tick(1)}))
    assert content_of(store.latest(FRIDAYS[0])) == content_of(day_totals({555: tick(2)}))


def test_another_smoothing_makes_every_profile_anew(tmp_path, store):
    for number, friday in enumerate(FRIDAYS):
        settle(store, friday, totals(1000 * number))
    assert store.adopt(0.5, {"NIFTY": "NIFTY 50"})
    assert not store.adopt(0.5, {})
    assert store.display_names() == {"NIFTY": "NIFTY 50"}
    with closing(MasterStore.open(tmp_path / "straight")) as straight:
        straight.adopt(0.5, {})
        for number, friday in enumerate(FRIDAYS):
            settle(straight, friday, totals(1000 * number))
        assert profile_bytes(store) == profile_bytes(straight)


@pytest.mark.parametrize("offset", [0, 4096 + 5])
def test_damaged_file_is_moved_aside_and_a_new_one_begins(tmp_path, offset):
    with closing(MasterStore.open(tmp_path)) as opened:
        settle(opened, FRIDAYS[0], totals(1))
    with path_of(tmp_path).open("r+b") as file:
        file.seek(offset)
        file.write(b"\xa5" * 300)
    with closing(MasterStore.open(tmp_path)) as opened:
        assert opened.folded_days() == {}
    (moved,) = (tmp_path / "corrupt").iterdir()
    assert moved.name.endswith("-masters.sqlite3")


def test_file_of_a_newer_release_is_left_alone(tmp_path):
    MasterStore.open(tmp_path).close()
    with closing(sqlite3.connect(path_of(tmp_path))) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(SinkError, match="newer G6"):
        MasterStore.open(tmp_path)


def test_reader_is_told_where_there_is_nothing(tmp_path):
    with pytest.raises(ConfigError, match="no weekday masters"):
        MasterStore.open_read_only(tmp_path)


def test_reader_cannot_write_and_sees_what_was_committed(tmp_path, store):
    store.apply("j", 1, [Minute(FRIDAYS[0], 555, tick(1))])
    with closing(MasterStore.open_read_only(tmp_path)) as reader:
        assert reader.ticks(FRIDAYS[0]) == {555: tick(1)}
        with pytest.raises(SinkError, match="readonly"):
            reader.apply("j", 2, [])


def test_write_of_another_process_is_told_as_busy(tmp_path, store):
    store.wait_for_others(0.01)
    with closing(sqlite3.connect(path_of(tmp_path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MastersBusy):
            store.apply("j", 1, [])
        other.execute("ROLLBACK")
    store.apply("j", 1, [])


def test_damage_met_while_reading_is_told_in_one_line(tmp_path):
    path = path_of(tmp_path)
    path.parent.mkdir()
    path.write_bytes(os.urandom(8192))
    with pytest.raises(DamagedMasters) as caught:
        MasterStore.open_read_only(tmp_path)
    assert "\n" not in str(caught.value)
