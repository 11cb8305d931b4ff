"""A power cut at any call of a day: what was vouched for is there, and the files are those of an undisturbed day."""

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from agent_process import tree_of
from forgetful_disk import put_down
from forgetting_fs_process import ForgettingMount, on_fuse
from negligent import FILES_NOT_SYNCED, JOURNAL_NOT_SYNCED
from short_day import (
    DAY,
    OPEN,
    Sentence,
    day_command,
    day_environment,
    instants,
    merged,
    recovered,
    rows_at,
    sentences,
)  # fmt: skip
from traced_disk import TracedDisk, calls_of, run_traced


@dataclass(frozen=True)
class Start:
    """A process: from which instant of the day on, for how many cycles, and what was done to its disk before."""

    begin: datetime
    cycles: int
    damage: Callable[[Path], None] = lambda root: None
    changes: Mapping[str, str] = field(default_factory=dict)


def after(minutes: int) -> datetime:
    return OPEN + timedelta(minutes=minutes)


def tear_a_file(root: Path) -> None:
    """What a kill within a write leaves: half a line, and a cursor that has not moved."""
    torn = root / "csv" / "NIFTY" / "this_week" / "atm" / f"{DAY}.csv"
    torn.write_bytes(torn.read_bytes() + b"2026-11-20T09:19:00+05:30,2026-11-")
    with closing(sqlite3.connect(root / "journal" / f"{DAY}.sqlite3")) as journal, journal:
        journal.execute("DELETE FROM cursors WHERE sink = 'csv'")


PAGE = 4096
LEAF_OF_A_TABLE = 0x0D  # https://www.sqlite.org/fileformat2.html#b_tree_pages


def empty_a_page(root: Path) -> None:
    """Empty the last page that holds rows: the tree is broken then, and not only one minute's columns."""
    journal = root / "journal" / f"{DAY}.sqlite3"
    content = bytearray(journal.read_bytes())
    place = max(at for at in range(PAGE, len(content), PAGE) if content[at] == LEAF_OF_A_TABLE)
    content[place : place + PAGE] = bytes(PAGE)
    journal.write_bytes(content)


# The processes before the last one are undisturbed; the last one is cut off.
DAYS: dict[str, Sequence[Start]] = {
    "a day": [Start(OPEN, 8)],
    "a day with a checkpoint in it": [Start(OPEN, 18)],
    "late minutes": [Start(after(4), 3), Start(OPEN, 4)],
    "a minute once more": [Start(OPEN, 4), Start(after(2), 4)],
    "two ticks a minute": [Start(OPEN, 8, changes={"collection__interval_seconds": "30"})],
    "a torn file": [Start(OPEN, 4), Start(after(4), 3, tear_a_file)],
    "a damaged journal": [Start(OPEN, 6), Start(after(6), 2, empty_a_page)],
}


@dataclass
class Cut:
    """The disk at one call of the last process, and which instants had been vouched for by then."""

    disk: TracedDisk
    vouched: list[datetime]
    number: int

    def left(self, root: Path, seed: int | None) -> Path:
        return put_down(self.disk.cut(seed), root)


