"""kill -9 at system calls of the real agent: whatever was killed, the day goes on and ends as the undisturbed one."""

import random
import re
import signal
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
    done = run_traced(
        day_command(root, cycles, begin), root.with_name("trace"), f"--inject={call}:signal=KILL:when={number}",
        cwd=root.parent, env=day_environment(), calls=[call],
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout


def check(root: Path, told: str, clean: dict[str, bytes]) -> None:
    """What was told is there, the files are as they should be, and every cursor is where the journal ends."""
    vouched = [sentence.minute for sentence in sentences(told) if sentence.durable]
    there = recovered(root)
    assert there.lacks(vouched) == []
    assert there.files == rows_at(clean, there.minutes)
    assert there.moved_aside == 0


def calls_in_a_day(names: Iterable[str], scratch: Path) -> list[tuple[str, int]]:
    """Return (call, which of its kind) for all calls of these kinds in a whole day."""
    run_traced(day_command(scratch / "counted", MINUTES), scratch / "counts", cwd=scratch, env=day_environment())
    counted = Counter(call.name for call in calls_of(scratch / "counts"))
    return [(name, number) for name in names for number in range(1, counted[name] + 1)]


def finish(root: Path, told: str) -> str:
    """Live the rest of the day in one more process, from the last minute that was told on."""
    begin = max((sentence.minute for sentence in sentences(told)), default=OPEN)
    left = MINUTES - int((begin - OPEN) / timedelta(minutes=1))
    done = run_traced(day_command(root, left, begin), root.with_name("trace"), cwd=root.parent, env=day_environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("strace")
def test_a_day_that_is_killed_again_and_again_ends_as_the_undisturbed_one(
    scratch: Path, clean_day: Callable[[int], dict[str, bytes]]
) -> None:
    root, told = scratch / "data", ""
    # While the directory is made, while the journal begins, in minutes, while it catches up.
    for call, number in (("mkdir", 2), ("pwrite64", 20), ("fdatasync", 7), ("write", 6)):
        begin = max((sentence.minute for sentence in sentences(told)), default=OPEN)
        left = MINUTES - int((begin - OPEN) / timedelta(minutes=1))
        told += killed_at(call, number, root, begin, left)
        check(root, told, clean_day(MINUTES))
    finish(root, told)
    assert tree_of(root) == clean_day(MINUTES)


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
