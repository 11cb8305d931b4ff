"""The machine's files, by cases: what can be read is right, what cannot is missing, and nothing raises."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from g6.governor.limits import smallest
from g6.governor.readers import SystemReaders, this_machine

CASES = sorted(folder for folder in (Path(__file__).parent / "cases").iterdir() if folder.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda folder: folder.name)
def test_the_files_say(case: Path) -> None:
    readers = SystemReaders(case / "root", page_bytes=4096)
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    limit = smallest(readers.limits())
    assert {
        "why": expected["why"],
        "rss_bytes": readers.rss_bytes(),
        "limit": [limit.bytes, limit.source] if limit else None,
        "stalled_ratio": readers.stalled_ratio(),
        "high_events": readers.high_events(),
        "uss_bytes": readers.uss_bytes(),
    } == expected


@dataclass
class Counted:
    """A system without files that knows this much."""

    def rss_bytes(self) -> int | None:
        return 5_000

    def uss_bytes(self) -> int | None:
        return 4_000

    def total_bytes(self) -> int | None:
        return 9_000


def test_what_no_file_says_is_asked_of_the_system(tmp_path: Path) -> None:
    readers = SystemReaders(tmp_path, Counted())
    assert readers.rss_bytes() == 5_000
    assert readers.uss_bytes() == 4_000
    assert [(limit.bytes, limit.source) for limit in readers.limits()] == [(9_000, "machine")]
    assert readers.stalled_ratio() is None
    assert readers.high_events() is None


def test_a_process_that_is_moved_to_another_group_has_that_ones_limit(tmp_path: Path) -> None:
    own = tmp_path / "proc/self"
    own.mkdir(parents=True)
    (own / "mountinfo").write_text("31 23 0:26 / /groups rw - cgroup2 cgroup2 rw\n")
    for name, size in (("a", "100"), ("b", "200")):
        (tmp_path / "groups" / name).mkdir(parents=True)
        (tmp_path / "groups" / name / "memory.max").write_text(size)
    readers, seen = SystemReaders(tmp_path), []
    for name in "ab":
        (own / "cgroup").write_text(f"0::/{name}\n")
        seen += [limit.bytes for limit in readers.limits()]
    assert seen == [100, 200]


def test_a_limit_that_is_changed_while_the_process_runs_is_seen(tmp_path: Path) -> None:
    own = tmp_path / "proc/self"
    own.mkdir(parents=True)
    (own / "mountinfo").write_text("31 23 0:26 / /groups rw - cgroup2 cgroup2 rw\n")
    (own / "cgroup").write_text("0::/\n")
    (tmp_path / "groups").mkdir()
    readers, seen = SystemReaders(tmp_path), []
    for size in ("100", "50", "max"):
        (tmp_path / "groups/memory.max").write_text(size)
        seen.append([limit.bytes for limit in readers.limits()])
    assert seen == [[100], [50], []]


def test_this_machine_agrees_with_psutil() -> None:
    readers, process = this_machine(), psutil.Process(os.getpid())
    assert readers.rss_bytes() == pytest.approx(process.memory_info().rss, rel=0.05)
    assert readers.uss_bytes() == pytest.approx(process.memory_full_info().uss, rel=0.1)
    limit = smallest(readers.limits())
    assert limit is not None
    assert limit.bytes <= psutil.virtual_memory().total
