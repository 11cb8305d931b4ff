"""uvicorn in a thread of the agent: its own socket, no signals, no prints, bounded start and stop."""

import asyncio
import errno
import ipaddress
import logging
import socket
import threading
from collections.abc import Callable
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from g6.errors import ConfigError, G6Error
from g6.resilience.supervisor import Supervisor
from g6.server.connections import ConnectionLimits, protocol_with

log = logging.getLogger(__name__)

BACKLOG = 128
START_SECONDS = 10.0
# How long open exchanges may go on after `stop`, and how long the thread may take to end after that.
GRACE_SECONDS = 1
PART = "http_server"
SILENT_LIMIT_SECONDS = 30.0  # the event loop gives a sign ten times a second
STOP_SECONDS = 5.0


class EmbeddedServer:
    """Serves an ASGI application from a daemon thread that `supervisor` keeps alive.

    The socket is taken in the constructor: `port` is known, and a taken port is refused, before anything else starts.
    Raises ConfigError for an address that is taken, unknown or not allowed, or, unless `allow_remote`, that other
    machines can reach: the server has neither TLS nor passwords.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str = "127.0.0.1",
        port: int = 9108,
        *,
        allow_remote: bool = False,
        limits: ConnectionLimits | None = None,
        supervisor: Supervisor | None = None,
    ) -> None:
        self._socket = _listen(host, port, allow_remote=allow_remote)
        self.host, self.port = self._socket.getsockname()[:2]
        self._config = partial(_config, app, limits or ConnectionLimits())
        self._supervisor = supervisor or Supervisor()
        self._settled = threading.Event()
        self._server: _Server | None = None  # the latest; a server of uvicorn runs once

    @property
    def url(self) -> str:
        """Return the address that a person or a scraper types."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def alive(self) -> bool:
        """Return whether it serves; a server that is being restarted does not."""
        return self._server is not None and self._server.serving

    @property
    def connections(self) -> int:
        """Return how many clients are connected."""
        return len(self._server.server_state.connections) if self._server else 0

    def start(self) -> None:
        """Return when it answers. Raises G6Error when it does not within `START_SECONDS`."""
        self._supervisor.run(PART, self._serve, silent_limit_seconds=SILENT_LIMIT_SECONDS)
        self._settled.wait(START_SECONDS)
        if not self.alive:
            self.stop()
            raise G6Error(f"the HTTP server at {self.url} did not start; the log says why")

    def stop(self) -> None:
        """Finish what is being answered, within bounds, and give the port back. May be called more than once."""
        self._supervisor.end(PART, STOP_SECONDS)
        self._socket.close()

    def _serve(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        server = self._server = _Server(self._config(), stop, beat, self._settled)
        try:
            # uvicorn closes the socket that it is given; the port has to outlive a restart.
            server.run(sockets=[self._socket.dup()])
        finally:
            server.serving = False
            self._settled.set()


class _Server(uvicorn.Server):
    """uvicorn's server that says when it has started and that its event loop lives, and ends when it is told to."""

    def __init__(
        self, config: uvicorn.Config, stop: threading.Event, beat: Callable[[], None], settled: threading.Event
    ) -> None:
        super().__init__(config)
        self.serving = False
        self._stop, self._beat, self._settled = stop, beat, settled

    async def on_tick(self, counter: int) -> bool:
        self._beat()
        return self._stop.is_set() or await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # A client that goes away in the middle is no event for the log.
        asyncio.get_running_loop().set_exception_handler(_quiet_disconnects)
        self.serving = True
        self._settled.set()


def _quiet_disconnects(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    if not isinstance(context.get("exception"), ConnectionError):
        loop.default_exception_handler(context)


def _config(app: ASGIApp, limits: ConnectionLimits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=protocol_with(limits),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        workers=1,
        backlog=BACKLOG,
        # One more than `connections`: the refusal is for when all of those are busy and none can make room.
        limit_concurrency=limits.connections + 1,
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=limits.head_bytes,
    )


def _listen(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    family, address = _resolve(host, port)
    if not allow_remote and not ipaddress.ip_address(address[0].partition("%")[0]).is_loopback:
        raise ConfigError(
            f"{host} can be reached from other machines, and the server has neither TLS nor passwords; "
            "listen on 127.0.0.1, or set metrics.allow_remote if it is meant"
        )
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(_why_not(host, port, error)) from error
    return listener


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError) as error:
        raise ConfigError(f"cannot listen on {host}:{port}: {error}") from error
    # A name with both, such as localhost, means the older one to most clients.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, (str(address[0]), port)


def _why_not(host: str, port: int, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"port {port} on {host} needs more rights than this user has; choose one above 1023 with --port"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken; choose another with --port, or 0 for any free one"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"
