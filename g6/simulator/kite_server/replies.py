"""What the server answers with: successes, errors and a front end's pages, in the shapes that Kite uses."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

JSON = "application/json"
REASONS: Mapping[int, str] = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    414: "Request-URI Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}
ERROR_TYPES: Mapping[int, str] = {
    400: "InputException",
    403: "TokenException",
    404: "GeneralException",
    405: "GeneralException",
    500: "GeneralException",
}


class KiteError(Exception):
    """A request that is refused: the status and the error that the client is to see."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type


def success(data: Any) -> web.Response:
    """Return `{"status": "success", "data": …}`; numpy columns and NaN (as null) may be in it."""
    return json_reply({"status": "success", "data": data})


def json_reply(document: Any, status: int = 200) -> web.Response:
    """Return a document as JSON."""
    return web.Response(status=status, body=orjson.dumps(document), content_type=JSON)


def error(status: int, error_type: str | None = None, message: str | None = None) -> web.Response:
    """Return Kite's error body; what is not given follows from the status."""
    return json_reply(
        {
            "status": "error",
            "message": reason_of(status) if message is None else message,
            "data": None,
            "error_type": error_type or ERROR_TYPES.get(status, "NetworkException"),
        },
        status,
    )


def html_error(status: int) -> web.Response:
    """Return the page that a front end answers with, on its own, in place of the service behind it."""
    title = f"{status} {reason_of(status)}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n"
    )
    return web.Response(status=status, text=f"{page}</html>\r\n", content_type="text/html")


def reason_of(status: int) -> str:
    """Return a status's words."""
    return REASONS.get(status, "Error")
