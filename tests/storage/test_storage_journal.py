"""A minute once put is there once, whole, under a seq that only grows."""

import sqlite3
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from g6.errors import SinkError
from g6.model.contracts import EMPTY_CONTRACTS
from g6.model.snapshot import Snapshot
from g6.storage.encoding import DamagedRecord, encode_snapshot
from g6.storage.journal import Journal

MAX_BYTES = 50_000_000
Opener = Callable[[], Journal]


def told(journal: Journal, seq: int = 0) -> list[tuple[int, bytes]]:
    return [(seq, encode_snapshot(snapshot)) for seq, snapshot in journal.cycles_after(seq)]


def test_minutes_come_back_in_the_order_they_were_put(opened: Opener, sample: ModuleType) -> None:
    journal = opened()
    minutes = [sample.snapshot(n) for n in (2, 0, 1)]
    results = [journal.put(minute) for minute in minutes]
    assert [(r.seq, r.outcome) for r in results] == [(1, "new"), (2, "new"), (3, "new")]
    assert [r.bytes for r in results] == [len(encode_snapshot(m)) for m in minutes]
    assert told(journal) == [(n, encode_snapshot(m)) for n, m in enumerate(minutes, 1)]
    assert [seq for seq, _ in told(journal, 1)] == [2, 3]
    assert [seq for seq, _ in journal.cycles_after(0, limit=2)] == [1, 2]
    assert journal.minutes() == tuple(sample.minute_of(n) for n in range(3))
    assert (journal.last_seq, journal.count_after(1)) == (3, 2)


def test_minutes_survive_a_process_that_never_closed(path: Path, opened: Opener, sample: ModuleType) -> None:
    opened().put(sample.snapshot(0))
    assert told(opened()) == [(1, encode_snapshot(sample.snapshot(0)))]


def test_last_tick_of_a_minute_wins_under_a_new_seq(opened: Opener, sample: ModuleType) -> None:
    journal = opened()
    journal.put(sample.snapshot(0))
    journal.put(sample.snapshot(1))
    result = journal.put(sample.snapshot(0, tick=1))
    assert (result.seq, result.outcome) == (3, "replaced")
    assert [seq for seq, _ in told(journal)] == [2, 3]
    assert encode_snapshot(journal.at(sample.OPEN)) == encode_snapshot(sample.snapshot(0, tick=1))
    assert journal.replacements_after(0) == {3}
    assert journal.replacements_after(3) == frozenset()


def test_tick_with_fewer_chains_does_not_replace(opened: Opener, sample: ModuleType) -> None:
    journal = opened()
    journal.put(sample.snapshot(0))
    result = journal.put(sample.snapshot(0, tick=1, expiries=(sample.WEEK,)))
    assert result == (1, 0, "kept")
    assert told(journal) == [(1, encode_snapshot(sample.snapshot(0)))]


def test_identical_tick_writes_nothing(opened: Opener, sample: ModuleType) -> None:
    journal = opened()
    journal.put(sample.snapshot(0))
    assert journal.put(sample.snapshot(0)) == (1, 0, "kept")
    assert journal.last_seq == 1


def test_seq_is_never_used_twice(opened: Opener, sample: ModuleType) -> None:
    journal = opened()
    for tick in range(3):
        journal.put(sample.snapshot(0, tick=tick))
        journal.close()
        journal = opened()
    assert [seq for seq, _ in told(journal)] == [3]


def test_minute_of_another_day_is_refused(opened: Opener, sample: ModuleType) -> None:
    with pytest.raises(SinkError, match="does not belong"):
        opened().put(sample.snapshot(24 * 60))


def test_cursors_are_kept_apart_and_never_go_back(opened: Opener) -> None:
    journal = opened()
    journal.advance("csv", 5)
    journal.advance("influx", 2)
    journal.advance("csv", 3)
    reopened = opened()
    assert [reopened.cursor(sink) for sink in ("csv", "influx", "other")] == [5, 2, 0]


def test_contract_table_is_stored_once_per_content(opened: Opener, sample: ModuleType) -> None:
    journal = opened()
    copy = EMPTY_CONTRACTS.take([])
    other = sample_table()
    assert journal.remember_contracts(EMPTY_CONTRACTS) == journal.remember_contracts(copy) == 1
    assert journal.remember_contracts(other) == 2
    assert opened().remember_contracts(sample_table()) == 2
    assert journal.contracts(2).symbol.tolist() == ["NIFTY26NOVFUT"]
    assert journal.contracts_ids() == (1, 2)
    journal.put(sample.snapshot(0), 2)
    with pytest.raises(DamagedRecord, match="contract table 3"):
        journal.contracts(3)


