"""What every rule and alert must be, so that it says something true and somebody can act on it."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import promql_parser
import pytest
import yaml

from g6.alerting import ALERTS, RECORDING
from g6.alerting.recording import WINDOWS
from g6.analytics import CORE, MEASURES
from g6.health.problems import PROBLEMS
from g6.metrics import catalogue

ON_METRICS = catalogue.with_aggregates(
    aggregate for aggregate, _ in CORE if aggregate.name not in catalogue.DERIVABLE_AGGREGATES
)
CATALOGUE = {
    row.name: row
    for row in (
        *ON_METRICS,
        *catalogue.off_metrics(MEASURES, ON_METRICS).values(),
        *catalogue.on_options_page(),
    )
}
RECORDED = {rule.name: rule for group in RECORDING for rule in group.rules}
EXPRESSIONS = {
    **{name: rule.expr for name, rule in RECORDED.items()},
    **{a.name: a.expression() for a in ALERTS.values()},
}
# What Prometheus says of a scrape itself.
OF_THE_SCRAPE = {"up", "scrape_samples_post_metric_relabeling", "ALERTS"}
# What makes of a counter something that does not only ever grow.
OF_COUNTERS = {"rate", "increase", "irate"}
SCRAPED = {"/metrics": timedelta(seconds=15), "/metrics/options": timedelta(seconds=60)}
EVALUATED = timedelta(seconds=15)
LEVELS = {"instance", "index", "pair", "expiry"}
DASHBOARDS = "grafana/dashboards"
# Series of a histogram.
PARTS = ("_bucket", "_count", "_sum")

Node = promql_parser.Expr


def parsed(expr: str) -> Node:
    # Grafana's own words are no PromQL: what they stand for takes their place.
    for word, meaning in (("$__rate_interval", "1m"), ("$__interval", "1m"), ("$__range", "1h")):
        expr = expr.replace(word, meaning)
    return promql_parser.parse(expr)


def children(node: Node) -> Iterator[Node]:
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(node, name, None)
        if child is not None and not isinstance(child, str | int | float):
            yield child
    yield from getattr(node, "args", ())


def walk(node: Node, above: tuple[Node, ...] = ()) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """Every node of an expression, with those above it, the nearest last."""
    yield node, above
    for child in children(node):
        yield from walk(child, (*above, node))


def selectors(expr: str) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Every metric asked for, with the nodes above it."""
    for node, above in walk(parsed(expr)):
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name, f"a metric without a name in {expr}"
            yield node.name, above


def family(name: str) -> str:
    """The metric of the catalogue that a series belongs to."""
    base = next((name.removesuffix(part) for part in PARTS if name.endswith(part)), name)
    return base if base in CATALOGUE and CATALOGUE[base].type == "histogram" else name


def function_of(above: tuple[Node, ...]) -> str:
    """The function that a selector is given to, or nothing."""
    return next((node.func.name for node in reversed(above) if isinstance(node, promql_parser.Call)), "")


def is_counter(name: str) -> bool:
    row = CATALOGUE.get(family(name))
    return row is not None and row.type in {"counter", "histogram"}


each = pytest.mark.parametrize(("name", "expr"), EXPRESSIONS.items(), ids=list(EXPRESSIONS))


@each
def test_whatever_is_asked_for_exists(name: str, expr: str) -> None:
    known = {*CATALOGUE, *RECORDED, *OF_THE_SCRAPE}
    assert {family(metric) for metric, _ in selectors(expr)} <= known


@each
def test_a_counter_is_asked_only_how_it_grows(name: str, expr: str) -> None:
    raw = {metric for metric, above in selectors(expr) if is_counter(metric) and function_of(above) not in OF_COUNTERS}
    assert raw == set()


@each
def test_what_is_no_counter_is_never_asked_how_it_grows(name: str, expr: str) -> None:
    grown = {metric for metric, above in selectors(expr) if function_of(above) in OF_COUNTERS}
    assert {metric for metric in grown if not is_counter(metric)} == set()


@each
def test_a_range_holds_four_scrapes_of_its_page(name: str, expr: str) -> None:
    for node, _ in walk(parsed(expr)):
        if isinstance(node, promql_parser.MatrixSelector):
            selector = node.vector_selector
            row = CATALOGUE.get(family(selector.name))
            options = any(m.name == "job" and m.value == "g6-options" for m in selector.matchers.matchers)
            page = row.page if row else "/metrics/options" if options else "/metrics"
            assert node.range >= 4 * SCRAPED[page], f"{selector.name}[{node.range}] of {page}"


@each
def test_a_ratio_that_was_recorded_is_never_averaged(name: str, expr: str) -> None:
    """The mean of shares of unlike wholes is no share of anything: each window is computed from its own counts."""
    averaged = {
        metric
        for metric, above in selectors(expr)
        if any(getattr(getattr(node, "func", None), "name", "") == "avg_over_time" for node in above)
        or any(str(getattr(node, "op", "")) == "avg" for node in above)
    }
    assert {metric for metric in averaged if ":ratio" in metric or metric.startswith("index:")} == set()


