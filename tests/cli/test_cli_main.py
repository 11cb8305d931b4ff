"""The command itself: which code it leaves with, and that a mistake is one line."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from g6 import cli
from g6.cli.surroundings import Surroundings
from g6.errors import AuthError, BadResponse, ConfigError, DataDirectoryBusy, SinkError, TransientError


def g6(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("G6_")}
    return subprocess.run(
        [sys.executable, "-m", "g6.cli", *arguments],
        cwd=cwd, env={**kept, **environ}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def raising(error: BaseException) -> Callable[[Sequence[str], Surroundings], int]:
    def run(argv: Sequence[str], around: Surroundings) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (AuthError("x"), 4),
        (DataDirectoryBusy("x"), 75),
        (TransientError("x"), 3),
        (BadResponse("x"), 3),
        (SinkError("x"), 3),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_becomes_its_exit_code(error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.COMMANDS, "fail", cli.Command("fails", raising(error)))
    # The real one: what is done about a broken pipe would cut the test's own output off.
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123  os.devnull is no path of ours
        monkeypatch.setattr(sys, "stdout", nowhere)
        assert cli.main(["fail"]) == code


def test_every_problem_is_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "fail", cli.Command("fails", raising(ConfigError("one\ntwo"))))
    assert cli.main(["fail"]) == 2
    assert capsys.readouterr().err == "g6: one\ng6: two\n"


def test_what_a_command_returns_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.COMMANDS, "seven", cli.Command("", lambda argv, around: len(argv)))
    assert cli.main(["seven", "a", "b"]) == 2


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["-h"]])
def test_help_lists_every_command_and_the_exit_codes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 0
    text = capsys.readouterr().out
    assert all(name in text and command.help in text for name, command in cli.COMMANDS.items())
    assert "75 another G6 holds the data directory" in text


def test_help_can_be_shown_where_only_ascii_can(tmp_path: Path) -> None:
    told = g6("config", "show", "--help", cwd=tmp_path, PYTHONIOENCODING="ascii:strict")
    assert (told.returncode, told.stderr) == (0, "")


def test_version_is_the_installed_one(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"g6 {version('g6')}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--porrt", "1"], "unknown argument --porrt; the nearest is --port"),
        (["confg"], "unknown command confg; the nearest is config"),
        (["frobnicate"], "unknown command frobnicate; known are run, backfill, status, "),
        (["--cycles", "0"], "--cycles: 0 is not a whole number from 1"),
        (["--cycles", "1", "--run-once"], "not allowed with"),
        (["--port"], "--port: expected one argument"),
        (["--set", "metrics.port"], "--set: metrics.port is not of the form key=value"),
        (
            ["--set", "metrics.prot=1"],
            "--set: metrics.prot: unknown key (value 1); the nearest known key is metrics.port",
        ),
        (["--port", "1", "--set", "metrics.port=2"], "metrics.port: given twice, by --port and by --set"),
        (["--port", "http"], "--port: metrics.port: http is not allowed; allowed: a whole number from 0 to 65535"),
        (["--at", "2026-11-20T10:00"], "--at: clock.at: 2026-11-20T10:00 is not allowed"),
        (["--provider", "replay"], "--provider: providers.order: [replay] needs providers.replay.source"),
        (["--config", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
    ],
)
def test_a_mistake_is_one_line_and_code_2(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert line.startswith("g6: ")
    assert words in line


def test_the_process_leaves_with_the_code_and_the_line(tmp_path: Path) -> None:
    told = g6("--set", "greeks.modle=nse", cwd=tmp_path)
    assert told.returncode == 2
    assert told.stdout == ""
    assert told.stderr == "g6: --set: greeks.modle: unknown key (value nse); the nearest known key is greeks.model\n"


def test_a_reader_that_leaves_early_is_no_error_to_shout_about(tmp_path: Path) -> None:
    ends = os.pipe()
    os.close(ends[0])
    # argparse itself passes over it, so that help may also end with 0.
    for arguments, codes in ((["config", "show"], {141}), (["--help"], {0, 141})):
        process = subprocess.run(
            [sys.executable, "-m", "g6.cli", *arguments],
            cwd=tmp_path, stdout=ends[1], stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert process.returncode in codes
        assert process.stderr == ""
    os.close(ends[1])
