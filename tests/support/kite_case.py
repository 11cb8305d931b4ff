"""One case of the broker's failures: run it, and check that what must follow has followed.

A case is a folder with a `case.yaml`: the row of the broker's failures that it stands for, what goes wrong when (a
fault plan of the simulator), and what must follow. Every number in the journal is compared with the market itself.

| key | what it says |
|---|---|
| `row` | the failure, in the words of the broker's table |
| `at`, `minutes` | IST instant of the start (2026-11-20T10:00); how many minutes are run |
| `before` | how many minutes an earlier process ran |
| `settings`, `faults`, `apps`, `logged_in` | beyond `kite_world.PLAIN`; the fault plan; the broker's apps; accounts |
| `logins` | after this minute, or `probe 08:45`: who logs in |
| `server` | likewise: it is to stop, start, or kill the main account's token |
| `exit` | the exit code (0) |
| `sentences`, `not_said`, `probes` | minute → pattern of its sentence; patterns of none; probe → pattern |
| `metrics`, `metrics_after` | series → value or comparison at the end; the same after a minute |
| `stored`, `emptied` | minute → what was accepted (`check_stored`); minute → index → columns without a number |
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from kite_world import World, kite_world, matches

from g6.simulator.kite_server.sessions import APPS, App

KEYS = {
    "row", "at", "minutes", "before", "settings", "faults", "apps", "logged_in", "logins", "server", "exit",
    "sentences", "not_said", "probes", "metrics", "metrics_after", "stored", "emptied",
}  # fmt: skip
WHOLE, NOTHING = "whole", "nothing"
LONGEST_SENTENCE = 400  # one line that a person reads in a terminal or an alert; more is a report


def run_case(case: Path, folder: Path, speed: float = float("inf")) -> None:
    """Run a case in this process, below `folder`; raise AssertionError where something else follows than it says."""
    text = (case / "case.yaml").read_text("utf-8")
    told = yaml.safe_load(text)
    # As the plan's own reader does: in YAML 1.1 the key `on` is a truth value.
    faults = yaml.load(text, yaml.BaseLoader).get("faults", ())
    assert set(told) <= KEYS
    assert {"row", "minutes", "sentences", "metrics", "stored"} <= set(told)
    apps = tuple(App(**app) for app in told["apps"]) if "apps" in told else APPS
    with kite_world(
        folder, told.get("at", "2026-11-20T10:00"), faults, told.get("settings"),
        logged_in=tuple(told.get("logged_in", ("main",))), apps=apps, speed=speed,
    ) as world:  # fmt: skip
        prepare(world, told)
        if "before" in told:
            world.run(told["before"])
        code = world.run(told["minutes"])
        check_sentences(world, told)
        check_stored(world, told["stored"])
        wrong = world.wrong_numbers()
        assert wrong == [], wrong
        check_emptied(world, told.get("emptied", {}))
        check_metrics(world, {**told.get("metrics_after", {}), "end": told["metrics"]})
        assert code == told.get("exit", 0), "the exit code"


def prepare(world: World, told: Mapping[str, Any]) -> None:
    """Have done what is to be done between the minutes."""
    do: Mapping[str, Callable[[], None]] = {
        "stop": world.stop_server, "start": world.start_server, "kill": world.kill_token
    }  # fmt: skip
    for when, account in told.get("logins", {}).items():
        world.told.after.setdefault(when, []).append(lambda account=account: world.log_in(account))
    for when, what in told.get("server", {}).items():
        world.told.after.setdefault(when, []).append(do[what])
    for minute in told.get("metrics_after", {}):
        world.told.keep_page(minute)


def check_sentences(world: World, told: Mapping[str, Any]) -> None:
    """Every sentence is one line of bearable length, and none has an address with a token or a traceback in it."""
    sentences = world.sentences()
    for said, expected in ((sentences, told["sentences"]), (world.told.probes, told.get("probes", {}))):
        for when, pattern in expected.items():
            assert re.search(pattern, said[when]), f"{when}: {said[when]}"
    for minute, sentence in sentences.items():
        assert "\n" not in sentence
        assert len(sentence) <= LONGEST_SENTENCE, f"{minute}: {len(sentence)} characters: {sentence}"
    for pattern in (*told.get("not_said", ()), "Traceback", "Exception", "object at 0x", "i=NFO", "[?&]i="):
        assert [sentence for sentence in sentences.values() if re.search(pattern, sentence)] == []


def check_metrics(world: World, expected: Mapping[str, Mapping[str, object]]) -> None:
    for when, series in expected.items():
        page = world.told.pages[when]
        wrong = {name: (page.get(name), value) for name, value in series.items() if not matches(value, page.get(name))}
        assert wrong == {}, f"series after {when}: (is, should be) {wrong}"


def check_stored(world: World, expected: Mapping[str, Any]) -> None:
    """`whole` and `nothing` are of every index; else index → one of these words, or [received, expected].

    Those two are numbers or comparisons, as in metrics. Every minute in the journal must be named.
    """
    stored = world.stored()
    assert set(stored) == set(expected), "minutes in the journal"
    for minute, wanted in expected.items():
        for index, legs in stored[minute].items():
            said = wanted if isinstance(wanted, str) else wanted[index]
            if said == NOTHING:
                assert legs == (0, 0), (minute, index, legs)
            elif said == WHOLE:
                assert legs[0] == legs[1] > 0, (minute, index, legs)
            else:
                assert all(map(matches, said, legs)), (minute, index, legs)


def check_emptied(world: World, expected: Mapping[str, Mapping[str, list[str]]]) -> None:
    emptied = world.emptied()
    for minute, wanted in expected.items():
        assert {index: set(columns) for index, columns in emptied[minute].items()} == {
            index: set(columns) for index, columns in wanted.items()
        }, minute


def main() -> None:
    """Run a case in a process of its own, at a speed: a stream has a thread that no process can have twice."""
    case, folder, speed = sys.argv[1:]
    run_case(Path(case), Path(folder), float(speed))


if __name__ == "__main__":
    main()
