"""The one place where what the Kite client raises becomes one of G6's errors, by what to do next.

The client hides much: every answer that is not JSON is a `DataException` with code 502 whatever the status was, and an
answer of an unforeseen shape is whatever Python stumbled over (KeyError, TypeError, AttributeError,
UnboundLocalError). So the answer itself is looked at where there was one, and the exception only says the rest.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from http.client import RemoteDisconnected

import requests
from kiteconnect.exceptions import KiteException

from g6.errors import AuthError, BadResponse, G6Error, RateLimited, TransientError
from g6.logs import redact

LONGEST_MESSAGE = 160

# What an address that is too long for the front end is answered with, instead of the API's own JSON.
TOO_LONG = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_URI_TOO_LONG, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})

# Long runs of letters and digits are tokens, keys or checksums; symbols are shorter and carry no small letters.
_SECRET = re.compile(r"[A-Za-z0-9_-]{41,}|(?=[A-Za-z0-9_-]*[a-z])(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{24,}")
_ADDRESS = re.compile(r"\S+://\S+|\S*\?\S*=\S*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered, as far as it matters here; `status` 0 when it did not answer at all."""

    status: int = 0
    json: bool = False
    error: bool = False  # the body says of itself that it is one
    retry_after: float | None = None
    content_type: str = ""
    error_type: str = ""
    message: str = ""


NO_ANSWER = Answer()


def translate(
    error: Exception, what: str, answer: Answer = NO_ANSWER, secrets: Collection[str] = (), login: str = "g6 login"
) -> G6Error:
    """Return what the client's `error` means, as a sentence that says what to do.

    `what` is the call ("kite.quote"), `answer` the last thing the server said to it, `secrets` are texts that must not
    appear, `login` is the command that mends a dead token. An error of G6's own comes back as it is.
    """
    if isinstance(error, G6Error):
        return error
    if isinstance(error, requests.RequestException):
        return _unanswered(error, what)
    if isinstance(error, KiteException) and not answer.status:
        answer = Answer(_code(error), json=True, error=True, error_type=type(error).__name__)
    error_type = answer.error_type or (type(error).__name__ if isinstance(error, KiteException) else "")
    message = clean(answer.message or (str(error) if answer.json and isinstance(error, KiteException) else ""), secrets)
    return _refused(what, answer, error_type, message, login) or _failed(what, answer, error, message)


def clean(text: str, secrets: Collection[str] = ()) -> str:
    """Return a vendor's words as a clause of one line, without addresses and without anything like a secret."""
    for secret in secrets:
        text = text.replace(secret, "…") if secret else text
    text = redact(text)  # what is registered as one, whoever holds it
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = _SECRET.sub("…", _ADDRESS.sub("…", text))
    return text[:LONGEST_MESSAGE].rstrip(" .")


def _unanswered(error: requests.RequestException, what: str) -> TransientError:
    """Return what no answer, or half of one, means; the exception's own text carries the address and is left out."""
    if isinstance(error, requests.Timeout):
        return TransientError(f"{what}: the broker did not answer in time", kind="timeout")
    if isinstance(error, requests.exceptions.SSLError):
        return TransientError(f"{what}: no trusted TLS connection; check this machine's time, proxy and certificates")
    if isinstance(error, requests.exceptions.ProxyError):
        return TransientError(f"{what}: the proxy does not answer; check HTTPS_PROXY")
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return TransientError(f"{what}: the answer broke off")
    reason = _reason(error)
    return TransientError(f"{what}: the broker cannot be reached ({reason}); check the network if it stays so")


def _reason(error: BaseException) -> str:
    """Return the operating system's word for a failed connection, from the innermost cause that has one."""
    word, found = "connection failed", [error]
    for cause in found:  # grows as it goes; urllib3 keeps causes in three places
        if isinstance(cause, RemoteDisconnected):  # a kind of reset that the operating system has no word for
            word = "the connection was closed without an answer"
        if isinstance(cause, OSError) and cause.strerror:
            word = cause.strerror.lower()
        below = (getattr(cause, "reason", None), cause.__cause__, cause.__context__, *cause.args)
        found += [one for one in below if isinstance(one, BaseException) and one not in found]
    return word


def _refused(what: str, answer: Answer, error_type: str, message: str, login: str) -> G6Error | None:
    """Return what a person must mend, or what to wait for; None where it is neither."""
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(f"{what}: too many requests (HTTP 429)", answer.retry_after)
    about_token = error_type == "InputException" and re.search("access_token|api_key", message)
    unnamed = answer.status == HTTPStatus.UNAUTHORIZED or (
        answer.status == HTTPStatus.FORBIDDEN and "access_token" in message
    )
    if error_type == "TokenException" or about_token or unnamed:
        return AuthError(f"{what}: the access token is refused{_quoted(message)}; run `{login}`")
    if error_type == "PermissionException":
        return AuthError(
            f"{what}: this Kite app has no market data{_quoted(message)}: subscribe to the Connect plan at "
            f"https://developers.kite.trade first; run `{login}`"
        )
    return None


def _failed(what: str, answer: Answer, error: Exception, message: str) -> G6Error:
    """Return what is worth another try, and what is not."""
    status = answer.status
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(
            f"{what}: the broker's server failed (HTTP {status}){_quoted(message)}", answer.retry_after,
            kind="server_error",
        )  # fmt: skip
    if status in TOO_LONG and not answer.json:
        return BadResponse(
            f"{what}: the front end refused the request (HTTP {status}); if its address was too long, lower "
            "providers.kite.batch_bytes"
        )
    if status == HTTPStatus.FORBIDDEN:
        return TransientError(
            f"{what}: the front end refuses this machine (HTTP 403){_quoted(message)}; check its address and proxy",
            answer.retry_after, kind="server_error",
        )  # fmt: skip
    if status >= HTTPStatus.BAD_REQUEST:
        return BadResponse(f"{what}: the broker refused the request (HTTP {status}){_quoted(message)}")
    return BadResponse(f"{what}: the answer makes no sense: {_shape(answer, error)}")


def _shape(answer: Answer, error: Exception) -> str:
    if not answer.status:
        return f"{type(error).__name__} before there was one"
    if answer.error:
        return clean(f"HTTP {answer.status} with {answer.error_type or 'an error'} {answer.message}")
    if not answer.content_type:
        return "it has no Content-Type"
    if not answer.json:
        return f"{clean(answer.content_type)} where data was due"
    if isinstance(error, KiteException):
        return "broken JSON"
    return f"JSON of an unknown shape ({type(error).__name__})"


def _code(error: KiteException) -> int:
    code = getattr(error, "code", 0)
    return code if isinstance(code, int) else 0


def _quoted(message: str) -> str:
    return f' ("{message}")' if message else ""
