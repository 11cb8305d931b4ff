"""One holder, a plain layout, and no name that leads out."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.errors import ConfigError, DataDirectoryBusy
from g6.storage.data_directory import DataDirectory, path_within

HOLDER = """
import sys
from pathlib import Path
from g6.storage.data_directory import DataDirectory
hold = DataDirectory(Path(sys.argv[1])).hold()
print("held", flush=True)
sys.stdin.read()
"""


def test_layout_is_made_with_its_parents(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "a" / "b")
    assert {p.name for p in directory.root.iterdir()} == {"journal", "csv", "corrupt"}


def test_second_holder_is_refused_with_the_first_ones_name_until_it_ends(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(DataDirectoryBusy) as refusal:
            DataDirectory(tmp_path).hold()
        other.kill()
    told = str(refusal.value)
    assert f"G6 pid {other.pid} on host " in told
    assert "since 20" in told
    assert "--data-dir" in told
    assert "\n" not in told
    with DataDirectory(tmp_path).hold():  # the lock ends with its process, however that ends
        pass


def test_released_directory_can_be_held_again(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    for _ in range(2):
        with directory.hold(), pytest.raises(DataDirectoryBusy):
            directory.hold()


def test_unsigned_lock_still_refuses(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    with directory.hold():
        (tmp_path / "g6.lock").write_bytes(b"")
        with pytest.raises(DataDirectoryBusy, match="another G6"):
            directory.hold()


@pytest.mark.parametrize("occupied", ["", "journal", "csv"])
def test_file_in_the_place_of_a_directory_is_told(tmp_path: Path, occupied: str) -> None:
    root = tmp_path / "data"
    place = root / occupied
    place.parent.mkdir(exist_ok=True)
    place.write_text("")
    with pytest.raises(ConfigError, match="is not a directory"):
        DataDirectory(root)


@pytest.mark.parametrize("new", ["", "new"])
def test_directory_without_write_permission_is_told(
    new: str, open_folder: Path, read_only: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with read_only(open_folder), pytest.raises(ConfigError, match="--data-dir"):
        DataDirectory(open_folder / new)


def test_names_of_the_field_become_paths(tmp_path: Path) -> None:
    path = path_within(tmp_path, "NIFTY", "this_week", "m12")
    assert path == tmp_path / "NIFTY" / "this_week" / "m12"
    assert path_within(tmp_path, "M&M").name == "M&M"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "/etc", "Nifty", "-x", "_x", "a b", "x" * 33, "a\n", "é", "a\0"]
)
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        path_within(tmp_path, name)


@given(st.text(max_size=40))
def test_no_name_leads_out_of_the_root(name: str) -> None:
    try:
        path = path_within(Path("/nowhere/root"), name)
    except ConfigError:
        return
    assert os.path.normpath(path) == str(path)
    assert path.parent == Path("/nowhere/root")


def test_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "NIFTY").symlink_to("/etc")
    with pytest.raises(ConfigError, match="leads out"):
        path_within(tmp_path / "root", "NIFTY", "this_week")


def test_a_directory_holds_the_minutes_of_one_market(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.claim("simulated")
    directory.claim("simulated")
    with pytest.raises(ConfigError, match=r"holds simulated minutes, which live ones never join"):
        DataDirectory(tmp_path / "data").claim("live")


def test_the_holder_notices_that_its_directory_is_moved_and_that_it_is_back(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    with DataDirectory(root).hold() as hold:
        assert hold.why_away() == ""
        root.rename(elsewhere)
        assert hold.why_away() == f"the data directory {root} is gone: No such file or directory"
        assert hold.stat("journal") is not None, "what is held is known wherever it lies"
        with DataDirectory(root).hold():
            assert hold.why_away() == f"{root} is another directory than the one that g6 holds"
        shutil.rmtree(root)
        elsewhere.rename(root)
        assert hold.why_away() == ""


def test_the_holder_notices_that_its_directory_is_removed(tmp_path: Path) -> None:
    with DataDirectory(tmp_path / "data").hold() as hold:
        shutil.rmtree(tmp_path / "data")
        assert hold.why_away()
        assert hold.stat("journal") is None
        DataDirectory(tmp_path / "data")
        assert hold.why_away(), "one made anew is another one"


def test_a_directory_that_was_moved_is_still_held(tmp_path: Path) -> None:
    with DataDirectory(tmp_path / "data").hold():
        (tmp_path / "data").rename(tmp_path / "elsewhere")
        with pytest.raises(DataDirectoryBusy):
            DataDirectory(tmp_path / "elsewhere").hold()
