"""The live panel, wide and narrow, high and low, in Unicode and ASCII.

Each folder of `panel_cases` holds a scene and how it is drawn. After a change of the drawing on purpose,
`G6_REDRAW=1 pytest tests/console/test_console_panel.py` draws them anew, to be looked at before they are kept.
"""

import os
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from rich.cells import cell_len

from g6.console.moment import Scene
from g6.console.panel import panel, panel_head

CASES = sorted(Path(__file__).with_name("panel_cases").iterdir())
# File → width, height, ASCII alone. The height of 23 is what a terminal of 24 lines has for it.
FORMS = {
    "120.txt": (120, 60, False),
    "120_ascii.txt": (120, 60, True),
    "80.txt": (80, 60, False),
    "80_ascii.txt": (80, 60, True),
    "80_low.txt": (80, 23, False),
    "40_low_ascii.txt": (40, 20, True),
}
SIZES = [(width, height) for width in (1, 7, 20, 39, 60, 80, 120, 250) for height in (1, 2, 5, 12, 23, 60)]


def scene_in(case: Path) -> Scene:
    return msgspec.yaml.decode((case / "scene.yaml").read_bytes(), type=Scene)


def drawn(scene: Scene, width: int = 120, height: int = 60, ascii_only: bool = False) -> str:
    return str(panel(scene, width, height, ascii_only=ascii_only))


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def troubled() -> Scene:
    return scene_in(Path(__file__).with_name("panel_cases") / "troubled")


@pytest.fixture
def well() -> Scene:
    return scene_in(Path(__file__).with_name("panel_cases") / "well")


@pytest.mark.parametrize("form", FORMS)
def test_it_is_drawn_as_it_was_approved(case: Path, form: str) -> None:
    picture, now = case / form, drawn(scene_in(case), *FORMS[form]) + "\n"
    if os.environ.get("G6_REDRAW"):
        picture.write_text(now, "utf-8")
    assert now == picture.read_text("utf-8")


def test_nothing_is_ever_wider_or_higher_than_the_terminal(case: Path) -> None:
    for width, height in SIZES:
        for ascii_only in (False, True):
            lines = drawn(scene_in(case), width, height, ascii_only).splitlines()
            assert max(map(cell_len, lines)) <= width
            assert len(lines) <= height


def test_ascii_is_ascii(case: Path) -> None:
    assert all(drawn(scene_in(case), width, height, ascii_only=True).isascii() for width, height in SIZES)


def test_what_is_not_known_is_a_dash(case: Path) -> None:
    for width, height in SIZES:
        assert not re.search(r"\b(nan|inf|None|null)\b", drawn(scene_in(case), width, height))


def test_the_first_line_is_what_changes_from_second_to_second(case: Path) -> None:
    scene = scene_in(case)
    for width in (7, 40, 80, 120):
        assert str(panel_head(scene, width, ascii_only=False)) == drawn(scene, width).splitlines()[0]


@pytest.mark.parametrize(("width", "height"), [(120, 60), (80, 60), (80, 23), (60, 23), (40, 20)])
def test_what_to_do_next_is_shown_whole_for_every_problem(case: Path, width: int, height: int) -> None:
    moment = scene_in(case).moment
    for problem in moment.problems if moment else ():
        assert words(problem.actions[0]) in words(drawn(scene_in(case), width, height))


@pytest.mark.parametrize("width", [80, 120])
def test_a_trader_finds_every_index_with_its_minute_legs_spot_and_quality(case: Path, width: int) -> None:
    moment, text = scene_in(case).moment, drawn(scene_in(case), width)
    for index in moment.report.indices if moment else ():
        row = next(line for line in text.splitlines() if line.startswith(index.index))
        assert f"{index.received}/{index.expected}" in row
        assert re.search(r"\d+%|refused|expiries", row)
        if index.expiries:
            assert f"{index.spot:,.2f}" in row
            assert f"{min(index.expiries, key=lambda e: e.expiry).atm:,.0f}" in row


def test_the_state_is_a_word_and_no_colour_alone() -> None:
    states = {case.name: drawn(scene_in(case)).split()[0] for case in CASES}
    assert states == {
        "closed": "OK", "hanging": "LATE", "login_needed": "DOWN", "starting": "STARTING", "troubled": "DOWN",
        "well": "OK",
    }  # fmt: skip


def test_only_the_whole_is_called_100_percent(well: Scene, troubled: Scene) -> None:
    assert drawn(well).count("100%") == 6 + 1, "six indices and the success"
    assert well.moment is not None
    vitals, report = well.moment.vitals, well.moment.report
    assert vitals is not None
    almost = replace(well.moment, vitals=replace(vitals, cycles=9999, ok=9998, partial=1))
    assert "99.9% of 9,999 minutes" in drawn(replace(well, moment=almost))
    (first, *others) = report.indices
    near = replace(first.expiries[0], defects={"crossed": 1})
    marred = replace(first, expiries=(near, *first.expiries[1:]))
    told = drawn(replace(well, moment=replace(well.moment, report=replace(report, indices=(marred, *others)))))
    assert "99%" in next(line for line in told.splitlines() if line.startswith("NIFTY"))


def test_an_index_without_a_chain_keeps_the_minute_of_its_last_one(troubled: Scene) -> None:
    row = next(line for line in drawn(troubled).splitlines() if line.startswith("BANKEX"))
    assert row.split()[1] == "10:59"
    never = drawn(replace(troubled, last_minutes={}))
    assert next(line for line in never.splitlines() if line.startswith("BANKEX")).split()[1] == "never"


def test_what_is_wrong_stays_when_what_is_well_has_no_room(troubled: Scene) -> None:
    text = drawn(troubled, 80, 15)
    assert "SENSEX" in text
    assert "g6 login" in text
    assert "machine" not in text


def test_a_panel_too_low_for_its_problems_says_how_many_more_there_are(troubled: Scene) -> None:
    lines = drawn(troubled, 80, 4).splitlines()
    assert "token dead" in lines[1], "the worst is the last to go"
    assert "g6 login" in lines[2]
    assert lines[3] == "! 6 more: g6 status", "two problems and four complaints of the minute"


def test_a_complaint_of_the_minute_that_a_problem_is_about_is_said_once(troubled: Scene) -> None:
    assert drawn(troubled).count("Verbindung abgelehnt") == 1


def test_how_late_is_late_depends_on_the_speed_of_the_clock() -> None:
    hanging = scene_in(next(case for case in CASES if case.name == "hanging"))
    assert drawn(hanging).startswith(" LATE ")
    assert drawn(replace(hanging, speed=60.0)).startswith(" OK ")


def test_control_characters_of_a_vendor_never_reach_the_terminal(troubled: Scene) -> None:
    assert troubled.moment is not None
    evil = replace(troubled.moment.problems[0], cause="\x1b[2J\x07 gone\r\n", actions=("do\x1b]0;x\x07 it",))
    text = drawn(replace(troubled, moment=replace(troubled.moment, problems=(evil,))))
    assert text.replace("\n", "").isprintable()
