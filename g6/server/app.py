"""What is served under which path. Every answer works before the first cycle and without any part of the agent."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from g6.alerting import ALERTS
from g6.alerting.runbooks import INDEX, runbook
from g6.health import Health, Verdict
from g6.health.document import encode
from g6.metrics.exposition import PLAIN_CONTENT_TYPE, Exposition
from g6.metrics.negotiation import quality
from g6.metrics.options_page import OptionsPage
from g6.server.landing import STYLE_HASH, landing_page
from g6.server.runbooks import runbook_page
from g6.server.state import PublishedState

# A page of several megabytes goes out in pieces, each when the one before was taken: a client that does not read
# holds one piece of memory, not the page.
PIECE_BYTES = 128 * 1024

SECURITY_HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def create_app(exposition: Exposition, options: OptionsPage, health: Health, state: PublishedState) -> ASGIApp:
    """Return the ASGI application over these four, which the loop keeps up to date."""
    pages = _Pages(exposition, options, health, state)
    app = Starlette(
        routes=[
            Route("/", pages.landing),
            Route("/metrics", pages.metrics),
            Route("/metrics/options", pages.per_option),
            Route("/health", pages.health),
            Route("/healthz", pages.live),
            Route("/readyz", pages.ready),
            Route("/runbooks/", _runbooks),
            Route("/runbooks/{name}", _runbook),
        ],
        exception_handlers={HTTPException: _refused, Exception: _broken},
    )
    app.router.redirect_slashes = False  # a redirect would repeat whatever Host the client claims
    return _SecurityHeaders(app)


class _Pages:
    def __init__(self, exposition: Exposition, options: OptionsPage, health: Health, state: PublishedState) -> None:
        self._exposition, self._options, self._health, self._state = exposition, options, health, state

    async def landing(self, _request: Request) -> Response:
        return HTMLResponse(landing_page(self._state.report, self._health))

    async def metrics(self, request: Request) -> Response:
        body, content_type = self._exposition.page(request.headers.get("accept", ""))
        return _InPieces(body, headers={"content-type": content_type, "vary": "Accept"})

    async def per_option(self, request: Request) -> Response:
        page = self._options.current
        headers = {"content-type": PLAIN_CONTENT_TYPE, "vary": "Accept-Encoding"}
        if quality(request.headers.get("accept-encoding", ""), "gzip"):
            return _InPieces(page.gzipped, headers=headers | {"content-encoding": "gzip"})
        return _InPieces(page.plain, headers=headers)

    async def health(self, _request: Request) -> Response:
        # The state is in the document: what asks for a code asks one of the two below.
        return Response(encode(self._health.document()), media_type="application/json")

    async def live(self, _request: Request) -> Response:
        return _probe(self._health.live())

    async def ready(self, _request: Request) -> Response:
        return _probe(self._health.ready())


class _InPieces(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the protocol's form
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        for start in range(0, len(body), PIECE_BYTES):
            piece = body[start : start + PIECE_BYTES]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # others have their turn, and a client that left is noticed
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _runbooks(_request: Request) -> Response:  # no coroutine: it reads a file, beside the loop
    return HTMLResponse(runbook_page("Runbooks", runbook(INDEX)))


def _runbook(request: Request) -> Response:
    name = str(request.path_params["name"]).removesuffix(".md")  # as the files link each other
    if name not in ALERTS:
        return PlainTextResponse("no alert has this name: /runbooks/ lists them\n", HTTPStatus.NOT_FOUND)
    return HTMLResponse(runbook_page(name, runbook(name)))


def _probe(verdict: Verdict) -> Response:
    status = HTTPStatus.OK if verdict.ok else HTTPStatus.SERVICE_UNAVAILABLE
    body = orjson.dumps(verdict.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Response(body, status, media_type="application/json")


async def _refused(request: Request, error: Exception) -> Response:
    """Answer a path that is not served, or a method that is not GET or HEAD, in one line."""
    assert isinstance(error, HTTPException)  # noqa: S101 - the only kind it is registered for
    if error.status_code == HTTPStatus.NOT_FOUND:
        text = "not found: / lists what is served"
    else:
        text = f"{error.detail.lower()}: {request.method} is not answered here, only GET and HEAD"
    return PlainTextResponse(f"{text}\n", error.status_code, error.headers)


async def _broken(_request: Request, _error: Exception) -> Response:
    """Answer where a page raised; the log has the trace. The connection ends, since the server will close it."""
    return PlainTextResponse("this page is broken; the log says why\n", 500, {"connection": "close"})
