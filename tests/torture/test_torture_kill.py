"""kill -9 of the real agent, at system calls and at any time: the day goes on and ends as the undisturbed one."""

import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from agent_process import tree_of
from short_day import OPEN, day_command, day_environment, recovered, rows_at, sentences
from traced_disk import SYNCS, calls_of, run_traced

from g6.storage.journal import Journal

MINUTES = 6
CHANGES = ("write", "pwrite64", "ftruncate", "mkdir", "unlink")


def killed_at(call: str, number: int, root: Path, begin: datetime, cycles: int) -> str:
    """Run the agent until its n-th call of this kind, which it does not survive; return what it told."""
    trace = root.with_name("trace")
    done = run_traced(
        day_command(root, cycles, begin), trace, f"--inject={call}:signal=KILL:when={number}",
        "--quiet=attach,personality", cwd=root.parent, env=day_environment(), calls=[call],
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    ends = re.findall(r"^\d+ +\+\+\+ (.*) \+\+\+$", trace.read_text(), re.MULTILINE)
    assert ends[-1] == "killed by SIGKILL"  # the process itself; a thread may have ended before
    return done.stdout


def check(root: Path, told: str, clean: dict[str, bytes]) -> None:
    """What was told is there, the files are as they should be, and every cursor is where the journal ends.

    A copy is recovered: what was killed is left to the agent that comes after it.
    """
    vouched = [sentence.minute for sentence in sentences(told) if sentence.durable]
    if not root.exists():  # killed before it did anything
        assert vouched == []
        return
    copy = root.with_name("copy")
    shutil.copytree(root, copy)
    there = recovered(copy)
    shutil.rmtree(copy)
    assert there.lacks(vouched) == []
    assert there.files == rows_at(clean, there.minutes)
    assert there.moved_aside == 0


def calls_in_a_day(names: Iterable[str], scratch: Path) -> list[tuple[str, int]]:
    """Return (call, which of its kind) for all calls of these kinds in a whole day."""
    run_traced(day_command(scratch / "counted", MINUTES), scratch / "counts", cwd=scratch, env=day_environment())
    counted = Counter(call.name for call in calls_of(scratch / "counts"))
    return [(name, number) for name in names for number in range(1, counted[name] + 1)]


def left_of(told: str, minutes: int) -> tuple[datetime, int]:
    """Return from when on and how many minutes are left of a day, the last one that was told among them."""
    begin = max((sentence.minute for sentence in sentences(told)), default=OPEN)
    return begin, minutes - int((begin - OPEN) / timedelta(minutes=1))


def finish(root: Path, told: str, minutes: int = MINUTES) -> str:
    """Live the rest of the day in one more process."""
    begin, left = left_of(told, minutes)
    command = day_command(root, left, begin)
    done = subprocess.run(
        command, cwd=root.parent, env=day_environment(), capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("strace")
@pytest.mark.long
def test_a_day_that_is_killed_again_and_again_ends_as_the_undisturbed_one(
    scratch: Path, clean_day: Callable[[int], dict[str, bytes]]
) -> None:
    root, told = scratch / "data", ""
    # While the journal begins, and while it catches up.
    for call, number in (("pwrite64", 20), ("write", 6)):
        told += killed_at(call, number, root, *left_of(told, MINUTES))
        check(root, told, clean_day(MINUTES))
    finish(root, told)
    assert tree_of(root) == clean_day(MINUTES)


# At any time, from outside. How far a process gets in its time is up to the machine; what becomes of the day is not.


def killed_after(seconds: float, root: Path, told: str, minutes: int) -> tuple[bool, str]:
    """Run the agent on the rest of a day for so long; return whether a kill ended it, and what it told."""
    begin, left = left_of(told, minutes)
    process = subprocess.Popen(
        day_command(root, left, begin), cwd=root.parent, env=day_environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, errors = process.communicate()
    assert process.returncode in {0, -signal.SIGKILL}, errors
    return process.returncode == -signal.SIGKILL, out


def live_and_kill(wanted: int, minutes: int, scratch: Path) -> int:
    """Live days of so many minutes and kill their processes at any time; return how many minutes outlived a kill."""
    begun = time.monotonic()
    finish(scratch / "undisturbed", "", minutes)
    longest, clean = time.monotonic() - begun, tree_of(scratch / "undisturbed")
    choice = random.Random(20261120)
    kills = days = outlived = 0
    told, root = "", scratch / "day0" / "data"
    root.parent.mkdir()
    while kills < wanted:
        killed, more = killed_after(choice.uniform(0, longest), root, told, minutes)
        told += more
        if killed:
            kills += 1
            outlived += len(sentences(more))
            check(root, told, clean)
            continue
        assert tree_of(root) == clean
        days += 1
        assert days < wanted + 10  # or nothing is ever killed
        told, root = "", scratch / f"day{days}" / "data"
        root.parent.mkdir()
    finish(root, told, minutes)
    assert tree_of(root) == clean
    return outlived


@pytest.mark.long
def test_kills_at_any_time_cost_nothing(scratch: Path) -> None:
    live_and_kill(3, 60, scratch)


@pytest.mark.long
def test_many_kills_at_any_time_cost_nothing(scratch: Path) -> None:
    assert live_and_kill(100, 240, scratch) > 1000


@pytest.mark.long
@pytest.mark.usefixtures("strace")
def test_a_kill_at_any_sync_of_a_day_costs_nothing(scratch: Path, clean_day: Callable[[int], dict[str, bytes]]) -> None:
    calls = calls_in_a_day(SYNCS, scratch)
    assert len(calls) > 2 * MINUTES
    for call, number in calls:
        root = scratch / f"{call}{number}" / "data"
        root.parent.mkdir()
        told = killed_at(call, number, root, OPEN, MINUTES)
        check(root, told, clean_day(MINUTES))
        finish(root, told)
        assert tree_of(root) == clean_day(MINUTES), f"killed at {call} {number}"


@pytest.mark.long
@pytest.mark.usefixtures("strace")
def test_a_kill_at_any_write_of_a_day_costs_nothing(
    scratch: Path, clean_day: Callable[[int], dict[str, bytes]]
) -> None:
    for call, number in random.Random(20261120).sample(calls_in_a_day(CHANGES, scratch), 40):
        root = scratch / f"{call}{number}" / "data"
        root.parent.mkdir()
        told = killed_at(call, number, root, OPEN, MINUTES)
        check(root, told, clean_day(MINUTES))
        finish(root, told)
        assert tree_of(root) == clean_day(MINUTES), f"killed at {call} {number}"


@pytest.mark.usefixtures("strace")
def test_the_first_sentence_after_a_kill_in_a_write_says_what_was_repaired(
    scratch: Path, clean_day: Callable[[int], dict[str, bytes]]
) -> None:
    root = scratch / "data"
    told = killed_at("fdatasync", 16, root, OPEN, MINUTES)
    torn = [path for path in sorted(root.rglob("*.csv")) if path.stat().st_size][:2]
    for path in torn:  # what a kill within a write leaves
        path.write_bytes(path.read_bytes() + b"2026-11-20T09:21:00+05:30,2026-11-")
    journal = Journal.open_read_only(next((root / "journal").glob("*.sqlite3")))
    owed = journal.count_after(journal.cursor("csv"))
    journal.close()
    said = sentences(finish(root, told))
    assert owed
    assert re.search(rf"csv: {len(torn)} torn files repaired", said[0].text)
    assert tree_of(root) == clean_day(MINUTES)
