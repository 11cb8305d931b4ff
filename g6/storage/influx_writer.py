"""The wire to InfluxDB 2, or to a VictoriaMetrics that speaks its protocol: one synchronous request at a time.

The only place that knows the client library's errors. They become errors named by what to do next.
"""

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

import orjson

from g6.errors import AuthError, BadResponse, RateLimited, TransientError
from g6.logs import redact
from g6.storage.influx_lines import PRECISION

# Level 1 costs a fifth of level 9's time and is a tenth larger; the server unpacks both as fast.
COMPRESSION_LEVEL = 1
# The request cannot be taken as it is, whenever it is sent: too large, or a line in it that is refused.
POISON = frozenset({400, 413, 422})
LOGIN = frozenset({401, 403})
# Both servers say when their process started on this page, which names thousands of other things, too.
METRICS_BYTES_LIMIT = 8_000_000
# VictoriaMetrics answers 204 to a line it cannot read or a minute out of its retention, and counts it.
DROPPED_ROWS = re.compile(
    rb'^vm_(?:rows_invalid_total\{type="influx"}|rows_ignored_total\{.*}|concurrent_addrows_dropped_rows_total) (\S+)',
    re.MULTILINE,
)
PROCESS_START = re.compile(rb"^process_start_time_seconds ([0-9.eE+]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class InfluxOptions:
    """Where the database is, and how it is written to. The token comes from the environment, never from a file."""

    url: str
    org: str
    bucket: str
    token: str = field(repr=False)
    batch_lines: int = 5_000
    batch_bytes: int = 1_000_000  # before compression
    timeout_seconds: float = 10.0  # of one request
    unconfirmed_seconds: float = 60.0  # how long an acknowledged line may still be in the server's memory alone
    settle_seconds: float = 0.0  # how long a recorded minute waits for a later tick, where cycles are shorter than it
    first_wait_seconds: float = 1.0  # after a failure; doubled with each further one
    maximum_wait_seconds: float = 30.0
    hold_seconds: float = 60.0  # between two attempts while the token is refused
    close_seconds: float = 5.0  # what `close` gives to lines that could go out at once
    compress: bool = True  # a database on the same machine is served faster without
    ca_file: str | None = None  # certificates to trust for https, where the system's are not enough


class Poison(BadResponse):
    """The server refuses these lines for what they are; `status` is its answer (400, 413 or 422)."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Server(NamedTuple):
    """What a server says of itself."""

    started_at: float | None = None  # of its process, seconds since 1970; None when it does not tell
    dropped_rows: int = 0  # acknowledged since then and not kept, whoever sent them


class InfluxWriter:
    """Safe for one thread; a request abandoned in another one may end while the next is under way."""

    def __init__(self, options: InfluxOptions) -> None:
        # The client takes most of a second to import: only those who write wait for it.
        library: Any = import_module("influxdb_client")
        self._options = options
        self._base = options.url.rstrip("/")
        self._named = redact(self._base)  # as sentences name it, without a password that may be in it
        self._client = library.InfluxDBClient(
            self._base, options.token, org=options.org, timeout=round(options.timeout_seconds * 1000),
            ssl_ca_cert=options.ca_file, retries=False,
        )  # fmt: skip
        self._api_error, urllib3_errors = library.rest.ApiException, import_module("urllib3.exceptions")
        self._http_error, self._timed_out = urllib3_errors.HTTPError, urllib3_errors.TimeoutError
        self._not_connected = urllib3_errors.NewConnectionError
        self._service = library.WriteService(self._client.api_client)

    def write(self, lines: Sequence[bytes]) -> int:
        """Return the bytes sent, once the server says it has the lines.

        Poison (400, 413, 422), AuthError (401, 403), RateLimited (429), TransientError for everything else.
        """
        body = b"\n".join(lines)
        encoding = {"content_encoding": "gzip"} if self._options.compress else {}
        if encoding:
            body = gzip.compress(body, COMPRESSION_LEVEL, mtime=0)
        self._translated(
            lambda: self._service.post_write(
                self._options.org, self._options.bucket, body, precision=PRECISION, **encoding
            )
        )
        return len(body)

    def server(self) -> Server:
        """Return what the server says of itself; TransientError when there is none."""
        page = self._translated(self._metrics_page)
        found = PROCESS_START.search(page)
        return Server(float(found[1]) if found else None, round(sum(map(float, DROPPED_ROWS.findall(page)))))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _metrics_page(self) -> bytes:
        pool = self._client.api_client.rest_client.pool_manager
        response = pool.request(
            "GET", f"{self._base}/metrics", preload_content=False, timeout=self._options.timeout_seconds, retries=False
        )
        try:
            page: bytes = response.read(METRICS_BYTES_LIMIT, decode_content=True)
        finally:
            response.close()  # with its connection: what is left unread would be taken for the next answer
        if response.status >= 500:
            raise TransientError(f"{self._named} answers {response.status}", kind="server_error")
        return page if response.status == 200 else b""

    def _translated(self, call: Any) -> Any:
        try:
            return call()
        except self._api_error as error:
            raise self._refusal(error.status or 0, error.headers or {}, error.body or error.reason) from error
        except (self._http_error, OSError) as error:
            # To urllib3 a refused connection is a time-out of connecting.
            if isinstance(error, self._timed_out) and not isinstance(error, self._not_connected):
                raise TransientError(
                    f"{self._named} does not answer within {self._options.timeout_seconds:g} s", kind="timeout"
                ) from error
            raise TransientError(f"cannot reach {self._named}: {redact(_cause(error))}") from error

    def _refusal(self, status: int, headers: Any, body: Any) -> Exception:
        said = f"{self._named} answers {status}: {_reason(body)}"
        if status in POISON:
            return Poison(said, status)
        if status in LOGIN:
            return AuthError(f"{said}; give a token that may write bucket {self._options.bucket!r}")
        if status == 404:
            return TransientError(f"{said}; check url, org and bucket", kind="server_error")
        seconds = _retry_after_seconds(headers)
        if status == 429:
            return RateLimited(said, seconds)
        return TransientError(said, seconds, kind="server_error")


def _reason(body: Any) -> str:
    """Return what the server said, as one short line, without the token that some servers quote."""
    try:
        document = orjson.loads(body)
        text = str(document.get("message") or document)
    except (ValueError, TypeError, AttributeError):
        text = str(body)
    return redact(" ".join(text.split()))[:200]


def _retry_after_seconds(headers: Any) -> float | None:
    """Return the pause asked for; None when there is none, or it is a date."""
    value = next((text for name, text in dict(headers).items() if name.lower() == "retry-after"), "")
    return float(value) if str(value).strip().isdigit() else None


def _cause(error: BaseException) -> str:
    """Return the innermost reason: urllib3 wraps a refused connection three times."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
