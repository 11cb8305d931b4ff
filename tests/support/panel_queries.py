"""The queries of dashboards' panels, with what a reader chooses filled in."""

from collections.abc import Iterator, Mapping

from boards.board import Panel

CHOSEN = {"index": "NIFTY", "expiry_code": "this_week", "expiry": "2026-11-23", "offset": "atm"}


def prometheus_queries(panel: Panel) -> Iterator[str]:
    """Yield the PromQL of a panel; none where it asks another source, or nothing."""
    if panel.asks_prometheus:
        yield from (query.expr for query in panel.queries)


def substituted(expr: str, chosen: Mapping[str, str] = CHOSEN, rate_interval: str = "1m") -> str:
    """Return a query as Grafana would send it."""
    expr = expr.replace("$__rate_interval", rate_interval)
    for name in sorted(chosen, key=len, reverse=True):
        expr = expr.replace(f"${{{name}}}", chosen[name]).replace(f"${name}", chosen[name])
    return expr
