"""Rebuilding: the same bytes, nothing lost that only a file has, resumable, in any process."""

import sys
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from rebuild_workers import killed_on, killed_once

from g6.errors import ConfigError, SinkError
from g6.maintenance.rebuild import Rebuilt, Store, choose_days, in_turn, rebuild
from g6.maintenance.rebuild_csv import csv_digest, rebuild_csv
from g6.maintenance.runners import dask, local
from g6.storage.journal import Journal


def on_day(snapshot, days):
    """The same minute so many days later."""
    shift = timedelta(days=days)

    def moved(index):
        return replace(index, chains=tuple(replace(chain, at=chain.at + shift) for chain in index.chains))

    return replace(snapshot, minute=snapshot.minute + shift, indices=tuple(moved(index) for index in snapshot.indices))


@pytest.fixture
def recorded(tmp_path, sample, record):
    """Two days with late minutes, a second tick with other strikes, a gap and a minute with fewer expiries."""
    first = [
        sample.snapshot(0), sample.snapshot(3), sample.snapshot(1), sample.snapshot(1, tick=1, shift=2),
        sample.snapshot(4, expiries=()), sample.snapshot(5, expiries=(sample.MONTH,), width=4),
        sample.snapshot(6, width=1), sample.snapshot(6, tick=1, shift=-3, width=1),
    ]  # fmt: skip
    root = tmp_path / "data"
    record(root, [*first, *(on_day(snapshot, 3) for snapshot in first[:3])])
    return root


@pytest.fixture
def store(sample):
    return csv_store(sample)


def csv_store(sample, **more):
    day = partial(rebuild_csv, aggregates=sample.AGGREGATES, price_basis="last", **more)
    return Store(day, "premiums of last", digest=csv_digest)


def run(root, store, runner=in_turn, **more):
    return list(rebuild(root, choose_days(root), {"csv": store}, runner, **more))


def test_an_absent_tree_is_rebuilt_byte_for_byte(recorded, store, tree):
    original = tree(recorded)
    for name in original:
        (recorded / name).unlink()
    assert [outcome.error for outcome in run(recorded, store)] == [None, None]
    assert tree(recorded) == original


def test_a_sound_tree_is_left_as_it_is(recorded, store, tree):
    inodes = {name: (recorded / name).stat().st_ino for name in tree(recorded)}
    outcomes = run(recorded, store)
    assert [outcome.rebuilt.changed for outcome in outcomes] == [0, 0]
    assert {name: (recorded / name).stat().st_ino for name in tree(recorded)} == inodes


def test_damage_and_stray_rows_of_known_minutes_are_mended(recorded, store, tree):
    original = tree(recorded)
    names = [name for name in original if "overview" not in name]
    damaged, torn, emptied = (recorded / name for name in names[:3])
    damaged.write_bytes(damaged.read_bytes().replace(b"24000", b"99999"))
    torn.write_bytes(torn.read_bytes()[:-30] + b"\0" * 10)
    emptied.write_bytes(b"")
    stray = recorded / "csv" / "NIFTY" / "this_week" / "p9" / damaged.name
    stray.parent.mkdir()
    stray.write_bytes(original[names[0]])
    outcomes = run(recorded, store)
    assert sum(outcome.rebuilt.changed for outcome in outcomes) == 4
    assert tree(recorded) == original


def test_a_minute_that_only_a_file_has_is_never_given_up_unasked(recorded, sample, store, tree):
    name = next(name for name in tree(recorded) if "2026-11-20" in name and "atm" in name)
    path = recorded / name
    unknown = path.read_bytes().splitlines()[-1].replace(b"T09:2", b"T15:2")
    path.write_bytes(path.read_bytes() + unknown + b"\n")
    before = tree(recorded)
    errors = [outcome.error for outcome in run(recorded, store)]
    assert "minutes that the journal has not, 2026-11-20T15:2" in errors[0]
    assert errors[1] is None
    assert tree(recorded) == before
    run(recorded, csv_store(sample, discard=True))
    assert unknown not in path.read_bytes()


def test_a_damaged_minute_of_the_journal_leaves_the_files_alone(recorded, sample, store, tree):
    original, day = tree(recorded), sample.DAY
    journal = Journal.open(recorded / "journal" / f"{day}.sqlite3", corrupt=recorded / "corrupt", max_bytes=10**8)
    journal._execute("UPDATE cycles SET crc = crc + 1 WHERE seq = 1")
    journal.close()
    (first, _) = run(recorded, store)
    assert "1 minutes in the journal of 2026-11-20 are damaged" in first.error
    assert tree(recorded) == original


