"""What the service manager is told: that the agent is ready, that its loop lives, how it is, and that it ends.

The protocol is a datagram of `NAME=value` lines to the socket that $NOTIFY_SOCKET names (sd_notify(3) of systemd; its
manual page promises that it stays). It needs a dozen lines, and the libraries for it are either a binding to
libsystemd, which many machines lack, or these same lines; so there is no dependency.

Without $NOTIFY_SOCKET nothing happens. No failure here reaches the loop: a datagram that is lost is followed by the
next one, and a manager that hears none for its WatchdogSec starts the agent again.
"""

import logging
import math
import os
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from g6.clock import Clock
from g6.model.report import CycleReport

log = logging.getLogger(__name__)

SOCKET_VARIABLE = "NOTIFY_SOCKET"
WATCHDOG_VARIABLE, WATCHDOG_PID_VARIABLE = "WATCHDOG_USEC", "WATCHDOG_PID"
LONGEST_SILENCE_SECONDS = 30.0
# While it starts or ends nothing is due from a watchdog; each sign of life asks for so much more time instead.
EXTENSION_SECONDS = 120
STATUS_CHARACTERS = 500


class ServiceNotifier:
    """Called by the loop's own thread as it goes: it is the loop that must prove that it lives, so no timer does it.

    `sentence` is what `systemctl status` shows; `clean` takes out of it what no log may hold.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ, *, clean: Callable[[str], str] = str) -> None:
        self._address = _address_of(environ.get(SOCKET_VARIABLE, ""))
        self.silence_limit_seconds = _watchdog_seconds(environ)
        self._clean = clean
        self._socket: socket.socket | None = None
        self._ready = self._stopping = self._complained = False

    @property
    def enabled(self) -> bool:
        """Return whether there is a service manager to tell."""
        return self._address is not None

    @property
    def alive_every_seconds(self) -> float:
        """Return how often `alive` is due: a third of what the manager allows, half a minute at most."""
        return min(LONGEST_SILENCE_SECONDS, self.silence_limit_seconds / 3)

    def cycle(self, report: CycleReport) -> None:
        """Tell that a cycle has ended, well or badly: the agent is ready, and its loop lives."""
        self._tell_ready(f"{report.minute:%H:%M} {report}")

    def waiting(self, sentence: str) -> None:
        """Tell that the loop sleeps, and why: an agent that waits for the market to open is ready, too."""
        self._tell_ready(sentence)

    def alive(self) -> None:
        """Tell that the loop lives, at least every `alive_every_seconds`; also between the steps of longer work."""
        signs = ["WATCHDOG=1"] if self._ready else []
        if self._stopping or not self._ready:
            signs.append(f"EXTEND_TIMEOUT_USEC={EXTENSION_SECONDS * 1_000_000}")
        self._send(*signs)

    def stopping(self, sentence: str = "finishing the minute in hand") -> None:
        """Tell that the agent is about to end."""
        self._stopping = True
        self._send("STOPPING=1", self._status(sentence))

    def wait_until(
        self,
        clock: Clock,
        instant: datetime,
        stop: threading.Event,
        is_over: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Wait as `clock.wait_until` does, and give signs of life meanwhile; return False at once when `stop` is set.

        Each piece of the wait is real time: a clock that is set back makes the wait longer, not the silence. After
        each, `is_over` is asked whether there is still anything to wait for.
        """
        if math.isinf(clock.speed):
            return clock.wait_until(instant, stop)
        self.alive()
        while (remaining := (instant - clock.now()).total_seconds() / clock.speed) > 0:
            if stop.wait(min(remaining, self.alive_every_seconds)):
                return False
            self.alive()
            if is_over():
                break
        return not stop.is_set()

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell_ready(self, sentence: str) -> None:
        """Tell that it lives; that it is ready, too, until that once got through."""
        first = [] if self._ready else ["READY=1"]
        if self._send(*first, "WATCHDOG=1", self._status(sentence)):
            self._ready = True

    def _status(self, sentence: str) -> str:
        return "STATUS=" + " ".join(self._clean(sentence).split())[:STATUS_CHARACTERS]

    def _send(self, *lines: str) -> bool:
        """Send one datagram, without ever waiting; return whether it went out."""
        if self._address is None:
            return False
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.settimeout(0.0)
            self._socket.sendto("\n".join(lines).encode(errors="replace"), self._address)
        except OSError as error:
            if not self._complained:
                log.warning("the service manager cannot be told how G6 is: %s", error)
            self._complained = True
            return False
        self._complained = False
        return True


def _address_of(text: str) -> str | None:
    """Return what to send to: a path, or a name that begins with a zero byte (written @) in no file system."""
    if text.startswith("@"):
        return "\0" + text[1:]
    if text and not text.startswith("/"):
        log.warning("%s=%s is of a kind that G6 does not know; the service manager is not told", SOCKET_VARIABLE, text)
        return None
    return text or None


def _watchdog_seconds(environ: Mapping[str, str]) -> float:
    """Return the longest silence that the manager allows this process; infinite when it does not watch it."""
    if environ.get(WATCHDOG_PID_VARIABLE, str(os.getpid())) != str(os.getpid()):
        return math.inf
    try:
        microseconds = int(environ.get(WATCHDOG_VARIABLE, ""))
    except ValueError:
        return math.inf
    return microseconds / 1e6 if microseconds > 0 else math.inf
