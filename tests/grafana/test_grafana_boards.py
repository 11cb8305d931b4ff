"""Every dashboard keeps the rules of a good one, and is what its table says."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard
from panel_queries import prometheus_queries, substituted
from promql import needed, ranges, selectors

from boards import BOARDS, dashboards
from boards.board import Board, Panel
from g6.alerting import ALERTS, RECORDING
from g6.metrics.catalogue import Metric
from g6.reports.metrics_page import sections, unit_of

OF_THE_SCRAPE = {"up", "scrape_samples_post_metric_relabeling"}
METRICS: dict[str, Metric] = {name: row for rows in sections().values() for row in rows for name in row.series}
RECORDED = {rule.name: rule.expr for group in RECORDING for rule in group.rules}
SCRAPED = {"/metrics": timedelta(seconds=15), "/metrics/options": timedelta(seconds=60)}
# What a line of a metric measures → the units of panels that say so.
UNITS = {
    "seconds": {"s"}, "seconds since 1970": {"dateTimeAsIso", "dateTimeFromNow"}, "bytes": {"bytes"},
    "rupees": {"currencyINR"}, "points": {"none"}, "percent": {"percent"}, "%": {"percent"},
}  # fmt: skip
PER_SECOND = {"seconds": {"percentunit", "s"}, "bytes": {"Bps"}}
SHARES_AND_RATIOS = {"ratio", "1", "1/sqrt(year)"}
COUNTED = {"none", "short", "reqps"}

# Field of the database → its unit; the masters' are those of the premium that they are of.
STORED = {"total_premium": "rupees", "mean": "rupees", "exponential_mean": "rupees", "min": "rupees", "max": "rupees",
          "last": "rupees", "iv": "ratio", "straddle": "rupees", "atm_iv": "ratio", "spot": "points"}  # fmt: skip
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
    linked = {"agent"} if any(p.alerts for r in board.rows for p in r.panels) else set()
    assert {variable["name"] for variable in files[board.uid]["templating"]["list"]} == used | sources | linked


@by_board
def test_a_panels_runbooks_are_those_of_the_agent_that_the_reader_names(board: Board, files: dict[str, Any]) -> None:
    drawn = [panel for panel in files[board.uid]["panels"] if panel["type"] != "row"]
    for panel, one in zip((panel for row in board.rows for panel in row.panels), drawn, strict=True):
        links = [link["url"] for link in one.get("links", [])]
        assert links == [f"${{agent:raw}}/runbooks/{name}" for name in panel.alerts]


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
    for expr in map(substituted, prometheus_queries(panel)):
        assert {selector.name for selector in selectors(expr)} <= METRICS.keys() | RECORDED.keys() | OF_THE_SCRAPE


@by_panel
def test_a_counter_is_asked_only_how_it_grows(board: Board, panel: Panel) -> None:
    for expr in map(substituted, prometheus_queries(panel)):
        assert "irate(" not in expr
        grown = {each.vector_selector.name for each in ranges(expr)}
        counters = {s.name for s in selectors(expr) if s.name in METRICS and METRICS[s.name].type != "gauge"}
        assert counters <= grown, "a counter by itself"


@by_panel
def test_a_range_holds_four_scrapes_of_its_page(board: Board, panel: Panel) -> None:
    """Also the one that Grafana chooses: four times the scrape interval that its data source is told, 15 seconds."""
    for expr in prometheus_queries(panel):
        for each in ranges(substituted(expr, rate_interval="60s")):
            page = METRICS[each.vector_selector.name].page
            assert each.range >= 4 * SCRAPED[page], f"{each.vector_selector.name}[{each.range}] of {page}"


def test_grafana_knows_how_often_the_page_is_scraped(project: Path) -> None:
    sources = yaml.safe_load((project / "grafana/provisioning/datasources/g6.yaml").read_text("utf-8"))["datasources"]
    (prometheus,) = (source for source in sources if source["type"] == "prometheus")
    assert prometheus["jsonData"]["timeInterval"] == "15s"


@by_panel
def test_a_line_is_shown_in_the_unit_that_it_has(board: Board, panel: Panel) -> None:
    """Where a query is one metric, or what it grows by; shares of shares are left to the reader."""
    for query in panel.queries if panel.asks_prometheus else ():
        allowed = units_of(substituted(query.expr))
        assert not allowed or (query.unit or panel.unit) in allowed, query.expr


def units_of(expr: str) -> set[str]:
    """The units in which an answer may be shown; none where arithmetic makes another thing of the metrics."""
    found = re.sub(r"^(sum|avg|max) by \(\w+\) \((.*)\)( > 0)?$", r"\2", expr)
    alone = re.fullmatch(r"(rate|increase|changes|)\(?([a-z]\w+)(\{[^}]*\})?(\[\w+\]\))?", found)
    if alone is None or alone[2] not in METRICS:
        return set()
    unit = unit_of(METRICS[alone[2]])
    if unit in SHARES_AND_RATIOS:
        return {"percentunit", "none"}
    if alone[1] == "rate":
        return PER_SECOND.get(unit, COUNTED)
    return COUNTED if alone[1] == "changes" else UNITS.get(unit.partition("/")[0], COUNTED)


@pytest.mark.parametrize(
    ("expr", "units"),
    [
        ("increase(g6_governor_reclaims_total[10m])", COUNTED),
        ("increase(g6_governor_reclaimed_bytes_total[10m])", {"bytes"}),
        ('g6_chain_straddle_rupees{index="NIFTY"}', {"currencyINR"}),
        ("sum by (endpoint) (rate(g6_provider_requests_total[1m]))", COUNTED),
        ("g6_disk_free_bytes / g6_disk_total_bytes", set()),
    ],
)
def test_what_a_unit_is_judged_by(expr: str, units: set[str]) -> None:
    assert units_of(expr) == units


def made_panels(files: dict[str, Any]) -> Iterator[tuple[Panel, dict[str, Any]]]:
    """Every panel of the tables, and as it stands in the file."""
    for board in BOARDS:
        wanted = [panel for row in board.rows for panel in row.panels]
        made = [panel for panel in files[board.uid]["panels"] if panel["type"] != "row"]
        yield from zip(wanted, made, strict=True)


def test_a_panel_of_the_file_is_that_of_the_table(files: dict[str, Any]) -> None:
    assert [(panel.title, panel.unit) for panel, made in made_panels(files) if panel.title != made["title"]] == []


def test_a_second_unit_has_an_axis_of_its_own(files: dict[str, Any]) -> None:
    for panel, made in made_panels(files):
        told = {
            override["matcher"]["options"]: {each["id"]: each["value"] for each in override["properties"]}
            for override in made.get("fieldConfig", {}).get("overrides", ())
        }
        assert told == {
            letter: {"unit": query.unit, "custom.axisPlacement": "right"}
            for letter, query in zip("ABCDEFGH", panel.queries, strict=False)
            if query.unit
        }, panel.title


def test_a_stored_panel_has_one_unit() -> None:
    for _, panel in PANELS:
        fields = {
            name for query in panel.queries if panel.flux for name in re.findall(r'_field == "(\w+)"', query.expr)
        }
        assert len({STORED[name] for name in fields}) <= 1, panel.title


def test_what_is_1_for_one_of_several_shows_its_name(files: dict[str, Any]) -> None:
    """A stat of an information, or of `== 1`, has the number 1 and says it by what its line is called."""
    named = set()
    for panel, made in made_panels(files):
        if panel.kind == "stat":
            expr = panel.queries[0].expr
            says_one = "_info" in expr or expr.endswith("== 1")
            assert (made["options"].get("textMode") == "name") == says_one, panel.title
            assert panel.queries[0].legend or not says_one
            named |= {panel.title} if says_one else set()
    assert named == {"Version", "Who answers", "Token", "The clock of the minutes"}


def test_bars_of_several_sides_say_which_is_which(files: dict[str, Any]) -> None:
    bars = [panel for file in files.values() for panel in file["panels"] if panel["type"] == "barchart"]
    assert bars
    assert all(panel["options"]["legend"]["showLegend"] for panel in bars)


def test_open_interest_over_time_is_coloured_by_a_scale(files: dict[str, Any]) -> None:
    """A row is a series whose name is its strike; nothing is summed up anew, as it would be of a histogram."""
    (panel,) = (panel for panel in files["g6-sentiment"]["panels"] if panel["type"] == "heatmap")
    assert panel["options"]["color"]["mode"] == "scheme"
    assert panel["options"]["calculate"] is False
    assert panel["targets"][0]["legendFormat"] == "{{strike}}"
    assert "format" not in panel["targets"][0]


def test_a_flip_is_drawn_beside_what_it_is_a_level_of() -> None:
    """The chain's flip is a level of its forward; the gamma exposure of a strike, as of a chain, is of the forward."""
    for _, panel in PANELS:
        asked = set().union(*(needed(substituted(expr), RECORDED) for expr in prometheus_queries(panel)))
        if "g6_chain_gex_flip_points" in asked:
            assert "g6_chain_forward_points" in asked
            assert "forward" in panel.description
        if asked & {"g6_option_gamma_per_point", "g6_option_gex_rupees"}:
            assert "g6_index_spot_points" not in asked


def test_every_alert_leads_to_a_dashboard_that_there_is() -> None:
    uids = {board.uid for board in BOARDS}
    assert {alert.dashboard for alert in ALERTS.values()} <= uids


def test_every_alert_but_the_watchdog_has_a_panel_that_leads_to_its_runbook() -> None:
    linked = {name for _, panel in PANELS for name in panel.alerts}
    assert ALERTS.keys() - linked == {"G6Watchdog"}


@pytest.mark.parametrize("name", [name for name, alert in ALERTS.items() if alert.severity == "critical"])
def test_a_critical_alert_is_linked_where_what_it_asks_for_is_drawn(name: str) -> None:
    asked = needed(ALERTS[name].expression(), RECORDED) - {"g6_market_open", "g6_problem_active"}
    drawn = [
        needed(substituted(expr), RECORDED)
        for _, panel in PANELS
        if name in panel.alerts
        for expr in prometheus_queries(panel)
    ]
    assert drawn
    assert not asked or any(asked & names for names in drawn)