def sample_table() -> object:
    columns = ("NIFTY", "NFO", "NIFTY26NOVFUT", 7, "FUT", date(2026, 11, 24), 0.0, 75, 0.05)
    return type(EMPTY_CONTRACTS)(
        *(
            getattr(EMPTY_CONTRACTS, name).dtype.type(value).reshape(1)
            for name, value in zip(EMPTY_CONTRACTS.__slots__, columns, strict=True)
        )
    )


def test_full_journal_says_so_and_takes_back_the_transaction(path: Path, tmp_path: Path, sample: ModuleType) -> None:
    journal = Journal.open(path, corrupt=tmp_path / "corrupt", max_bytes=100_000)
    refusal = None
    for number in range(100):
        try:
            journal.put(sample.snapshot(number))
        except SinkError as error:
            refusal = str(error)
            break
    assert refusal == f"the journal {path} has reached its limit of 98304 bytes; raise the limit"
    count = len(told(journal))
    assert 0 < count < 100
    assert path.stat().st_size <= 100_000
    journal.close()
    roomier = Journal.open(path, corrupt=tmp_path / "corrupt", max_bytes=MAX_BYTES)
    assert roomier.put(sample.snapshot(count)).outcome == "new"
    roomier.close()


def test_unopenable_file_is_told_and_left_alone(path: Path, tmp_path: Path) -> None:
    path.mkdir()
    with pytest.raises(SinkError, match="read and write access"):
        Journal.open(path, corrupt=tmp_path / "corrupt", max_bytes=MAX_BYTES)
    assert path.is_dir()


def test_file_without_permission_is_told_and_left_alone(
    open_folder: Path, read_only: Callable[[Path], AbstractContextManager[None]]
) -> None:
    path = open_folder / "2026-11-20.sqlite3"
    with read_only(open_folder), pytest.raises(SinkError, match="read and write access"):
        Journal.open(path, corrupt=open_folder / "corrupt", max_bytes=MAX_BYTES)


def test_journal_of_a_newer_release_is_left_alone(path: Path, opened: Opener, sample: ModuleType) -> None:
    journal = opened()
    journal.put(sample.snapshot(0))
    journal.close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(SinkError, match="newer G6"):
        opened()
    assert path.exists()


def test_live_journal_is_read_without_disturbing_its_writer(path: Path, opened: Opener, sample: ModuleType) -> None:
    writer = opened()
    writer.put(sample.snapshot(0))
    reader = Journal.open_read_only(path)
    cycles = reader.cycles_after(0)
    assert next(cycles)[0] == 1
    writer.put(sample.snapshot(1))  # while the reader is in the middle
    assert next(cycles)[0] == 2
    with pytest.raises(SinkError):
        reader.put(sample.snapshot(2))
    reader.close()


def test_closed_journal_is_read_where_nothing_may_be_written(
    open_folder: Path, sample: ModuleType, read_only: Callable[[Path], AbstractContextManager[None]]
) -> None:
    path = open_folder / "2026-11-20.sqlite3"
    journal = Journal.open(path, corrupt=open_folder / "corrupt", max_bytes=MAX_BYTES)
    journal.put(sample.snapshot(0))
    journal.close()
    with read_only(open_folder):
        reader = Journal.open_read_only(path)
        assert [seq for seq, _ in told(reader)] == [1]
        reader.close()
    assert [p.name for p in open_folder.iterdir()] == [path.name]


def test_every_commit_is_synced(path: Path, opened: Opener) -> None:
    connection = opened()._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA busy_timeout").fetchone()[0] >= 1000
    assert stat.S_ISREG(path.stat().st_mode)


def test_snapshot_type_is_what_readers_get(opened: Opener, sample: ModuleType) -> None:
    journal = opened()
    journal.put(replace(sample.snapshot(0), provider="other"))
    assert all(isinstance(s, Snapshot) and s.provider == "other" for _, s in journal.cycles_after(0))


def test_latest_before_a_minute_is_the_nearest_earlier_one_that_is_sound(
    path: Path, opened: Opener, sample: ModuleType
) -> None:
    journal = opened()
    for n in (0, 1, 3):
        journal.put(sample.snapshot(n))
    assert journal.latest_before(sample.minute_of(0)) is None
    assert journal.latest_before(sample.minute_of(1)).minute == sample.minute_of(0)
    assert journal.latest_before(sample.minute_of(4)).minute == sample.minute_of(3)
    journal.close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE cycles SET crc = crc + 1 WHERE seq = 3")
    other.close()
    assert opened().latest_before(sample.minute_of(4)).minute == sample.minute_of(1)
