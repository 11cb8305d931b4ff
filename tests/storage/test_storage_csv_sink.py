"""The files have what the journal has; what fails costs itself alone and is supplied later."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType

import pytest

from g6.errors import ConfigError, SinkError
from g6.model.snapshot import Snapshot
from g6.storage.csv_sink import CsvSink
from g6.storage.journal import Journal

Files = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open(tmp_path / "2026-11-20.sqlite3", corrupt=tmp_path / "corrupt", max_bytes=50_000_000)
    yield opened
    opened.close()


@pytest.fixture
def clean_run(tmp_path: Path, sample: ModuleType, csv_files: Files) -> Callable[..., dict[str, bytes]]:
    """The files of one undisturbed run over these minutes."""

    def run(*minutes: Snapshot) -> dict[str, bytes]:
        root = tmp_path / "clean"
        root.mkdir()
        opened = Journal.open(root / "2026-11-20.sqlite3", corrupt=root, max_bytes=50_000_000)
        sink = CsvSink(root, sample.AGGREGATES)
        for minute in minutes:
            opened.put(minute)
            assert sink.drain(opened).error is None
        opened.close()
        return csv_files(root)

    return run


def test_each_strike_and_each_index_has_its_file(
    tmp_path: Path, journal: Journal, sample: ModuleType, csv_files: Files
) -> None:
    journal.put(sample.snapshot(0, indices=("NIFTY",), expiries=(sample.MONTH,), width=1))
    report = CsvSink(tmp_path, sample.AGGREGATES).drain(journal)
    files = csv_files(tmp_path)
    assert set(files) == {
        "csv/NIFTY/overview/2026-11-20.csv",
        *(f"csv/NIFTY/{c}/{o}/2026-11-20.csv" for c in ("this_week", "this_month") for o in ("m1", "atm", "p1")),
    }
    assert (report.name, report.rows, report.files, report.lag_cycles, report.error) == ("csv", 7, 7, 0, None)
    assert report.bytes_written == sum(len(data) for data in files.values())
    assert all(data.count(b"\n") == 2 for data in files.values())


def test_batch_of_minutes_gives_the_same_files_as_minute_by_minute(
    tmp_path: Path, journal: Journal, sample: ModuleType, csv_files: Files, clean_run: Callable[..., dict[str, bytes]]
) -> None:
    minutes = [sample.snapshot(n, shift=n % 3) for n in range(20)]
    for minute in minutes:
        journal.put(minute)
    sink = CsvSink(tmp_path, sample.AGGREGATES)
    assert sink.drain(journal, cycles_limit=4).lag_cycles == 16
    assert sink.drain(journal).lag_cycles == 0
    files = csv_files(tmp_path)
    assert files == clean_run(*minutes)


def test_applying_everything_again_changes_nothing(
    tmp_path: Path, journal: Journal, sample: ModuleType, csv_files: Files
) -> None:
    for number in range(3):
        journal.put(sample.snapshot(number))
    CsvSink(tmp_path, sample.AGGREGATES).drain(journal)
    before = csv_files(tmp_path)
    assert journal.cursor("csv") == 0
    report = CsvSink(tmp_path, sample.AGGREGATES).drain(journal)
    assert (report.rows, report.bytes_written, report.lag_cycles) == (0, 0, 0)
    assert csv_files(tmp_path) == before


@pytest.mark.parametrize("restart", [False, True])
def test_later_tick_takes_away_what_only_the_earlier_one_had(
    restart: bool, tmp_path: Path, journal: Journal, sample: ModuleType, csv_files: Files,
    clean_run: Callable[..., dict[str, bytes]],
) -> None:  # fmt: skip
    sink = CsvSink(tmp_path, sample.AGGREGATES)
    for minute in (sample.snapshot(0), sample.snapshot(1, width=3, indices=("NIFTY", "SENSEX", "BANKEX"))):
        journal.put(minute)
        sink.drain(journal)
    last = sample.snapshot(1, tick=1, width=1, expiries=(sample.NEXT, sample.WEEK, sample.MONTH))
    journal.put(last)
    sink = CsvSink(tmp_path, sample.AGGREGATES) if restart else sink
    assert sink.drain(journal).error is None
    assert csv_files(tmp_path) == clean_run(sample.snapshot(0), last)


def test_failing_file_costs_itself_alone_and_is_supplied_later(
    tmp_path: Path, journal: Journal, sample: ModuleType, csv_files: Files, clean_run: Callable[..., dict[str, bytes]]
) -> None:
    sink = CsvSink(tmp_path, sample.AGGREGATES, checkpoint_cycles=2)
    journal.put(sample.snapshot(0))
    sink.drain(journal)
    obstacle = tmp_path / "csv" / "NIFTY" / "this_week" / "m3" / "2026-11-20.csv"
    obstacle.mkdir(parents=True)
    minutes = [sample.snapshot(0), *(sample.snapshot(n, width=3) for n in range(1, 4)), sample.snapshot(3, tick=1)]
    for lag, minute in enumerate(minutes[1:4], 1):
        journal.put(minute)
        report = sink.drain(journal)
        assert str(obstacle) in str(report.error)
        assert "directory" in str(report.error)
        assert report.lag_cycles == lag
        assert journal.cursor("csv") < 2  # the minute that the file lacks has not been passed
    healthy = (tmp_path / "csv" / "NIFTY" / "this_week" / "m2" / "2026-11-20.csv").read_bytes()
    assert healthy.count(b"\n") == 5
    obstacle.rmdir()
    journal.put(minutes[4])
    report = sink.drain(journal)
    assert (report.error, report.lag_cycles) == (None, 0)
    assert csv_files(tmp_path) == clean_run(*minutes[:3], minutes[4])
    assert journal.cursor("csv") == journal.last_seq


def test_full_disk_loses_nothing_once_there_is_space(
    small_disk: Path, journal: Journal, sample: ModuleType, csv_files: Files,
    clean_run: Callable[..., dict[str, bytes]], filled_up: Callable[[Path], AbstractContextManager[None]],
) -> None:  # fmt: skip
    sink = CsvSink(small_disk, sample.AGGREGATES)
    minutes = [sample.snapshot(n, shift=n % 2) for n in range(25)]
    journal.put(minutes[0])
    sink.drain(journal)
    with filled_up(small_disk):
        for minute in minutes[1:24]:
            journal.put(minute)
            report = sink.drain(journal)
        assert "No space left" in str(report.error)
        assert report.lag_cycles > 0
    journal.put(minutes[24])
    for _ in range(2):  # what is owed is supplied at a bounded pace
        report = sink.drain(journal)
    assert (report.error, report.lag_cycles) == (None, 0)
    assert csv_files(small_disk) == clean_run(*minutes)


def test_cursor_moves_only_after_a_sync(tmp_path: Path, journal: Journal, sample: ModuleType) -> None:
    cursors_at_sync: list[int] = []
    sink = CsvSink(
        tmp_path,
        sample.AGGREGATES,
        checkpoint_cycles=3,
        sync=lambda folder: cursors_at_sync.append(journal.cursor("csv")),
    )
    cursors = []
    for number in range(7):
        journal.put(sample.snapshot(number))
        sink.drain(journal)
        cursors.append(journal.cursor("csv"))
    assert cursors == [0, 0, 3, 3, 3, 6, 6]
    sink.checkpoint(journal)
    sink.close()
    assert journal.cursor("csv") == 7
    assert cursors_at_sync == [0, 3, 6]
    sink.checkpoint(journal)
    sink.close()
    assert cursors_at_sync == [0, 3, 6]  # nothing new, nothing to sync


def test_failed_sync_holds_the_cursor_until_the_files_are_written_anew(
    tmp_path: Path, journal: Journal, sample: ModuleType, csv_files: Files
) -> None:
    broken = [True]

    def sync(folder: Path) -> None:
        if broken[0]:
            raise OSError(5, "Input/output error")

    sink = CsvSink(tmp_path, sample.AGGREGATES, checkpoint_cycles=1, sync=sync)
    journal.put(sample.snapshot(0))
    assert "cannot sync" in str(sink.drain(journal).error)
    assert journal.cursor("csv") == 0
    before = {path: path.stat().st_ino for path in tmp_path.rglob("*.csv")}
    content = csv_files(tmp_path)
    broken[0] = False
    sink.checkpoint(journal)
    assert journal.cursor("csv") == 1
    assert all(path.stat().st_ino != inode for path, inode in before.items())
    assert csv_files(tmp_path) == content


def test_name_that_cannot_be_a_path_is_told_and_holds_up_nothing(
    tmp_path: Path, journal: Journal, sample: ModuleType, csv_files: Files
) -> None:
    journal.put(sample.snapshot(0, indices=("../../etc", "NIFTY")))
    report = CsvSink(tmp_path, sample.AGGREGATES).drain(journal)
    assert "cannot be part of a path" in str(report.error)
    assert report.lag_cycles == 0
    assert all(name.startswith("csv/NIFTY/") for name in csv_files(tmp_path.parent / tmp_path.name))


def test_damaged_minute_is_passed_over(tmp_path: Path, journal: Journal, sample: ModuleType) -> None:
    for number in range(3):
        journal.put(sample.snapshot(number))
    journal._connection.execute("UPDATE cycles SET crc = crc + 1 WHERE seq = 2")
    report = CsvSink(tmp_path, sample.AGGREGATES).drain(journal)
    assert (report.lag_cycles, journal.damaged) == (0, 1)
    assert (tmp_path / "csv/NIFTY/overview/2026-11-20.csv").read_bytes().count(b"\n") == 3


def test_place_in_a_journal_does_not_count_in_another(
    tmp_path: Path, journal: Journal, sample: ModuleType, csv_files: Files
) -> None:
    sink = CsvSink(tmp_path, sample.AGGREGATES)
    for number in range(3):
        journal.put(sample.snapshot(number))
    sink.drain(journal)
    journal.close()
    journal.path.unlink()
    anew = Journal.open(journal.path, corrupt=tmp_path, max_bytes=50_000_000)
    anew.put(sample.snapshot(5))
    assert sink.drain(anew).lag_cycles == 0
    assert csv_files(tmp_path)["csv/NIFTY/overview/2026-11-20.csv"].count(b"\n") == 5
    anew.close()


def test_unreadable_journal_is_a_sink_error(tmp_path: Path, journal: Journal, sample: ModuleType) -> None:
    sink = CsvSink(tmp_path, sample.AGGREGATES)
    journal.close()
    with pytest.raises(SinkError):
        sink.drain(journal)


def test_unknown_price_basis_is_refused(tmp_path: Path, sample: ModuleType) -> None:
    with pytest.raises(ConfigError, match="use one of last, price, average_price"):
        CsvSink(tmp_path, sample.AGGREGATES, price_basis="mid")
