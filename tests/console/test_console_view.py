"""What the minutes' runner tells the terminal, without a terminal and with one that goes away."""

import io
import math
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from g6.clock import VirtualClock
from g6.console.lines import Drawing, line
from g6.console.live import LiveDisplay
from g6.console.moment import Scene
from g6.console.start import StartFacts
from g6.console.terminal import LastingConsole, is_ascii, wants_panel
from g6.console.view import News, TerminalView

SCENES = Path(__file__).with_name("panel_cases")


def scene_of(name):
    return msgspec.yaml.decode((SCENES / name / "scene.yaml").read_bytes(), type=Scene)


def view_on(output, *, live=False, concise=False):
    console = LastingConsole(file=output, width=132, force_terminal=live, color_system=None)
    clock = VirtualClock(scene_of("well").now, math.inf)
    return TerminalView(console, clock, ascii_only=False, concise=concise, live=live)


FACTS = StartFacts("0.1.0", scene_of("well").now, "a test", ("NIFTY",), "/data")


def test_without_a_terminal_it_is_the_start_one_whole_minute_and_then_a_line_a_minute():
    output = io.StringIO()
    view, moment = view_on(output), scene_of("well").moment
    view.start(FACTS)
    view.show(moment, whole=True)
    view.note("metrics", "500 series")
    before = output.getvalue()
    assert before.splitlines()[:2] == ["G6 0.1.0", "market   a test"]
    assert "straddle" in before
    assert before.endswith("metrics  500 series\n")
    for _ in range(3):
        view.waiting(scene_of("well").waiting)
        view.show(moment, whole=False)
    view.close()
    lines = output.getvalue()[len(before) :].splitlines()
    assert [line.startswith("2026-11-20 15:31  ok: NIFTY 2 expiries") for line in lines] == [True] * 3
    assert "\x1b" not in output.getvalue()


def test_concise_is_one_line_a_minute_from_the_first():
    output = io.StringIO()
    view = view_on(output, concise=True)
    view.show(scene_of("well").moment, whole=True)
    assert len(output.getvalue().splitlines()) == 1


def reports(*names):
    """Return a minute of each of these scenes, one after the other."""
    first = scene_of("well").moment.report.minute
    return [replace(scene_of(name).moment.report, minute=first + timedelta(minutes=i)) for i, name in enumerate(names)]


def test_trouble_is_news_when_it_begins_changes_and_ends_and_not_while_it_lasts():
    news = News()
    told = [news.of(report) for report in reports("well", "troubled", "troubled", "login_needed", "well", "well")]
    assert [bool(line) for line in told] == [False, True, False, True, True, False]
    assert told[1].startswith("2026-11-20 15:32  partial: kite-second instead of kite")
    assert told[4] == "2026-11-20 15:35  ok again, after trouble since 15:32"


def test_the_same_trouble_with_other_numbers_is_no_news():
    news = News()
    first, second = reports("troubled", "troubled")
    (fine, thin, *others) = second.indices
    refusal = replace(thin.refusals[0], detail="31 of 62 legs answered, 80% are needed")
    assert news.of(first)
    assert not news.of(replace(second, indices=(fine, replace(thin, refusals=(refusal,)), *others)))


class Gone(io.StringIO):
    """A terminal that was closed."""

    def isatty(self):
        return True

    def write(self, _text):
        raise OSError(5, "Input/output error")

    def fileno(self):
        return self.null.fileno()


def test_a_terminal_that_is_gone_ends_the_panel_and_nothing_else(tmp_path, caplog):
    output = Gone()
    with (tmp_path / "null").open("w") as output.null:
        view = view_on(output, live=True)
        view.start(FACTS)
        for _ in range(3):
            view.show(scene_of("well").moment, whole=False)
        view.close()
    assert "Input/output error" in caplog.text


def test_a_drawing_that_breaks_leaves_lines_and_standard_error_as_they_were(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    error = Tty()
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setenv("TERM", "xterm")

    def broken(*_size):
        raise ZeroDivisionError

    display = LiveDisplay(LastingConsole(file=io.StringIO(), force_terminal=True), broken, broken, ascii_only=False)
    display.start()
    display.stop()
    assert not display.running
    assert sys.stderr is error


class Tty(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self):
        return True


def shared(monkeypatch):
    """Return a panel on a terminal that is standard error, too; its output, and standard error as it was."""
    monkeypatch.setenv("TERM", "xterm")
    output, error = Tty(), Tty()
    monkeypatch.setattr(sys, "stderr", error)
    console = LastingConsole(file=output, force_terminal=True, width=60, height=20, color_system=None)
    display = LiveDisplay(
        console, lambda _w, _h: Drawing([line("the panel")]), lambda _w: Drawing([line("the panel")]), ascii_only=True
    )
    return display, output, error


def test_what_is_written_to_standard_error_stands_above_the_panel_line_by_line(monkeypatch):
    display, output, error = shared(monkeypatch)
    display.start()
    while sys.stderr is error:
        assert display.running
    sys.stderr.write("one\ntw")
    sys.stderr.write("o – \x1b[2J\n")
    display.stop()
    assert sys.stderr is error
    shown = output.getvalue()
    assert shown.index("one") < shown.index("two - ") < shown.rindex("the panel")
    assert "\x1b[2J" not in shown
    assert error.getvalue() == ""


def test_who_keeps_the_panels_stream_after_its_end_writes_to_standard_error(monkeypatch):
    display, _, error = shared(monkeypatch)
    display.start()
    while sys.stderr is error:
        assert display.running
    kept = sys.stderr
    display.stop()
    kept.write("late\n")
    display.say("later")
    display.stop()
    assert error.getvalue() == "late\nlater\n"


@pytest.mark.parametrize(("term", "ascii_only"), [("dumb", True), ("linux", True), ("vt100", True), ("xterm", False)])
def test_terminals_that_lack_the_signs_get_ascii(monkeypatch, term, ascii_only):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert is_ascii(force_ascii=None) == ascii_only
    assert not is_ascii(force_ascii=False), "a person knows better"


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("term", ["xterm", "dumb"])
@pytest.mark.parametrize("live", ["auto", "always", "never"])
@pytest.mark.parametrize(("concise", "run_once"), [(False, False), (True, False), (False, True)])
def test_the_panel_is_for_those_who_watch(monkeypatch, terminal, term, live, concise, run_once):
    monkeypatch.setenv("TERM", term)
    output = Tty() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    wanted = wants_panel(LastingConsole(file=output), live, concise=concise, run_once=run_once)
    able = terminal and term == "xterm"
    assert wanted == (able and (live == "always" or (live == "auto" and not concise and not run_once)))
