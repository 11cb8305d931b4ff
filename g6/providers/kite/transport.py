"""The official client, with one response hook: it keeps what the client throws away, and hands out raw bodies.

`KiteConnect` builds each request, signs it and sorts the answers. Two things it does are in the way: it drops status
and headers of what it takes for an error, and it parses a quote body for 60 ms where columns need 5. So a hook on its
`requests` session notes each answer, and calls a sound quote body CSV, which the client hands out as it came.
"""

import logging
import math
import re
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
import requests
from kiteconnect import KiteConnect

from g6.providers.kite.boundary import NO_ANSWER, Answer, translate
from g6.providers.kite.options import KiteOptions

T = TypeVar("T")

QUOTE_PATH = "/quote"
# An error body says so at once, under any status; no symbol contains these words.
_ERROR = re.compile(rb'"error_type"\s*:|"status"\s*:\s*"error"')
_ERROR_WITHIN_BYTES = 2048
_LARGEST_ERROR_BYTES = 65_536
_LONGEST_PAUSE_SECONDS = 3600.0


class KiteClient(KiteConnect):  # type: ignore[misc]  # the official client ships no types
    """The client of one app at one server. Safe for several threads, each of which sees its own last answer."""

    def __init__(self, api_key: str, options: KiteOptions) -> None:
        super().__init__(api_key, root=options.root, timeout=options.timeout_seconds)
        self._default_login_uri = options.login_url
        self._heard = threading.local()
        self.reqsession.hooks["response"].append(self._hear)
        # A proxy of the environment must not stand before this machine's own server.
        self.reqsession.trust_env = not options.loopback
        self.reqsession.auth = _as_signed
        logging.getLogger("urllib3.connectionpool").addFilter(_without_queries)

    def quote_body(self, keys: Sequence[str]) -> bytes:
        """Return the body of one /quote answer; `keys` are EXCHANGE:SYMBOL."""
        body: bytes = self._get("market.quote", params={"i": list(keys)})
        return body

    def instruments_body(self, exchange: str) -> bytes:
        """Return the CSV of one exchange's instruments."""
        body: bytes = self._get("market.instruments", url_args={"exchange": exchange})
        return body

    def ask(self, what: str, call: Callable[[], T], secrets: Sequence[str] = (), login: str = "g6 login") -> T:
        """Return what `call` (of this client) returns; whatever it raises becomes one of G6's errors.

        This is a provider's boundary: anything may arrive here. The vendor's exception is not kept as the cause,
        for its text may hold addresses with tokens in them.
        """
        self._heard.answer = NO_ANSWER
        try:
            return call()
        except Exception as error:  # noqa: BLE001  the boundary: nothing above it sees a vendor's exception
            failure = translate(error, what, self._heard.answer, secrets, login)
        raise failure

    def close(self) -> None:
        """Close the connections that are kept open."""
        self.reqsession.close()

    def _hear(self, response: requests.Response, *_args: Any, **_options: Any) -> None:
        """Note an answer, in the thread that asked; call a sound quote body CSV, so that it is handed out raw."""
        content_type = response.headers.get("content-type", "")
        self._heard.answer = answer = _answer(response, content_type)
        sound = response.status_code == requests.codes.ok and answer.json and not answer.error
        if sound and urlsplit(response.url).path == QUOTE_PATH:
            response.headers["content-type"] = "text/csv"


def _answer(response: requests.Response, content_type: str) -> Answer:
    json = "json" in content_type
    retry_after = _seconds(response.headers.get("retry-after"))
    document = _error_of(response.content) if json else None
    words = ((document or {}).get(name) for name in ("error_type", "message"))
    error_type, message = (word if isinstance(word, str) else "" for word in words)
    return Answer(response.status_code, json, document is not None, retry_after, content_type, error_type, message)


def _error_of(body: bytes) -> dict[str, Any] | None:
    """Return an error body; None for what is none."""
    if len(body) > _LARGEST_ERROR_BYTES or not _ERROR.search(body, 0, _ERROR_WITHIN_BYTES):
        return None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _seconds(retry_after: str | None) -> float | None:
    """Return the pause a Retry-After header asks for, which is a number of seconds or a date (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_PAUSE_SECONDS)


def _as_signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the client's own signature; without this, an entry of ~/.netrc would take its place."""
    return request


def _without_queries(record: logging.LogRecord) -> bool:
    """Cut the queries off the addresses in a connection's log line: the one of a logout holds the token."""
    if isinstance(record.args, tuple):
        record.args = tuple(a.partition("?")[0] if isinstance(a, str) else a for a in record.args)
    return True
