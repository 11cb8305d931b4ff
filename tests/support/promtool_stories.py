"""Stories of alerts as unit tests of `promtool test rules`.

What an alert itself does is tried with its own rules alone, at each scrape; that nothing else fires beside it with all
rules that ship, once a minute.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from alert_stories import HALF, INSTANCE, STEP, Phase, World, duration, healthy_pages, seconds

from g6.alerting import ALERT_GROUPS, ALERTS, RECORDING, Alert, Group
from g6.alerting.generated import RECORDING_RULES
from g6.alerting.rendering import G6_URL, GRAFANA_URL

BINARY = shutil.which("promtool")
GROUPS = [group.name for group in (*RECORDING, *ALERT_GROUPS)]
FILES = [RECORDING_RULES, *(f"alerts/{group.name}.yml" for group in ALERT_GROUPS)]
WATCHDOG = "G6Watchdog"
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """One cause of an alert, or one edge at which it must not fire."""

    alert: str
    told: Document

    @property
    def phases(self) -> list[Phase]:
        return [_phase(each) for each in (self.told, *self.told.get("then", ()))]

    @property
    def fires(self) -> int:
        return seconds(self.told["fires"])

    @property
    def resolves(self) -> int | None:
        return seconds(self.told["resolves"]) if "resolves" in self.told else None

    @property
    def step(self) -> int:
        return seconds(self.told.get("step", "15s"))

    @property
    def labels(self) -> dict[str, str]:
        job = self.told.get("job", "g6")
        target = {"job": job, "instance": INSTANCE} if job else {}
        return {**target, **self.told.get("labels", {}), "severity": ALERTS[self.alert].severity}

    @property
    def expected(self) -> Document:
        """The alert as it reaches Alertmanager, its name aside."""
        alert = ALERTS[self.alert]
        return {
            "exp_labels": self.labels,
            "exp_annotations": {
                "summary": alert.summary,
                "description": self.told["says"],
                "runbook_url": f"{G6_URL}/runbooks/{alert.name}",
                "dashboard_url": f"{GRAFANA_URL}/d/{alert.dashboard}",
            },
        }

    @property
    def allowed(self) -> set[str]:
        """All alerts that may ever fire."""
        return {self.alert, WATCHDOG, *self.told.get("with", ())}


def stories_of(path: Path) -> tuple[list[Story], list[Story]]:
    """The causes and the edges of an alert, whose name is the file's."""
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    causes = told["cause"] if isinstance(told["cause"], list) else [told["cause"]]
    return [Story(path.stem, each) for each in causes], [Story(path.stem, each) for each in told["edges"]]


def healthy(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    return healthy_pages(yaml.safe_load((folder / "healthy.yml").read_text(encoding="utf-8")))


def _phase(told: Document) -> Phase:
    return Phase(
        seconds(told["from"]),
        seconds(told["until"]),
        told.get("series", {}),
        unreachable=told.get("unreachable", False),
        closed=told.get("closed", False),
    )


def cause_test(story: Story, pages: Mapping[str, Any]) -> Document:
    """It fires when it should, with these words and no sooner, and resolves when it should."""
    end = end_of(story)
    looks = {story.fires: True}
    if story.fires:
        looks[story.fires - story.step] = False
    if story.resolves:
        looks |= {story.resolves - story.step: True, story.resolves: False}
    world = World(pages, story.phases, step=story.step)
    words = [
        # The words are those of the moment at which it fires: later ones have other numbers in them.
        {"alertname": story.alert, "eval_time": duration(story.fires), "exp_alerts": [story.expected]}
    ]
    firing = [_firing(story, t, fires=fires) for t, fires in looks.items()]
    return _test(f"{story.alert} fires and resolves", world, end, words, firing)


def alone_test(story: Story, pages: Mapping[str, Any]) -> Document:
    """With all rules: what fires is the alert and what its cause entails, and nothing else ever."""
    end = max(end_of(story), seconds(story.told.get("judged_until", 0))) + 120
    world = World(pages, story.phases)
    return _test(f"beside {story.alert}", world, end, [], [ever_fired(end, story.allowed)])


def end_of(story: Story) -> int:
    return (story.resolves or story.fires) + 2 * story.step


def missed_test(story: Story, pages: Mapping[str, Any], kind: str) -> Document:
    """A scrape that fails neither puts off an alert that waits nor resolves one that fires."""
    holds = seconds(ALERTS[story.alert].holds)
    waiting = _scrape(story, story.fires - holds, story.fires)
    until = min(seconds(story.told["until"]), story.resolves or story.fires)
    firing = _scrape(story, story.fires, max(until, story.fires + 120))
    looks = {story.fires: True, firing: True, firing + STEP: True}
    if story.fires:
        looks[story.fires - STEP] = False
    if waiting >= firing - STEP:
        del looks[firing], looks[firing + STEP]
    world = World(pages, story.phases, **{kind: [waiting, firing]})
    tests = [_firing(story, t, fires=fires) for t, fires in looks.items()]
    return _test(f"{story.alert}, scrapes {kind} at {waiting} and {firing}", world, max(looks) + STEP, [], tests)


def _scrape(story: Story, start: int, end: int) -> int:
    """A scrape of both pages about half way between two instants."""
    if story.told.get("job", "g6") == "g6-options":
        return (start + end) // 2 // 60 * 60 + HALF
    return (start + end) // 2 // STEP * STEP


def edge_test(story: Story, pages: Mapping[str, Any], late: int = 0) -> Document:
    """It never fires, though everything is as it is at its edge; `late` is how much scrapes are off the evaluations."""
    end = seconds(story.told.get("judged_until", story.told["until"])) + 120 * ("judged_until" not in story.told)
    never = {"expr": f"{_ever(end, story.alert)}", "eval_time": duration(end), "exp_samples": []}
    return _test(f"{story.alert} not: {story.told['why']}", World(pages, story.phases, late=late), end, [], [never])


def quiet_test(name: str, world: World, end: int) -> Document:
    """Nothing but the watchdog ever fires."""
    return _test(name, world, end, [], [ever_fired(end, {WATCHDOG})])


def ever_fired(end: int, names: Iterable[str]) -> Document:
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)]
    return {"expr": _ever(end, ".+"), "eval_time": duration(end), "exp_samples": samples}


