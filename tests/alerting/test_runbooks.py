"""The runbooks are whole, and what they tell a person to type exists and answers."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import promql_parser
import pytest

from g6 import cli
from g6.alerting import ALERTS, RECORDING
from g6.cli import arguments
from g6.metrics.catalogue import CATALOGUE, OPTION_COLUMNS, option_metric
from g6.settings import load

FOLDER = Path(__file__).resolve().parents[2] / "alerts" / "runbooks"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md") if path.stem != "README"}
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
RECORDED = {rule.name: rule.expr for group in RECORDING for rule in group.rules}
# What Prometheus itself says of a target and of its alerts.
OF_PROMETHEUS = {"up", "scrape_samples_post_metric_relabeling", "ALERTS"}
PROGRAMS = {
    "amtool", "awk", "chronyc", "coredumpctl", "curl", "date", "df", "dmesg", "du", "find", "findmnt", "free", "fuser",
    "g6", "getent", "grep", "iostat", "journalctl", "ls", "pid=$(systemctl", "ps", "sqlite3", "ss", "systemctl",
    "timedatectl", "vmstat",
}  # fmt: skip


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def commands(page: str) -> Iterator[str]:
    """Every `g6 …` of a page, from blocks and from sentences, without what a shell makes of its output."""
    lines = "".join(blocks(page, "sh")).splitlines()
    spans = re.findall(r"`(g6 [^`]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL))
    for text in (*lines, *(" ".join(span.split()) for span in spans)):
        if text.startswith("g6 "):
            yield text


def metric_names(expr: str) -> set[str]:
    """The names of the series that an expression reads, by Prometheus' own grammar."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.add(node.name or "")
        for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
            if (inner := getattr(node, name, None)) is not None:
                walk(inner)
        for inner in getattr(node, "args", None) or ():
            walk(inner)

    walk(promql_parser.parse(expr))
    return found


def problems_in(expr: str) -> set[str]:
    """The problems of the agent that an expression asks for."""
    return {name for one in re.findall(r'problem=~?"([^"]*)"', expr) for name in one.split("|")}


def base_metrics(names: set[str]) -> set[str]:
    """The same with each recorded series and with those that it is made of."""
    made_of = {inner for name in names & set(RECORDED) for inner in base_metrics(metric_names(RECORDED[name]))}
    return names | made_of


CATALOGUED = {metric.name for metric in CATALOGUE}
HISTOGRAMS = {f"{metric.name}_{end}" for metric in CATALOGUE if metric.type == "histogram"
              for end in ("bucket", "count", "sum")}  # fmt: skip
MEASURES = set((FOLDER.parents[1] / "tests" / "metrics" / "frozen_measures.txt").read_text().split())
KNOWN = (
    CATALOGUED
    | HISTOGRAMS
    | MEASURES
    | set(RECORDED)
    | {option_metric(column).name for column in OPTION_COLUMNS}
    | OF_PROMETHEUS
)
QUERIES = [(name, query) for name, page in PAGES.items() for query in blocks(page, "promql")]
COMMANDS = sorted({command for page in PAGES.values() for command in commands(page)})


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert set(PAGES) == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_a_page_has_its_four_sections_filled(name: str) -> None:
    parts = re.split(r"^## ", PAGES[name], flags=re.MULTILINE)
    assert parts[0].strip() == f"# {name}"
    assert [part.partition("\n")[0] for part in parts[1:]] == SECTIONS
    assert all(len(part.partition("\n")[2].split()) >= 5 for part in parts[1:])
    assert blocks(parts[3], "promql")
    assert blocks(parts[3], "sh")


@pytest.mark.parametrize("name", ALERTS)
def test_a_page_names_a_series_that_its_alert_looks_at(name: str) -> None:
    looked_at = base_metrics(metric_names(ALERTS[name].expression()))
    assert name == "G6Watchdog" or [one for one in looked_at if one in PAGES[name]]


@pytest.mark.parametrize("name", ALERTS)
def test_a_page_asks_first_for_what_its_alert_looks_at(name: str) -> None:
    looked_at = base_metrics(metric_names(ALERTS[name].expression()))
    asked = base_metrics(metric_names(blocks(PAGES[name], "promql")[0]))
    assert name == "G6Watchdog" or looked_at & asked


