"""A file's rows increase strictly in ts, whatever is given in whatever order and whatever a crash left."""

import errno
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.storage import csv_file
from g6.storage.csv_file import DailyFile

HEADER = b"ts,a,b"


def row(minute: int, cells: str = "1,2") -> dict[bytes, bytes]:
    ts = f"2026-11-20T{9 + minute // 60:02d}:{minute % 60:02d}:00+05:30"
    return {ts.encode(): f"{ts},{cells}".encode()}


def content(*rows: dict[bytes, bytes], header: bytes = HEADER) -> bytes:
    return b"".join(line + b"\n" for line in (header, *(line for r in rows for line in r.values())))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "NIFTY" / "day.csv"


def test_first_row_makes_folder_file_and_header(path: Path) -> None:
    effect = DailyFile(str(path), HEADER).apply(row(1))
    assert path.read_bytes() == content(row(1))
    assert effect == (1, len(content(row(1))), 0)
    assert path.stat().st_mode & 0o111 == 0


def test_the_data_directory_itself_is_never_made(tmp_path: Path) -> None:
    """One that was moved away while it was written would find its place taken."""
    path = tmp_path / "data" / "csv" / "NIFTY" / "overview" / "day.csv"
    with pytest.raises(FileNotFoundError):
        DailyFile(str(path), HEADER).apply(row(1))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "data").mkdir()
    DailyFile(str(path), HEADER).apply(row(1))
    assert path.read_bytes() == content(row(1))


@given(
    steps=st.lists(
        st.tuples(
            st.dictionaries(st.integers(0, 30), st.sampled_from(["1,2", "3,4", "55,6", None]), max_size=4),
            st.booleans(),
        ),
        max_size=8,
    ),
    tail_bytes=st.sampled_from([128, 64 * 1024]),
)
def test_any_order_of_rows_gives_the_sorted_file(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[dict[int, str | None], bool]], tail_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("any") / "day.csv"
    wanted: dict[bytes, bytes] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_file, "TAIL_BYTES", tail_bytes)  # so that short files show what long ones do
        file = DailyFile(str(path), HEADER)
        for given_rows, restart in steps:
            file = DailyFile(str(path), HEADER) if restart else file
            rows: dict[bytes, bytes | None] = {}
            for minute, cells in given_rows.items():
                ((ts, line),) = row(minute, cells or "").items()
                rows[ts] = line if cells else None
                wanted.pop(ts, None)
                wanted |= {ts: line} if cells else {}
            file.apply(rows)
            expected = content(*({ts: wanted[ts]} for ts in sorted(wanted))) if wanted else b""
            assert (path.read_bytes() if path.exists() else b"") == expected
            assert file.apply(rows)[:2] == (0, 0)  # the same again changes nothing


@given(cut=st.integers(0, 10_000))
def test_file_cut_anywhere_is_repaired_and_can_be_completed(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "day.csv"
    rows = [row(n) for n in range(3)]
    whole = content(*rows)
    kept = whole[: cut % (len(whole) + 1)]
    path.write_bytes(kept)
    effects = [DailyFile(str(path), HEADER).apply(r) for r in rows]
    assert path.read_bytes() == whole
    torn = kept[kept.rfind(b"\n") + 1 :]
    assert sum(e.repaired for e in effects) == bool(torn)
    aside = path.with_name("day.csv.torn")
    assert (aside.read_bytes() if aside.exists() else b"") == (torn + b"\n" if torn else b"")


def test_zeros_that_a_power_cut_left_are_torn_too(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(content(row(1)) + b"2026-11\0\0\0\0\0\0,2\n" + b"2026-11-20T09:03:00+05:30,1,2\n")
    assert DailyFile(str(path), HEADER).apply(row(2)).repaired == 1
    assert path.read_bytes() == content(row(1), row(2))


def test_added_column_rewrites_the_file_by_name_once(path: Path) -> None:
    DailyFile(str(path), b"ts,a,b").apply(row(1, "1,2"))
    newer = DailyFile(str(path), b"ts,b,new,a")
    newer.apply(row(2, "2,9,1"))
    assert path.read_bytes() == content(row(1, "2,,1"), row(2, "2,9,1"), header=b"ts,b,new,a")


def test_column_of_a_newer_release_is_kept_and_left_empty(path: Path) -> None:
    DailyFile(str(path), b"ts,a,new,b").apply(row(1, "1,9,2"))
    for _ in range(2):
        older = DailyFile(str(path), HEADER)
        older.apply(row(2, "3,4") | row(3, "5,6"))
        older.apply(row(2, "3,4"))
        expected = content(row(1, "1,2,9"), row(2, "3,4,"), row(3, "5,6,"), header=b"ts,a,b,new")
        assert path.read_bytes() == expected


def test_file_with_a_header_alone_is_filled(path: Path) -> None:
    path.parent.mkdir()
    for header in (b"ts,a,b\n", b"ts,b\n"):
        path.write_bytes(header)
        DailyFile(str(path), HEADER).apply(row(1))
        assert path.read_bytes() == content(row(1))


@pytest.mark.parametrize("foreign", [b"name,value\n1,2\n", b"\x7fELF" * 40_000])
def test_foreign_file_is_refused_and_left_alone(path: Path, foreign: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(foreign)
    for _ in range(2):
        with pytest.raises(OSError, match="not a file of G6"):
            DailyFile(str(path), HEADER).apply(row(1))
    assert path.read_bytes() == foreign


def test_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_bytes(content(row(1)))
    path.symlink_to(elsewhere)
    with pytest.raises(OSError) as refusal:  # noqa: PT011 (its text is the system's)
        DailyFile(str(path), HEADER).apply(row(2))
    assert refusal.value.errno == errno.ELOOP
    assert elsewhere.read_bytes() == content(row(1))


def test_file_taken_away_meanwhile_begins_again(path: Path) -> None:
    file = DailyFile(str(path), HEADER)
    file.apply(row(1))
    path.unlink()
    with pytest.raises(FileNotFoundError):
        file.apply(row(2))
    file.apply(row(2))
    assert path.read_bytes() == content(row(2))


def test_renewed_file_is_another_one_with_the_same_bytes(path: Path) -> None:
    file = DailyFile(str(path), HEADER)
    file.apply(row(1) | row(2))
    before = path.stat().st_ino
    file.suspect = True
    file.renew()
    assert path.stat().st_ino != before
    assert not file.suspect
    file.apply(row(3))
    assert path.read_bytes() == content(row(1), row(2), row(3))


def test_full_disk_leaves_the_file_as_it_was(
    small_disk: Path, filled_up: Callable[[Path], AbstractContextManager[None]]
) -> None:
    path = small_disk / "NIFTY" / "day.csv"
    file, new = DailyFile(str(path), HEADER), DailyFile(str(path.with_name("new.csv")), HEADER)
    file.apply(row(1))
    before = path.read_bytes()
    long = row(2, "1," + "2" * 8000)  # more than what is left of the file's last block
    with filled_up(small_disk):
        for rows in (long, row(0, "1," + "3" * 8000), long):
            with pytest.raises(OSError, match="No space left"):
                file.apply(rows)
            assert path.read_bytes() == before
        with pytest.raises(OSError, match="No space left"):
            new.apply(row(1))
    file.apply(long)
    new.apply(row(1))
    assert path.read_bytes() == content(row(1), long)
    assert path.with_name("new.csv").read_bytes() == content(row(1))
    assert {p.name for p in path.parent.iterdir()} == {"day.csv", "new.csv"}
