"""A process with a panel in a terminal, for tests that look at the terminal: it does what it reads from a pipe.

`python console_show.py SCENE COMMANDS ANSWERS FORCE_ASCII`: the scene's file, the pipe, the file that gets a line per
command done, and "auto" or "ascii". Commands: `minute` (the scene's next one), `log N` (N lines from each of four
threads), `crash` (a thread that dies of an exception), `quit`.
"""

import logging
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec

from g6.clock import VirtualClock
from g6.console.moment import Scene
from g6.console.start import StartFacts
from g6.console.terminal import is_ascii, make_console, wants_panel
from g6.console.view import TerminalView
from g6.logs import set_up_logs

log = logging.getLogger("g6.test")


class Shown:
    """The view and what it has been shown."""

    def __init__(self, scene: Scene, force_ascii: bool | None, speed: float) -> None:
        console = make_console(force_ascii=force_ascii, color="auto")
        live = wants_panel(console, "auto", concise=False, run_once=False)
        self.scene, self.count = scene, 0
        clock = VirtualClock(scene.now, speed)
        self.view = TerminalView(console, clock, ascii_only=is_ascii(force_ascii=force_ascii), concise=False, live=live)
        self.view.start(StartFacts("0.1.0", scene.now, "a test", ("NIFTY",), "/data"))
        self.view.waiting(scene.waiting)

    def minute(self) -> None:
        moment = self.scene.moment
        at = moment.report.minute + timedelta(minutes=self.count)
        self.view.show(replace(moment, report=replace(moment.report, minute=at)), whole=self.count == 0)
        self.count += 1


def write_log(thread: int, count: int) -> None:
    for i in range(count):
        log.warning("line %d of thread %d, [not markup], and so long that eighty cells cannot hold it", i, thread)


def in_threads(run, arguments) -> None:
    threads = [threading.Thread(target=run, args=each) for each in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def crash() -> None:
    raise RuntimeError("a part died")


def main(scene_file: str, commands: str, answers: str, ascii_word: str, speed: str) -> None:
    set_up_logs("INFO", "text", None)
    scene = msgspec.yaml.decode(Path(scene_file).read_bytes(), type=Scene)
    shown = Shown(scene, {"auto": None, "ascii": True}[ascii_word], float(speed))
    with Path(commands).open() as pipe, Path(answers).open("w", buffering=1) as done:
        for command in pipe:
            word, _, count = command.strip().partition(" ")
            if word == "minute":
                shown.minute()
            elif word == "log":
                in_threads(write_log, [(thread, int(count)) for thread in range(4)])
            elif word == "crash":
                in_threads(crash, [()])
            done.write(f"{word}\n")
            if word == "quit":
                break
    shown.view.close()
    sys.stdout.write("ended\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
