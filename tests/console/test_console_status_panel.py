"""The status on a terminal, wide and narrow, in Unicode and ASCII; and as lines where there is none.

Each folder of `status_cases` holds a document and how it is drawn. After a change of the drawing on purpose,
`G6_REDRAW=1 pytest tests/console/test_console_status_panel.py` draws them anew, to be looked at before they are kept.
"""

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from g6.console.status_panel import StatusView
from g6.health.document import StatusDocument, decode
from g6.health.seen import Seen

CASES = sorted(Path(__file__).with_name("status_cases").iterdir())
STOPPED = "not running: stopped Fri 20 Nov 10:03, 5 min ago; SIGTERM"
# File → width, height, ASCII alone, a terminal.
FORMS = {
    "80.txt": (80, 200, False, True),
    "80_ascii.txt": (80, 200, True, True),
    "120.txt": (120, 200, False, True),
    "120_ascii.txt": (120, 200, True, True),
    "80_low.txt": (80, 24, False, True),
    "40_ascii.txt": (40, 200, True, True),
    "lines.txt": (132, 25, False, False),
}


def seen_in(case: Path) -> Seen:
    document = decode((case / "status.json").read_bytes())
    running = document.ended is None
    return Seen(document, running=running, source="agent" if running else "file", note="" if running else STOPPED)


def drawn(seen: Seen, width: int = 80, height: int = 200, ascii_only: bool = False, terminal: bool = True) -> str:
    output = io.StringIO()
    console = Console(
        file=output, width=width, height=height, force_terminal=terminal, color_system=None, highlight=False,
        emoji=False, safe_box=ascii_only,
    )  # fmt: skip
    StatusView(console, ascii_only=ascii_only).show(seen)
    return "".join(f"{line.rstrip()}\n" for line in output.getvalue().splitlines())


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.mark.parametrize("form", FORMS)
def test_it_is_drawn_as_it_was_approved(case: Path, form: str) -> None:
    picture, now = case / form, drawn(seen_in(case), *FORMS[form])
    if os.environ.get("G6_REDRAW"):
        picture.write_text(now, "utf-8")
    assert now == picture.read_text("utf-8")


@pytest.mark.parametrize("width", [30, 59, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(case: Path, width: int) -> None:
    for ascii_only in (False, True):
        assert max(map(cell_len, drawn(seen_in(case), width, ascii_only=ascii_only).splitlines())) <= width


@pytest.mark.parametrize("terminal", [True, False])
def test_ascii_is_ascii(case: Path, terminal: bool) -> None:
    document = seen_in(case).document
    assert document is not None
    foreign = replace(document, components=(replace(document.components[0], sentence="Größe → 5 ₹ … \x1b[31mred\n"),))
    text = drawn(Seen(foreign, running=True, source="agent"), ascii_only=True, terminal=terminal)
    assert text.isascii()
    assert "\x1b" not in text


def test_every_component_and_every_problem_is_told_wherever_there_is_room(case: Path) -> None:
    seen = seen_in(case)
    document: StatusDocument = seen.document  # type: ignore[assignment]
    for width, terminal in ((400, True), (400, False)):
        text = drawn(seen, width, terminal=terminal)
        for one in document.components:
            assert f"{one.name} " in text
            assert one.sentence in text
        for problem in document.problems:
            for said in (problem.title, problem.cause, *problem.actions, problem.runbook):
                assert said in text


def test_a_low_screen_still_tells_every_cause_and_what_to_do(case: Path) -> None:
    seen = seen_in(case)
    text = " ".join(drawn(seen, 200, 12).split())
    for problem in seen.document.problems if seen.document else ():
        assert problem.title in text
        assert problem.cause in text
        assert problem.actions[0] in text


def test_what_a_vendor_wrote_is_no_markup(case: Path) -> None:
    document = seen_in(case).document
    assert document is not None
    odd = replace(document.components[0], sentence="[bold]x[/bold] :smile: [link=http://a]b[/link]")
    for width in (50, 120):
        told = drawn(Seen(replace(document, components=(odd,)), running=True, source="agent"), width)
        assert "[bold]x[/bold] :smile: [link=http://a]b[/link]" in " ".join(told.split())


def test_without_any_document_it_says_what_is_known() -> None:
    seen = Seen(None, running=False, source="nothing", note="not running: nothing answers")
    for terminal in (True, False):
        text = drawn(seen, terminal=terminal)
        assert "G6 is not running" in text
        assert "nothing answers" in text


def test_lines_are_one_fact_each_and_never_wrapped(case: Path) -> None:
    document = seen_in(case).document
    assert document is not None
    lines = drawn(seen_in(case), width=20, terminal=False).splitlines()
    facts = sum(3 + len(problem.actions) for problem in document.problems)
    notes = 1 if document.ended else 0
    assert len(lines) == 3 + notes + len(document.components) + facts
