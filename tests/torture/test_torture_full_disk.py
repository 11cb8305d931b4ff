"""Disks that are full or that fail to sync, for a while: nothing that was vouched for is lost, and all is made good."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from agent_process import tree_of
from forgetful_disk import put_down
from forgetting_fs_process import ForgettingMount, on_fuse
from short_day import (
    DAY,
    OPEN,
    Sentence,
    day_command,
    day_environment,
    instants,
    recovered,
    rows_at,
    sentences,
)  # fmt: skip
from traced_disk import TracedDisk, calls_of, run_traced

from g6.errors import SinkError
from g6.storage.data_directory import DataDirectory
from g6.storage.journal_set import JournalSet
from g6.storage.reader import JournalReader

MINUTES = 12
CleanDay = Callable[[int], dict[str, bytes]]


def struck(root: Path, paths: list[Path], *faults: str) -> tuple[subprocess.CompletedProcess[str], list[Sentence]]:
    """Live a day in which these calls fail on these files, on all files where none is named."""
    options = [f"--trace-path={path}" for path in paths] + [f"--inject={fault}" for fault in faults]
    done = run_traced(
        day_command(root, MINUTES), root.with_name("trace"), *options, cwd=root.parent, env=day_environment()
    )
    assert "Traceback" not in done.stderr
    return done, sentences(done.stdout)


def journal_of(root: Path) -> list[Path]:
    journal = root / "journal" / f"{DAY}.sqlite3"
    return [journal, journal.with_name(f"{journal.name}-wal")]


def files_of(root: Path, clean: dict[str, bytes]) -> list[Path]:
    return [root / path for path in clean]


WHERE = {
    # what is full, the calls that fail while it is, and how the minutes in between are told
    "journal": (journal_of, ["pwrite64:error=ENOSPC:when=60..80"], "failed", "journal"),
    "files": (files_of, ["write:error=ENOSPC:when=20..30"], "partial", "csv"),
    "everything": (None, ["pwrite64:error=ENOSPC:when=60..80", "write:error=ENOSPC:when=24..34"], "failed", "journal"),
}


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize("name", WHERE)
def test_a_disk_that_is_full_for_some_calls_loses_no_minute(name: str, scratch: Path, clean_day: CleanDay) -> None:
    chosen, faults, status, who = WHERE[name]
    root, clean = scratch / "data", clean_day(MINUTES)
    paths = {
        None: [*journal_of(root), *files_of(root, clean)],
        journal_of: journal_of(root),
        files_of: files_of(root, clean),
    }[chosen]
    _, said = struck(root, paths, *faults)
    told = [sentence for sentence in said if sentence.status != "ok"]
    assert told
    assert {sentence.status for sentence in told} >= {status}
    assert all(f"{who}: " in sentence.text or "csv: " in sentence.text for sentence in told)
    assert any("No space left on device" in sentence.text or "the disk is full" in sentence.text for sentence in told)
    assert said[-1].status == "ok"
    assert tree_of(root) == clean
    assert recovered(root).lacks(instants(MINUTES)) == []


def test_a_day_whose_disk_was_full_from_its_beginning_reads_as_one_without_minutes(tmp_path: Path) -> None:
    journals = JournalSet(DataDirectory(tmp_path).root, max_bytes=1)
    with pytest.raises(SinkError, match="the disk is full"):
        journals.journal(DAY)
    assert journals.days() == (DAY,)
    assert list(JournalReader(tmp_path).snapshots(DAY)) == []
    assert journals.undrained("csv") == ()
    assert JournalSet(tmp_path, max_bytes=10_000_000).journal(DAY).last_seq == 0


# A sync that fails. What it should have written is not on the disk, and Linux says so once.


def vouched_and_lost(root: Path, scratch: Path, clean: dict[str, bytes]) -> list[str]:
    """Cut the power after each sentence of a traced day; return what was vouched for and is lost."""
    disk, before, wrong = TracedDisk(root), 0, []
    for call in calls_of(root.with_name("trace")):
        disk.play(call)
        said = sentences(disk.told)
        if len(said) == before:
            continue
        before = len(said)
        there = recovered(put_down(disk.cut(None), scratch / f"left{before}"))
        wrong += [
            f"after {said[-1].minute:%H:%M}: {at:%H:%M}" for at in there.lacks([s.minute for s in said if s.durable])
        ]
        if there.files != rows_at(clean, there.minutes):
            wrong.append(f"after {said[-1].minute:%H:%M}: files")
    return wrong


# The first failing sync, how many fail in a row: one is a hiccup; three are a commit, the log's end and its repetition.
SYNC_FAILURES = [(12, 3)]


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize(("first", "times"), SYNC_FAILURES)
def test_a_journal_that_cannot_be_synced_for_a_while_vouches_for_nothing_that_a_power_cut_takes(
    first: int, times: int, scratch: Path, clean_day: CleanDay
) -> None:
    fails(first, times, scratch, clean_day)


@pytest.mark.long
@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize("first", range(1, 26))
def test_a_journal_that_cannot_be_synced_at_any_time_vouches_for_nothing_that_a_power_cut_takes(
    first: int, scratch: Path, clean_day: CleanDay
) -> None:
    for times in (1, 2, 3, 4, 6):
        folder = scratch / str(times)
        folder.mkdir()
        fails(first, times, folder, clean_day)


def fails(first: int, times: int, scratch: Path, clean_day: CleanDay) -> None:
    root = scratch / "data"
    struck(root, [], f"fdatasync:error=EIO:when={first}..{first + times - 1}")
    assert vouched_and_lost(root, scratch, clean_day(MINUTES)) == []
    assert tree_of(root) == clean_day(MINUTES)


@pytest.mark.usefixtures("strace")
def test_files_that_cannot_be_synced_are_written_anew(scratch: Path, clean_day: CleanDay) -> None:
    root = scratch / "data"
    done, _ = struck(root, [], "syncfs:error=EIO:when=1")
    assert "its files are written anew" not in done.stdout  # the only checkpoint of so short a day is its last act
    assert "csv: cannot sync" in done.stderr
    assert vouched_and_lost(root, scratch, clean_day(MINUTES)) == []
    assert recovered(root).files == clean_day(MINUTES)


@pytest.mark.usefixtures("strace")
def test_files_that_could_not_be_synced_before_a_restart_are_written_anew_after_it(
    scratch: Path, clean_day: CleanDay
) -> None:
    root = scratch / "data"
    struck(root, [], "syncfs:error=EIO:when=1")
    disk = TracedDisk(root)
    for call in calls_of(root.with_name("trace")):
        disk.play(call)
    struck(root, [])  # the last minutes once more: the same rows, and nothing that is to be written
    for call in calls_of(root.with_name("trace")):
        disk.play(call)
    left = put_down(disk.cut(None), scratch / "left")
    assert recovered(left).lacks(instants(MINUTES)) == []
    assert tree_of(left) == clean_day(MINUTES)


# The same on a mounted file system, by folder and until it is mended.

OUTAGES = [
    ("write", ["data/journal"], "ENOSPC"),
    ("write", ["data/csv"], "ENOSPC"),
    ("write", ["data/journal", "data/csv"], "ENOSPC"),
    ("sync", ["data/journal"], "EIO"),
    ("sync", ["data/csv"], "EIO"),
]


@pytest.mark.parametrize(("call", "under", "error"), OUTAGES[2:4])
def test_a_mounted_disk_with_an_outage_loses_nothing_that_was_vouched_for(
    call: str,
    under: list[str],
    error: str,
    forgetting: Callable[..., ForgettingMount],
    scratch: Path,
    clean_day: CleanDay,
) -> None:
    lives_through(call, under, error, forgetting(), scratch, clean_day(20))


@pytest.mark.long
@pytest.mark.parametrize(("call", "under", "error"), OUTAGES)
@pytest.mark.parametrize("begin", [0, 1, 4, 14])
def test_a_mounted_disk_with_an_outage_at_any_time_loses_nothing_that_was_vouched_for(
    call: str, under: list[str], error: str, begin: int, forgetting: Callable[..., ForgettingMount], scratch: Path,
    clean_day: CleanDay,
) -> None:  # fmt: skip
    lives_through(call, under, error, forgetting(), scratch, clean_day(20), begin)


# The agent asks for the outage itself, so that it begins and ends with a minute.
STRIKE = """
import json, os
from g6 import unified_main
whole_minute = unified_main.Agent.minute
def minute(agent, due, missed=0):
    number = (due.hour * 60 + due.minute) - (9 * 60 + 15)
    fault = {fault!r} if {begin} <= number < {begin} + 4 else []
    os.setxattr({at!r}, "user.fail", json.dumps(fault).encode())
    return whole_minute(agent, due, missed)
unified_main.Agent.minute = minute
"""


def lives_through(
    call: str,
    under: list[str],
    error: str,
    disk: ForgettingMount,
    scratch: Path,
    clean: dict[str, bytes],
    begin: int = 4,
) -> None:
    fault = [{"calls": [call], "under": under, "error": error}]
    strike = STRIKE.format(fault=fault, begin=begin, at=str(disk.at))
    process = subprocess.Popen(
        [*on_fuse(strike), *day_command(disk.at / "data", 20, OPEN)[3:]], cwd=scratch, env=day_environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    vouched, said = [], []
    with process:
        for line in process.stdout:
            told = sentences(line)
            said += told
            vouched += [sentence.minute for sentence in told if sentence.durable]
        stderr = process.stderr.read()
        assert process.wait() in {0, 3}, stderr
    assert "Traceback" not in stderr
    there = recovered(disk.cut(scratch / "left") / "data")
    assert there.lacks(vouched) == []
    assert there.files == rows_at(clean, there.minutes)
    assert len(said) == 20
    assert said[-1].status == "ok"
    assert tree_of(disk.at / "data") == clean