def _ever(end: int, names: str) -> str:
    fired = f'ALERTS{{alertstate="firing", alertname=~"{names}"}}[{end}s]'
    return f"group by (alertname) (max_over_time({fired}))"


def _firing(story: Story, t: int, *, fires: bool) -> Document:
    labels = {"alertname": story.alert, **story.labels}
    text = ", ".join(f'{key}="{value}"' for key, value in labels.items())
    samples = [{"labels": f'ALERTS{{alertstate="firing", {text}}}', "value": 1}] if fires else []
    expr = f'ALERTS{{alertstate="firing", alertname="{story.alert}"}}'
    return {"expr": expr, "eval_time": duration(t), "exp_samples": samples}


def _test(name: str, world: World, end: int, alerts: Sequence[Document], exprs: Sequence[Document]) -> Document:
    return {
        "name": name,
        "interval": duration(world.interval),
        "input_series": world.input_series(end),
        "alert_rule_test": list(alerts),
        "promql_expr_test": list(exprs),
    }


def run(files: Sequence[Path], path: Path, tests: Sequence[Document], every: int = STEP) -> str:
    """Run tests on rule files, evaluated `every` so many seconds; return what promtool found wrong."""
    assert BINARY is not None
    document = {
        "rule_files": list(map(str, files)),
        "evaluation_interval": duration(every),
        "group_eval_order": GROUPS,
        "tests": tests,
    }
    path.write_text(yaml.dump(document, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False))
    ran = subprocess.run([BINARY, "test", "rules", str(path)], check=False, capture_output=True, text=True, timeout=300)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def own_rules(name: str) -> list[Group]:
    """An alert's rule and the recordings that it needs, each in its group."""
    wanted, todo = set(), [ALERTS[name].expression()]
    while todo:
        expr = todo.pop()
        new = [rule for group in RECORDING for rule in group.rules if rule.name in expr and rule.name not in wanted]
        wanted |= {rule.name for rule in new}
        todo += [rule.expr for rule in new]
    groups = [
        Group(group.name, group.interval, tuple(rule for rule in group.rules if rule.name in {name, *wanted}))
        for group in (*RECORDING, *ALERT_GROUPS)
    ]
    return [group for group in groups if group.rules]


def needed(pages: Mapping[str, Mapping[str, Any]], groups: Iterable[Group]) -> Mapping[str, Mapping[str, Any]]:
    """The series that some rules speak of."""
    text = " ".join(rule.expression() if isinstance(rule, Alert) else rule.expr for g in groups for rule in g.rules)
    names = set(re.findall(r"[a-z_0-9:]+", text))
    return {
        job: {name: value for name, value in series.items() if name.partition("{")[0] in names}
        for job, series in pages.items()
    }
