"""Every panel's query is answered, by a real Prometheus and a real database that real agents filled.

One agent records the embedded simulator; the other one, for what has to do with a broker, streams from `g6 simulate`.
"""

import contextlib
import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import pytest
import requests
from agent_process import command, environment
from kite_accounts import API_KEY, SECRET
from panel_queries import CHOSEN, substituted
from victoria_metrics import VictoriaMetrics

from boards import BOARDS
from boards.board import Panel, Query
from g6.alerting.alert import at_speed
from g6.clock import SystemClock
from g6.drill.processes import Process, answers, find_program, free_port
from g6.drill.servers import Prometheus
from g6.providers.kite.credentials import Account, token_path
from g6.providers.kite.login import LoginFlow
from g6.providers.kite.options import options_for
from g6.providers.kite.token_file import TokenFile

AT = "2026-11-20T09:15+05:30"
# So that there are calls in every minute, and not those of the first one alone.
PUTS_COME_BY_REST = 'faults: [{name: "puts come by REST", do: mute, match: {kind: PE}}]'
SPEED = 30  # a minute is two seconds, and every range and interval that much shorter
PATIENCE_SECONDS = 120.0  # the last one needs half an hour of minutes, which takes a minute
PANELS = [panel for board in BOARDS for row in board.rows for panel in row.panels]
# By then the agent has brought its database up to date.
STORED = [(PANELS[0], Query('g6_sink_last_success_timestamp_seconds{sink="influx"}'))]


def queries(*, broker: bool) -> list[tuple[Panel, Query]]:
    """The PromQL that is asked of this agent."""
    return [
        (panel, query)
        for panel in PANELS
        if panel.asks_prometheus and panel.broker == broker
        for query in panel.queries
    ]


class Scraped:
    """A Prometheus beside a running agent."""

    def __init__(self, folder: Path, name: str, port: int) -> None:
        self._prometheus = Prometheus(folder, name, SPEED, f"127.0.0.1:{port}", "127.0.0.1:9", ())

    def __enter__(self) -> Self:
        self._prometheus.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._prometheus.stop()

    def lines(self, expr: str) -> list[dict[str, Any]]:
        """Return the lines of the answer that have a number now; raises on what is no query."""
        asked = urllib.parse.urlencode({"query": at_speed(substituted(expr), SPEED)})
        with urllib.request.urlopen(f"{self._prometheus.url}/api/v1/query?{asked}", timeout=10) as response:
            result = json.load(response)["data"]["result"]
        return [line for line in result if line["value"][1] != "NaN"]

    def unanswered(self, wanted: list[tuple[Panel, Query]]) -> list[str]:
        """Return those of the queries that have no line however long one waits."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        left = [f"{panel.title}: {query.expr}" for panel, query in wanted if not query.quiet]
        while left and time.monotonic() < give_up:
            left = [each for each in left if not self.lines(each.partition(": ")[2])]
            time.sleep(0.5 if left else 0)
        return left


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_program("prometheus") is None or find_program("victoria-metrics") is None:
        pytest.skip("no prometheus, or no victoria-metrics")
    return tmp_path_factory.mktemp("panels")


@pytest.fixture(scope="module")
def database(folder: Path) -> Iterator[VictoriaMetrics]:
    database = VictoriaMetrics(folder)
    database.start()
    yield database
    database.kill()


@pytest.fixture(scope="module")
def filled(folder: Path, database: VictoriaMetrics) -> Iterator[Scraped]:
    """What the agent says that asks the embedded simulator."""
    port = free_port()
    agent = Process("g6", command(
        "--at", AT, "--speed", str(SPEED), "--indices", "NIFTY,SENSEX", "--port", str(port),
        "--data-dir", str(folder / "data"), "--set", "storage.influx.enabled=true", "--concise",
    ), folder, environment(
        INFLUXDB_URL=database.url, INFLUXDB_ORG="g6", INFLUXDB_BUCKET="g6", INFLUXDB_TOKEN="for-a-test",
    ))  # fmt: skip
    with running(agent, f"http://127.0.0.1:{port}/readyz"), Scraped(folder, "panels", port) as scraped:
        yield scraped


@pytest.fixture(scope="module")
def brokered(folder: Path) -> Iterator[Scraped]:
    """What the agent says that streams from `g6 simulate`, after a login there."""
    own = folder / "brokered"
    own.mkdir()
    (own / "faults.yaml").write_text(PUTS_COME_BY_REST, "utf-8")
    root, port = f"http://127.0.0.1:{free_port()}", free_port()
    broker = Process("broker", command(
        "simulate", "--at", AT, "--speed", str(SPEED), "--port", root.rpartition(":")[2], "--auto-login",
        "--faults", str(own / "faults.yaml"),
    ), own, environment())  # fmt: skip
    around = environment(XDG_STATE_HOME=str(own / "state"), HOME=str(own), KITE_API_KEY=API_KEY, KITE_API_SECRET=SECRET)
    agent = Process("agent", command(
        "--provider", "kite-stream", "--root", root, "--indices", "NIFTY", "--port", str(port),
        "--data-dir", str(own / "data"), "--set", "collection.market.enabled=false", "--concise",
    ), own, around)  # fmt: skip
    with running(broker, f"{root}/simulator/clock"):
        log_in(root, around)
        with running(agent, f"http://127.0.0.1:{port}/readyz"), Scraped(own, "brokered", port) as scraped:
            yield scraped


@contextlib.contextmanager
def running(process: Process, page: str) -> Iterator[None]:
    """Run a program, from when it serves this page on."""
    try:
        process.start()
        process.wait_until(lambda: answers(page))
        yield
    finally:
        process.kill()


def log_in(root: str, environ: Mapping[str, str]) -> None:
    """Log in at a page that presses its own button; what it leads back to has the request token."""
    page = f"{root}/connect/login?api_key={API_KEY}&v=3"
    while "request_token=" not in page:
        page = urllib.parse.urljoin(page, requests.get(page, allow_redirects=False, timeout=10).headers["location"])
    file = TokenFile(token_path("main", environ, options_for(root)))
    LoginFlow(Account("main", API_KEY, SECRET), options_for(root), file, SystemClock()).exchange(page)


@pytest.mark.long
def test_every_panel_has_something_to_show(filled: Scraped) -> None:
    assert filled.unanswered(queries(broker=False)) == []


@pytest.mark.long
def test_every_panel_of_the_broker_has_something_to_show_where_one_answers(brokered: Scraped) -> None:
    assert brokered.unanswered(queries(broker=True)) == []


@pytest.mark.long
def test_what_may_be_empty_is_still_a_question_that_prometheus_understands(filled: Scraped) -> None:
    for panel, query in queries(broker=False) + queries(broker=True):
        if query.quiet or panel.broker:
            filled.lines(query.expr)  # raises on a bad query


@pytest.mark.long
def test_what_is_asked_of_the_database_is_what_the_agent_stored(filled: Scraped, database: VictoriaMetrics) -> None:
    assert filled.unanswered(STORED) == []
    stored = {line["metric"]["__name__"]: line["metric"] for line in database.series('{__name__!=""}')}
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
