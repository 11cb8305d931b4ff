"""Every panel's query is answered, by a real Prometheus and a real database that a real agent filled."""

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from agent_process import command, environment
from panel_queries import CHOSEN, prometheus_queries, substituted
from victoria_metrics import VictoriaMetrics

from boards import BOARDS
from boards.board import Panel
from g6.alerting.alert import at_speed
from g6.drill.processes import Process, answers, find_program, free_port
from g6.drill.servers import Prometheus

SPEED = 30  # a minute is two seconds, and every range and interval that much shorter
PATIENCE_SECONDS = 75.0
PANELS = [panel for board in BOARDS for row in board.rows for panel in row.panels]


class Filled:
    """A Prometheus and a database beside a running agent."""

    def __init__(self, prometheus: str, database: VictoriaMetrics) -> None:
        self._prometheus, self.database = prometheus, database

    def lines(self, expr: str) -> list[dict[str, Any]]:
        """Return the lines of the answer that have a number now."""
        asked = urllib.parse.urlencode({"query": at_speed(substituted(expr), SPEED)})
        with urllib.request.urlopen(f"{self._prometheus}/api/v1/query?{asked}", timeout=10) as response:
            result = json.load(response)["data"]["result"]
        return [line for line in result if line["value"][1] != "NaN"]

    def unanswered(self) -> list[str]:
        """Return the queries of panels that must show something, and have no line."""
        wanted = [(panel, expr) for panel in PANELS if not panel.quiet for expr in prometheus_queries(panel)]
        return [f"{panel.title}: {expr}" for panel, expr in wanted if not self.lines(expr)]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    if find_program("prometheus") is None or find_program("victoria-metrics") is None:
        pytest.skip("no prometheus, or no victoria-metrics")
    folder = tmp_path_factory.mktemp("panels")
    database = VictoriaMetrics(folder)
    database.start()
    port = free_port()
    agent = Process("g6", command(
        "--at", "2026-11-20T09:15+05:30", "--speed", str(SPEED), "--indices", "NIFTY,SENSEX", "--port", str(port),
        "--data-dir", str(folder / "data"), "--set", "storage.influx.enabled=true", "--concise",
    ), folder, environment(
        INFLUXDB_URL=database.url, INFLUXDB_ORG="g6", INFLUXDB_BUCKET="g6", INFLUXDB_TOKEN="for-a-test",
    ))  # fmt: skip
    prometheus = Prometheus(folder, "panels", SPEED, f"127.0.0.1:{port}", "127.0.0.1:9", ())
    try:
        agent.start()
        agent.wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"))
        prometheus.start()
        yield Filled(prometheus.url, database)
    finally:
        prometheus.stop()
        agent.kill()
        database.kill()


def test_every_panel_has_something_to_show(filled: Filled) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while (unanswered := filled.unanswered()) and time.monotonic() < give_up:
        time.sleep(1.0)
    assert unanswered == []


def test_what_may_be_empty_is_still_a_question_that_prometheus_understands(filled: Filled) -> None:
    for panel in PANELS:
        if panel.quiet:
            for expr in prometheus_queries(panel):
                filled.lines(expr)  # raises on a bad query


def test_what_is_asked_of_the_database_is_what_the_agent_stored(filled: Filled) -> None:
    stored = {line["metric"]["__name__"]: line["metric"] for line in filled.database.series('{__name__!=""}')}
    for panel in (panel for panel in PANELS if panel.flux):
        for measurement, tags, fields in _asked(panel):
            for name in fields:
                there = stored[f"{measurement}_{name}"]
                assert tags.keys() <= there.keys(), f"{measurement} has no such tag"


def _asked(panel: Panel) -> Iterator[tuple[str, dict[str, str], list[str]]]:
    for query in panel.queries:
        flux = substituted(query.expr, CHOSEN)
        (measurement,) = re.findall(r'r\._measurement == "(\w+)"', flux)
        yield (
            measurement,
            dict(re.findall(r'r\.([a-z]\w*) == "([^"]+)"', flux)),
            re.findall(r'r\._field == "(\w+)"', flux),
        )
