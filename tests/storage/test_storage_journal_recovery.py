"""Damage costs what it touches: a row, a page, or a file whose sound rows go on in a new one."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from g6.storage.encoding import encode_snapshot
from g6.storage.journal import Journal

Opener = Callable[[], Journal]


def told(journal: Journal, seq: int = 0) -> list[tuple[int, bytes]]:
    return [(seq, encode_snapshot(snapshot)) for seq, snapshot in journal.cycles_after(seq)]


def test_damaged_row_is_counted_once_and_blocks_no_other(
    path: Path, opened: Opener, sample: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    journal = opened()
    for number in range(3):
        journal.put(sample.snapshot(number))
    journal.close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE cycles SET payload = substr(payload, 1, 50) || zeroblob(9) WHERE seq = 2")
    raw.close()
    journal = opened()
    for _ in range(2):
        assert [seq for seq, _ in told(journal)] == [1, 3]
    assert journal.at(sample.minute_of(1)) is None
    assert journal.damaged == 1
    assert [r.getMessage() for r in caplog.records if "2026-11-20T09:16:00+05:30" in r.getMessage()] != []
    assert journal.put(sample.snapshot(1)).outcome == "replaced"


def test_damaged_page_costs_the_minute_on_it(path: Path, opened: Opener, sample: ModuleType) -> None:
    journal = opened()
    for number in range(9):
        journal.put(sample.snapshot(number, width=40))
    journal.close()
    reader = Journal.open_read_only(path)
    cycles = reader.cycles_after(0)
    assert next(cycles)[0] == 1
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4] = b"\xff\xff\xff\xff"  # where an overflow page names the next one
    path.write_bytes(data)
    seen = [seq for seq, _ in reader.cycles_after(0)]
    assert len(seen) + reader.damaged == 9
    assert reader.damaged == 1
    reader.close()


@pytest.mark.parametrize("where", ["header", "middle", "everywhere", "foreign database"])
def test_damaged_file_is_moved_aside_and_what_is_sound_is_taken_over(
    where: str, path: Path, tmp_path: Path, opened: Opener, sample: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    journal = opened()
    for number in range(40):
        journal.put(sample.snapshot(number))
    journal.advance("csv", 30)
    journal.close()
    damage(path, where)
    before = path.read_bytes()

    journal = opened()
    assert journal.moved_aside == 1
    assert len([r for r in caplog.records if r.levelname == "WARNING"]) == 1
    (kept,) = [p for p in (tmp_path / "corrupt").iterdir() if not p.name.endswith(("-wal", "-shm"))]
    assert kept.read_bytes() == before
    written = [(n + 1, encode_snapshot(sample.snapshot(n))) for n in range(40)]
    recovered = told(journal)
    assert set(recovered) <= set(written)
    assert len(recovered) > 20 or where != "middle"
    assert journal.cursor("csv") in {0, 30}
    assert journal.put(sample.snapshot(50)).seq > max(journal.cursor("csv"), *(seq for seq, _ in [*recovered, (0, 0)]))
    assert opened().moved_aside == 0


def test_seq_that_a_cursor_has_passed_is_not_given_again_after_a_recovery(
    path: Path, opened: Opener, sample: ModuleType
) -> None:
    journal = opened()
    for number in range(10):
        journal.put(sample.snapshot(number))
    journal.advance("csv", 10)
    journal.close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE cycles SET crc = crc + 1 WHERE seq > 5")
        raw.execute("PRAGMA application_id = 1")
    raw.close()
    journal = opened()
    assert [seq for seq, _ in told(journal)] == [1, 2, 3, 4, 5]
    assert (journal.cursor("csv"), journal.put(sample.snapshot(20)).seq) == (10, 11)


def damage(path: Path, where: str) -> None:
    if where == "foreign database":
        path.unlink()
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE cycles (seq INTEGER)")
        other.close()
        return
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    start, stop = {"header": (0, 16), "middle": (middle, middle + 4096), "everywhere": (0, len(data))}[where]
    data[start:stop] = bytes(byte ^ 0x5A for byte in data[start:stop])
    path.write_bytes(data)


def test_recovery_that_a_crash_cut_short_is_finished(
    path: Path, tmp_path: Path, opened: Opener, sample: ModuleType
) -> None:
    opened().put(sample.snapshot(0))
    journal = opened()
    journal.close()
    # The damaged file has been moved, the new one has not taken its name yet.
    for companion in ("-wal", "-shm"):
        path.with_name(path.name + companion).unlink(missing_ok=True)
    path.rename(tmp_path / "2026-11-20.sqlite3.recovering")
    assert [seq for seq, _ in told(opened())] == [1]
