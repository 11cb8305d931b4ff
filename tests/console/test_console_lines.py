"""Lines keep to their width whatever is in them, and columns give way by what they are worth."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from g6.console.lines import Column, Drawing, Span, columns, cut, hanging, line, width_of, wrap

WIDE = "行情"  # two cells a sign
TEXTS = st.text(st.sampled_from("ab ,行ö–"), max_size=60)


def text_of(spans):
    return "".join(span.text for span in spans)


@given(st.lists(TEXTS, max_size=4), st.integers(1, 40), st.booleans())
def test_a_cut_line_fits_and_is_the_beginning_of_the_whole(texts, width, ascii_only):
    whole = line(*texts)
    short = cut(whole, width, ascii_only=ascii_only)
    assert width_of(short) <= width
    if width_of(whole) <= width:
        assert short == whole
    else:
        kept = text_of(short).removesuffix("..." if ascii_only else "…")
        assert text_of(whole).startswith(kept) or width < 3


@given(TEXTS, st.integers(2, 40))
def test_wrapped_lines_fit_and_lose_nothing(text, width):
    lines = wrap(text, width)
    assert all(cell_len(each) <= width for each in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(TEXTS, st.integers(2, 60))
def test_a_hanging_text_fits_beside_its_head(text, width):
    assert all(width_of(each) <= width for each in hanging(Span("! "), text, width))


def test_words_stay_whole_where_they_fit():
    assert wrap("one three two", 9) == ["one three", "two"]
    assert wrap("", 9) == [""]
    assert wrap("/a/very/long/path here", 8) == ["/a/very/", "long/pat", "h here"]


def test_columns_give_way_by_what_they_are_worth_and_keep_their_order():
    wanted = [
        Column("name", lambda row: Span(row[0]), 9, left=True), Column("spare", lambda row: Span(row[1]), 1),
        Column("value", lambda row: Span(row[2]), 5), Column("nothing", lambda _: Span(""), 8),
    ]  # fmt: skip
    rows = [(WIDE, "xyz", "1.0"), ("b", "x", "22.25")]
    whole = [text_of(each) for each in columns(rows, wanted, 40, ascii_only=True)]
    assert whole == ["name  spare  value", "-" * 18, "行情    xyz    1.0", "b         x  22.25"]
    assert text_of(columns(rows, wanted, 17, ascii_only=True)[0]) == "name  value"
    assert text_of(columns(rows, wanted, 3, ascii_only=True)[0]) == "name"


@pytest.mark.parametrize("width", [10, 80])
def test_a_console_prints_a_drawing_as_it_is(width):
    output = io.StringIO()
    drawing = Drawing([line(Span("[red]", "bold"), " is no markup"[: width - 5]), line(), line("x")])
    Console(file=output, width=width, color_system=None).print(drawing)
    assert [each.rstrip() for each in output.getvalue().splitlines()] == str(drawing).splitlines()
