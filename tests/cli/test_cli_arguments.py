"""Which flag sets which key, and that the agent is started with exactly what was said."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import g6
from g6 import cli
from g6.cli.arguments import FLAGS, parse_agent
from g6.settings import Settings, load, schema


@pytest.mark.parametrize("flag", [flag for flags in FLAGS.values() for flag in flags], ids=lambda flag: flag.name)
def test_every_flag_sets_a_key_that_exists(flag: object) -> None:
    assert flag.key in schema.leaves()  # type: ignore[attr-defined]  # parametrised by Flag


def test_flags_become_settings_with_the_flag_as_their_origin(tmp_path: Path) -> None:
    words = (
        "--interval 5 --indices NIFTY,SENSEX --provider replay --source rec --seed 9 --at 2026-11-20T10:00+05:30"
        " --speed 60 --data-dir mine --port 0 --log-level debug --log-format json --concise"
    )
    line = parse_agent(words.split(), {})
    settings = load(line.settings, {}, tmp_path)
    expected = {
        "collection.interval_seconds": (5, "--interval"),
        "collection.indices": (["NIFTY", "SENSEX"], "--indices"),
        "providers.order": (["replay"], "--provider"),
        "providers.replay.source": ("rec", "--source"),
        "providers.simulated.seed": (9, "--seed"),
        "clock.at": ("2026-11-20T10:00+05:30", "--at"),
        "clock.speed": (60, "--speed"),
        "storage.data_dir": ("mine", "--data-dir"),
        "metrics.port": (0, "--port"),
        "logging.level": ("DEBUG", "--log-level"),
        "logging.format": ("json", "--log-format"),
        "console.concise": (True, "--concise"),
    }
    told = {key: (settings.values[key], settings.origins[key]) for key in expected}
    assert told == expected


@pytest.mark.parametrize("words", [["NIFTY", "SENSEX"], ["NIFTY,SENSEX"], ["nifty, sensex"], ["NIFTY,", "SENSEX"]])
def test_indices_may_be_divided_by_commas_or_blanks(words: list[str], tmp_path: Path) -> None:
    line = parse_agent(["--indices", *words, "--run-once"], {})
    assert line.run_once
    assert load(line.settings, {}, tmp_path).collection.indices == ("NIFTY", "SENSEX")


def test_the_last_set_of_a_key_wins(tmp_path: Path) -> None:
    line = parse_agent(["--set", "metrics.port=1", "--set", "metrics.port=2"], {})
    assert load(line.settings, {}, tmp_path).metrics.port == 2


def test_a_value_may_hold_an_equals_sign_and_a_negative_number_is_a_value(tmp_path: Path) -> None:
    line = parse_agent(["--set", "storage.data_dir=a=b", "--set", "greeks.risk_free_rate=-0.01"], {})
    settings = load(line.settings, {}, tmp_path)
    assert settings.storage.data_dir == tmp_path / "a=b"
    assert settings.greeks.risk_free_rate == -0.01


class Agent(ModuleType):
    """Stands where the orchestrator stands and keeps what it was started with."""

    def run(self, settings: Settings, *, run_once: bool, cycles: int | None) -> int:
        self.started = (settings.metrics.port, run_once, cycles)
        return 7


@pytest.mark.parametrize(
    ("arguments", "started"),
    [
        (["--port", "1"], (1, False, None)),
        (["run", "--port", "2", "--run-once"], (2, True, None)),
        (["--cycles", "3"], (9108, False, 3)),
        ([], (9108, False, None)),
    ],
)
def test_the_agent_is_started_with_the_settings_and_its_code_returned(
    arguments: list[str], started: tuple[int, bool, int | None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    agent = Agent("g6.unified_main")
    monkeypatch.setitem(sys.modules, "g6.unified_main", agent)
    monkeypatch.setattr(g6, "unified_main", agent, raising=False)
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 7
    assert agent.started == started


# What each command heeds beside its own arguments: which data directory, and what else it reads of the settings.
WHERE = {"--data-dir", "--provider", "--root", "--source"}
HEEDED = {
    "anomalies": {*WHERE, "--indices", "--ascii"},
    "backup": WHERE,
    "basis": {*WHERE, "--indices", "--ascii"},
    "chain": {*WHERE, "--indices", "--ascii", "--at"},  # its own --at
    "import": {"--data-dir", "--ascii"},
    "overlay": WHERE,
    "participants fetch": {*WHERE, "--at"},
    "participants import": WHERE,
    "participants show": {*WHERE, "--ascii"},
    "query": WHERE,
    "rebuild": {*WHERE, "--ascii"},
    "report": {*WHERE, "--indices", "--interval", "--at", "--ascii"},
    "status": {*WHERE, "--port", "--ascii"},
    "verify": {*WHERE, "--indices", "--interval", "--at", "--ascii"},
}


@pytest.mark.parametrize("command", HEEDED)
def test_a_command_offers_the_flags_that_it_heeds_and_no_others(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*command.split(), "--help"]) == 0
    shown = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    assert shown & {flag.name for flags in FLAGS.values() for flag in flags} == HEEDED[command]
    assert {"--config", "--set"} <= shown


def test_a_flag_of_the_agent_that_would_do_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["backup", "copy", "--speed", "max"]) == 2
    assert "unknown argument --speed" in capsys.readouterr().err
    assert cli.main(["backup", "--help"]) == 0
    assert len(capsys.readouterr().out.splitlines()) < 40
