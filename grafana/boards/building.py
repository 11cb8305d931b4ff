"""A dashboard in Grafana's own JSON, through Grafana's own builders."""

from collections.abc import Callable, Mapping
from typing import Any

from grafana_foundation_sdk.builders import (
    barchart,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    table,
    text,
    timeseries,
)  # fmt: skip
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import BigValueTextMode, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from boards.board import Board, Panel, Query, Row
from boards.flux import FluxQuery

WIDTH = 24
REFRESH = "30s"
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${prometheus}")
INFLUXDB = DataSourceRef(type_val="influxdb", uid="${influxdb}")

# What a reader may choose: label, and the series that has its values. The metric is on both pages' instances.
CHOICES: Mapping[str, tuple[str, str]] = {
    "index": ("Index", "label_values(g6_index_spot_points, index)"),
    "expiry_code": ("Expiry", 'label_values(g6_chain_straddle_rupees{index="$index"}, expiry_code)'),
    "expiry": ("Expiry date", 'label_values(g6_option_oi_units{index="$index"}, expiry)'),
}
OFFSETS = "atm,p1,m1,p2,m2,p1m1,p2m2"
# Where the reader's browser finds the agent, which serves the runbooks.
AGENT = "http://127.0.0.1:9108"


def to_json(board: Board) -> str:
    """Return the dashboard as the file that Grafana provisions."""
    builder = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags(list(board.tags))
        .timezone("Asia/Kolkata")
        .time("now-6h", "now")
        .refresh(REFRESH)
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(_to_the_others())
    )
    for variable in _variables(board):
        builder.with_variable(variable)
    number, top = 1, 0
    for row in board.rows:
        builder.with_row(dashboard.Row(row.title).id(number).grid_pos(_place(top, 0, WIDTH, 1)))
        number, top = number + 1, top + 1
        for left, width, panel in _beside_one_another(row):
            place = _place(top, left, width, panel.height)
            builder.with_panel(_panel(panel).id(number).grid_pos(place))
            number += 1
        top += max(panel.height for panel in row.panels)
    return JSONEncoder(sort_keys=True, indent=1).encode(builder.build()) + "\n"


def _beside_one_another(row: Row) -> list[tuple[int, int, Panel]]:
    width = WIDTH // len(row.panels)
    return [(number * width, width, panel) for number, panel in enumerate(row.panels)]


def _place(top: int, left: int, width: int, height: int) -> models.GridPos:
    return models.GridPos(x=left, y=top, w=width, h=height)


def _to_the_others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("G6")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags(["g6"])
        .as_dropdown(True)  # noqa: FBT003 (the builder's own form)
        .keep_time(True)  # noqa: FBT003
        .include_vars(True)  # noqa: FBT003
    )


def _variables(board: Board) -> list[Any]:
    sources: list[Any] = [dashboard.DatasourceVariable("prometheus").label("Prometheus").type("prometheus")]
    if any(panel.flux for row in board.rows for panel in row.panels):
        sources.append(dashboard.DatasourceVariable("influxdb").label("InfluxDB").type("influxdb"))
    if any(panel.alerts for row in board.rows for panel in row.panels):
        here = models.VariableOption(text=AGENT, value=AGENT)
        sources.append(dashboard.TextBoxVariable("agent").label("G6 at").default_value(AGENT).current(here))
    for name in board.variables:
        if name == "offset":
            sources.append(dashboard.CustomVariable("offset").label("Offset").values(OFFSETS))
            continue
        label, query = CHOICES[name]
        sources.append(
            dashboard.QueryVariable(name)
            .label(label)
            .datasource(PROMETHEUS)
            .query(query)
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.ALPHABETICAL_ASC)
        )
    return sources


def _panel(panel: Panel) -> Any:
    builder = KINDS[panel.kind](panel).title(panel.title).description(panel.description)
    if panel.kind == "text":
        return builder
    builder.datasource(INFLUXDB if panel.flux else PROMETHEUS).unit(panel.unit)
    if panel.decimals is not None:
        builder.decimals(panel.decimals)
    if panel.words:
        builder.mappings([_mapping(panel)])
    if panel.words or panel.bad_above is not None or panel.good_above is not None:
        builder.thresholds(_thresholds(panel)).color_scheme(
            dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)
        )
    for letter, query in zip("ABCDEFGH", panel.queries, strict=False):
        builder.with_target(_target(panel, query, letter))
        if query.unit:
            builder.override_by_query(letter, _on_the_right(query.unit))
    return builder.links(_runbooks(panel)) if panel.alerts else builder


