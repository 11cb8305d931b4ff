"""The way of a request: the URL's length, its faults, who asks, how often, the endpoint, and the answer's shape."""

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from aiohttp import web

from g6.clock import Clock
from g6.errors import G6Error
from g6.simulator.kite_server.api import Api
from g6.simulator.kite_server.faults import Fault, FaultPlan
from g6.simulator.kite_server.limits import RateLimits
from g6.simulator.kite_server.replies import KiteError, error, html_error
from g6.simulator.kite_server.sessions import App, Sessions
from g6.simulator.kite_server.stream import StreamService
from g6.simulator.kite_server.transport import after, before, drop_content_type, reshaped

log = logging.getLogger(__name__)

LONGEST_TARGET_BYTES = 15_000  # path and query as they come
LARGEST_FORM_BYTES = 16_384
SMALLEST_GZIP_BYTES = 512
MARKET_DATA = frozenset({"quote", "ohlc", "ltp", "historical"})

Serve = Callable[[web.Request, "Ask"], Awaitable[web.Response]]


class Ask:
    """What the way found out about a request: when it came, who asks, which faults strike it."""

    def __init__(self, at: datetime, faults: Sequence[Fault]) -> None:
        self.at = at
        self.faults = faults
        self.app: App | None = None


class FrontEnd:
    """Takes each request along its way; `limits` None: rates are not enforced."""

    def __init__(
        self,
        api: Api,
        stream: StreamService,
        sessions: Sessions,
        faults: FaultPlan,
        clock: Clock,
        limits: RateLimits | None,
    ) -> None:
        self._api = api
        self._stream = stream
        self._sessions = sessions
        self._faults = faults
        self._clock = clock
        self._limits = limits

    def application(self) -> web.Application:
        """Return the application with every route."""
        app = web.Application(client_max_size=LARGEST_FORM_BYTES)
        app.on_response_prepare.append(drop_content_type)
        app.router.add_get("/", self._connect)
        app.router.add_get("/simulator/clock", self._clock_page)
        add = app.router.add_route
        add("GET", "/connect/login", self._way("login", self._login, known=False))
        add("POST", "/connect/login", self._way("login", self._login, known=False))
        add("POST", "/session/token", self._way("session", self._exchange, known=False))
        add("DELETE", "/session/token", self._way("session", self._log_out, known=False))
        add("GET", "/user/profile", self._way("profile", self._profile))
        add("GET", "/instruments", self._way("instruments", self._instruments))
        add("GET", "/instruments/{exchange}", self._way("instruments", self._instruments))
        add("GET", "/instruments/historical/{token}/{interval}", self._way("historical", self._historical))
        for endpoint, path in (("quote", "/quote"), ("ohlc", "/quote/ohlc"), ("ltp", "/quote/ltp")):
            add("GET", path, self._way(endpoint, self._quotes(endpoint)))
        add("*", "/{anything:.*}", self._nowhere)
        return app

    def _way(
        self, endpoint: str, serve: Serve, *, known: bool = True
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the handler of an endpoint; `known`: whoever asks needs a token."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if len(request.raw_path) > LONGEST_TARGET_BYTES:
                return html_error(414)
            at = self._clock.now()
            ask = Ask(at, self._faults.active(endpoint, at))
            early = await before(request, ask.faults)
            if early is not None:
                return early
            response = await self._answer(request, endpoint, serve, ask, known=known)
            return await after(request, ask.faults, _gzipped(request, reshaped(ask.faults, response)))

        return handle

    async def _answer(
        self, request: web.Request, endpoint: str, serve: Serve, ask: Ask, *, known: bool
    ) -> web.Response:
        try:
            if known:
                ask.app = self._let_in(request, endpoint, ask)
            return await serve(request, ask)
        except KiteError as refused:
            return error(refused.status, refused.error_type, str(refused))
        except G6Error as broken:  # a day that the calendar does not cover
            return error(500, "GeneralException", str(broken))

    def _let_in(self, request: web.Request, endpoint: str, ask: Ask) -> App:
        """Return the app that asks; raise what Kite answers to one that may not, or not so soon."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        api_key, colon, token = credentials.partition(":")
        app = self._sessions.app(api_key)
        if scheme != "token" or not colon or app is None:
            raise KiteError(400, "InputException", "Invalid `api_key` or `access_token`.")
        if self._limits is not None and not self._limits.admit(api_key, endpoint):
            raise KiteError(429, "NetworkException", "Too many requests")
        refusal = self._sessions.refusal(api_key, token, ask.at)
        if refusal is None and endpoint in MARKET_DATA:
            refusal = self._sessions.market_data_refusal(api_key, endpoint, ask.at)
        if refusal is not None:
            raise KiteError(refusal.status, refusal.error_type, refusal.message)
        return app

    def _quotes(self, endpoint: str) -> Serve:
        async def serve(request: web.Request, ask: Ask) -> web.Response:
            return self._api.quotes(endpoint, request.query.getall("i", []), ask.faults, ask.at)

        return serve

    async def _instruments(self, request: web.Request, ask: Ask) -> web.Response:
        return await asyncio.to_thread(
            self._api.instruments, request.match_info.get("exchange"), ask.faults, ask.at
        )  # fmt: skip

    async def _historical(self, request: web.Request, ask: Ask) -> web.Response:
        where = request.match_info
        return await asyncio.to_thread(
            self._api.historical, where["token"], where["interval"], request.query, ask.at
        )  # fmt: skip

    async def _profile(self, _request: web.Request, ask: Ask) -> web.Response:
        assert ask.app is not None  # noqa: S101  the way lets nobody else here
        return self._api.profile(ask.app)

    async def _login(self, request: web.Request, ask: Ask) -> web.Response:
        return self._api.login(request.query, pressed=request.method == "POST", at=ask.at)

    async def _exchange(self, request: web.Request, ask: Ask) -> web.Response:
        form = await request.post()
        return self._api.exchange({key: text for key, text in form.items() if isinstance(text, str)}, ask.at)

    async def _log_out(self, request: web.Request, ask: Ask) -> web.Response:
        return self._api.log_out(request.query, ask.at)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        faults = self._faults.active("connect", self._clock.now())
        early = await before(request, faults)
        return await self._stream.handle(request, faults) if early is None else early

    async def _clock_page(self, _request: web.Request) -> web.Response:
        return self._api.clock()

    async def _nowhere(self, _request: web.Request) -> web.Response:
        return error(404, "GeneralException", "Route not found")


def _gzipped(request: web.Request, response: web.Response) -> web.Response:
    """Compress what is worth it, for whoever can read it. The fastest level: a local wire is wide."""
    body = response.body
    if not isinstance(body, bytes) or len(body) < SMALLEST_GZIP_BYTES or "Content-Encoding" in response.headers:
        return response
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        packer = zlib.compressobj(1, wbits=31)
        response.body = packer.compress(body) + packer.flush()
        response.headers["Content-Encoding"] = "gzip"
    return response
