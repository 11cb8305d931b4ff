"""Damaged, full and forbidden disks, readers that leave, impatient people: no minute is lost that can be kept."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from agent_process import command, environment, tree_of
from bent_agent import DAY, PLAIN, agent_on, minutes, overview, run_bent, two_indices

from g6 import cli

NOBODY = 65534

# The disk.


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:30000])


def damage_noise(path):
    path.write_bytes(np.random.default_rng(6).bytes(50_000))


def damage_emptied(path):
    path.write_bytes(b"")


def damage_flipped(path):
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    content[np.random.default_rng(6).integers(4096, len(content), 200)] ^= 0x55
    path.write_bytes(content.tobytes())


@pytest.mark.parametrize(
    "damage",
    [damage_cut, *(pytest.param(d, marks=pytest.mark.long) for d in (damage_noise, damage_emptied, damage_flipped))],
)
def test_a_damaged_journal_is_told_of_and_costs_no_row_of_the_files(settings_for, tmp_path, capsys, damage):
    alone = {"collection__indices": "NIFTY"}
    assert run_bent(two_indices(settings_for, **alone), 3)[0] == 0
    journal = tmp_path / "data" / "journal" / f"{DAY}.sqlite3"
    damage(journal)
    capsys.readouterr()
    assert run_bent(two_indices(settings_for, clock__at=f"{DAY}T10:03+05:30", **alone), 2)[0] == 0
    assert str(journal) in capsys.readouterr().err
    assert run_bent(two_indices(settings_for, "clean", **alone), 5)[0] == 0
    assert tree_of(tmp_path / "data") == tree_of(tmp_path / "clean")


def test_a_journal_of_another_day_that_cannot_be_opened_holds_up_nothing(settings_for, tmp_path):
    (tmp_path / "data" / "journal" / "2026-11-18.sqlite3").mkdir(parents=True)
    (tmp_path / "data" / "journal" / "2026-11-19.sqlite3").write_text("nonsense")
    (tmp_path / "data" / "journal" / "holiday.sqlite3").write_text("nonsense")
    assert run_bent(two_indices(settings_for))[0] == 0
    assert minutes(overview(tmp_path, "NIFTY")) == ["10:00", "10:01"]


def test_a_journal_that_cannot_be_opened_at_all_fails_the_run_and_says_what_is_lost(here, capsys):
    (here / "data" / "journal" / f"{DAY}.sqlite3").mkdir(parents=True)
    assert cli.main([*PLAIN, "--at", f"{DAY}T10:00+05:30", "--cycles", "2"]) == 3
    told = capsys.readouterr()
    assert told.out.count("failed: NIFTY 3 expiries") == 2
    assert f"2 minutes of {DAY} end with this process: " in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("foreign", [pytest.param("NIFTY", marks=pytest.mark.long), f"NIFTY/this_week/atm/{DAY}.csv"])
def test_a_foreign_file_in_the_way_costs_what_it_is_in_the_way_of(settings_for, tmp_path, foreign):
    path = tmp_path / "data" / "csv" / foreign
    path.parent.mkdir(parents=True)
    path.write_text("hello,world\n")
    code, report = run_bent(two_indices(settings_for))
    assert (code, report.status) == (0, "partial")
    assert f"csv: {tmp_path / 'data' / 'csv' / 'NIFTY'}" in str(report)
    assert path.read_text() == "hello,world\n"
    assert len(overview(tmp_path, "SENSEX")) == 2
    path.unlink()
    assert run_bent(two_indices(settings_for, clock__at=f"{DAY}T10:02+05:30"), 1)[0] == 0
    assert run_bent(two_indices(settings_for, "clean"), 3)[0] == 0
    assert tree_of(tmp_path / "data") == tree_of(tmp_path / "clean")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MB of its own at `<tmp_path>/data`."""
    at = tmp_path / "data"
    at.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(at)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield at
    subprocess.run(["umount", "--lazy", str(at)], check=True)


