"""The tables of metrics say of each its unit, a query that makes sense of it, and who really reads it."""

from pathlib import Path

import pytest
import yaml
from panel_queries import prometheus_queries, substituted
from promql import needed, selectors

from boards import BOARDS, questions
from g6.alerting import ALERTS, RECORDING
from g6.metrics.catalogue import Metric
from g6.metrics.naming import unit_suffix
from g6.reports.metrics_page import HEAD, NOBODY, as_markdown, example_of, sections, unit_of

PAGE = Path("g6") / "metrics" / "README.md"
ROWS = {row.name: row for rows in sections().values() for row in rows}
RECORDED = {rule.name: rule.expr for group in RECORDING for rule in group.rules}
each = pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))


@pytest.fixture(scope="module")
def table() -> str:
    return as_markdown(questions())


@pytest.fixture(scope="module")
def cells(table: str) -> dict[str, dict[str, str]]:
    """Metric → heading of a column → what stands there."""
    heads = [head.strip() for head in HEAD.splitlines()[0].strip("|").split("|")]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip("` "): dict(zip(heads, row, strict=True)) for row in rows}


def test_the_readme_shows_the_tables(project: Path, table: str) -> None:
    readme = (project / PAGE).read_text("utf-8")
    block = readme.split("<!-- catalogue: begin -->\n")[1].split("<!-- catalogue: end -->")[0]
    assert block == table, "scripts/generate"


def test_every_metric_has_one_row(cells: dict[str, dict[str, str]], table: str) -> None:
    assert set(cells) == set(ROWS)
    assert len([line for line in table.splitlines() if line.startswith("| `")]) == len(ROWS)


def test_alerts_and_dashboards_are_named_for_what_they_ask_and_for_nothing_else(
    cells: dict[str, dict[str, str]],
) -> None:
    by_alert = {name: needed(alert.expression(), RECORDED) for name, alert in ALERTS.items()}
    by_board = {
        board.title.removeprefix("G6 / "): set().union(
            *(
                needed(substituted(e), RECORDED)
                for row in board.rows
                for panel in row.panels
                for e in prometheus_queries(panel)
            )
        )
        for board in BOARDS
    }
    for name, row in ROWS.items():
        alerts = [alert for alert, names in by_alert.items() if names & row.series]
        boards = [board for board, names in by_board.items() if names & row.series]
        told = cells[name]["who reads it"]
        first, _, last = told.partition("; ") if alerts and boards else (told, "", told)
        named = [f"`{alert}`" for alert in alerts[:4]] + ([f"{len(alerts) - 4} more"] if len(alerts) > 4 else [])
        if alerts:
            assert first == ", ".join(named), name
        if boards:
            assert last == ", ".join(boards), name
        if not alerts and not boards:
            assert told == NOBODY, name


def test_what_nobody_reads_is_what_was_said_to_be_unread(cells: dict[str, dict[str, str]], project: Path) -> None:
    reasons = yaml.safe_load((project / "tests" / "alerting" / "unused_metrics.yml").read_text("utf-8"))
    waived = [name for names in reasons.values() for name in names]
    assert sorted(name for name, row in cells.items() if row["who reads it"] == NOBODY) == sorted(waived)


@each
def test_an_example_asks_for_the_metric_and_for_labels_that_it_has(row: Metric) -> None:
    (selector,) = selectors(example_of(row))
    assert selector.name in row.series
    assert {matcher.name for matcher in selector.matchers.matchers} <= set(row.labels)


@each
def test_an_example_asks_how_a_counter_grows_and_nothing_else_how_it_does(row: Metric) -> None:
    assert ("rate(" in example_of(row)) == (row.type != "gauge")


@each
def test_a_unit_is_what_the_name_ends_in(row: Metric) -> None:
    unit = unit_of(row)
    assert unit
    if row.unit:
        assert row.name.endswith(unit_suffix(row.unit))
    else:
        ends = {"seconds", "bytes", "ratio", "percent", "points", "shares", "cycles", "rows", "series"}
        said = row.name.removesuffix("_total").rpartition("_")[2]
        assert (
            unit.partition(" ")[0] == said if said in ends else unit in {"count", "code", "bits", "0 or 1", "always 1"}
        )


@pytest.mark.parametrize(
    ("name", "unit", "example"),
    [
        ("g6_legs_received_total", "count", 'rate(g6_legs_received_total{index="NIFTY"}[5m])'),
        ("g6_cycle_last_success_timestamp_seconds", "seconds since 1970",
         "time() - g6_cycle_last_success_timestamp_seconds"),
        ("g6_token_expiry_timestamp_seconds", "seconds since 1970", "g6_token_expiry_timestamp_seconds - time()"),
        ("g6_provider_request_seconds", "seconds",
         "histogram_quantile(0.9, sum by (le) (rate(g6_provider_request_seconds_bucket[5m])))"),
        ("g6_token_state", "0 or 1", "g6_token_state == 1"),
        ("g6_breaker_state", "code", "g6_breaker_state"),
        ("g6_chain_pcr_oi_ratio", "ratio", 'g6_chain_pcr_oi_ratio{index="NIFTY",expiry_code="this_week"}'),
        ("g6_option_vega_rupees_per_vol_point", "rupees/vol point",
         'g6_option_vega_rupees_per_vol_point{index="NIFTY",side="CE"}'),
    ],
)  # fmt: skip
def test_a_unit_and_an_example_as_a_person_would_write_them(name: str, unit: str, example: str) -> None:
    assert (unit_of(ROWS[name]), example_of(ROWS[name])) == (unit, example)
