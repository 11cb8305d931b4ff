"""The tables of `g6/metrics/README.md`: every metric with its unit, who reads it, and a query to begin with.

Nothing of it is written down: metrics follow from the catalogue and the measures, readers from the rules, the alerts
and the dashboards, units and queries from names, kinds and labels.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from g6.alerting import ALERTS, RECORDING
from g6.analytics import CORE, MEASURES
from g6.metrics.catalogue import (
    CATALOGUE,
    DERIVABLE_AGGREGATES,
    Metric,
    off_metrics,
    on_options_page,
    with_aggregates,
)

# Dashboard → the PromQL of its panels.
Boards = Mapping[str, Iterable[str]]

WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
QUOTED = re.compile(r'"[^"]*"')
RECORDED: Mapping[str, str] = {rule.name: rule.expr for group in RECORDING for rule in group.rules}
# So many alerts are named; of more, such as all that wait for an open market, the rest is counted.
NAMED_ALERTS = 4
NOBODY = "nobody; for queries"

# End of a name, `_total` left out → unit. The first that fits.
UNITS: Mapping[str, str] = {
    "_timestamp_seconds": "seconds since 1970", "_time_seconds": "seconds since 1970", "_seconds": "seconds",
    "_bytes": "bytes", "_ratio": "ratio", "_percent": "percent", "_points": "points", "_shares": "shares",
    "_cycles": "cycles", "_rows": "rows", "_series": "series", "_mask": "bits", "_info": "always 1",
}  # fmt: skip
COUNT, CODE, SWITCH = "count", "code", "0 or 1"
CODED = ("_state", "_level")

# Label → what a reader begins with; the other labels' values are few, and each has a line of its own.
CHOSEN: Mapping[str, str] = {"index": "NIFTY", "expiry_code": "this_week", "side": "CE"}
AHEAD = ("_expiry_timestamp_seconds", "_until_timestamp_seconds")

HEAD = (
    "| metric | type | unit | labels | series ≤ | before it is known | what it says | who reads it | for example |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)


def sections() -> Mapping[str, tuple[Metric, ...]]:
    """Return heading → the metrics below it: all that an agent with the default settings can have."""
    kept = (aggregate for aggregate, _ in CORE if aggregate.name not in DERIVABLE_AGGREGATES)
    on_metrics = with_aggregates(kept)
    return {
        "On `/metrics`": CATALOGUE,
        "On `/metrics`: what chains say": tuple(row for row in on_metrics if row not in CATALOGUE),
        "On `/metrics/options`": on_options_page(),
        "On `/metrics/options`: what chains, indices and the market say": tuple(
            off_metrics(MEASURES, on_metrics).values()
        ),
    }


def as_markdown(boards: Boards) -> str:
    """Return the tables, a heading each."""
    alerts = {name: needed(alert.expression()) for name, alert in ALERTS.items()}
    shown = {name: frozenset().union(*map(needed, exprs)) for name, exprs in boards.items()}
    return "\n".join(
        f"### {heading}\n\n{HEAD}" + "".join(_line(row, readers(row, alerts, shown)) for row in rows)
        for heading, rows in sections().items()
    )


def needed(expr: str) -> frozenset[str]:
    """Return the series that an expression needs, by itself or by way of what is recorded; other words among them."""
    words = frozenset(WORD.findall(QUOTED.sub("", expr)))
    return words.union(*(needed(RECORDED[word]) for word in words & RECORDED.keys()))


def readers(row: Metric, alerts: Mapping[str, frozenset[str]], shown: Mapping[str, frozenset[str]]) -> str:
    """Return who asks for a metric: alerts by name, then dashboards by title."""
    told = [name for name, words in alerts.items() if row.series & words]
    named = [f"`{name}`" for name in told[:NAMED_ALERTS]]
    more = [f"{len(told) - NAMED_ALERTS} more"] if len(told) > NAMED_ALERTS else []
    drawn = [name for name, words in shown.items() if row.series & words]
    return "; ".join(part for part in (", ".join([*named, *more]), ", ".join(drawn)) if part) or NOBODY


def unit_of(row: Metric) -> str:
    """Return the unit as the schema has it, or as the name ends; a count where it says none."""
    if row.unit:
        return row.unit
    name = row.name.removesuffix("_total")
    found = next((unit for end, unit in UNITS.items() if name.endswith(end)), None)
    if found or row.type == "counter":
        return found or COUNT
    return SWITCH if _is_switch(row) else CODE if name.endswith(CODED) else COUNT


def example_of(row: Metric) -> str:
    """Return PromQL that makes sense of the metric: the rate of a counter, the age of an instant, else the value."""
    chosen = ",".join(f'{label}="{CHOSEN[label]}"' for label in row.labels if label in CHOSEN)
    series = f"{row.name}{{{chosen}}}" if chosen else row.name
    if row.type == "histogram":
        return f"histogram_quantile(0.9, sum by (le) (rate({row.name}_bucket[5m])))"
    if row.type == "counter":
        return f"rate({series}[5m])"
    if row.name.endswith("_timestamp_seconds"):
        return f"{series} - time()" if row.name.endswith(AHEAD) else f"time() - {series}"
    return f"{series} == 1" if _is_switch(row) and row.labels else series


def _is_switch(row: Metric) -> bool:
    return row.type == "gauge" and row.help.startswith(("1 for ", "1 while "))


def _line(row: Metric, read_by: str) -> str:
    return f"| `{row.name}` | " + " | ".join(text.replace("|", r"\|") for text in _cells(row, read_by)) + " |\n"


def _cells(row: Metric, read_by: str) -> Sequence[str]:
    labels = ", ".join(f"`{label}`" for label in row.labels)
    start = "" if row.type == "histogram" else row.start
    return row.type, unit_of(row), labels, str(row.budget), start, row.help, read_by, f"`{example_of(row)}`"
