"""Under a limit that the kernel enforces, the level rises before the kernel kills, and falls when memory was shed.

The limit is a control group's, made below the one that the tests run in. `prlimit` would not do: Linux limits address
space (RLIMIT_AS) and has ignored RLIMIT_RSS since 2.4.30 (setrlimit(2)).
"""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from g6.governor.files import number_at, text_of
from g6.governor.groups import find_groups

LIMIT_BYTES = 300_000_000


@pytest.fixture
def group() -> Iterator[tuple[Path, str]]:
    """A group with a limit, and what the governor calls that limit; removed afterwards."""
    groups = find_groups(Path("/"), text_of(Path("/proc/self/cgroup")))
    places = [(folder, "memory.limit_in_bytes", "cgroup v1 limit") for folder in groups.v1_memory[:1]]
    places += [(folder, "memory.max", "cgroup v2 memory.max") for folder in groups.v2[:1]]
    for parent, file, source in places:
        folder = parent / f"g6-test-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            if (folder / file).exists() and _limited(folder / file):
                yield folder, source
                return
        finally:
            folder.rmdir()
    pytest.skip("no control group with a memory limit can be made here")


def _limited(file: Path) -> bool:
    try:
        file.write_text(str(LIMIT_BYTES))
    except OSError:
        return False
    return True


@pytest.mark.long
def test_it_steps_up_under_a_real_limit_is_not_killed_and_comes_down_again(group: tuple[Path, str]) -> None:
    folder, source = group
    script = Path(__file__).with_name("ballast_process.py")
    ended = subprocess.run([sys.executable, script, folder], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert [level for level, _ in itertools.groupby(told["levels"])] == [0, 1, 2, 3, 2, 1, 0]
    assert told["source"] == source
    assert told["limit"] == pytest.approx(LIMIT_BYTES, abs=65_536), "rounded to pages"
    assert 0.9 * LIMIT_BYTES <= told["most"] < LIMIT_BYTES
    assert told["end"] < 0.5 * LIMIT_BYTES
    kills = [number_at(text_of(folder / name), "oom_kill") for name in ("memory.oom_control", "memory.events")]
    assert [count for count in kills if count is not None] == [0]