def fill(file):
    """Take every byte that is left."""
    with file.open("wb", buffering=0) as ballast:
        for size in (65536, 4096, 1):
            try:
                while True:
                    ballast.write(b"\0" * size)
            except OSError:
                continue


def test_a_disk_that_is_full_for_a_while_loses_no_minute(settings_for, tmp_path, small_disk):
    ballast, said = small_disk / "ballast", []

    def bend(quotes, _contracts, at):
        if at.minute == 2:
            fill(ballast)
        elif at.minute == 6:
            ballast.unlink()
        return quotes

    with agent_on(two_indices(settings_for), quotes=bend) as (agent, parts):
        tell = parts.observation.state.publish
        parts.observation.state.publish = lambda report: said.append(str(report)) or tell(report)
        assert agent.loop(9) == 3
    assert [sentence.partition(":")[0] for sentence in said] == ["ok"] * 2 + ["failed"] * 4 + ["ok"] * 3
    assert all("the disk is full: 0 bytes free" in sentence for sentence in said[2:6])
    assert run_bent(two_indices(settings_for, "clean"), 9)[0] == 0
    assert tree_of(tmp_path / "data") == tree_of(tmp_path / "clean")


def test_a_disk_that_stays_full_fails_the_run_in_words(tmp_path, small_disk, g6):
    fill(small_disk / "ballast")
    told = g6(*PLAIN, "--at", f"{DAY}T10:00+05:30", "--run-once")
    assert told.returncode in {2, 3}
    assert "Traceback" not in told.stderr
    assert "full" in told.stdout + told.stderr or "No space left" in told.stdout + told.stderr


# A data directory that is not where it was.


def told_while(settings, quotes, cycles):
    """Run these minutes; return the exit code, and of each minute the beginning of its sentence and the problems."""
    said = []
    with agent_on(settings, quotes=quotes) as (agent, parts):
        tell = parts.observation.state.publish

        def publish(report):
            problems = [problem.id for problem in parts.observation.health.problems]
            said.append((str(report).partition(":")[0], problems))
            tell(report)

        parts.observation.state.publish = publish
        return agent.loop(cycles), said


def test_a_data_directory_that_is_moved_away_for_a_while_loses_no_minute(settings_for, tmp_path):
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"

    def bend(quotes, _contracts, at):
        if at.minute == 2:
            data.rename(elsewhere)
        elif at.minute == 6:
            assert not data.exists(), "its place is not taken"
            elsewhere.rename(data)
        return quotes

    code, said = told_while(two_indices(settings_for), bend, 9)
    away = ["data_directory_unwritable", "sink_failing", "sink_failing"]
    assert said == [("ok", [])] * 2 + [("partial", away)] * 4 + [("ok", [])] * 3
    assert code == 0
    assert run_bent(two_indices(settings_for, "clean"), 9)[0] == 0
    assert tree_of(data) == tree_of(tmp_path / "clean")


@pytest.mark.long
def test_an_agent_that_ends_while_its_data_directory_is_away_loses_no_minute(settings_for, tmp_path):
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"

    def bend(quotes, _contracts, at):
        if at.minute == 2:
            data.rename(elsewhere)
        return quotes

    told_while(two_indices(settings_for), bend, 5)
    assert not data.exists()
    elsewhere.rename(data)
    assert run_bent(two_indices(settings_for, clock__at=f"{DAY}T10:05+05:30"), 4)[0] == 0
    assert run_bent(two_indices(settings_for, "clean"), 9)[0] == 0
    assert tree_of(data) == tree_of(tmp_path / "clean")


def test_a_data_directory_that_is_removed_is_told_and_its_place_is_not_taken(settings_for, tmp_path):
    data = tmp_path / "data"

    def bend(quotes, _contracts, at):
        if at.minute == 2:
            shutil.rmtree(data)
        return quotes

    code, said = told_while(two_indices(settings_for), bend, 5)
    assert code != 0
    gone = ["data_directory_unwritable", "journal_not_committing", "sink_failing", "sink_failing"]
    assert said == [("ok", [])] * 2 + [("failed", gone)] * 3
    assert not data.exists()


