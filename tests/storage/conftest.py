"""What the storage tests share: sample minutes, and files as a person would compare them."""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import ModuleType

import pytest

from g6.storage.journal import Journal

MODULE = Path(__file__).with_name("sample_minutes.py")


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sample_minutes", MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sample_minutes"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The module of sample minutes."""
    return _load()


@pytest.fixture(scope="session")
def csv_files() -> Callable[[Path], dict[str, bytes]]:
    """Reads all CSV files below a folder."""
    return lambda root: {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.csv"))}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def read_only() -> Callable[[Path], AbstractContextManager[None]]:
    """Takes the right to write into a folder away; root becomes somebody else meanwhile."""

    @contextmanager
    def take_away(folder: Path) -> Iterator[None]:
        is_root = os.geteuid() == 0
        folder.chmod(0o555)
        if is_root:
            os.seteuid(65534)
        try:
            yield
        finally:
            if is_root:
                os.seteuid(0)
            folder.chmod(0o755)

    return take_away


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    folder = tmp_path / "small_disk"
    folder.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=3m tmpfs '{folder}' 2>/dev/null") != 0:
        pytest.skip("mounting a small file system needs root")
    yield folder
    os.system(f"umount -l '{folder}'")


@pytest.fixture(scope="session")
def filled_up() -> Callable[[Path], AbstractContextManager[None]]:
    """Fills the file system of a folder to the last byte, until the end of the block."""

    @contextmanager
    def fill(folder: Path) -> Iterator[None]:
        ballast = folder / "ballast"
        descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while True:
                os.write(descriptor, b"x" * 65536)
        os.close(descriptor)
        yield
        ballast.unlink()

    return fill


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of the sample day lies."""
    return tmp_path / "2026-11-20.sqlite3"


@pytest.fixture
def opened(path: Path, tmp_path: Path) -> Iterator[Callable[[], Journal]]:
    """Opens the journal, again and again if asked; all are closed at the end."""
    journals: list[Journal] = []

    def open_one() -> Journal:
        journals.append(Journal.open(path, corrupt=tmp_path / "corrupt", max_bytes=50_000_000))
        return journals[-1]

    yield open_one
    for journal in journals:
        journal.close()