def test_a_file_of_another_program_is_not_replaced(recorded, store, tree):
    path = recorded / next(iter(tree(recorded)))
    path.write_bytes(b"a,b\n1,2\n")
    assert any("is not a file of G6" in (outcome.error or "") for outcome in run(recorded, store))
    assert path.read_bytes() == b"a,b\n1,2\n"


def test_processes_give_the_same_as_one(recorded, store, tree):
    original = tree(recorded)
    for name in original:
        (recorded / name).unlink()
    assert [outcome.error for outcome in run(recorded, store, local(2))] == [None, None]
    assert tree(recorded) == original


def test_a_killed_worker_costs_no_day(recorded, tmp_path):
    outcomes = run(recorded, Store(partial(killed_once, tmp_path / "marker"), ""), local(2))
    assert sorted(outcome.task.day for outcome in outcomes) == list(choose_days(recorded))
    assert [outcome.error for outcome in outcomes] == [None, None]


@pytest.mark.long
def test_a_day_that_kills_its_worker_costs_no_other_day(recorded):
    first, second = choose_days(recorded)
    outcomes = run(recorded, Store(partial(killed_on, first), ""), local(2))
    assert {outcome.task.day: outcome.error is None for outcome in outcomes} == {first: False, second: True}


class Counting:
    """Rebuilds that can be counted, and made to fail on one day."""

    def __init__(self) -> None:
        self.days = []
        self.failing = None

    def __call__(self, root, day):
        self.days.append(day)
        if day == self.failing:
            raise SinkError("the disk is full")
        return Rebuilt(1, 1, 1, 0, "")


def test_an_interrupted_run_goes_on_with_what_was_not_done(recorded):
    first, second = choose_days(recorded)
    counting = Counting()
    counting.failing = second
    run(recorded, Store(counting, "facts"))
    counting.failing = None
    skipped = []
    run(recorded, Store(counting, "facts"), done=lambda what, day: skipped.append((what, day)))
    assert skipped == [("csv", first)]
    assert counting.days == [first, second, second]


@pytest.mark.parametrize("change", ["facts", "journal", "fresh", "finished"])
def test_a_done_day_is_done_again_when_something_is_different(recorded, sample, record, change):
    first, second = choose_days(recorded)
    counting = Counting()
    counting.failing = None if change == "finished" else second
    run(recorded, Store(counting, "facts"))
    counting.failing = None
    if change == "journal":
        record(recorded, [sample.snapshot(9)])
    run(recorded, Store(counting, "other" if change == "facts" else "facts"), fresh=change == "fresh")
    assert counting.days == [first, second, first, second]


def test_a_day_that_was_damaged_since_it_was_done_is_done_again(recorded, store, tree):
    original = tree(recorded)
    day_of = {name: name.rpartition("/")[2] for name in original}
    later = recorded / next(name for name in original if day_of[name] == "2026-11-23.csv")
    content = later.read_bytes()
    later.write_bytes(b"a,b\n1,2\n")
    run(recorded, store)  # the second day fails, so the run is not over
    later.write_bytes(content)
    (recorded / next(name for name in original if day_of[name] == "2026-11-20.csv")).unlink()
    skipped = []
    run(recorded, store, done=lambda what, day: skipped.append(day))
    assert skipped == []
    assert tree(recorded) == original


def test_a_torn_line_of_the_ledger_costs_that_day_alone(recorded):
    first, second = choose_days(recorded)
    counting = Counting()
    counting.failing = second
    run(recorded, Store(counting, "facts"))
    ledger = recorded / "rebuild" / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes() + b'{"what":"csv","day":"2026-1')
    counting.failing = None
    run(recorded, Store(counting, "facts"))
    assert counting.days == [first, second, second]
    assert ledger.read_bytes().splitlines()[-1].startswith(b'{"finished"')


def test_days_that_share_a_state_come_in_order_and_in_this_process(recorded):
    counting = Counting()
    run(recorded, Store(counting, "", parallel=False), local(2))
    assert counting.days == list(choose_days(recorded))


def test_days_without_a_journal_are_refused_by_name(recorded, sample):
    assert choose_days(recorded, last=sample.DAY) == (sample.DAY,)
    with pytest.raises(ConfigError, match="there are 2, 2026-11-20 to 2026-11-23"):
        choose_days(recorded, first=sample.DAY + timedelta(days=10))


@pytest.mark.long
def test_a_cluster_gives_the_same_as_one_process(recorded, store, tree):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed (pip install 'g6[dask]')")
    original = tree(recorded)
    for name in original:
        (recorded / name).unlink()
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    with distributed.LocalCluster(**options) as cluster:
        outcomes = run(recorded, store, dask(cluster.scheduler_address))
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert tree(recorded) == original


def test_without_dask_its_flag_says_what_to_install(recorded, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"pip install 'g6\[dask\]'"):
        run(recorded, store, dask("tcp://127.0.0.1:8786"))
