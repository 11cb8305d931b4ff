"""What each path answers, before the first cycle and after, over a real socket."""

import base64
import gzip
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from g6.health.document import decode
from g6.metrics.exposition import Exposition
from g6.model.report import CycleReport
from g6.model.snapshot import Snapshot
from g6.server import EmbeddedServer, create_app

PATHS = ("/", "/metrics", "/metrics/options", "/health", "/healthz", "/readyz", "/runbooks/")


def samples(text: str) -> int:
    return sum(len(family.samples) for family in text_string_to_metric_families(text))


def test_everything_answers_before_the_first_cycle(client: httpx.Client) -> None:
    statuses = {path: client.get(path).status_code for path in PATHS}
    assert statuses == dict.fromkeys(PATHS, 200) | {"/readyz": 503}
    assert samples(client.get("/metrics").text) > 50
    assert client.get("/metrics/options").text == ""
    assert "No minute has been recorded yet." in client.get("/").text
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").json()["reasons"] == ["no cycle has ended yet"]


def test_a_cycle_is_seen_on_every_page(agent: Any, client: httpx.Client, report: Callable[..., CycleReport]) -> None:
    agent.tell(report())
    assert client.get("/readyz").status_code == 200
    assert 'g6_legs_received_total{index="NIFTY"} 43.0' in client.get("/metrics").text
    page = client.get("/").text
    assert "1 expiry, 43/84 quotes, 0.41 s" in page
    for fact in ("25,001.00", "25,010.25", "24 Nov 2026", "40/42", "0.87", "24,950", "12.34 %", "251.50"):
        assert fact in page


def test_a_failed_cycle_is_not_ready_and_says_why(
    agent: Any, client: httpx.Client, report: Callable[..., CycleReport]
) -> None:
    agent.tell(report(error="TransientError: the vendor timed out", indices=(), journal=None))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "the vendor timed out" in answer.json()["reasons"][0]
    assert answer.headers["content-type"] == "application/json"
    assert client.get("/healthz").status_code == 200


def test_health_is_the_status_document_and_its_code_says_nothing(
    agent: Any, client: httpx.Client, report: Callable[..., CycleReport]
) -> None:
    agent.tell(report(journal=None))
    answer = client.get("/health")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    told = decode(answer.content)
    assert (told.status, told.live, told.ready) == ("down", True, False)
    assert [problem.id for problem in told.problems] == ["journal_not_committing", "chains_refused"]
    assert told.reasons[0].startswith("the last cycle failed")


def test_the_landing_page_names_each_problem_with_what_to_do(
    agent: Any, client: httpx.Client, report: Callable[..., CycleReport]
) -> None:
    assert "Problems" not in client.get("/").text
    agent.tell(report(journal=None))
    page = client.get("/").text
    assert "minutes are not durable" in page
    assert "next: `df -h` shows what fills the disk" in page


def test_the_options_page_is_compressed_only_for_who_accepts_it(
    agent: Any, client: httpx.Client, snapshot: Callable[[int], Snapshot]
) -> None:
    agent.options.render(snapshot(200))
    plain = client.get("/metrics/options", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == agent.options.current.plain
    assert samples(plain.text) == agent.options.current.series
    with client.stream("GET", "/metrics/options", headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(raw)
    assert gzip.decompress(raw) == plain.content
    refused = client.get("/metrics/options", headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


@pytest.mark.parametrize("path", ["/metrics", "/metrics/options"])
def test_metrics_are_plain_text_of_the_version_that_prometheus_reads(client: httpx.Client, path: str) -> None:
    assert client.get(path).headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_openmetrics_is_served_when_asked_for(client: httpx.Client) -> None:
    answer = client.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0,*/*;q=0.1"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")


@pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
def test_head_is_get_without_the_body(client: httpx.Client, path: str) -> None:
    head = client.head(path)
    assert head.status_code == client.get(path).status_code
    assert head.content == b""
    assert int(head.headers["content-length"]) >= 0


@pytest.mark.parametrize("path", ["/nowhere", "/metrics/", "/metrics/options/NIFTY", "/%00", "/..%2f..%2fetc"])
def test_other_paths_are_not_found(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.text == "not found: / lists what is served\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_refused(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/metrics")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
def test_every_answer_forbids_what_a_browser_might_do_with_it_and_names_no_server(
    client: httpx.Client, path: str
) -> None:
    headers = client.get(path).headers
    assert "server" not in headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"


def test_the_landing_page_is_allowed_its_own_style_and_needs_nothing_else(
    agent: Any, client: httpx.Client, report: Callable[..., CycleReport]
) -> None:
    agent.tell(report())
    answer = client.get("/")
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert re.findall(r"https?:|src=|url\(|@import|<script|style=", answer.text) == []
    assert re.findall(r'href="([^"]+)"', answer.text) == list(PATHS[1:])


class Balance(HTMLParser):
    """Every tag that opens must close, in order."""

    VOID = ("meta", "link", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_landing_page_is_well_formed_with_and_without_a_report(
    agent: Any, client: httpx.Client, report: Callable[..., CycleReport]
) -> None:
    agent.health.session({"NSE": False}, report().minute.date())
    for _ in range(2):
        parser = Balance()
        parser.feed(client.get("/").text)
        assert parser.open == []
        agent.tell(report())


def test_nothing_from_outside_is_taken_for_html(
    agent: Any, client: httpx.Client, report: Callable[..., CycleReport]
) -> None:
    agent.tell(report(error='<script>alert(1)</script> & "co" ', provider="<b>x</b>"))
    page = client.get("/").text
    assert "<script" not in page
    assert "<b>" not in page
    assert "<answered>" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_page_that_breaks_is_an_error_and_the_others_go_on(
    agent: Any, serve: Callable[..., EmbeddedServer], caplog: pytest.LogCaptureFixture
) -> None:
    class BrokenHealth:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("health is ill")

    app = create_app(Exposition(agent.instruments), agent.options, BrokenHealth(), agent.state)  # type: ignore[arg-type]
    with httpx.Client(base_url=serve(app).url, timeout=20) as client:
        answer = client.get("/healthz")
        assert (answer.status_code, answer.text) == (500, "this page is broken; the log says why\n")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert client.get("/metrics").status_code == 200
    assert "health is ill" in caplog.text


def test_many_scrapers_at_once_all_get_whole_pages(
    agent: Any, client: httpx.Client, snapshot: Callable[[int], Snapshot]
) -> None:
    agent.options.render(snapshot(500))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(client.get, ["/metrics", "/metrics/options"] * 16))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in answers[1::2]} == {agent.options.current.plain}
