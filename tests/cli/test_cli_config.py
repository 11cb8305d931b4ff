"""`g6 config`: what is shown is what is in force; what is checked and written round-trips."""

import json
from pathlib import Path

import pytest

from g6 import cli
from g6.settings import load
from g6.settings.wording import written

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(capsys: Capture, *arguments: str) -> dict[str, dict[str, object]]:
    assert cli.main(["config", "show", "--json", *arguments]) == 0
    listed: dict[str, dict[str, object]] = json.loads(capsys.readouterr().out)
    return listed


def test_what_is_written_checks_and_shows_the_defaults(capsys: Capture, tmp_path: Path) -> None:
    before = shown(capsys)
    assert cli.main(["config", "init"]) == 0
    assert cli.main(["config", "check", "config/g6.yaml"]) == 0
    assert "config/g6.yaml: ok, 0 keys\n" in capsys.readouterr().out
    assert shown(capsys) == before
    assert {entry["origin"] for entry in before.values()} == {"default", "provider simulated"}


def test_init_writes_where_it_is_told_and_overwrites_only_by_force(capsys: Capture, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "mine.yaml"
    assert cli.main(["config", "init", str(target)]) == 0
    first = target.read_text("utf-8")
    target.write_text("metrics: {port: 1}\n", "utf-8")
    assert cli.main(["config", "init", str(target)]) == 2
    assert f"g6: {target}: exists already; --force overwrites it" in capsys.readouterr().err
    assert target.read_text("utf-8") == "metrics: {port: 1}\n"
    assert cli.main(["config", "init", "--force", str(target)]) == 0
    assert target.read_text("utf-8") == first


def test_init_says_why_it_cannot_write(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", "utf-8")
    assert cli.main(["config", "init", "taken/g6.yaml"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("g6: taken/g6.yaml: ")


def test_show_names_the_origin_of_every_layer(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text("metrics:\n  host: localhost\n", "utf-8")
    monkeypatch.setenv("G6_INTERVAL", "30")
    listed = shown(capsys, "--config", "mine.yaml", "--port", "5", "--provider", "replay", "--source", "rec")
    assert listed["metrics.port"] == {"value": 5, "origin": "--port"}
    assert listed["collection.interval_seconds"] == {"value": 30, "origin": "environment G6_INTERVAL"}
    assert listed["metrics.host"] == {"value": "localhost", "origin": "mine.yaml:2"}
    assert listed["clock.speed"] == {"value": "max", "origin": "provider replay"}
    assert listed["greeks.model"] == {"value": "black76", "origin": "default"}


def test_the_table_has_a_line_per_key_in_three_aligned_columns(capsys: Capture, tmp_path: Path) -> None:
    long = "x" * 200
    assert cli.main(["config", "show", "--data-dir", long]) == 0
    first, *rows = capsys.readouterr().out.splitlines()
    settings = load({"storage.data_dir": long}, {}, tmp_path)
    assert first == f"configuration file: {settings.file}"
    value_column = rows[0].index("60")
    origin_column = rows[0].index("default")
    for row, (key, value) in zip(rows, settings.values.items(), strict=True):
        assert row[:value_column].rstrip() == key
        assert row[value_column:origin_column].rstrip() == written(value)


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("metrics.port", ["metrics.port  9108  default"]),
        ("storage.csv", ["storage.csv.enabled  true  default"]),
        ("index_params", ["index_params  {}  default"]),
        ("index_params.NIFTY", ["index_params.NIFTY  {}  default"]),
    ],
)
def test_show_takes_a_key_or_a_section(key: str, rows: list[str], capsys: Capture) -> None:
    assert cli.main(["config", "show", key]) == 0
    assert capsys.readouterr().out.splitlines() == rows


def test_show_of_an_unknown_key_names_the_nearest(capsys: Capture) -> None:
    assert cli.main(["config", "show", "metrics.prot"]) == 2
    assert capsys.readouterr().err == "g6: metrics.prot: unknown key; the nearest known key is metrics.port\n"


def test_show_survives_a_name_that_the_terminal_cannot_write(tmp_path: Path, capsys: Capture) -> None:
    assert cli.main(["config", "show", "storage.data_dir", "--data-dir", "caf\udce9"]) == 0
    assert "caf\\udce9" in capsys.readouterr().out


def test_check_counts_the_keys_that_a_file_sets(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("metrics: {port: 1}\n", "utf-8")
    (tmp_path / "two.json").write_text('{"metrics": {"port": 1}, "index_params": {"NIFTY": {"enable": true}}}', "utf-8")
    assert cli.main(["config", "check", "one.yaml"]) == 0
    assert cli.main(["config", "check", "two.json"]) == 0
    assert capsys.readouterr().out == "one.yaml: ok, 1 key\ntwo.json: ok, 2 keys\n"


def test_check_tells_every_problem_and_leaves_the_environment_alone(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("G6_PORT", "not looked at")
    (tmp_path / "bad.yaml").write_text("metrics:\n  port: x\ngreks: {}\n", "utf-8")
    assert cli.main(["config", "check", "bad.yaml"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "g6: bad.yaml:2: metrics.port: x is not allowed; allowed: a whole number from 0 to 65535",
        "g6: bad.yaml:3: greks: unknown key; the nearest known key is greeks",
    ]


def test_an_action_is_needed(capsys: Capture) -> None:
    assert cli.main(["config"]) == 2
    assert "show|check|init" in capsys.readouterr().err
