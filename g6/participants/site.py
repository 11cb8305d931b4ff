"""Asking NSE for its files: one request at a time, with a pause between, saying who asks, and never for long.

The exchange's servers refuse many who are not a browser in India (403). That is an answer, not a fault: nothing is
repeated, and the sentence says how to come by the file otherwise.
"""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import HTTPCookieProcessor, HTTPSHandler, OpenerDirector, Request, build_opener

import certifi

from g6 import __version__
from g6.clock import Clock
from g6.errors import BadResponse, RateLimited, TransientError
from g6.participants.days import Cash, Contracts, Day, Kind
from g6.participants.recognise import days_in
from g6.resilience.deadline import Deadline
from g6.resilience.endpoint import Endpoint
from g6.resilience.limiter import Limiter
from g6.resilience.retry import RetryPolicy

FILE_MAX_BYTES = 4 * 1024 * 1024
# A server that fails is left alone for so long before the same file is asked for again.
FIRST_WAIT_SECONDS, MAXIMUM_WAIT_SECONDS = 5.0, 60.0
HEADERS: Mapping[str, str] = {
    "User-Agent": f"Mozilla/5.0 (compatible; G6/{__version__})",
    "Accept": "text/csv,application/json,text/html;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-IN,en;q=0.9",
    "Accept-Encoding": "identity",
}
FILE_WORDS: Mapping[Kind, str] = {"oi": "oi", "volume": "vol"}
CASH_PAGE, CASH_PATH = "/reports/fii-dii", "/api/fiidiiTradeReact"
BY_HAND = "download it with a browser and run `g6 participants import FILE`"


class Barred(BadResponse):
    """The exchange does not serve this address: asking for more would be rude and of no use."""


class NotPublished(BadResponse):
    """There is no such file: not yet, or the day had no session."""


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """Where and how patiently. The addresses have no path; `attempts` counts the first one, too."""

    archives_url: str = "https://nsearchives.nseindia.com"
    site_url: str = "https://www.nseindia.com"
    pause_seconds: float = 3.0
    timeout_seconds: float = 20.0
    attempts: int = 3


class NseSite:
    """The exchange's daily files. Everything that is no answer of use is an error, in one line.

    Barred, NotPublished and other BadResponses are final; TransientErrors have been tried as often as allowed.
    """

    def __init__(self, options: SiteOptions, clock: Clock) -> None:
        self._options = options
        self._opener = _opener()
        retry = RetryPolicy(options.attempts, FIRST_WAIT_SECONDS, MAXIMUM_WAIT_SECONDS)
        self._endpoint = Endpoint(
            "nse.files", clock, Deadline(clock, 0.0), limiters=(Limiter(options.pause_seconds, clock),), retry=retry,
            timeout_seconds=options.timeout_seconds,
        )  # fmt: skip

    def contracts(self, kind: Kind, day: date) -> Contracts:
        """Return the positions or volumes of a day; BadResponse when what is served is something else."""
        url = f"{self._options.archives_url}/content/nsccl/fao_participant_{FILE_WORDS[kind]}_{day:%d%m%Y}.csv"
        found = self._day(url)
        if not isinstance(found, Contracts) or (found.kind, found.day) != (kind, day):
            raise BadResponse(f"{url} has the {found.name} in the place of the {kind} of {day}")
        return found

    def cash(self) -> Cash:
        """Return the cash flows of the last day that is published: the site has no other."""
        # The data are served to those who have been given the page's cookies.
        self._fetched(self._options.site_url + CASH_PAGE)
        url = self._options.site_url + CASH_PATH
        found = self._day(url)
        if not isinstance(found, Cash):
            raise BadResponse(f"{url} has the {found.name} in the place of cash flows")
        return found

    def _day(self, url: str) -> Day:
        body = self._fetched(url)
        try:
            days = days_in(body)
        except BadResponse as error:
            raise BadResponse(f"what {url} gave cannot be used: {error}") from None
        if len(days) != 1:
            raise BadResponse(f"{url} has {len(days)} days in the place of one")
        return days[0]

    def _fetched(self, url: str) -> bytes:
        headers = {**HEADERS, "Referer": f"{self._options.site_url}/"}
        request = Request(url, headers=headers)  # noqa: S310 - the settings' pattern allows http and https alone
        return self._endpoint.call(partial(_answer, self._opener, request, self._options.timeout_seconds))


def _opener() -> OpenerDirector:
    context = ssl.create_default_context(cafile=certifi.where())
    return build_opener(HTTPSHandler(context=context), HTTPCookieProcessor())


def _answer(opener: OpenerDirector, request: Request, timeout_seconds: float) -> bytes:
    url = request.full_url
    try:
        with opener.open(request, timeout=timeout_seconds) as response:
            body: bytes = response.read(FILE_MAX_BYTES + 1)
            promised = response.headers["Content-Length"]
    except HTTPError as error:
        with error:
            _refused(url, error)
    except TimeoutError:
        raise TransientError(f"{url} gave no answer in {timeout_seconds:g} s", kind="timeout") from None
    except (URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        kind = "timeout" if isinstance(reason, TimeoutError) else "unreachable"
        raise TransientError(f"{url} cannot be reached: {reason or type(reason).__name__}", kind=kind) from None
    if len(body) > FILE_MAX_BYTES:
        raise BadResponse(f"{url} gave more than {FILE_MAX_BYTES} bytes")
    if promised and promised.isdecimal() and len(body) < int(promised):
        raise TransientError(f"{url} ended after {len(body)} of {promised} bytes")
    return body


def _refused(url: str, error: HTTPError) -> NoReturn:
    if error.code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Barred(f"{url} is not served to this machine ({error.code}); {BY_HAND}") from None
    if error.code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise NotPublished(f"{url} is not there ({error.code}): not published yet, or no day of trade") from None
    if error.code == HTTPStatus.TOO_MANY_REQUESTS:
        asked = str(error.headers.get("Retry-After", ""))
        raise RateLimited(f"{url} asks for a pause (429)", float(asked) if asked.isdecimal() else None) from None
    if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise TransientError(f"{url} fails ({error.code})", kind="server_error") from None
    raise BadResponse(f"{url} answers {error.code}") from None
