"""Where torture happens, and what it needs of the machine."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent_process import tree_of
from forgetting_fs_process import ForgettingMount, missing
from short_day import day_command, day_environment
from traced_disk import STRACE


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of disks are put down in it, and none needs to survive."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def strace() -> str:
    """The program that watches and breaks system calls; a container may forbid it."""
    allowed = (
        STRACE and subprocess.run([STRACE, "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0
    )
    if not allowed:
        pytest.skip("strace is not installed, or may not trace here")
    return str(STRACE)


@pytest.fixture(scope="session")
def clean_day() -> Callable[[int], dict[str, bytes]]:
    """The daily files of an undisturbed day of so many minutes."""
    known: dict[int, dict[str, bytes]] = {}

    def files(cycles: int) -> dict[str, bytes]:
        if cycles not in known:
            with tempfile.TemporaryDirectory() as folder:
                root = Path(folder) / "data"
                subprocess.run(
                    day_command(root, cycles), cwd=folder, env=day_environment(), check=True, capture_output=True
                )
                known[cycles] = tree_of(root)
        return known[cycles]

    return files


@pytest.fixture
def forgetting(scratch: Path) -> Iterator[Callable[..., ForgettingMount]]:
    """Mounts file systems that forget; they end with the test."""
    if reason := missing():
        pytest.skip(reason)
    mounts: list[ForgettingMount] = []

    def mount(*begin_with: Path) -> ForgettingMount:
        mounts.append(ForgettingMount(scratch / f"mount{len(mounts)}", *begin_with))
        return mounts[-1]

    yield mount
    for each in mounts:
        each.unmount()
