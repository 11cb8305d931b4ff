"""Where the browser comes back to after a login: one small listener on this machine, and what it is told."""

import queue
import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from g6.errors import AuthError, ConfigError
from g6.providers.kite.boundary import clean

REDIRECT = "http://127.0.0.1:5000/success"
WAIT_SECONDS = 300.0
SLOWEST_BROWSER_SECONDS = 10.0

_REQUEST_TOKEN = re.compile(r"[A-Za-z0-9_-]{6,128}")
_PAGE = "<!doctype html><meta charset=utf-8><title>G6</title><body style='font:1.2em sans-serif;margin:4em'><p>{}</p>"


def request_token_in(text: str) -> str:
    """Return the request token in `text`, which is the token itself or the whole address of the redirect.

    Raises AuthError for an address of a login that did not succeed, and for what cannot be a request token.
    """
    text = text.strip()
    if "request_token=" in text or "status=" in text:
        query = parse_qs(urlsplit(text).query or text)
        status = query.get("status", ["success"])[-1]
        if status != "success":
            raise AuthError(f"login: the broker says {clean(status)!r} instead of success; log in again")
        text = query.get("request_token", [""])[-1]
    if not _REQUEST_TOKEN.fullmatch(text):
        raise AuthError("login: that is no request token; it is in the address the browser is sent to after the login")
    return text


class Listener:
    """Waits at the redirect address for the browser to come back from the broker's page. A context manager.

    `address` must be this machine's own: the request token in it is worth a session.
    """

    def __init__(self, address: str = REDIRECT) -> None:
        host, port, self._path = _redirect(address)
        self._found: queue.Queue[str | AuthError] = queue.Queue()
        try:
            self._server = _Server((host, port), _handler(self._path, self._found))
        except OSError as error:
            raise ConfigError(
                f"{address}: cannot be listened at: {error.strerror}; free it, or paste the token: "
                "g6 login --request-token -"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="g6 login", daemon=True)

    @property
    def address(self) -> str:
        """Return where it listens, with the port it got."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}{self._path}"

    def wait(self, seconds: float = WAIT_SECONDS) -> str:
        """Return the request token; raise AuthError when the login failed or nobody came in these real seconds."""
        try:
            found = self._found.get(timeout=seconds)
        except queue.Empty:
            raise AuthError(f"login: nobody came back from the login page in {seconds:.0f} s; run it again") from None
        if isinstance(found, AuthError):
            raise found
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # the answer is out; a browser that keeps its connection must not keep us

    def handle_error(self, *_: Any) -> None:
        """Say nothing: a browser that hangs up is no event."""


def _handler(path: str, found: "queue.Queue[str | AuthError]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = SLOWEST_BROWSER_SECONDS
        server_version, sys_version = "g6", ""

        def do_GET(self) -> None:
            if urlsplit(self.path).path != path:
                self._answer(HTTPStatus.NOT_FOUND, "This is not the page that the login returns to.")
                return
            try:
                token = request_token_in(self.path)
            except AuthError as error:
                if "status=" in self.path:  # else something that only looked in
                    found.put(error)
                self._answer(HTTPStatus.BAD_REQUEST, "The login did not succeed. The terminal says what to do.")
                return
            found.put(token)
            self._answer(HTTPStatus.OK, "Logged in. You may close this page; the terminal says the rest.")

        def _answer(self, status: HTTPStatus, sentence: str) -> None:
            page = _PAGE.format(sentence).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Say nothing: the address holds the request token."""

    return Handler


def _redirect(address: str) -> tuple[str, int, str]:
    """Return host, port and path of an address of this machine; raise ConfigError for any other."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host not in {"127.0.0.1", "localhost"} or port is None or parts.scheme != "http":
        raise ConfigError(f"redirect {address}: must be on this machine, like {REDIRECT}")
    return host, port, parts.path or "/"
