"""Whole trading days from one seed: kills, full disks, bad answers, a clock that is set; and the same undisturbed."""

import subprocess
import sys

import pytest


def tortured(project, *arguments):
    return subprocess.run(
        [sys.executable, str(project / "scripts" / "torture"), *map(str, arguments)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_tortured_minutes_end_as_undisturbed_ones(project):
    told = tortured(project, "--days", 3, "--seed", 20261120, "--minutes", 30)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "3 days" in told.stdout.splitlines()[-1]


@pytest.mark.long
def test_tortured_days_end_as_undisturbed_ones(project):
    told = tortured(project, "--days", 12, "--seed", 1)
    assert told.returncode == 0, told.stdout + told.stderr


def test_a_seed_gives_the_same_day_again():
    from torture_plan import plan_of

    assert str(plan_of(7)) == str(plan_of(7))
    assert plan_of(7) == plan_of(7)
    assert plan_of(7) != plan_of(8)


def test_a_day_that_loses_a_minute_is_named_by_its_seed(project, tmp_path):
    """The negative control: an agent that vouches for every minute, durable or not."""
    boast = tmp_path / "boast.py"
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
        [sys.executable, str(boast), "--days", "2", "--seed", "219", "--minutes", "25", "--jobs", "1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 3, told.stdout + told.stderr
    assert "scripts/torture --days 1 --seed 219 --minutes 25" in told.stdout
