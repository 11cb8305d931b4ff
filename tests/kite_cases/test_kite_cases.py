"""Whatever the broker does, the minute says it, the metrics count it, and nothing wrong is stored.

A case is a folder with a `case.yaml`: the row of the broker's failures that it stands for, what goes wrong when (a
fault plan of the simulator), and what must follow. Every stored number is compared with the market itself.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from kite_world import APPS, World, kite_world, matches

from g6.simulator.kite_server.sessions import App

CASES = sorted((Path(__file__).parent / "cases").iterdir())
KEYS = {
    "row", "at", "minutes", "settings", "faults", "apps", "logged_in", "logins", "exit", "sentences", "not_said",
    "metrics", "stored", "outcomes",
}  # fmt: skip
WHOLE, NOTHING = "whole", "nothing"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_failure_is_told_counted_and_costs_what_it_must(case: Path, tmp_path: Path) -> None:
    text = (case / "case.yaml").read_text("utf-8")
    told = yaml.safe_load(text)
    # As the plan's own reader does: in YAML 1.1 the key `on` is a truth value.
    faults = yaml.load(text, yaml.BaseLoader).get("faults", ())
    assert set(told) <= KEYS
    assert {"row", "minutes", "sentences", "metrics", "stored"} <= set(told)
    apps = tuple(App(**app) for app in told["apps"]) if "apps" in told else APPS
    with kite_world(
        tmp_path, told.get("at", "2026-11-20T10:00"), faults, told.get("settings"),
        logged_in=tuple(told.get("logged_in", ("main",))), apps=apps,
    ) as world:  # fmt: skip
        for minute, account in told.get("logins", {}).items():
            world.told.after[minute] = lambda account=account: world.log_in(account)
        assert world.run(told["minutes"]) == told.get("exit", 0)
        check_sentences(world, told)
        check_metrics(world, told["metrics"])
        check_stored(world, told["stored"])
        assert world.wrong_numbers() == []


def check_sentences(world: World, told: Mapping[str, Any]) -> None:
    sentences = world.sentences()
    for minute, pattern in told["sentences"].items():
        assert re.search(pattern, sentences[minute]), f"{minute}: {sentences[minute]}"
    for pattern in told.get("not_said", ()):
        assert [sentence for sentence in sentences.values() if re.search(pattern, sentence)] == []


def check_metrics(world: World, expected: Mapping[str, object]) -> None:
    page = world.metrics()
    wrong = {name: (page.get(name), value) for name, value in expected.items() if not matches(value, page.get(name))}
    assert wrong == {}, "series: (is, should be)"


def check_stored(world: World, expected: Mapping[str, Any]) -> None:
    """`whole` and `nothing` are of every index; else index → one of these words, or [received, expected]."""
    stored = world.stored()
    for minute, wanted in expected.items():
        for index, legs in stored[minute].items():
            said = wanted if isinstance(wanted, str) else wanted[index]
            if said == NOTHING:
                assert legs == (0, 0), (minute, index, legs)
            elif said == WHOLE:
                assert legs[0] == legs[1] > 0, (minute, index, legs)
            else:
                assert list(legs) == said, (minute, index, legs)
