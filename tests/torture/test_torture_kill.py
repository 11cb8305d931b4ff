"""kill -9 at system calls of the real agent: whatever was killed, the day goes on and ends as the undisturbed one."""

import random
import re
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from agent_process import tree_of
from short_day import OPEN, day_command, day_environment, recovered, rows_at, sentences
from traced_disk import SYNCS, WRITES, calls_of, run_traced

from g6.storage.journal import Journal

MINUTES = 6


def killed_at(number: int, calls: tuple[str, ...], root: Path, begin: datetime, cycles: int) -> tuple[int, str]:
    """Run the agent until its n-th call of these kinds, which it does not survive; return exit code and output."""
    inject = f"--inject={','.join(calls)}:signal=KILL:when={number}"
    done = run_traced(
        day_command(root, cycles, begin), root.with_name("trace"), inject, cwd=root.parent, env=day_environment(), calls=calls
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def check(root: Path, told: str, clean: dict[str, bytes]) -> None:
    """What was told is there, the files are as they should be, and every cursor is where the journal ends."""
    vouched = [sentence.minute for sentence in sentences(told) if sentence.durable]
    there = recovered(root)
    assert there.lacks(vouched) == []
    assert there.files == rows_at(clean, there.minutes)
    assert there.moved_aside == 0


def number_of(calls: tuple[str, ...], scratch: Path) -> int:
    """Return how many calls of these kinds a whole day makes."""
    root = scratch / "counted"
    run_traced(day_command(root, MINUTES), scratch / "counts", cwd=scratch, env=day_environment(), calls=calls)
    return sum(call.name in calls for call in calls_of(scratch / "counts"))


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
    choice, root, told = random.Random(6), scratch / "data", ""
    for _ in range(4):  # while it starts, while it catches up, in the middle of a minute, while it ends
        begin = max((sentence.minute for sentence in sentences(told)), default=OPEN)
        left = MINUTES - int((begin - OPEN) / timedelta(minutes=1))
        _, said = killed_at(choice.randrange(1, 250), (*WRITES, *SYNCS), root, begin, left)
        told += said
        check(root, told, clean_day(MINUTES))
    finish(root, told)
    assert tree_of(root) == clean_day(MINUTES)


@pytest.mark.long
@pytest.mark.usefixtures("strace")
def test_a_kill_at_any_sync_of_a_day_costs_nothing(
    scratch: Path, clean_day: Callable[[int], dict[str, bytes]]
) -> None:
    count = number_of(SYNCS, scratch)
    assert count > MINUTES
    for number in range(1, count + 1):
        root = scratch / f"data{number}" / "data"
        root.parent.mkdir()
        code, told = killed_at(number, SYNCS, root, OPEN, MINUTES)
        assert code == -signal.SIGKILL
        check(root, told, clean_day(MINUTES))
        finish(root, told)
        assert tree_of(root) == clean_day(MINUTES), f"killed at sync {number}"


@pytest.mark.long
@pytest.mark.usefixtures("strace")
def test_a_kill_at_any_write_of_a_day_costs_nothing(
    scratch: Path, clean_day: Callable[[int], dict[str, bytes]]
) -> None:
    for number in random.Random(20261120).sample(range(1, 200), 40):
        root = scratch / f"data{number}" / "data"
        root.parent.mkdir()
        _, told = killed_at(number, ("pwrite64", "ftruncate", "mkdir", "rename", "unlink", *SYNCS), root, OPEN, MINUTES)
        check(root, told, clean_day(MINUTES))
        finish(root, told)
        assert tree_of(root) == clean_day(MINUTES), f"killed at write {number}"


@pytest.mark.usefixtures("strace")
def test_the_first_sentence_after_a_kill_in_a_write_says_what_was_repaired(
    scratch: Path, clean_day: Callable[[int], dict[str, bytes]]
) -> None:
    root = scratch / "data"
    _, told = killed_at(16, ("fdatasync",), root, OPEN, MINUTES)
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
