"""Whole trading days from one seed: kills, full disks, bad answers, a clock that is set; and the same undisturbed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import saboteur

from g6.storage import csv_file


def tortured(project, *arguments):
    return subprocess.run(
        [sys.executable, str(project / "scripts" / "torture"), *map(str, arguments)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.long
def test_tortured_minutes_end_as_undisturbed_ones(project, scratch):
    told = tortured(project, "--days", 2, "--seed", 20261121, "--minutes", 20, "--folder", scratch)
    assert told.returncode == 0, told.stdout + told.stderr
    *days, summary = told.stdout.splitlines()
    assert "2 days" in summary
    assert ", 0 kills," not in summary
    # A seed lives the same day again: as many minutes, kills, refusals and repairs.
    again = tortured(project, "--days", 1, "--seed", 20261121, "--minutes", 20, "--folder", scratch)
    assert again.stdout.splitlines()[0] == days[0]


@pytest.mark.long
def test_tortured_days_end_as_undisturbed_ones(project, scratch):
    told = tortured(project, "--days", 12, "--seed", 1, "--folder", scratch)
    assert told.returncode == 0, told.stdout + told.stderr


def test_a_seed_gives_the_same_day_again():
    from torture_plan import plan_of

    assert str(plan_of(7)) == str(plan_of(7))
    assert plan_of(7) == plan_of(7)
    assert plan_of(7) != plan_of(8)


@pytest.mark.long
def test_a_day_that_loses_a_minute_is_named_by_its_seed(project, scratch):
    """The negative control: an agent that vouches for every minute, durable or not."""
    boast = scratch / "boast.py"
    boast.write_text(
        "import runpy, sys\n"
        "from g6.storage.journal_set import JournalSet\n"
        "commit = JournalSet._commit_pending\n"
        "def boast(journals):\n"
        "    written, _ = commit(journals)\n"
        "    journals._pending.clear()\n"
        "    return written, {}\n"
        "JournalSet._commit_pending = boast\n"
        f"runpy.run_path({str(project / 'scripts' / 'torture')!r}, run_name='__main__')\n"
    )
    told = subprocess.run(
        [
            sys.executable, str(boast), "--days", "2", "--seed", "219", "--minutes", "25", "--jobs", "1",
            "--folder", str(scratch),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 3, told.stdout + told.stderr
    assert "was vouched for and is lost" in told.stdout
    assert "scripts/torture --days 1 --seed 219 --minutes 25" in told.stdout


def test_every_call_of_the_daily_files_that_changes_something_is_a_step_at_which_a_process_may_die():
    calls = [
        node.func for node in ast.walk(ast.parse(Path(csv_file.__file__).read_text())) if isinstance(node, ast.Call)
    ]
    of_system = {
        call.attr for call in calls
        if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id == "os"
    }  # fmt: skip
    assert of_system - {"open", "fdopen", "fstat", "pread", "close"} == set(saboteur.CHANGING_CALLS)
