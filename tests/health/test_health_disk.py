"""The data directory's disk: what is free, how fast it goes, and whether the directory can be written."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from g6.health.disk import DirectoryWatch, DiskWatch, why_not_writable

BLOCK = 4096


class Disk:
    """A disk whose space and files a test takes, and a clock that it moves."""

    def __init__(self, blocks: int = 10**6, files: int = 10**6) -> None:
        self.blocks, self.free, self.files, self.free_files, self.seconds = blocks, blocks, files, files, 0.0

    def look(self, _folder: Path) -> Any:
        # A tenth is kept for the administrator, as mkfs does.
        return SimpleNamespace(
            f_frsize=BLOCK, f_blocks=self.blocks, f_bfree=self.free + 10**5, f_bavail=self.free,
            f_files=self.files, f_favail=self.free_files,
        )  # fmt: skip

    def watch(self) -> DiskWatch:
        return DiskWatch(Path("/data"), lambda: self.seconds, self.look)


def minutes(disk: Disk, watch: DiskWatch, count: int, blocks_a_minute: Callable[[int], int]) -> Any:
    for minute in range(count):
        disk.seconds += 60
        disk.free -= blocks_a_minute(minute)
        reading = watch()
    return reading


def test_what_is_free_is_what_this_user_may_take() -> None:
    disk = Disk()
    reading = disk.watch()()
    assert reading is not None
    assert (reading.free_bytes, reading.total_bytes, reading.free_files) == (4096 * 10**6, 4096 * 10**6, 10**6)


def test_a_file_system_that_counts_no_files_has_room_for_them() -> None:
    reading = Disk(files=0).watch()()
    assert reading is not None
    assert reading.free_files is None


def test_the_rate_is_that_of_the_last_hour_and_is_silent_before_a_quarter() -> None:
    disk = Disk()
    watch = disk.watch()
    assert minutes(disk, watch, 15, lambda _: 60).fill_bytes_per_second is None
    early = minutes(disk, watch, 1, lambda _: 60)
    assert early.fill_bytes_per_second == pytest.approx(BLOCK)
    assert early.seconds_until_full == pytest.approx(disk.free)
    later = minutes(disk, watch, 61, lambda _: 120)
    assert later.fill_bytes_per_second == pytest.approx(2 * BLOCK), "the slower hour before it is forgotten"


def test_a_disk_that_empties_is_never_full() -> None:
    disk = Disk()
    watch = disk.watch()
    assert minutes(disk, watch, 30, lambda _: -10).seconds_until_full is None
    assert minutes(disk, watch, 120, lambda _: 0).seconds_until_full is None


def test_frequent_looks_cost_no_memory() -> None:
    disk = Disk()
    watch = disk.watch()
    for _ in range(10_000):
        disk.seconds += 1
        watch()
    assert len(watch._readings) <= 122


def test_the_free_space_is_the_one_that_the_system_tells(tmp_path: Path) -> None:
    reading = DiskWatch(tmp_path, lambda: 0.0)()
    assert reading is not None
    assert reading.total_bytes == shutil.disk_usage(tmp_path).total
    assert abs(reading.free_bytes - shutil.disk_usage(tmp_path).free) < 10**9


def test_a_folder_that_is_gone_has_no_reading(tmp_path: Path) -> None:
    assert DiskWatch(tmp_path / "gone", lambda: 0.0)() is None


def test_a_directory_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    assert why_not_writable(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_none_is_told_with_its_name(tmp_path: Path) -> None:
    assert why_not_writable(tmp_path / "gone") == f"{tmp_path / 'gone'} cannot be written: No such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_permission_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert why_not_writable(tmp_path).endswith("Permission denied")


class Place:
    """A directory that a test takes away, mounts otherwise or fills."""

    def __init__(self, folder: Path) -> None:
        self.away = self.refused = ""
        self.flags = self.tried = 0
        self.watch = DirectoryWatch(folder, lambda: self.away, self.look, self.try_out)

    def look(self, _folder: Path) -> Any:
        return SimpleNamespace(f_flag=self.flags)

    def try_out(self, _folder: Path) -> str:
        self.tried += 1
        return self.refused


def test_a_directory_is_tried_until_that_works_and_looked_at_from_then_on(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.refused = "No space left on device"
    assert [place.watch(), place.watch()] == ["No space left on device"] * 2
    place.refused = ""
    assert [place.watch() for _ in range(9)] == [""] * 9
    assert place.tried == 3, "what is well waits for no disk"


def test_trouble_while_running_is_told_as_long_as_it_lasts_and_over_when_a_file_could_be_written(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path)
    assert place.watch() == ""
    place.away = "it is gone"
    assert [place.watch(), place.watch()] == ["it is gone"] * 2
    place.away, place.refused = "", "Permission denied"
    assert place.watch() == "Permission denied"
    place.refused = ""
    assert place.watch() == ""


def test_a_disk_that_was_mounted_read_only_is_told_to_root_as_well(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.watch() == ""
    place.flags = os.ST_RDONLY
    assert place.watch() == f"{tmp_path} cannot be written: it is mounted read-only"
    place.flags = 0
    assert place.watch() == ""


def test_a_permission_that_is_taken_while_running_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = DirectoryWatch(tmp_path, str)
    assert watch() == ""
    with monkeypatch.context() as taken:  # root would not feel a real one
        taken.setattr(os, "access", lambda *_args, **_more: False)
        assert watch() == f"{tmp_path} cannot be written: no permission"
    assert watch() == ""
    tmp_path.rmdir()
    assert watch() == f"{tmp_path} cannot be written: No such file or directory"