def _on_the_right(unit: str) -> list[models.DynamicConfigValue]:
    values = {"unit": unit, "custom.axisPlacement": "right"}
    return [models.DynamicConfigValue(id_val=name, value=value) for name, value in values.items()]


def _runbooks(panel: Panel) -> list[dashboard.DashboardLink]:
    return [
        dashboard.DashboardLink(f"Runbook: {name}")
        .type(models.DashboardLinkType.LINK)
        .url(f"${{agent:raw}}/runbooks/{name}")
        .target_blank(True)  # noqa: FBT003
        for name in panel.alerts
    ]


def _target(panel: Panel, query: Query, letter: str) -> Any:
    if panel.flux:
        return FluxQuery(query.expr, letter, INFLUXDB)
    target = prometheus.Dataquery().expr(query.expr).ref_id(letter).datasource(PROMETHEUS)
    if query.legend:
        target.legend_format(query.legend)
    if panel.kind in {"table", "by_strike"}:
        return target.instant().format(PromQueryFormat.TABLE)
    if panel.kind == "stat":
        return target.instant()
    return target.range()


def _graph(_: Panel) -> Any:
    return (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(6)
        .legend(common.VizLegendOptions().show_legend(True))  # noqa: FBT003
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )


def _stat(panel: Panel) -> Any:
    builder = stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    return builder.text_mode(BigValueTextMode.NAME) if panel.by_name else builder


def _heat(panel: Panel) -> Any:
    """Colours over time, a row a line: rows whose names are numbers, such as strikes, lie in their order."""
    return (
        heatmap.Panel()
        .calculate(False)  # noqa: FBT003 (the builder's own form)
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64))
        .cell_values(heatmap.CellValues().unit(panel.unit))
        .show_legend()
    )


def _by_strike(panel: Panel) -> Any:
    """Bars over strikes: one query a side, joined on the strike, which is a number."""
    number = {"conversions": [{"targetField": "strike", "destinationType": "number"}]}
    names = {f"Value #{letter}": query.legend for letter, query in zip("ABCDEFGH", panel.queries, strict=False)}
    return (
        barchart.Panel()
        .x_field("strike")
        .legend(common.VizLegendOptions().show_legend(True))  # noqa: FBT003
        .with_transformation(_transformation("joinByField", {"byField": "strike", "mode": "outer"}))
        .with_transformation(_transformation("convertFieldType", number))
        .with_transformation(_transformation("sortBy", {"sort": [{"field": "strike"}]}))
        .with_transformation(_transformation("organize", {"renameByName": names}))
    )


def _transformation(name: str, options: Mapping[str, object]) -> models.DataTransformerConfig:
    return models.DataTransformerConfig(id_val=name, options=options)


def _text(panel: Panel) -> Any:
    return text.Panel().content(panel.queries[0].expr)


KINDS: Mapping[str, Callable[[Panel], Any]] = {
    "graph": _graph,
    "stat": _stat,
    "table": lambda _: table.Panel(),
    "heat": _heat,
    "by_strike": _by_strike,
    "text": _text,
}


def _mapping(panel: Panel) -> models.ValueMap:
    options = {
        f"{value:g}": models.ValueMappingResult(text=word, color=colour, index=place)
        for place, (value, word, colour) in enumerate(panel.words)
    }
    return models.ValueMap(options=options)


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    steps: list[tuple[float | None, str]]
    if panel.words:
        steps = [(None if place == 0 else value, colour) for place, (value, _, colour) in enumerate(panel.words)]
    elif panel.good_above is not None:
        steps = [(None, "red"), (panel.good_above, "green")]
    else:
        steps = [(None, "green"), (panel.bad_above, "red")]
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=colour) for value, colour in steps])
    )
