"""The days' journals together: nothing is lost while one cannot be written."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from g6.errors import SinkError
from g6.model.contracts import EMPTY_CONTRACTS
from g6.model.snapshot import Snapshot
from g6.storage.data_directory import DataDirectory, Hold
from g6.storage.encoding import encode_snapshot
from g6.storage.journal_set import JournalSet

MAX_BYTES = 50_000_000


@pytest.fixture
def journals(tmp_path: Path) -> Iterator[JournalSet]:
    DataDirectory(tmp_path)
    opened = JournalSet(tmp_path, MAX_BYTES, pending_cycles_limit=3)
    yield opened
    opened.close()


def on(day: date, snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, minute=snapshot.minute + (day - snapshot.minute.date()))


def test_each_day_has_its_file_and_only_days_are_listed(
    journals: JournalSet, tmp_path: Path, sample: ModuleType
) -> None:
    next_day = sample.DAY + timedelta(days=1)
    report = journals.record(sample.snapshot(0), EMPTY_CONTRACTS)
    assert (report.pending, report.error) == (0, None)
    assert report.path == str(tmp_path / "journal" / "2026-11-20.sqlite3")
    assert report.bytes_written == len(encode_snapshot(sample.snapshot(0)))
    journals.record(on(next_day, sample.snapshot(0)))
    (tmp_path / "journal" / "notes.sqlite3").write_text("")
    assert journals.days() == (sample.DAY, next_day)
    assert journals.journal(sample.DAY).contracts_ids() == (1,)


def test_undrained_days_are_those_whose_cursor_is_behind(journals: JournalSet, sample: ModuleType) -> None:
    next_day = sample.DAY + timedelta(days=1)
    journals.record(sample.snapshot(0))
    journals.record(on(next_day, sample.snapshot(0)))
    assert journals.undrained("csv") == (sample.DAY, next_day)
    journals.journal(sample.DAY).advance("csv", 1)
    assert journals.undrained("csv") == (next_day,)
    assert journals.undrained("influx") == (sample.DAY, next_day)


def test_damaged_day_is_listed_and_begins_anew_when_opened(
    journals: JournalSet, tmp_path: Path, sample: ModuleType
) -> None:
    day_before = sample.DAY - timedelta(days=1)
    (tmp_path / "journal" / "2026-11-19.sqlite3").write_bytes(b"nonsense" * 1000)
    journals.record(sample.snapshot(0))
    assert journals.undrained("csv") == (day_before, sample.DAY)
    assert journals.journal(day_before).last_seq == 0
    assert journals.moved_aside == 1
    assert journals.undrained("csv") == (sample.DAY,)


def test_day_that_cannot_be_read_holds_up_no_other(
    journals: JournalSet, tmp_path: Path, sample: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "journal" / "2026-11-19.sqlite3").mkdir()
    journals.record(sample.snapshot(0))
    assert journals.undrained("csv") == (sample.DAY,)
    assert "2026-11-19" in caplog.text


def test_close_writes_what_waits_and_tells_what_it_cannot(
    journals: JournalSet, tmp_path: Path, sample: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    obstacle = tmp_path / "journal" / "2026-11-20.sqlite3"
    obstacle.mkdir()
    for number in range(2):
        journals.record(sample.snapshot(number))
    journals.close()
    assert "2 minutes of 2026-11-20 end with this process" in caplog.text
    obstacle.rmdir()
    journals.close()
    assert journals.pending_cycles == 0
    assert journals.journal(sample.DAY).last_seq == 2


def test_minutes_wait_in_order_and_are_written_when_the_journal_is_back(
    journals: JournalSet, tmp_path: Path, sample: ModuleType
) -> None:
    obstacle = tmp_path / "journal" / "2026-11-20.sqlite3"
    obstacle.mkdir()
    for waiting in (1, 2):
        report = journals.record(sample.snapshot(waiting), EMPTY_CONTRACTS)
        assert (report.pending, report.bytes_written) == (waiting, 0)
        assert "read and write access" in str(report.error)
    obstacle.rmdir()
    report = journals.record(sample.snapshot(3), EMPTY_CONTRACTS)
    assert (report.pending, report.error) == (0, None)
    seen = [snapshot.minute for _, snapshot in journals.journal(sample.DAY).cycles_after(0)]
    assert seen == [sample.minute_of(n) for n in (1, 2, 3)]
    assert journals.dropped_cycles == 0


def test_backlog_is_bounded_and_what_it_drops_is_counted_and_told(
    journals: JournalSet, tmp_path: Path, sample: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    obstacle = tmp_path / "journal" / "2026-11-20.sqlite3"
    obstacle.mkdir()
    kept = [journals.record(sample.snapshot(number)).kept for number in range(5)]
    assert kept == [True] * 3 + [False] * 2
    assert (journals.pending_cycles, journals.dropped_cycles) == (3, 2)
    lost = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert [line[:32] for line in lost] == ["minute 2026-11-20T09:18:00+05:30", "minute 2026-11-20T09:19:00+05:30"]
    obstacle.rmdir()
    journals.record(sample.snapshot(5))
    assert journals.journal(sample.DAY).minutes() == tuple(sample.minute_of(n) for n in (0, 1, 2, 5))


def test_day_that_cannot_be_written_does_not_hold_up_the_next(
    journals: JournalSet, tmp_path: Path, sample: ModuleType
) -> None:
    (tmp_path / "journal" / "2026-11-20.sqlite3").mkdir()
    journals.record(sample.snapshot(0))
    next_day = sample.DAY + timedelta(days=1)
    report = journals.record(on(next_day, sample.snapshot(0)))
    assert report.pending == 1
    assert report.error is not None
    assert journals.journal(next_day).last_seq == 1


def test_full_disk_loses_nothing_once_there_is_space(
    small_disk: Path, sample: ModuleType, filled_up: Callable[[Path], AbstractContextManager[None]]
) -> None:
    journals = JournalSet(DataDirectory(small_disk).root, MAX_BYTES)
    journals.record(sample.snapshot(0, width=30))
    with filled_up(small_disk):
        number = 1
        while journals.record(sample.snapshot(number, width=30)).error is None:  # the log has room for some
            number += 1
        report = journals.record(sample.snapshot(number + 1, width=30))
    assert report.pending == 2
    assert "bytes free" in str(report.error)
    assert "\n" not in str(report.error)
    report = journals.record(sample.snapshot(number + 2, width=30))
    assert (report.pending, report.error) == (0, None)
    assert journals.journal(sample.DAY).minutes() == tuple(sample.minute_of(n) for n in range(number + 3))
    assert journals.moved_aside == 0
    journals.close()


def test_folder_that_loses_its_permission_is_told(
    open_folder: Path, sample: ModuleType, read_only: Callable[[Path], AbstractContextManager[None]]
) -> None:
    DataDirectory(open_folder)
    journals = JournalSet(open_folder, MAX_BYTES)
    with read_only(open_folder / "journal"):
        assert "read and write access" in str(journals.record(sample.snapshot(0)).error)
    assert journals.record(sample.snapshot(1)).error is None
    assert journals.journal(sample.DAY).last_seq == 2
    journals.close()


# A directory that is moved or removed while it is written.


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return DataDirectory(tmp_path / "data").root


@pytest.fixture
def hold(data: Path) -> Iterator[Hold]:
    with DataDirectory(data).hold() as hold:
        yield hold


@pytest.fixture
def held(data: Path, hold: Hold) -> Iterator[JournalSet]:
    journals = JournalSet(data, MAX_BYTES, hold=hold)
    yield journals
    journals.close()


def test_minutes_in_a_directory_that_is_moved_are_durable_in_it_and_its_readers_wait(
    held: JournalSet, data: Path, sample: ModuleType
) -> None:
    elsewhere = data.with_name("elsewhere")
    held.record(sample.snapshot(0))
    data.rename(elsewhere)
    assert (held.record(sample.snapshot(1)).pending, held.pending_cycles) == (0, 0)
    with pytest.raises(SinkError, match="is gone"):
        held.journal(sample.DAY)
    assert JournalSet(elsewhere, MAX_BYTES).journal(sample.DAY).last_seq == 2
    elsewhere.rename(data)
    held.record(sample.snapshot(2))
    assert held.journal(sample.DAY).minutes() == tuple(sample.minute_of(n) for n in range(3))


def test_another_directory_in_the_place_of_the_moved_one_is_never_written(
    held: JournalSet, data: Path, sample: ModuleType
) -> None:
    elsewhere, next_day = data.with_name("elsewhere"), sample.DAY + timedelta(days=1)
    held.record(sample.snapshot(0))
    data.rename(elsewhere)
    DataDirectory(data)
    assert held.record(sample.snapshot(1)).error is None
    report = held.record(on(next_day, sample.snapshot(0)))
    assert (report.pending, report.error) == (1, f"{data} is another directory than the one that g6 holds")
    assert list((data / "journal").iterdir()) == []
    shutil.rmtree(data)
    elsewhere.rename(data)
    assert held.record(on(next_day, sample.snapshot(1))).pending == 0
    assert held.journal(next_day).last_seq == 2
    assert held.journal(sample.DAY).last_seq == 2


def test_no_minute_is_vouched_for_in_a_directory_that_was_removed(
    held: JournalSet, data: Path, sample: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    held.record(sample.snapshot(0))
    shutil.rmtree(data)
    report = held.record(sample.snapshot(1))
    assert (report.pending, report.bytes_written) == (1, 0)
    assert "is gone" in str(report.error)
    journal = data / "journal" / "2026-11-20.sqlite3"
    assert [r.getMessage() for r in caplog.records] == [
        f"the journal {journal} was removed while it was written, and what it held is gone"
    ]


def test_a_journal_that_is_removed_begins_anew_with_the_next_minute(
    held: JournalSet, data: Path, sample: ModuleType
) -> None:
    held.record(sample.snapshot(0))
    before = held.journal(sample.DAY).identity
    (data / "journal" / "2026-11-20.sqlite3").unlink()
    assert held.record(sample.snapshot(1)).pending == 0
    assert held.journal(sample.DAY).identity != before, "no reader's place in the old one counts"
    assert JournalSet(data, MAX_BYTES).journal(sample.DAY).minutes() == (sample.minute_of(1),)
