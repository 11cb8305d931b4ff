"""Problems: one row each, commands that exist, and a book that knows since when."""

import re
from dataclasses import fields
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path

import pytest

from g6 import cli
from g6.clock import IST
from g6.health.document import StatusDocument
from g6.health.evidence import Finding
from g6.health.problems import HELD, PROBLEMS, ProblemBook, as_markdown
from g6.settings.schema import find

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
# Not ours, and found on every Linux that runs services.
SYSTEM = {"df", "timedatectl"}
COMMANDS = sorted({c for kind in PROBLEMS.values() for a in kind.actions for c in re.findall(r"`([^`]+)`", a)})


def noted(book: ProblemBook, *findings: Finding, minute: int = 0) -> list[str]:
    book.note(findings, NOW + timedelta(minutes=minute), minute * 60.0)
    return [problem.id for problem in book.active]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_a_person_is_told_to_run_exists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    program, *words = command.split()
    if program in SYSTEM:
        return
    assert program == "g6"
    path = list(takewhile(lambda word: not word.startswith("-"), words))
    assert cli.main([*path, "--help"]) == 0
    help_text = capsys.readouterr().out
    assert all(re.search(rf"(?<!\S){re.escape(word)}\b|\[{re.escape(word)}\b", help_text)
               for word in words if word.startswith("--"))  # fmt: skip


def test_a_setting_that_a_person_is_told_to_change_exists() -> None:
    told = " ".join(action for kind in PROBLEMS.values() for action in kind.actions)
    named = set(re.findall(r"\b[a-z]+(?:\.[a-z_]+)+\b", told))
    assert len(named) >= 4
    assert [key for key in named if find(key) is None] == []


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_row_is_whole(name: str) -> None:
    kind = PROBLEMS[name]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert kind.title
    assert kind.actions
    assert re.fullmatch(r"alerts/runbooks/G6[A-Z][A-Za-z]+\.md", kind.runbook)
    assert all(action.count("`") % 2 == 0 for action in kind.actions)


def test_the_ids_that_others_rely_on_stay() -> None:
    """Dashboards, scripts and runbooks hang on them: rows are added, never renamed."""
    assert {
        "token_dead", "token_expiring", "provider_failing_over", "breaker_open", "spot_stale",
        "journal_not_committing", "sink_behind", "sink_refusing", "disk_low", "disk_full", "memory_high",
        "clock_stepped", "calendar_ending", "part_failed", "cycle_overrun", "minutes_missed", "verification_low",
        "masters_disagree",
    } <= set(PROBLEMS)  # fmt: skip


def test_a_problem_is_dated_from_when_it_began() -> None:
    book = ProblemBook()
    noted(book, Finding("degraded", "one minute behind", "sink_behind", "csv"))
    noted(book, Finding("degraded", "two minutes behind", "sink_behind", "csv"), minute=1)
    (problem,) = book.active
    assert (problem.since, problem.cause, problem.subject) == (NOW, "two minutes behind", "csv")
    assert noted(book, minute=2) == []
    noted(book, Finding("degraded", "again", "sink_behind", "csv"), minute=3)
    assert book.active[0].since == NOW + timedelta(minutes=3)


def test_two_of_a_kind_are_told_apart_by_their_subject() -> None:
    book = ProblemBook()
    noted(book, *(Finding("degraded", "behind", "sink_behind", name) for name in ("influx", "csv")))
    assert [problem.subject for problem in book.active] == ["csv", "influx"]


def test_what_happened_at_a_moment_is_held_a_while() -> None:
    book = ProblemBook()
    assert noted(book, Finding("degraded", "2 minutes missed", "minutes_missed")) == ["minutes_missed"]
    held = int(HELD.total_seconds() // 60)
    assert noted(book, minute=held - 1) == ["minutes_missed"]
    assert noted(book, minute=held) == []


def test_the_worst_comes_first_and_causes_before_what_follows_from_them() -> None:
    book = ProblemBook()
    findings = (
        Finding("degraded", "x", "part_failed"), Finding("down", "x", "loop_late"),
        Finding("down", "x", "journal_not_committing"), Finding("down", "x", "disk_full"),
    )  # fmt: skip
    assert noted(book, *findings) == ["disk_full", "loop_late", "journal_not_committing", "part_failed"]


def test_what_follows_from_a_problem_is_told_when_that_is_over() -> None:
    book = ProblemBook()
    failed = Finding("down", "10:00 failed", "cycle_failed")
    silent = Finding("down", "no quotes", "provider_silent")
    assert noted(book, failed, silent, Finding("down", "refused", "token_dead", "kite")) == ["token_dead"]
    assert noted(book, failed, silent) == ["provider_silent"]
    assert noted(book, failed, Finding("degraded", "another answers", "token_dead")) == ["cycle_failed", "token_dead"]


def test_a_row_says_how_bad_it_can_be_and_a_finding_may_be_less() -> None:
    book = ProblemBook()
    noted(book, Finding("degraded", "another answers", "token_dead", "a"), Finding("down", "x", "token_dead", "b"))
    noted(book, Finding("down", "nothing is written", "sink_failing"), minute=0)
    assert [(p.id, p.severity) for p in book.active] == [("sink_failing", "degraded")]
    noted(book, Finding("degraded", "another answers", "token_dead", "a"), Finding("down", "x", "token_dead", "b"))
    assert [(p.subject, p.severity) for p in book.active] == [("b", "down"), ("a", "degraded")]


def test_the_command_that_the_cause_names_is_the_first_thing_to_do() -> None:
    book = ProblemBook()
    noted(book, Finding("down", "it was refused; run `g6 login --account second`", "token_dead", "kite-second"))
    actions = book.active[0].actions
    assert actions[0] == "`g6 login --account second`"
    assert not any(action.startswith("`g6 login` ") for action in actions), "its general form says less"
    assert any("--status" in action for action in actions)


def test_the_readme_shows_the_table_and_every_field_of_the_document(project: Path) -> None:
    readme = (project / "g6" / "health" / "README.md").read_text()
    assert readme.split("<!-- problems: begin -->\n")[1].split("<!-- problems: end -->")[0] == as_markdown()
    assert [f.name for f in fields(StatusDocument) if f"`{f.name}`" not in readme] == []