@pytest.mark.parametrize("name", [name for name in ALERTS if problems_in(ALERTS[name].expression())])
def test_a_page_asks_for_the_problem_that_its_alert_looks_at(name: str) -> None:
    asked = set().union(*(problems_in(query) for query in blocks(PAGES[name], "promql")))
    assert problems_in(ALERTS[name].expression()) <= asked


@pytest.mark.parametrize(("name", "query"), QUERIES)
def test_a_query_is_promql_over_series_that_there_are(name: str, query: str) -> None:
    names = metric_names(query) - {""}  # one selects by its job alone
    assert names <= KNOWN, f"{name} asks for what nobody exports"


def test_no_two_pages_say_the_same_of_their_diagnosis() -> None:
    told = {name: page.split("## Diagnosis")[1] for name, page in PAGES.items()}
    assert len(set(told.values())) == len(told)


def test_a_path_of_the_project_that_a_page_names_is_there(project: Path) -> None:
    """A file of secrets is a person's own: the configuration of Alertmanager names those that there may be."""
    pattern = r"(?<![\w/.~-])((?:alerts|config|g6|grafana|prometheus|scripts|tests)/[\w./*-]*\w)"
    named = {path for page in PAGES.values() for path in re.findall(pattern, page)}
    secrets = re.findall(r"_file: (secrets/\w+)", (project / "alerts" / "alertmanager.yml").read_text("utf-8"))
    known = {f"alerts/{name}" for name in secrets}
    assert len(named) > 5
    assert {path for path in named - known if not any(project.glob(path))} == set()


def test_links_lead_to_pages() -> None:
    linked = {link for page in PAGES.values() for link in re.findall(r"\]\(([^)]+)\)", page)}
    assert linked <= {f"{name}.md" for name in ALERTS}
    assert all(f"]({name}.md)" not in page for name, page in PAGES.items())


def test_other_programs_are_those_of_a_usual_machine() -> None:
    lines = {line for page in PAGES.values() for block in blocks(page, "sh") for line in block.splitlines()}
    assert {line.split()[0] for line in lines} <= PROGRAMS


class Parsed(Exception):
    """The arguments were taken; nothing more is wanted."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_that_g6_takes(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parse = arguments.Parser.parse_strictly

    def parse_alone(parser: arguments.Parser, argv: list[str]) -> NoReturn:
        namespace = parse(parser, argv)
        if getattr(namespace, "assignments", None):
            given = {
                key: one for key, one in arguments.settings_of(namespace).items() if key != "providers.replay.source"
            }
            load(given, {}, tmp_path)
        raise Parsed

    monkeypatch.setattr(arguments.Parser, "parse_strictly", parse_alone)
    with pytest.raises(Parsed):
        cli.main(words(command))


def words(command: str) -> list[str]:
    return shlex.split(command.partition(" |")[0].partition(";")[0])[1:]


# What looks and changes nothing, and how it ends on a recording of two minutes that nobody goes on with.
HARMLESS: dict[str, set[int]] = {
    "status": {2}, "verify": {3}, "check provider": {0}, "check expiries": {0}, "check instruments": {0, 3},
    "check snapshot": {0}, "config show": {0}, "query": {0}, "chain": {0}, "anomalies": {0}, "overlay": {0},
}  # fmt: skip


def kind_of(command: str) -> str | None:
    asked = " ".join(words(command))
    # A broker cannot be asked from a test, and a panel that stays does not end.
    return None if "--watch" in asked else next((kind for kind in HARMLESS if asked.startswith(kind)), None)


RUN = sorted({re.sub(r" --provider kite\S*", "", command) for command in COMMANDS if kind_of(command)})


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory whose `data/simulated` holds two minutes."""
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("G6_CONFIG", raising=False)
        run = ["--at", "2026-11-20T10:00+05:30", "--speed", "max", "--cycles", "2", "--indices", "NIFTY", "--port", "0"]
        assert cli.main([*run, "--concise", "--live", "never"]) == 0
    return folder


@pytest.mark.parametrize("command", RUN)
def test_a_command_that_only_looks_ends_as_it_says(
    command: str, recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(recorded)
    monkeypatch.setenv("G6_PORT", "1")  # nobody listens there
    kind = kind_of(command)
    assert kind is not None
    assert cli.main(words(command)) in HARMLESS[kind], capsys.readouterr().err
    assert capsys.readouterr().out.strip()


def test_every_kind_of_looking_is_tried() -> None:
    assert {kind_of(command) for command in RUN} == set(HARMLESS)
