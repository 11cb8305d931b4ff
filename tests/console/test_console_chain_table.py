"""The chain on a terminal, wide and narrow, in Unicode and ASCII.

Each folder of `chain_cases` holds a chain and how it is drawn. After a change of the drawing on purpose,
`G6_REDRAW=1 pytest tests/console/test_console_chain_table.py` draws them anew, to be looked at before they are kept.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest
from rich.cells import cell_len
from sample_market import sample_market

from g6.console.chain_rows import COLUMN_WORDS, Ladder, bar, compact
from g6.console.chain_table import ChainView, Choice, chain_table
from g6.model.chain import OptionChain

CASES = sorted(Path(__file__).with_name("chain_cases").iterdir())
USUAL = Choice()
# File → width, ASCII alone, what is chosen.
FORMS = {
    "80.txt": (80, False, USUAL),
    "80_ascii.txt": (80, True, USUAL),
    "100.txt": (100, False, USUAL),
    "120.txt": (120, False, USUAL),
    "120_ascii.txt": (120, True, USUAL),
    "120_greeks.txt": (120, False, Choice(greeks=True)),
    "160.txt": (160, False, USUAL),
    "80_chosen.txt": (80, False, Choice(2, ("ltp", "delta", "theta", "iv"))),
}


def view_in(case: Path) -> ChainView:
    told = orjson.loads((case / "chain.json").read_bytes())
    minute = datetime.fromisoformat(told["minute"])
    columns = {name: np.array(values, bool if name == "is_call" else float) for name, values in told["columns"].items()}
    chain = OptionChain(
        index=told["index"], expiry=date.fromisoformat(told["expiry"]), codes=tuple(told["codes"]), at=minute,
        expires_at=datetime.fromisoformat(told["expires_at"]), spot=told["spot"], spot_frozen=told["spot_frozen"],
        expected=len(columns["strike"]), lot=told["lot"], atm=told["atm"], settling=told.get("settling", False),
        forward=np.nan if told["forward"] is None else told["forward"], forward_source=told["forward_source"],
        aggregates=told["measures"], **columns,
    )  # fmt: skip
    market = sample_market(minute) if told["measures"] else None
    return ChainView(chain, minute, told["provider"], told["index_measures"], market)


def drawn(view: ChainView, width: int = 120, ascii_only: bool = False, choice: Choice = USUAL) -> str:
    return str(chain_table(view, width, choice, ascii_only=ascii_only)) + "\n"


def table_of(text: str) -> list[str]:
    """The lines between the two empty ones."""
    return text.split("\n\n")[1].splitlines()


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def view(request: pytest.FixtureRequest) -> ChainView:
    return view_in(request.param)


@pytest.fixture
def well() -> ChainView:
    return view_in(Path(__file__).with_name("chain_cases") / "well")


def with_chain(view: ChainView, **changes: object) -> ChainView:
    return replace(view, chain=replace(view.chain, **changes))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_drawn_as_it_was_approved(case: Path, form: str) -> None:
    picture, now = case / form, drawn(view_in(case), *FORMS[form])
    if os.environ.get("G6_REDRAW"):
        picture.write_text(now, "utf-8")
    assert now == picture.read_text("utf-8")


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 100, 120, 160, 250])
def test_no_line_is_wider_than_the_terminal_and_ascii_is_ascii(view: ChainView, width: int) -> None:
    for choice in (USUAL, Choice(None, greeks=True), Choice(0, COLUMN_WORDS)):
        for ascii_only in (False, True):
            text = drawn(view, width, ascii_only, choice)
            assert max(map(cell_len, text.splitlines())) <= width
            assert text.isascii() or not ascii_only


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_the_walls_stand_below_each_other(view: ChainView, width: int) -> None:
    places = {tuple(m.start() for m in re.finditer("[│┼]", text)) for text in table_of(drawn(view, width))}
    assert len(places) == 1
    (walls,) = places
    assert len(walls) == 2


def test_calls_are_left_and_puts_right_of_their_strike(well: ChainView) -> None:
    chain = well.chain
    (row,) = [text for text in table_of(drawn(well, 160)) if "►" in text]
    calls, middle, puts = row.split("│")
    for side, text in ((True, calls), (False, puts)):
        leg = int(np.flatnonzero((chain.strike == chain.atm) & (chain.is_call == side))[0])
        for value in (chain.last[leg], chain.bid[leg], chain.ask[leg], chain.delta[leg]):
            assert f"{value:,.2f}" in text.split()
    assert f"► {chain.atm:,.0f} ◄" in middle


def test_the_level_of_the_spot_stands_between_its_strikes_and_the_forward_while_it_is_frozen(well: ChainView) -> None:
    for frozen, level in ((False, well.chain.spot), (True, well.chain.forward)):
        lines = table_of(drawn(with_chain(well, spot_frozen=frozen), 120))
        (place,) = [i for i, text in enumerate(lines) if f"{level:,.2f}" in text]
        strikes = [re.search(r"\d\d,\d{3}", lines[i].split("│")[1]) for i in (place - 1, place + 1)]
        below, above = (float(found.group().replace(",", "")) for found in strikes if found)
        assert below < level <= above


def test_of_bid_and_ask_neither_is_shown_alone(well: ChainView) -> None:
    for width in range(60, 170, 7):
        for choice in (USUAL, Choice(greeks=True)):
            heads = table_of(drawn(well, width, choice=choice))[1].split()
            assert ("bid" in heads) == ("ask" in heads)


def test_what_is_wider_shows_no_column_less(well: ChainView) -> None:
    before: set[str] = set()
    for width in range(60, 200, 5):
        now = set(table_of(drawn(well, width))[1].split())
        assert before <= now
        before = now


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(3 * 86400 + 8640, "3.1 days"), (86400, "1.0 days"), (86399, "24.0 hours"), (3600, "1.0 hours"),
     (3599, "59 minutes"), (120, "2 minutes"), (119, "1 minute"), (59, "under a minute"), (0, "expired"),
     (-60, "expired")],
)  # fmt: skip
def test_the_time_to_expiry_is_told_in_the_unit_that_says_something(well: ChainView, seconds: int, told: str) -> None:
    late = with_chain(well, expires_at=well.chain.at + timedelta(seconds=seconds))
    assert f"{well.chain.expiry:%d %b %y} ({told})" in drawn(late).splitlines()[0]


@pytest.mark.parametrize(
    ("index", "told"),
    [("BANKNIFTY", "BANKNIFTY shares up 7, down 5"), ("NIFTY", "NIFTY shares up 19, down 31"),
     ("SENSEX", "NIFTY shares up 19, down 31")],
)  # fmt: skip
def test_breadth_is_that_of_the_index_asked_for_or_says_whose_it_is(well: ChainView, index: str, told: str) -> None:
    groups = {"NIFTY": (19.0, 31.0), "BANKNIFTY": (7.0, 5.0), "OIL_GAS": (2.0, 1.0)}
    breadth = {
        f"{group}.{name}": value
        for group, values in groups.items()
        for name, value in zip(("advances", "declines"), values, strict=True)
    }
    market = replace(sample_market(well.minute), breadth=breadth, aggregates={"advances": 19.0, "declines": 31.0})
    text = drawn(replace(with_chain(well, index=index), market=market), 160)
    (line,) = [line for line in text.splitlines() if line.startswith("market")]
    assert told in line
    assert line.count("shares up") == 1


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
def test_ascii_cuts_no_clause_that_the_other_form_shows_whole(well: ChainView, width: int) -> None:
    said = [" ".join(drawn(well, width, ascii_only).split()) for ascii_only in (False, True)]
    for clause in ("moved today +0.04 of the expected move", "by IV: 23,929 to 24,368"):
        assert clause in said[0]
        assert clause in said[1]


def test_every_number_of_the_smile_and_of_the_move_says_what_it_is(well: ChainView) -> None:
    text = " ".join(drawn(well, 160).split())
    smile = [well.chain.aggregates[name] * 100 for name in ("risk_reversal_25", "butterfly_25")]
    assert f"risk reversal {smile[0]:+.2f} vol points, butterfly {smile[1]:+.2f} vol points" in text
    assert f"moved today {well.chain.aggregates['breakout_ratio']:+.2f} of the expected move" in text


def test_columns_that_were_chosen_are_those_that_are_shown(well: ChainView) -> None:
    heads = table_of(drawn(well, 120, choice=Choice(columns=("ltp", "vega"))))[1].split()
    assert heads == ["vega", "LTP", "│", "strike", "│", "LTP", "vega"]


@pytest.mark.parametrize("strikes", [0, 1, 3])
def test_as_many_strikes_as_asked_for_stand_on_either_side(well: ChainView, strikes: int) -> None:
    lines = [text for text in table_of(drawn(well, choice=Choice(strikes)))[3:] if "│" in text]
    assert len(lines) == 2 * strikes + 1
    assert "►" in lines[strikes]


def test_levels_are_told_by_their_measures_and_marked_at_their_strikes(well: ChainView) -> None:
    text = drawn(well, 120)
    for letter, name in (("S", "support_oi"), ("R", "resistance_oi"), ("P", "max_pain")):
        strike = f"{well.chain.aggregates[name]:,.0f}"
        assert re.search(rf"│ \w*{letter}\w* +(► )?{strike}", text)
        assert re.search(rf"{letter} (support|resistance|max pain) {strike}", text)


def test_what_is_not_known_is_never_nan(view: ChainView) -> None:
    blind: Mapping[str, float] = dict.fromkeys(view.chain.aggregates, np.nan)
    nothing = np.full(len(view.chain), np.nan)
    unknown = with_chain(view, aggregates=blind, atm=np.nan, forward=np.nan, spot=np.nan, last=nothing, oi=nothing)
    for each in (view, unknown, replace(unknown, index=blind, market=None)):
        assert "nan" not in drawn(each, 160).lower().replace("finan", "")


def test_a_chain_without_legs_has_a_head_and_no_table(well: ChainView) -> None:
    empty = {name: getattr(well.chain, name)[:0] for name in Ladder.__slots__ if name == "strike"}
    chain = OptionChain(
        index="NIFTY", expiry=well.chain.expiry, codes=(), at=well.chain.at, expires_at=well.chain.expires_at,
        spot=24000.0, spot_frozen=False, expected=0, lot=75, is_call=np.empty(0, bool), **empty,
    )  # fmt: skip
    assert drawn(ChainView(chain, well.minute, "", {})).startswith("NIFTY 24,000.00")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (950, "950"), (999.4, "999"), (1000, "1.00k"), (97_500, "97.5k"), (99_960, "1.00L"),
     (1_240_000, "12.4L"), (12_400_000, "1.24Cr"), (4.0459e11, "40,459Cr"), (-21e5, "-21.0L"), (float("nan"), "-")],
)  # fmt: skip
def test_quantities_are_told_in_lakhs_and_crores(value: float, text: str) -> None:
    assert compact(value) == text
    assert compact(value, signed=True) == ("+" + text if value > 0 else text)


@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_bar_fills_its_cells_grows_with_its_share_and_leaves_a_mark_for_any(ascii_only: bool) -> None:
    for rightwards in (False, True):
        bars = [bar(s, 8, rightwards=rightwards, ascii_only=ascii_only) for s in (0.0, 0.001, 0.3, 0.7, 1.0)]
        assert {len(text) for text in bars} == {8}
        filled = [len(text.strip()) for text in bars]
        assert filled == sorted(filled)
        assert (filled[0], filled[1], filled[-1]) == (0, 1, 8)
        assert all(text.startswith(" ") != rightwards for text in bars[1:3])
