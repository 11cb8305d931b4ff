"""The same alert on a clock that runs faster: the same expression, over spans so many times shorter."""

import doctest
import re
from pathlib import Path

import pytest
from alert_stories import STEP, duration, seconds
from hypothesis import given
from hypothesis import strategies as st
from promtool_stories import BINARY, cause_test, healthy, needed, own_rules, run, stories_of

from g6.alerting import ALERT_GROUPS, ALERTS, RECORDING, alert
from g6.alerting.alert import UNIT_SECONDS, Group, at_speed, shorter
from g6.alerting.rendering import rules_yaml

GROUPS = (*RECORDING, *ALERT_GROUPS)
FASTER = 5
RULES = [rule for group in GROUPS for rule in group.rules]
# Numbers that stand where only a span of time stands.
SPAN = re.compile(r"(\[|offset |:)(\d+)(ms|[smhd])(?=[]\s:)]|$)")
MILLISECONDS = {"ms": 1} | {unit: number * 1000 for unit, number in UNIT_SECONDS.items()}

durations = st.builds(lambda n, unit: f"{n}{unit}", st.integers(1, 500), st.sampled_from("smhd"))
# Of seconds these divide without a remainder of less than a millisecond.
speeds = st.sampled_from([1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 100, 125])


def milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(ms|[smhd])", text).groups()
    return int(number) * MILLISECONDS[unit]


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(alert).failed == 0
    assert doctest.testmod(alert).attempted > 0


@pytest.mark.parametrize("group", GROUPS, ids=[group.name for group in GROUPS])
def test_at_the_speed_of_the_clock_a_rule_is_itself(group: Group) -> None:
    assert group.at_speed(1) == group


@given(duration=durations, speed=speeds)
def test_a_duration_is_divided_by_the_speed(duration: str, speed: int) -> None:
    assert milliseconds(shorter(duration, speed)) == milliseconds(duration) / speed


@given(first=speeds, second=speeds, duration=durations)
def test_a_duration_never_vanishes(first: int, second: int, duration: str) -> None:
    assert milliseconds(shorter(duration, first * second)) >= 1


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
@pytest.mark.parametrize("speed", [5, 20])
def test_every_span_of_a_rule_is_divided_and_nothing_else_of_it_changes(rule, speed: int) -> None:
    faster = at_speed(rule.expr, speed)
    spans, shorter_ones = SPAN.findall(rule.expr), SPAN.findall(faster)
    assert [milliseconds(f"{n}{u}") / speed for _, n, u in spans] == [
        milliseconds(f"{n}{u}") for _, n, u in shorter_ones
    ]
    assert SPAN.sub(r"\1", rule.expr) == SPAN.sub(r"\1", faster)


@pytest.mark.parametrize("name", [name for name, each in ALERTS.items() if each.seconds])
def test_a_span_of_time_by_name_is_divided_too_and_its_limit_stays(name: str) -> None:
    slow, fast = ALERTS[name], ALERTS[name].at_speed(10)
    assert "$" not in slow.expression() + fast.expression()
    assert {key: value * 10 for key, value in fast.seconds.items()} == pytest.approx(dict(slow.seconds))
    assert (fast.severity, fast.summary, fast.follows) == (slow.severity, slow.summary, slow.follows)


@given(
    expr=st.sampled_from(["rate(a[{}])", "a offset {}", "max_over_time(a[{}:{}])", "pair:a:avg{} + b"]),
    duration=durations,
)
def test_a_name_that_ends_like_a_duration_is_left_alone(expr: str, duration: str) -> None:
    told = expr.replace("{}", duration)
    assert (at_speed(told, 5) == told) == expr.startswith("pair")


@pytest.mark.parametrize(
    "name", ["G6IndexPartial", "G6CycleOverrun", "G6SinkBehind", "G6SpotFrozen", "G6MemoryHigh", "G6GexFlipCrossed"]
)
def test_the_same_series_in_a_fifth_of_the_time_fire_and_resolve_in_a_fifth_of_the_time(
    name: str, tmp_path: Path
) -> None:
    """Counters, gauges, a subquery: the same samples, three seconds apart instead of fifteen."""
    if BINARY is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    folder = Path(__file__).parent
    groups = own_rules(name)
    (cause,), _ = stories_of(folder / "stories" / f"{name}.yml")
    test = dict(cause_test(cause, needed(healthy(folder), groups)))
    test["interval"] = duration(STEP // FASTER)
    for kind in ("alert_rule_test", "promql_expr_test"):
        test[kind] = [{**look, "eval_time": duration(seconds(look["eval_time"]) // FASTER)} for look in test[kind]]
    rules = tmp_path / "rules.yml"
    rules.write_text(rules_yaml(group.at_speed(FASTER) for group in groups), encoding="utf-8")
    assert run([rules], tmp_path / "test.yml", [test], STEP // FASTER) == ""
