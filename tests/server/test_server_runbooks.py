"""The runbooks as the agent serves them: readable, whole, and nothing else of the disk."""

import html
import re
from pathlib import Path

import httpx
import pytest

from g6.alerting import ALERTS


def test_the_index_links_every_page_and_every_page_is_there(client: httpx.Client) -> None:
    index = client.get("/runbooks/")
    linked = re.findall(r'href="(G6\w+\.md)"', index.text)
    assert linked == [f"{name}.md" for name in ALERTS]
    assert {client.get(f"/runbooks/{link}").status_code for link in linked} == {200}


def test_a_page_is_html_of_its_file_under_the_address_that_alerts_name(client: httpx.Client, project: Path) -> None:
    page = client.get("/runbooks/G6DiskFull")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h2>Mitigation</h2>" in page.text
    file = (project / "alerts" / "runbooks" / "G6DiskFull.md").read_text()
    told = html.unescape(re.sub(r"<[^>]+>", "", page.text))
    assert all(
        line in told for block in re.findall(r"```\w+\n(.*?)```", file, re.DOTALL) for line in block.splitlines()
    )


def test_a_page_needs_nothing_but_its_own_style(client: httpx.Client) -> None:
    text = client.get("/runbooks/G6Down").text
    assert re.findall(r"src=|@import|<script|style=", text) == []


@pytest.mark.parametrize(
    "name", ["G6Nothing", "README", "g6down", "..%2f..%2fpyproject.toml", "%2e%2e/alertmanager.yml", "G6Down.md.md"]
)
def test_what_is_no_alert_is_one_line(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/runbooks/{name}")
    assert answer.status_code == 404
    assert answer.text.count("\n") == 1
    assert answer.headers["content-type"].startswith("text/plain")
