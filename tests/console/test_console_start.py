"""The panel at the start, and its lines where there is no terminal.

Each folder of `start_cases` holds the facts and how they are drawn; `G6_REDRAW=1` draws them anew, as for the panel.
"""

import os
from pathlib import Path

import msgspec
import pytest
from rich.cells import cell_len

from g6.console.start import StartFacts, start_lines, start_panel

CASES = sorted(Path(__file__).with_name("start_cases").iterdir())
FORMS = {
    "120.txt": (120, False), "120_ascii.txt": (120, True), "80.txt": (80, False), "80_ascii.txt": (80, True),
    "40.txt": (40, False), "lines.txt": (None, False),
}  # fmt: skip


def facts_in(case: Path) -> StartFacts:
    return msgspec.yaml.decode((case / "facts.yaml").read_bytes(), type=StartFacts)


def drawn(facts: StartFacts, width: int | None, ascii_only: bool) -> str:
    if width is None:
        return str(start_lines(facts, ascii_only=ascii_only))
    return str(start_panel(facts, width, ascii_only=ascii_only))


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.mark.parametrize("form", FORMS)
def test_it_is_drawn_as_it_was_approved(case: Path, form: str) -> None:
    picture, now = case / form, drawn(facts_in(case), *FORMS[form]) + "\n"
    if os.environ.get("G6_REDRAW"):
        picture.write_text(now, "utf-8")
    assert now == picture.read_text("utf-8")


def test_nothing_is_wider_than_the_terminal_and_ascii_is_ascii(case: Path) -> None:
    for width in (1, 20, 40, 60, 80, 120, 200):
        text = drawn(facts_in(case), width, ascii_only=True)
        assert max(map(cell_len, text.splitlines())) <= width
        assert text.isascii()
    assert drawn(facts_in(case), None, ascii_only=True).isascii()


def test_a_pipe_gets_each_fact_on_one_line(case: Path) -> None:
    facts, lines = facts_in(case), drawn(facts_in(case), None, ascii_only=False).splitlines()
    assert f"data     {facts.data_dir}" in lines
    for check in facts.checks:
        assert any(line.startswith(check.state) and check.reason in line for line in lines)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_fact_is_lost_where_it_is_folded(case: Path, width: int) -> None:
    facts, text = facts_in(case), "".join(drawn(facts_in(case), width, ascii_only=False).split())
    told = [facts.data_dir, facts.market, *facts.urls.values(), *facts.off.values(), *(c.reason for c in facts.checks)]
    for each in told:
        assert "".join(each.split()) in text


def test_an_expiry_of_today_is_marked_and_one_of_next_year_says_so() -> None:
    text = drawn(facts_in(next(case for case in CASES if case.name == "trading_day")), 80, ascii_only=False)
    nifty = next(line for line in text.splitlines() if line.startswith("NIFTY"))
    assert nifty.split("  ")[1:] != []
    assert nifty.count("Tue 24 Nov*") == 2
    assert "* expires today" in text
    assert "Thu 28 Jan 27" in text


def test_the_codes_stand_in_the_order_of_time_whatever_index_comes_first() -> None:
    text = drawn(facts_in(next(case for case in CASES if case.name == "trading_day")), 80, ascii_only=False)
    assert "expiries this_week next_week this_month next_month" in " ".join(text.split())