@pytest.mark.parametrize("alert", ALERTS.values(), ids=list(ALERTS))
class TestAnAlert:
    def test_a_missed_scrape_does_not_make_its_signal_vanish(self, alert) -> None:
        """A gauge is looked at over a range: after one scrape that failed, Prometheus has no instant value of it."""
        if alert.name == "G6Watchdog":
            return
        instant = {
            metric
            for metric, above in selectors(alert.expression())
            if metric not in RECORDED
            and not any(isinstance(n, promql_parser.MatrixSelector | promql_parser.SubqueryExpr) for n in above)
            and function_of(above) != "absent"
        }
        assert instant == set()

    def test_waits_for_two_evaluations(self, alert) -> None:
        if alert.name != "G6Watchdog":
            assert promql_parser.parse_duration(alert.holds) >= 2 * EVALUATED

    def test_tells_a_person_what_is_wrong_and_where_to_look(self, alert, project: Path) -> None:
        assert alert.summary
        assert "{{" not in alert.summary, "a summary is static"
        assert alert.description.endswith((".", ".'"))
        assert re.fullmatch(r"g6-[a-z-]+", alert.dashboard)
        assert (project / alert.runbook).is_file()

    def test_names_only_labels_that_it_has(self, alert) -> None:
        named = set(re.findall(r"\$labels\.([a-z_]+)", alert.description))
        metrics = [family(metric) for metric, _ in selectors(alert.expression())]
        labels = {label for metric in metrics if metric in CATALOGUE for label in CATALOGUE[metric].labels}
        recorded = " ".join(RECORDED[metric].expr for metric in metrics if metric in RECORDED)
        spoken = {label for label in named if re.search(rf"\b{label}\b", recorded)}
        pairs = {"index", "expiry_code"} if "pair:" in alert.expression() else set()
        assert named <= {"job", "instance"} | labels | spoken | pairs

    def test_shows_on_a_dashboard_that_exists(self, alert, dashboards: Mapping[str, dict]) -> None:
        assert alert.dashboard in {board["uid"] for board in dashboards.values()}

    def test_follows_alerts_that_exist(self, alert) -> None:
        assert set(alert.follows) <= ALERTS.keys() - {alert.name}


def test_no_alert_follows_from_itself_by_way_of_others() -> None:
    def causes(name: str, seen: tuple[str, ...] = ()) -> None:
        assert name not in seen, f"a circle: {' ← '.join((*seen, name))}"
        for cause in ALERTS[name].follows:
            causes(cause, (*seen, name))

    for name in ALERTS:
        causes(name)


def test_at_most_eight_alerts_wake_a_person() -> None:
    assert len([alert for alert in ALERTS.values() if alert.severity == "critical"]) <= 8


def test_every_alert_has_a_name_of_its_own() -> None:
    assert all(re.fullmatch(r"G6([A-Z][a-z]*)+", name) for name in ALERTS)
    assert len({alert.summary for alert in ALERTS.values()}) == len(ALERTS)


def test_every_problem_that_the_agent_names_has_an_alert() -> None:
    assert {kind.alert for kind in PROBLEMS.values()} <= ALERTS.keys()


def test_every_problem_that_an_alert_speaks_of_is_one_that_the_agent_names() -> None:
    spoken = set()
    for expr in EXPRESSIONS.values():
        for match in re.findall(r'g6_problem_active\{problem=~?"([^"]+)"', expr):
            spoken |= set(match.split("|"))
    assert spoken
    assert spoken <= PROBLEMS.keys()


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_name_says_level_metric_and_operations(name: str) -> None:
    level, metric, operations = name.split(":")
    assert level in LEVELS
    assert re.fullmatch(r"[a-z0-9_]+", operations)
    bases = {row.removesuffix("_total") for row in CATALOGUE}
    assert metric.startswith("g6_")
    # Of several metrics at once: what they tell together.
    told_together = {"g6_legs_missed", "g6_legs_missed_budget", "g6_iv_legs_unsolved", "g6_health", "g6_governor_used",
                     "g6_cycle_last_success"}  # fmt: skip
    assert metric in bases | told_together | {"g6_governor_transitions"}


def test_each_window_of_a_burn_rate_is_recorded() -> None:
    assert {f"instance:g6_legs_missed:ratio_increase{window}" for window in WINDOWS} <= RECORDED.keys()


def test_no_recording_needs_one_that_is_computed_after_it() -> None:
    """Within a group rules are computed in order; a later one would be a round old."""
    done: set[str] = set()
    for name, rule in RECORDED.items():
        assert {metric for metric, _ in selectors(rule.expr) if metric in RECORDED} <= done, name
        done.add(name)


@pytest.fixture(scope="module")
def dashboards(project: Path) -> Mapping[str, dict]:
    """The dashboards that ship."""
    found = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (project / DASHBOARDS).glob("*.json")}
    if not found:
        pytest.skip("no dashboards")
    return found


@pytest.fixture(scope="module")
def shown(dashboards: Mapping[str, dict]) -> set[str]:
    """Every metric and recorded name that a dashboard asks for."""
    text = json.dumps(list(dashboards.values()))
    return set(re.findall(r"[a-z]+:g6_[a-z0-9_]+:[a-z0-9_]+|\b(?:g6|process)_[a-z0-9_]+", text))


def test_every_recorded_name_is_used(shown: set[str]) -> None:
    asked = {metric for expr in EXPRESSIONS.values() for metric, _ in selectors(expr)}
    assert RECORDED.keys() - asked - shown == set()


def test_every_metric_is_used_or_stands_among_those_that_are_not(shown: set[str]) -> None:
    """In `unused_metrics.yml`, under the reason; what is used since has left it."""
    asked = {metric for expr in EXPRESSIONS.values() for metric, _ in selectors(expr)}
    used = {family(metric) for metric in asked | shown}
    reasons = yaml.safe_load(Path(__file__).with_name("unused_metrics.yml").read_text(encoding="utf-8"))
    deliberately = [metric for metrics in reasons.values() for metric in metrics]
    assert sorted(CATALOGUE.keys() - used) == sorted(deliberately)


def test_whatever_a_dashboard_shows_exists(shown: set[str]) -> None:
    assert {family(metric) for metric in shown} <= {*CATALOGUE, *RECORDED}
