"""The server: HTTP and WebSocket on one port, in one event loop, in one thread of its own."""

import asyncio
import contextlib
import logging
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from aiohttp import web

from g6.clock import Clock
from g6.errors import ConfigError
from g6.simulator.kite_server.api import Api
from g6.simulator.kite_server.faults import NO_FAULTS, FaultPlan, FaultWatch
from g6.simulator.kite_server.front_end import FrontEnd
from g6.simulator.kite_server.limits import RateLimits
from g6.simulator.kite_server.sessions import APPS, REQUEST_TOKEN_LIFE, App, Sessions
from g6.simulator.kite_server.stream import StreamService
from g6.simulator.kite_server.tape import Tape
from g6.simulator.kite_server.transport import stopping
from g6.simulator.market import SimulatedMarket

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
LONGEST_LINE_BYTES = 65_536  # of a request; a URL that is merely too long is answered, not cut off
WATCH_SECONDS = 0.5  # how often the fault plan's windows are looked at for whoever is told of events
SHUTDOWN_SECONDS = 2.0


class KiteServer:
    """Kite's HTTP API and WebSocket on a simulated market and an injected clock; a context manager.

    `port` 0 takes a free one. `on_event` is told in a sentence, from the server's thread, of logins, of tokens'
    deaths and of fault windows. `auto_login`: the login page logs in by itself. Without `enforce_limits` no
    request is too soon.
    """

    def __init__(
        self,
        market: SimulatedMarket,
        clock: Clock,
        *,
        apps: Sequence[App] = APPS,
        faults: FaultPlan = NO_FAULTS,
        auto_login: bool = False,
        redirect_url: str = "http://127.0.0.1:5000/success",
        host: str = LOOPBACK,
        port: int = 0,
        enforce_limits: bool = True,
        on_event: Callable[[str], None] = lambda _: None,
    ) -> None:
        tape = Tape(market)
        # A person takes as long to log in whatever the speed of the server's clock.
        life = REQUEST_TOKEN_LIFE * (max(1.0, clock.speed) if math.isfinite(clock.speed) else 1.0)
        self.sessions = Sessions(apps, faults, request_token_life=life, on_event=on_event)
        self._clock = clock
        self._tell = on_event
        self._address = (host, port)
        self._api = Api(tape, clock, self.sessions, auto_login=auto_login, redirect_url=redirect_url)
        self._stream = StreamService(tape, self.sessions, clock, faults, enforce_limits=enforce_limits)
        limits = RateLimits(clock) if enforce_limits else None
        self._front = FrontEnd(self._api, self._stream, self.sessions, faults, clock, limits)
        self._watch_faults = FaultWatch(faults)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def port(self) -> int:
        """Return the port that is served."""
        return self._address[1]

    @property
    def url(self) -> str:
        """Return the root of the HTTP API."""
        return f"http://{self._netloc}"

    @property
    def stream_url(self) -> str:
        """Return the root of the WebSocket."""
        return f"ws://{self._netloc}"

    @property
    def _netloc(self) -> str:
        host, port = self._address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def issue_token(self, api_key: str = "simulated") -> str:
        """Return a new access token, as a login would give; the app's older one dies."""
        return self.sessions.issue(api_key, self._clock.now())

    def kill_token(self, api_key: str = "simulated") -> None:
        """Kill the app's token, as a logout elsewhere would."""
        self.sessions.end(api_key, "killed")

    def start(self) -> Self:
        """Serve; return when requests are answered. Raises ConfigError when the port cannot be had."""
        if self._thread is not None:
            raise RuntimeError("the server was started before")
        started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="kite-server", daemon=True)
        self._thread.start()
        self._address = self._address[0], started.result()
        return self

    def stop(self) -> None:
        """End every connection and the thread; a second call does nothing."""
        loop, stop, thread = self._loop, self._stop, self._thread
        if loop is not None and stop is not None and thread is not None and thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop may close by itself just now
                loop.call_soon_threadsafe(stop.set)
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, started: "Future[int]") -> None:
        try:
            asyncio.run(self._serve(started))
        except Exception as error:
            if started.done():
                log.exception("the simulated Kite server ended")
            else:
                started.set_exception(error)

    async def _serve(self, started: "Future[int]") -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = self._front.application()
        app[stopping] = self._stop
        self._api.prepare(self._clock.now().date())
        runner = web.AppRunner(
            app, access_log=None, max_line_size=LONGEST_LINE_BYTES, shutdown_timeout=SHUTDOWN_SECONDS
        )  # fmt: skip
        await runner.setup()
        try:
            started.set_result(await self._bind(runner))
            await self._watch()
        finally:
            await self._stream.close()
            await runner.cleanup()

    async def _bind(self, runner: web.AppRunner) -> int:
        host, port = self._address
        try:
            await web.TCPSite(runner, host, port).start()
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise ConfigError(f"{self._netloc}: cannot serve here: {reason}") from error
        bound: int = runner.addresses[0][1]
        return bound

    async def _watch(self) -> None:
        """Tell of fault windows as they open and close, until the server is to stop."""
        assert self._stop is not None  # noqa: S101  made before
        while not self._stop.is_set():
            at = self._clock.now()
            self.sessions.end_dead(at)
            for sentence in self._watch_faults.changes(at):
                self._tell(sentence)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), WATCH_SECONDS)
