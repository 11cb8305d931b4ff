"""The programs of a drill: started on free ports of this machine, and never left behind."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from g6.errors import G6Error

LOOPBACK = "127.0.0.1"
READY_SECONDS = 90.0
LAST_LINES = 3


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


def find_program(*names: str) -> str | None:
    """Return where the first of these programs is; None where there is none of them."""
    return next((found for name in names if (found := shutil.which(name))), None)


def with_us(argv: Sequence[str]) -> list[str]:
    """Return a command that the kernel ends when we die of whatever cause, where it can (Linux, util-linux)."""
    setpriv = find_program("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--", *argv] if setpriv else list(argv)


class Process:
    """A program with its log in `folder`, which can be ended and started again.

    It is asked to end when its thread of ours ends, too; start it from the one that uses it.
    """

    def __init__(self, name: str, argv: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.name, self.argv = name, list(argv)
        self._log = folder / f"{name}.log"
        self._environ = dict(os.environ if environ is None else environ)
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the number of the running process. Raises G6Error where none runs."""
        if self._running is None:
            raise G6Error(f"{self.name} does not run")
        return self._running.pid

    @property
    def is_alive(self) -> bool:
        """Return whether it runs."""
        return self._running is not None and self._running.poll() is None

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603 - our own commands
                self.argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._environ
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        """Wait until it is ready. Raises G6Error with its last words when it ends or takes too long."""
        give_up = time.monotonic() + seconds
        while not ready():
            if not self.is_alive or time.monotonic() > give_up:
                state = "does not get ready" if self.is_alive else "ended at once"
                raise G6Error(f"{self.name} {state}: {self.last_words}")
            time.sleep(0.03)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self, seconds: float = 10.0) -> None:
        """Ask it to end, and end it when it does not."""
        self._end(signal.SIGTERM, seconds)

    @property
    def last_words(self) -> str:
        """Return the end of its log."""
        with contextlib.suppress(OSError):
            lines = self._log.read_text("utf-8", "replace").strip().splitlines()
            return " / ".join(lines[-LAST_LINES:])
        return ""

    def _end(self, number: signal.Signals, seconds: float = 5.0) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            running.send_signal(signal.SIGCONT)  # one that was held cannot end
            running.send_signal(number)
        try:
            running.wait(seconds)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def answers(url: str) -> bool:
    """Return whether a page is served."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 - a loopback address of ours
            return bool(reply.status == 200)
    except OSError:
        return False
