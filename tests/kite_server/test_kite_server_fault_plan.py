"""The fault plan's file: what it may say, and the one line that refuses the rest."""

import re
from datetime import time
from pathlib import Path

import pytest

from g6.errors import ConfigError
from g6.simulator.kite_server.fault_kinds import ENDPOINTS, KINDS
from g6.simulator.kite_server.faults import FaultPlan, Match, Window

README = Path("g6", "simulator", "kite_server", "README.md")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "faults.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_is_read_with_plain_words_and_times(tmp_path):
    path = written(
        tmp_path,
        """
faults:
  - name: quote time-outs
    on: [quote, ltp]
    do: status
    status: 503
    body: html
    from: 10:25
    until: 10:26
    every_minutes: 20
    times: 2
    match: {exchange: BFO, index: NIFTY, kind: CE, symbol: NIFTY26*, share: 0.2}
""",
    )
    (fault,) = FaultPlan.load(path).faults
    assert (fault.name, fault.do, fault.on, fault.times) == ("quote time-outs", "status", {"quote", "ltp"}, 2)
    assert (fault.options["status"], fault.options["body"], fault.options["retry_after"]) == (503, "html", None)
    assert fault.window == Window(time(10, 25), time(10, 26), 20)
    assert fault.match == Match("BFO", "NIFTY", "CE", "NIFTY26*", 0.2)


def test_a_document_may_hold_numbers_as_yaml_reads_them():
    entry = {"name": "x", "on": "quote", "do": "latency", "seconds": 2, "times": 3, "match": {"share": 0.5}}
    (fault,) = FaultPlan.parse({"faults": [entry]}).faults
    assert (fault.options["seconds"], fault.times, fault.match.share) == (2.0, 3, 0.5)


@pytest.mark.parametrize("kind", [kind for kind, rule in KINDS.items() if rule.default_on])
def test_a_kind_with_a_natural_place_needs_none(kind):
    (fault,) = FaultPlan.parse({"faults": [{"name": "x", "do": kind, "from": "10:00"}]}).faults
    assert fault.on == set(KINDS[kind].default_on)


@pytest.mark.parametrize("kind", KINDS)
def test_all_means_every_place_where_a_kind_can_strike(kind):
    (fault,) = FaultPlan.parse({"faults": [{"name": "x", "do": kind, "on": "all", "from": "10:00"}]}).faults
    assert fault.on == set(KINDS[kind].allowed_on) <= set(ENDPOINTS)


OK = {"name": "x", "on": "quote", "do": "status"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, r"faults\[0\]: name is required"),
        ({"do": "statsu"}, r"faults\[0\] \(x\): do: unknown kind 'statsu', did you mean 'status'"),
        ({"on": "qoute"}, r"on: unknown endpoint 'qoute', did you mean 'quote'"),
        ({"on": "stream"}, r"on: stream cannot suffer this; allowed: quote, "),
        ({"on": None}, r"on is required, one or several of"),
        ({"untill": "10:00"}, r"unknown key 'untill', did you mean 'until'"),
        ({"seconds": 3}, r"unknown key 'seconds'"),
        ({"status": 200}, r"status: 200 is not a whole number from 400 to 599"),
        ({"status": "many"}, r"status: 'many' is not a whole number"),
        ({"body": "xml"}, r"body: 'xml' is not one of json, html"),
        ({"retry_after": "nan"}, r"retry_after: 'nan' is not a number from 0 to 3600"),
        ({"from": "9:25"}, r"from: '9:25' is not a time of day"),
        ({"from": 565}, r"from: '565' is not a time of day"),
        ({"from": "10:00", "until": "10:00"}, r"until 10:00:00 is not after from"),
        ({"every_minutes": 0}, r"every_minutes: '0' is not a whole number from 1 to 1440"),
        ({"times": -1}, r"times: '-1' is not a whole number"),
        ({"match": "NIFTY"}, r"match: is not a mapping"),
        ({"match": {"strike": 1}}, r"match: unknown key 'strike'"),
        ({"match": {"share": 0}}, r"match: share: 0 is not a number above 0"),
        ({"match": {"share": "half"}}, r"match: share: 'half' is not a number above 0"),
        ({"do": "kill_token"}, r"from is required, kill_token happens at an instant"),
    ],
)
def test_a_mistake_is_told_in_one_line_that_names_the_place(change, said):
    entry = {key: value for key, value in {**OK, **change}.items() if value is not None}
    with pytest.raises(ConfigError, match=said) as refused:
        FaultPlan.parse({"faults": [entry]}, "plan.yaml")
    assert str(refused.value).startswith("plan.yaml: faults[0]")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "faults: 3", "- a", "faults: []\nmore: 1", "faults: [", "faults: [3]", "a: &a [*a]", "faults: \x00"]
)
def test_a_file_that_is_no_plan_is_told_in_one_line(tmp_path, text):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=re.escape(str(path))) as refused:
        FaultPlan.load(path)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        FaultPlan.load(tmp_path / "none.yaml")


def test_the_readme_shows_a_plan_that_can_be_read(project, tmp_path):
    blocks = re.findall(r"```yaml\n(.*?)```", (project / README).read_text("utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        assert FaultPlan.load(written(tmp_path, block)).faults


def test_the_readme_names_every_kind_and_option(project):
    text = (project / README).read_text("utf-8")
    for kind, rule in KINDS.items():
        assert f"`{kind}`" in text
        assert all(f"`{option}`" in text for option in rule.options)


def test_no_tag_of_yaml_runs_anything(tmp_path):
    made = tmp_path / "made"
    path = written(tmp_path, f"faults: !!python/object/apply:os.mkdir ['{made}']")
    with pytest.raises(ConfigError):
        FaultPlan.load(path)
    assert not made.exists()
