"""The thread that keeps the stream: it takes what the connections say and runs the supervisor, pass after pass."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from g6.clock import Clock
from g6.errors import G6Error
from g6.providers.kite_stream.inbox import Inbox
from g6.providers.kite_stream.link import LinkMaker
from g6.providers.kite_stream.needs import AccessToken, Session
from g6.providers.kite_stream.options import StreamOptions
from g6.providers.kite_stream.supervisor import REFUSED, IsOpen, Supervisor
from g6.resilience.supervisor import Supervisor as PartsSupervisor

log = logging.getLogger(__name__)

PASS_SECONDS = 0.2  # real, at most between two passes
AFTER_FAILURE_SECONDS = 5.0  # real
CLOSE_SECONDS = 2.0  # real
SILENT_LIMIT_SECONDS = 60.0  # real
PART = "kite_stream"


class Keeper:
    """Runs from `start` to `close`; every look at the supervisor goes through its lock.

    `parts` keeps its thread alive, as `supervisor` does the connections.
    """

    def __init__(
        self,
        session: Session,
        make_link: LinkMaker,
        options: StreamOptions,
        clock: Clock,
        is_open: IsOpen,
        parts: PartsSupervisor | None = None,
    ) -> None:
        self._session = session
        self._inbox = Inbox(options.queue_bytes)
        self._supervisor = Supervisor(self._inbox, make_link, options, clock, is_open)
        self._condition = threading.Condition()
        self._clock, self._stall_seconds = clock, options.stall_seconds
        self._passes = 0
        self._passed_at = 0.0
        self._told = ""  # the refused access token that the session knows of
        self._closing = threading.Event()
        self._parts = parts or PartsSupervisor()
        self._started = False

    def start(self) -> None:
        """Begin to connect; nothing happens the second time, or after `close`."""
        with self._condition:
            if not self._started and not self._closing.is_set():
                self._started = True
                self._parts.run(PART, self._run, silent_limit_seconds=SILENT_LIMIT_SECONDS)

    @property
    def started(self) -> bool:
        """Tell whether connections are wanted at all."""
        return self._started

    def close(self) -> None:
        """End every connection and the thread."""
        self._closing.set()
        self._inbox.wake()
        self._parts.end(PART, CLOSE_SECONDS)
        with self._condition:
            self._supervisor.leave()

    @property
    def absent_seconds(self) -> float | None:
        """Return for how long no pass was made, if that is longer than a connection may be silent.

        What the board shows by then is of the time before: nobody reads what the connections say.
        """
        silent = self._clock.monotonic() - self._passed_at
        return silent if self._passes and silent > self._stall_seconds else None

    @contextmanager
    def supervisor(self) -> Iterator[Supervisor]:
        """Hold the supervisor for a look or a wish; a wish is attended to at once."""
        with self._condition:
            yield self._supervisor
        self._inbox.wake()

    def wait(self, until: Callable[[Supervisor], bool], seconds: float) -> None:
        """Wait until this is true after a pass, at most for so many real seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._passes > 0 and until(self._supervisor), seconds)

    def _run(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        while not (self._closing.is_set() or stop.is_set()):
            beat()
            try:
                self._pass()
            except Exception:  # the stream's own boundary: in this thread nobody else would hear of it
                log.exception("the stream begins anew")
                with self._condition:
                    self._supervisor.leave()
                self._closing.wait(AFTER_FAILURE_SECONDS)

    def _pass(self) -> None:
        events, token = self._inbox.take(PASS_SECONDS), self._token()
        with self._condition:
            if self._closing.is_set():
                return
            self._supervisor.attend(events, token)
            refused = self._supervisor.refused
            self._passes, self._passed_at = self._passes + 1, self._clock.monotonic()
            self._condition.notify_all()
        if refused and refused != self._told:
            self._told = refused
            # A login that was made meanwhile is another token, and has not been refused.
            if token is not None and token.access_token == refused:
                self._session.on_auth_failure(REFUSED)

    def _token(self) -> AccessToken | None:
        try:
            return self._session.token
        except G6Error as error:
            log.warning("the stream has no token: %s", error)
            return None
