"""The panel in a real terminal (tmux): drawn whole, never torn, right after resizing, and never in anyone's way."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from g6.console.moment import Scene
from g6.console.panel import panel

SCENE = Path(__file__).with_name("panel_cases") / "well" / "scene.yaml"
SHOW = Path(__file__).parent.parent / "support" / "console_show.py"
PATIENCE_SECONDS = 30.0

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed: no terminal to look at")


class Screen:
    """One tmux server with one terminal, in which the panel runs."""

    def __init__(self, folder: Path, width: int, height: int, ascii_word: str, speed: str, term: str) -> None:
        self._commands, self._answers = folder / "commands", folder / "answers"
        self._socket = folder / "tmux"
        os.mkfifo(self._commands)
        shown = [sys.executable, SHOW, SCENE, self._commands, self._answers, ascii_word, speed]
        # A runner of several workers sets these two, and they would outrank the terminal's own size.
        environ = ["env", "-u", "COLUMNS", "-u", "LINES", f"TERM={term}" if term else "COLORTERM=", *map(str, shown)]
        # The shell stays when the panel has ended, as a person's does.
        shell = f"{' '.join(environ)}; printf 'code %s\\n' $?; exec sleep 600"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), shell)
        self._pipe = self._commands.open("w", buffering=1)
        self._asked = 0

    def do(self, *commands: str) -> None:
        """Have commands done, and wait until they are: the panel may keep nobody waiting."""
        for command in commands:
            self._pipe.write(f"{command}\n")
        self._asked += len(commands)
        wait_for(lambda: self._answers.exists() and len(self._answers.read_text().splitlines()) >= self._asked)

    def lines(self, history: bool = False) -> list[str]:
        start = ["-S", "-"] if history else []
        # Long lines are joined, as they were written.
        text = self._tmux("capture-pane", "-p", *(["-J"] if history else []), *start)
        return [line.rstrip() for line in text.splitlines()]

    def shows(self, expected: str) -> bool:
        wanted = expected.splitlines()
        seen = [line for line in self.lines() if line]
        return seen[-len([line for line in wanted if line]) :] == [line for line in wanted if line]

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def value(self, name: str) -> str:
        return self._tmux("display-message", "-p", f"#{{{name}}}").strip()

    def close(self) -> None:
        self._tmux("kill-server")
        self._pipe.close()

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *arguments], capture_output=True, check=True, encoding="utf-8",
            env={**os.environ, "LC_ALL": "C.UTF-8", "TMUX": ""},
        )  # fmt: skip
        return done.stdout


def wait_for(found: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < until, "the terminal never showed it"
        time.sleep(0.05)


@pytest.fixture
def open_screen(tmp_path: Path) -> Iterator[Callable[..., Screen]]:
    opened: list[Screen] = []

    def make(width: int = 80, height: int = 24, ascii_word: str = "auto", speed: str = "inf", term: str = "") -> Screen:
        opened.append(Screen(tmp_path, width, height, ascii_word, speed, term))
        return opened[-1]

    yield make
    for screen in opened:
        screen.close()


def expected(width: int, height: int, ascii_only: bool = False, minute: bool = True) -> str:
    scene = msgspec.yaml.decode(SCENE.read_bytes(), type=Scene)
    scene = scene if minute else replace(scene, moment=None)
    return str(panel(replace(scene, speed=float("inf")), width, height - 1, ascii_only=ascii_only))


@pytest.mark.parametrize(
    ("width", "height"),
    [(80, 24), pytest.param(120, 40, marks=pytest.mark.long), pytest.param(50, 12, marks=pytest.mark.long)],
)
def test_a_terminal_shows_the_whole_panel_and_nothing_torn(open_screen, width, height):
    screen = open_screen(width, height)
    wait_for(lambda: screen.shows(expected(width, height, minute=False)))
    screen.do("minute")
    wait_for(lambda: screen.shows(expected(width, height)))


def test_in_ascii_no_other_sign_reaches_the_terminal(open_screen):
    screen = open_screen(ascii_word="ascii")
    screen.do("minute", "log 1")
    wait_for(lambda: screen.shows(expected(80, 24, ascii_only=True)))
    assert "".join(screen.lines(history=True)).isascii()


def test_what_threads_log_stands_whole_above_the_panel_in_their_order(open_screen):
    screen = open_screen()
    screen.do("minute", "log 80", "minute", "crash")
    wait_for(lambda: "RuntimeError: a part died" in "\n".join(screen.lines(history=True)))
    wait_for(lambda: sum("of thread" in line for line in screen.lines(history=True)) == 4 * 80)
    history = screen.lines(history=True)
    for thread in range(4):
        told = [line.split(" ")[3] for line in history if f"of thread {thread}, [not markup], and so long" in line]
        assert told == [str(i) for i in range(80)]
    assert sum(line.startswith(" OK ") for line in history) == 1, "one panel, and no remains of others"
    assert history.index(next(line for line in history if line.startswith(" OK "))) > len(history) - 24


@pytest.mark.long
def test_a_resized_terminal_has_one_panel_of_its_size(open_screen):
    screen = open_screen(120, 40)
    screen.do("minute")
    for width, height in ((80, 24), (60, 20), (100, 30), (40, 10), (120, 40)):
        screen.resize(width, height)
        wait_for(lambda w=width, h=height: screen.shows(expected(w, h)))
        assert sum(line.startswith(" OK ") for line in screen.lines()) == 1


@pytest.mark.long
def test_the_countdown_goes_on_without_anything_being_told(open_screen):
    screen, seen = open_screen(speed="1"), set()
    screen.do("minute")

    def counted() -> bool:
        heads = [line for line in screen.lines() if line.startswith(" OK ")]
        seen.update(line.split(" in ")[1].split(" s")[0] for line in heads)
        return len(seen) >= 3

    wait_for(counted)
    assert screen.lines()[-1].startswith("parts"), "the last line is where it was"


def test_a_stopped_terminal_keeps_nobody_waiting_and_shows_the_last_minute_when_it_goes_on(open_screen):
    screen = open_screen()
    screen.do("minute")
    wait_for(lambda: screen.shows(expected(80, 24)))
    screen.press("C-s")
    screen.do(*["minute"] * 20, "log 100", *["minute"] * 8)
    screen.press("C-q")
    wait_for(lambda: any("15:59" in line for line in screen.lines() if line.startswith("NIFTY")))


def test_it_leaves_the_panel_the_cursor_and_the_log_behind(open_screen):
    screen = open_screen()
    screen.do("minute", "log 1", "quit")
    wait_for(lambda: "code 0" in screen.lines())
    lines = [line for line in screen.lines() if line]
    assert lines[-3].startswith("parts")
    assert lines[-2:] == ["ended", "code 0"]
    assert screen.value("cursor_flag") == "1"


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(open_screen):
    screen = open_screen(term="dumb")
    screen.do("minute", "minute", "quit")
    wait_for(lambda: "code 0" in screen.lines())
    history = screen.lines(history=True)
    assert sum(" ok: NIFTY 2 expiries" in line for line in history) == 2
    assert not any("next 15:32" in line for line in history)
    assert "".join(history).isascii()
