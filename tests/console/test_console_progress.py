"""Long work says how far it is: on a terminal in place, elsewhere now and then, and never where data goes."""

import io
import sys

import pytest
from rich.cells import cell_len

from g6.console.lines import width_of
from g6.console.progress import Progress


class Watch:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def output():
    return io.StringIO()


def text_of(bar, width):
    return "".join(span.text for span in bar.drawn(width))


def test_without_a_terminal_it_is_a_line_every_five_seconds_and_one_at_the_end(watch, output):
    with Progress("rebuilding", "days", 100, output=output, monotonic=watch) as bar:
        for _ in bar.over(range(100)):
            watch.seconds += 0.25
    lines = output.getvalue().splitlines()
    assert len(lines) == 25 // 5 + 1
    assert lines[0] == "rebuilding: 20/100 days, 20%, 4.0/s, 20 s left"
    assert lines[-1] == "rebuilding: 100/100 days, 100%, 4.0/s, took 25 s"


def test_short_work_says_nothing(watch, output):
    with Progress("rebuilding", "days", 3, output=output, monotonic=watch) as bar:
        for _ in bar.over(range(3)):
            watch.seconds += 1
    assert output.getvalue() == ""


def test_quiet_says_nothing_at_all(watch, output):
    with Progress("rebuilding", "days", 3, quiet=True, output=output, monotonic=watch) as bar:
        for _ in bar.over(range(3)):
            watch.seconds += 100
    assert output.getvalue() == ""


def test_standard_output_is_left_alone(capsys, watch):
    with Progress("rebuilding", "days", 3, monotonic=watch) as bar:
        watch.seconds += 10
        bar.advance()
        sys.stdout.write("data\n")
    said = capsys.readouterr()
    assert said.out == "data\n"
    assert said.err.startswith("rebuilding: 1/3 days")


def test_work_that_fails_is_not_said_to_be_done(watch, output):
    def work():
        with Progress("x", "days", 2, output=output, monotonic=watch) as bar:
            watch.seconds += 10
            bar.advance()
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        work()
    assert len(output.getvalue().splitlines()) == 1


def test_what_was_done_before_is_no_part_of_the_rate(watch, output):
    bar = Progress("fetching", "instruments", 1000, output=output, monotonic=watch)
    bar.update(900)
    watch.seconds += 10
    bar.update(930)
    assert str(bar) == "fetching: 930/1,000 instruments, 93%, 3.0/s, 24 s left"
    bar.update(930, 1200)
    assert "930/1,200" in str(bar)


@pytest.mark.parametrize(("done", "seconds", "text"), [
    (0, 0, "x: 0 minutes, 0 s so far"), (0, 75, "x: 0 minutes, 75 s so far"), (3, 0, "x: 3 minutes, 0 s so far"),
    (30, 60, "x: 30 minutes, 30.0/min, 60 s so far"), (90, 45, "x: 90 minutes, 2.0/s, 45 s so far"),
])  # fmt: skip
def test_without_a_total_it_counts(watch, output, done, seconds, text):
    bar = Progress("x", "minutes", output=output, monotonic=watch)
    watch.seconds += seconds
    bar.advance(done)
    assert str(bar) == text


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("total", [None, 0, 7, 100])
def test_the_bar_fits_every_terminal(watch, output, ascii_only, total):
    bar = Progress("importing", "days", total, force_ascii=ascii_only, output=output, monotonic=watch)
    for done in (0, 3, 200):
        watch.seconds += 10
        bar.update(done, note="2026-11-20 – „wide“ 行情")
        for width in (1, 10, 40, 80, 200):
            assert width_of(bar.drawn(width)) <= width
            assert text_of(bar, width).isascii() or not ascii_only


def test_the_bar_is_as_full_as_the_work_is_done(watch, output):
    bar = Progress("importing", "days", 10, force_ascii=True, output=output, monotonic=watch)
    watch.seconds += 10
    bar.advance(5, note="2026-11-20")
    assert text_of(bar, 100).startswith(f"importing  {'#' * 15}{'.' * 15}  5/10 days  50%")
    assert text_of(bar, 100).endswith("10 s left  2026-11-20")
    narrow = text_of(bar, 50)
    assert "5/10 days  50%" in narrow
    assert cell_len(narrow) <= 50


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self):
        return True


def test_on_a_terminal_the_bar_is_drawn_and_taken_away(watch, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    output = Terminal()
    with Progress("importing", "days", 10, force_ascii=True, output=output, monotonic=watch) as bar:
        bar.advance(10)
    drawn = output.getvalue()
    assert "importing" in drawn
    assert drawn.endswith("\x1b[1A\x1b[2K"), "the line of the bar is empty again"


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(watch, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    output = Terminal()
    with Progress("importing", "days", 10, output=output, monotonic=watch) as bar:
        watch.seconds += 6
        bar.advance(5)
    assert output.getvalue().splitlines()[0] == "importing: 5/10 days, 50%, 50.0/min, 6 s left"