# Permissions, which root does not feel: the command runs as another user.


@pytest.fixture
def as_user(project):
    """A folder that a user without rights may enter, and a way to run the command in it as that user."""
    who = [] if os.geteuid() else ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    try:
        subprocess.run([*who, sys.executable, "-c", "import g6.unified_main"], check=True, capture_output=True, cwd="/")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no other user can run the program here")
    with tempfile.TemporaryDirectory(prefix="g6-") as folder:
        top = Path(folder)
        top.chmod(0o755)

        def run(*arguments):
            return subprocess.run(
                [*who, *command(*arguments)], cwd=top, env=environment(), capture_output=True, text=True, timeout=60,
                check=False,
            )  # fmt: skip

        yield top, run


def test_a_data_directory_that_may_not_be_written_is_one_line(as_user):
    top, run = as_user
    top.chmod(0o555)
    told = run(*PLAIN, "--run-once")
    top.chmod(0o755)
    assert told.returncode == 2
    (line,) = told.stderr.splitlines()
    assert "Permission denied; choose another --data-dir" in line


@pytest.mark.long
def test_one_index_whose_folder_may_not_be_written_costs_its_files_alone(as_user):
    top, run = as_user
    (top / "data" / "csv" / "NIFTY").mkdir(parents=True)
    if os.geteuid() == 0:
        for folder in (top / "data", top / "data" / "csv"):
            os.chown(folder, NOBODY, NOBODY)
    (top / "data" / "csv" / "NIFTY").chmod(0o555)
    told = run(*PLAIN, "--at", f"{DAY}T10:00+05:30", "--run-once")
    assert told.returncode == 0
    assert "partial: NIFTY 3 expiries, SENSEX 3 expiries" in told.stdout
    assert "Permission denied" in told.stdout
    assert "Traceback" not in told.stderr
    assert len(overview(top, "SENSEX")) == 1
    (top / "data" / "csv" / "NIFTY").chmod(0o777)
    assert run(*PLAIN, "--at", f"{DAY}T10:01+05:30", "--run-once").returncode == 0
    assert minutes(overview(top, "NIFTY")) == ["10:00", "10:01"]


# Whoever watches may leave; whoever interrupts twice is in a hurry.


@pytest.mark.long
def test_a_reader_of_standard_output_that_leaves_stops_nothing(tmp_path):
    process = subprocess.Popen(
        command(*PLAIN, "--at", f"{DAY}T10:00+05:30", "--cycles", "10"), cwd=tmp_path, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert "Traceback" not in said
    assert len(overview(tmp_path, "NIFTY")) == 10


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_standard_output_on_a_full_disk_stops_nothing(tmp_path):
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(
            command(*PLAIN, "--at", f"{DAY}T10:00+05:30", "--cycles", "3"), cwd=tmp_path, env=environment(),
            stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert told.returncode == 0
    (line,) = told.stderr.splitlines()
    assert "No space left on device" in line
    assert len(overview(tmp_path, "NIFTY")) == 3


HANGING = """
import sys, time
from dataclasses import replace
from g6 import cli, wiring

class Hanging:
    name = "hanging"
    def __init__(self, provider):
        self.contracts = provider.contracts  # the start asks for them, before there is a minute to finish
    def spots(self, indices, at):
        print("asked", flush=True)
        time.sleep(600)

def hanging(*given):
    source = wiring.sources.simulated_source(*given)
    return replace(source, providers=(Hanging(*source.providers),))

wiring.PROVIDERS["simulated"] = hanging
sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_second_interrupt_ends_a_minute_that_hangs(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, *PLAIN, "--at", f"{DAY}T10:00+05:30"], cwd=tmp_path, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        next(line for line in process.stdout if line == "asked\n")
        process.send_signal(signal.SIGINT)
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        try:
            rest = process.communicate(timeout=30)[1]
        finally:
            process.kill()
        assert process.returncode == 130
    assert "SIGINT: finishing the minute in hand" in first
    assert rest == ""