def cuts(starts: Sequence[Start], scratch: Path, *preamble: str) -> Iterator[Cut]:
    """Live a day and yield its disk at every call of its last process that changed it; it is the same one all along."""
    root, vouched = scratch / "data", []
    for start in starts[:-1]:
        subprocess.run(
            day_command(root, start.cycles, start.begin), cwd=scratch, env=day_environment(**start.changes), check=True,
            capture_output=True,
        )  # fmt: skip
        vouched += instants(start.cycles, start.begin)
    last = starts[-1]
    last.damage(root)
    disk = TracedDisk(root)
    if root.exists():
        disk.load(root)
    if last.damage is empty_a_page:
        vouched = []  # what a damaged page held is lost to the journal, not to the files
    asked = instants(last.cycles, last.begin, interval(last))
    command = day_command(root, last.cycles, last.begin)
    if preamble:
        code = "\n".join([*preamble, "import sys", "from g6 import cli", "sys.exit(cli.main(sys.argv[1:]))"])
        command = [sys.executable, "-c", code, *command[3:]]
    done = run_traced(command, scratch / "trace", cwd=scratch, env=day_environment(**last.changes))
    assert done.returncode == 0, done.stderr
    changed = 0
    for call in calls_of(scratch / "trace"):
        if disk.play(call):
            changed += 1
            told = [asked[n] for n, sentence in enumerate(sentences(disk.told)) if sentence.durable]
            yield Cut(disk, vouched + told, changed)
    assert len(sentences(disk.told)) == last.cycles
    assert whole(disk.live_files()) == whole(
        {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*.*")}
    )


def whole(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Leave out the index of a log, which lives in memory that processes share."""
    return {path: content for path, content in files.items() if not path.endswith("-shm") and "." in path}


def what_is_lost(
    cut: Cut, seed: int | None, scratch: Path, undisturbed: Mapping[int, Mapping[str, bytes]]
) -> list[str]:
    """Restart on what a cut left; return what is not as it must be. `undisturbed` is second of the tick → files."""
    left = cut.left(scratch / "left", seed)
    try:
        there = recovered(left)
    finally:
        shutil.rmtree(left)
    lost = [f"{at:%H:%M:%S} is lost" for at in there.lacks(cut.vouched)]
    seconds = dict.fromkeys(minutes_in(there.files), 0) | {m: at.second for m, at in there.minutes.items() if at}
    wanted = [rows_at(files, [m for m, s in seconds.items() if s == second]) for second, files in undisturbed.items()]
    return lost if there.files == merged(*wanted) else [*lost, "the files are not those of an undisturbed day"]


def minutes_in(files: Mapping[str, bytes]) -> set[datetime]:
    rows = (row for content in files.values() for row in content.splitlines()[1:])
    return {datetime.fromisoformat(row.partition(b",")[0].decode()) for row in rows}


def undisturbed_day(starts: Sequence[Start], folder: Path) -> dict[int, dict[str, bytes]]:
    """The minutes of a day that nothing happens to: second of the tick that is their last → files.

    They are in the order in which they were asked for, since each is compared with what was recorded before it.
    """
    first, changes = min(start.begin for start in starts), starts[-1].changes
    end = max(start.begin + start.cycles * timedelta(seconds=interval(start)) for start in starts)
    minutes = int((end - first).total_seconds()) // 60
    if any(later.begin < start.begin for start, later in pairwise(starts)):
        return {0: lived(folder / "undisturbed", starts)}
    if interval(starts[-1]) == 60:
        return {0: lived(folder / "undisturbed", [Start(first, minutes)])}
    # Of one tick in a minute there is only the last one, whose minutes before have two.
    ends = [(number, [Start(first, 2 * number + 1, changes=changes)]) for number in range(minutes)]
    once = [rows_at(lived(folder / f"once{number}", lives), [after(number)]) for number, lives in ends]
    return {0: merged(*once), 30: lived(folder / "twice", [Start(first, 2 * minutes, changes=changes)])}


def lived(root: Path, starts: Sequence[Start]) -> dict[str, bytes]:
    """Run processes one after another, and return the files."""
    for start in starts:
        command = day_command(root, start.cycles, start.begin)
        environ = day_environment(**start.changes)
        subprocess.run(command, cwd=root.parent, env=environ, check=True, capture_output=True)
    return tree_of(root)


def interval(start: Start) -> int:
    return int(start.changes.get("collection__interval_seconds", 60))


def hold(scratch: Path, starts: Sequence[Start], seeds: int, share: float) -> int:
    """Cut the power at this share of the calls, each with the worst and with chosen remains; return how often."""
    undisturbed, choice, tried = undisturbed_day(starts, scratch), random.Random(20261120), 0
    for cut in cuts(starts, scratch):
        if choice.random() >= share:
            continue
        for seed in (None, *(choice.randrange(1 << 30) for _ in range(seeds))):
            assert what_is_lost(cut, seed, scratch, undisturbed) == [], f"cut at call {cut.number}, remains {seed}"
            tried += 1
    return tried


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize("name", ["a day with a checkpoint in it"])
def test_a_power_cut_loses_nothing_that_was_vouched_for(name: str, scratch: Path) -> None:
    assert hold(scratch, DAYS[name], seeds=1, share=0.02) > 0


@pytest.mark.long
@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize("name", DAYS)
def test_a_power_cut_at_any_call_loses_nothing_that_was_vouched_for(name: str, scratch: Path) -> None:
    assert hold(scratch, DAYS[name], seeds=3, share=1.0) > 400


# The test would notice: the same program without its syncs.


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize(
    "negligence",
    [
        pytest.param(JOURNAL_NOT_SYNCED, id="journal", marks=pytest.mark.long),
        pytest.param(FILES_NOT_SYNCED, id="files"),
    ],
)
def test_a_program_that_does_not_sync_is_found_out(negligence: str, scratch: Path) -> None:
    starts, found = [Start(OPEN, 17)], []
    undisturbed = undisturbed_day(starts, scratch)
    for cut in cuts(starts, scratch, negligence):
        if cut.number % 50 == 0:
            found += what_is_lost(cut, None, scratch, undisturbed)
    found += what_is_lost(cut, None, scratch, undisturbed)
    assert found


# On a real file system, mounted: the kernel, the agent and the disk that forgets.


def lives_on(mount: Path, begin: datetime, cycles: int, dies_after: int, *preamble: str) -> list[Sentence]:
    """Run the agent until it has told of so many minutes and kill it, 0 for never; return what it vouched for."""
    arguments = day_command(mount / "data", cycles, begin)[3:]
    process = subprocess.Popen(
        [*on_fuse(*preamble), *arguments], cwd=mount.parent, env=day_environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    told = []
    with process:
        for line in process.stdout:
            told += sentences(line)
            if dies_after and len(told) == dies_after:
                process.kill()
        assert process.wait() == (-signal.SIGKILL if dies_after else 0), process.stderr.read()
    return [sentence for sentence in told if sentence.durable]


@pytest.mark.long
def test_a_mounted_disk_that_loses_its_power_twice_loses_nothing_that_was_vouched_for(
    forgetting: Callable[..., ForgettingMount], clean_day: Callable[[int], dict[str, bytes]], scratch: Path
) -> None:
    first = forgetting()
    vouched = [sentence.minute for sentence in lives_on(first.at, OPEN, 30, 4)]
    left = first.cut(scratch / "left")
    second = forgetting(left)
    assert recovered(second.cut(scratch / "as it was") / "data").lacks(vouched) == []
    vouched += [sentence.minute for sentence in lives_on(second.at, after(4), 30, 14)]
    for seed in (None, 1, 2, 3):
        there = recovered(second.cut(scratch / f"left{seed}", seed) / "data")
        assert there.lacks(vouched) == []
        assert there.files == rows_at(clean_day(20), there.minutes)
    third = forgetting(scratch / "left1")
    lives_on(third.at, after(16), 4, 0)
    assert tree_of(third.at / "data") == clean_day(20)


@pytest.mark.long
def test_a_mounted_disk_loses_nothing_wherever_its_power_is_cut(
    forgetting: Callable[..., ForgettingMount], clean_day: Callable[[int], dict[str, bytes]], scratch: Path
) -> None:
    for dies_after in range(1, 20):
        disk = forgetting()
        vouched = [sentence.minute for sentence in lives_on(disk.at, OPEN, 40, dies_after)]
        for seed in (None, *range(5)):
            there = recovered(disk.cut(scratch / f"left {dies_after} {seed}", seed) / "data")
            assert there.lacks(vouched) == []
            assert there.files == rows_at(clean_day(40), there.minutes)
        disk.unmount()


def test_a_mounted_disk_finds_out_a_journal_that_is_not_synced(
    forgetting: Callable[..., ForgettingMount], scratch: Path
) -> None:
    disk = forgetting()
    vouched = [sentence.minute for sentence in lives_on(disk.at, OPEN, 30, 6, JOURNAL_NOT_SYNCED)]
    assert recovered(disk.cut(scratch / "left") / "data").lacks(vouched) != []
