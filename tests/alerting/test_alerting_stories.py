"""Every alert, told by promtool: when it fires and with what words, when it does not, and when it is over."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from alert_stories import STEP, Phase, World
from promtool_stories import (
    BINARY,
    FILES,
    alone_test,
    cause_test,
    edge_test,
    healthy,
    missed_test,
    needed,
    own_rules,
    quiet_test,
    run,
    stories_of,
)

from g6.alerting import ALERTS
from g6.alerting.rendering import rules_yaml

FOLDER = Path(__file__).parent
STORIES = {path.stem: stories_of(path) for path in sorted((FOLDER / "stories").glob("*.yml"))}
MINUTE, HOUR = 60, 3600
CLOSED = {'g6_market_open{exchange="NSE"}': 0, 'g6_market_open{exchange="BSE"}': 0}
LEVEL = 'g6_chain_atm_iv_ratio{index="NIFTY", expiry_code="this_month"}'
# An hour and a half of trading, a night, and an hour and three quarters of the next day, whose options are dearer.
CLOSE, OPEN, END = 90 * MINUTE, 90 * MINUTE + 7 * HOUR, 195 * MINUTE + 7 * HOUR
A_NIGHT = (Phase(CLOSE, OPEN, CLOSED, closed=True), Phase(OPEN, END + STEP, {LEVEL: 0.113}))

# Alerts on how much a counter grew, but for those on its standing still: these are on a time, which moves with scrapes.
COUNTING = [name for name in STORIES if "increase(" in (text := rules_yaml(own_rules(name))) and ") == 0" not in text]

each = pytest.mark.parametrize("name", STORIES)
# What takes all rules at once is told of the critical ones where time is short.
each_in_time = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if ALERTS[name].severity == "critical" else pytest.mark.long) for name in STORIES],
)


@pytest.fixture(scope="module")
def pages() -> Mapping[str, Mapping[str, Any]]:
    if BINARY is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    return healthy(FOLDER)


def test_every_alert_has_its_stories() -> None:
    assert STORIES.keys() == ALERTS.keys()
    assert all(edges for name, (_, edges) in STORIES.items() if name != "G6Watchdog")
    assert all(causes[-1].resolves for name, (causes, _) in STORIES.items() if name != "G6Watchdog")


def test_there_are_at_least_five_stories_per_alert(record_property: Callable[[str, object], None]) -> None:
    """Per cause: fires, resolves, alone, with two kinds of lost scrape; then the edges, and what is healthy."""
    told = {name: _told(name) for name in STORIES}
    record_property("stories", sum(told.values()))
    print(f"{sum(told.values())} stories of {len(told)} alerts")
    assert min(told.values()) >= 5


def _told(name: str) -> int:
    causes, edges = STORIES[name]
    fires, resolves = len(causes), sum(cause.resolves is not None for cause in causes)
    fine = [cause for cause in causes if cause.step == STEP]
    lost, beside = 2 * len(fine), len(fine)
    # Of a healthy agent: by day and night, and with scrapes that are lost. The watchdog fires at both.
    return fires + resolves + lost + beside + len(edges) + 2


def test_a_story_changes_only_what_a_healthy_agent_has(pages: Mapping[str, Any]) -> None:
    known = {name for series in pages.values() for name in series}
    changed = {
        name
        for causes, edges in STORIES.values()
        for story in (*causes, *edges)
        for phase in story.phases
        for name in phase.series
    }
    assert changed <= known


@each
def test_it_fires_on_its_cause_with_these_words_and_resolves(name: str, pages: Any, tmp_path: Path) -> None:
    own, series = _own(name, pages, tmp_path)
    causes, _ = STORIES[name]
    wrong = [
        run(
            [own], tmp_path / f"{step}.yml", [cause_test(cause, series) for cause in causes if cause.step == step], step
        )
        for step in sorted({cause.step for cause in causes})
    ]
    assert "".join(wrong) == ""


@each
def test_it_does_not_fire_at_its_edge_nor_stop_for_a_lost_scrape(name: str, pages: Any, tmp_path: Path) -> None:
    own, series = _own(name, pages, tmp_path)
    causes, edges = STORIES[name]
    lost = [missed_test(c, series, kind) for c in causes if c.step == STEP for kind in ("missed", "lost")]
    assert run([own], tmp_path / "test.yml", [*lost, *(edge_test(edge, series) for edge in edges)]) == ""


@pytest.mark.parametrize("name", COUNTING)
def test_it_does_not_fire_at_its_edge_when_scrapes_are_off_the_evaluations(
    name: str, pages: Any, tmp_path: Path
) -> None:
    """As they are in life: what a counter grew in a window is then extended beyond what was counted."""
    own, series = _own(name, pages, tmp_path)
    tests = [edge_test(edge, series, late=7) for edge in STORIES[name][1]]
    assert run([own], tmp_path / "test.yml", tests) == ""


@each_in_time
def test_nothing_else_fires_on_its_cause(name: str, pages: Any, project: Path, tmp_path: Path) -> None:
    tests = [alone_test(cause, pages) for cause in STORIES[name][0] if cause.step == STEP]
    assert run(_shipped(project), tmp_path / "test.yml", tests, MINUTE) == ""


@pytest.mark.long
@pytest.mark.parametrize("every", [MINUTE, STEP])
def test_a_healthy_agent_fires_nothing_by_day_and_by_night(
    every: int, pages: Any, project: Path, tmp_path: Path
) -> None:
    """The night is as long as the longest window but the day's."""
    quiet = quiet_test("a healthy agent, overnight", World(pages, A_NIGHT), END)
    assert run(_shipped(project), tmp_path / "test.yml", [quiet], every) == ""


@pytest.mark.parametrize("kind", ["missed", "lost"])
def test_a_lost_scrape_fires_nothing_on_a_healthy_agent(kind: str, pages: Any, project: Path, tmp_path: Path) -> None:
    """One while little is known yet, one later, and two that both pages lose, an alert's own waiting time apart."""
    lost = [2 * MINUTE, 21 * MINUTE + 15, 30 * MINUTE + 30, 35 * MINUTE + 30]
    world = World(pages, **{kind: lost})
    assert run(_shipped(project), tmp_path / "test.yml", [quiet_test(kind, world, 45 * MINUTE)]) == ""


def _own(name: str, pages: Any, folder: Path) -> tuple[Path, Any]:
    """An alert's own rules, in a file, and the series that they speak of."""
    groups = own_rules(name)
    path = folder / "rules.yml"
    path.write_text(rules_yaml(groups), encoding="utf-8")
    return path, needed(pages, groups)


def _shipped(project: Path) -> list[Path]:
    return [project / name for name in FILES]
