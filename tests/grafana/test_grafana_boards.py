"""Every dashboard keeps the rules of a good one, and is what its table says."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard
from panel_queries import prometheus_queries, substituted

from boards import BOARDS, dashboards
from boards.board import Board, Panel
from g6.alerting import ALERTS, RECORDING
from g6.analytics import MEASURES
from g6.metrics.catalogue import CATALOGUE, OPTION_COLUMNS, OPTIONS_MINUTE, SURROUNDING, measure_metric, option_metric

LIBRARY_NAMES = {"up", "scrape_samples_post_metric_relabeling"}
NAMES = {row.name for row in (*CATALOGUE, *map(option_metric, OPTION_COLUMNS), OPTIONS_MINUTE, *SURROUNDING.values())}
MEASURED = {measure_metric(measure).name for measure in MEASURES}
RECORDED = {rule.name for group in RECORDING for rule in group.rules}
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")

PANELS = [(board, panel) for board in BOARDS for row in board.rows for panel in row.panels]
by_panel = pytest.mark.parametrize(("board", "panel"), PANELS, ids=[f"{b.uid}-{p.title}" for b, p in PANELS])
by_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)


@pytest.fixture(scope="module")
def files() -> dict[str, Any]:
    return {Path(path).stem: json.loads(content) for path, content in dashboards().items()}


@by_board
def test_a_file_is_a_dashboard_to_grafanas_own_library(board: Board, files: dict[str, Any]) -> None:
    read = Dashboard.from_json(files[board.uid])
    assert read.uid == board.uid
    assert len(read.panels or ()) == len(files[board.uid]["panels"])


@by_board
def test_panels_have_numbers_of_their_own_and_do_not_lie_on_one_another(board: Board, files: dict[str, Any]) -> None:
    panels = files[board.uid]["panels"]
    assert [number for number, count in Counter(panel["id"] for panel in panels).items() if count > 1] == []
    taken: Counter[tuple[int, int]] = Counter()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        taken.update(
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        )
    assert max(taken.values()) == 1


@by_board
def test_what_a_reader_may_choose_is_used_and_what_is_used_may_be_chosen(board: Board, files: dict[str, Any]) -> None:
    expressions = " ".join(query.expr for row in board.rows for panel in row.panels for query in panel.queries)
    used = set(re.findall(r"\$\{?([a-z_]+)\}?", re.sub(r"\$__\w+", "", expressions)))
    assert used == set(board.variables)
    sources = {"prometheus"} | ({"influxdb"} if any(p.flux for r in board.rows for p in r.panels) else set())
    assert {variable["name"] for variable in files[board.uid]["templating"]["list"]} == used | sources


@by_board
def test_a_row_has_at_most_five_panels(board: Board) -> None:
    assert [row.title for row in board.rows if not 1 <= len(row.panels) <= 5] == []


@by_panel
def test_a_panel_says_its_unit_and_what_bad_looks_like(board: Board, panel: Panel) -> None:
    assert panel.unit
    assert panel.description.endswith(".") or panel.kind == "text"
    assert set(panel.alerts) <= ALERTS.keys()


@by_panel
def test_a_query_asks_for_what_there_is(board: Board, panel: Panel) -> None:
    for expr in prometheus_queries(panel):
        for name in _selected(promql_parser.parse(substituted(expr))):
            known = NAMES | MEASURED | RECORDED | LIBRARY_NAMES
            assert name in known or HISTOGRAM.sub("", name) in known, name


@by_panel
def test_a_counter_is_asked_for_its_rate_over_a_window_that_outlasts_a_missed_scrape(
    board: Board, panel: Panel
) -> None:
    for expr in prometheus_queries(panel):
        plain = re.sub(r"(rate|increase|changes|histogram_quantile)\([^()]*\[[^\]]+\]\)", "", expr)
        assert not re.search(r"g6_\w+_total\b", plain), "a counter by itself"
        assert "irate(" not in expr
        for span in re.findall(r"\[(\w+)\]", expr):
            assert span == "$__rate_interval" or pytest.approx(0) != _seconds(span)
            assert span.startswith("$") or _seconds(span) >= 60


def test_every_alert_leads_to_a_dashboard_that_there_is() -> None:
    uids = {board.uid for board in BOARDS}
    assert {alert.dashboard for alert in ALERTS.values()} <= uids


def test_every_alert_but_the_watchdog_has_a_panel_that_leads_to_its_runbook() -> None:
    linked = {name for _, panel in PANELS for name in panel.alerts}
    unlinked = {
        "G6Watchdog",
        "G6ProviderTrouble",
        "G6QuotesStale",
        "G6SpotStale",
        "G6SpotFrozen",
        "G6CheckBroken",
        "G6ClockSkewed",
        "G6ClockStepped",
        "G6DataDirectoryUnwritable",
        "G6IndexMissing",
        "G6LoopStalled",
    }
    # These have no curve of their own: the panel of problems by name shows them.
    assert ALERTS.keys() - linked <= unlinked


def _selected(node: Any) -> set[str]:
    """Return the names of all series that an expression selects."""
    found = set(re.findall(r"[a-zA-Z_][a-zA-Z0-9_:]*(?=\s*[\[{])", node.prettify()))
    words = re.findall(
        r"[a-zA-Z_][a-zA-Z0-9_:]*", re.sub(r"\{[^}]*\}|\"[^\"]*\"|(?:by|on|ignoring) \([^)]*\)", " ", node.prettify())
    )
    return {word for word in (*found, *words) if word.startswith(("g6_", "up", "scrape_")) or ":" in word}


def _seconds(span: str) -> int:
    return int(span[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[span[-1]]
