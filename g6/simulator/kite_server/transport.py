"""Faults of the transport and of the answer's shape: what is done to a request before and after it is served."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from g6.simulator.kite_server.faults import Fault
from g6.simulator.kite_server.replies import JSON, error, html_error, json_reply, reason_of

TRICKLE_PIECES = 20
LOOK_SECONDS = 0.05  # how soon a hanging request notices that the client left


class Untyped(web.Response):
    """An answer without a Content-Type, which the framework would otherwise insist on."""


stopping = web.AppKey("stopping", asyncio.Event)


async def before(request: web.Request, faults: Sequence[Fault]) -> web.StreamResponse | None:
    """Suffer what strikes before the request is served; return the answer where there is one already."""
    for fault in faults:
        if fault.do == "latency":
            await asyncio.sleep(fault.options["seconds"])
        elif fault.do == "hang":
            return await _hang(request)
        elif fault.do == "reset":
            return _reset(request)
        elif fault.do == "status":
            return _status(fault.options)
    return None


async def after(request: web.Request, faults: Sequence[Fault], response: web.Response) -> web.StreamResponse:
    """Return the answer as it leaves: whole, cut or drop by drop."""
    for fault in faults:
        if fault.do == "truncate":
            return await _in_pieces(request, response, _halves(response), 0.0, finish=False)
        if fault.do == "trickle":
            return await _in_pieces(request, response, _drops(response), fault.options["seconds"], finish=True)
    return response


def reshaped(faults: Sequence[Fault], response: web.Response) -> web.Response:
    """Return a JSON answer in the shape that a fault wants; any other answer as it is."""
    for fault in faults:
        if fault.do == "shape" and response.content_type == JSON and isinstance(response.body, bytes):
            return SHAPES[fault.options["shape"]](orjson.loads(response.body))
    return response


async def drop_content_type(_request: web.Request, response: web.StreamResponse) -> None:
    """Take the header away again where the shape wants none."""
    if isinstance(response, Untyped):
        response.headers.popall("Content-Type", None)


async def _hang(request: web.Request) -> web.Response:
    """Say nothing until the client gives up or the server stops."""
    stop = request.app[stopping]
    while not stop.is_set() and request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(LOOK_SECONDS)
    return _reset(request)


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _status(options: Mapping[str, Any]) -> web.Response:
    status, body = options["status"], options["body"]
    message = options["message"] if options["message"] is not None else reason_of(status)
    if body == "json":
        response = error(status, options["error_type"], message)
    elif body == "html":
        response = html_error(status)
    elif body == "text":
        response = web.Response(status=status, text=message, content_type="text/plain")
    else:
        response = web.Response(status=status, body=b"", content_type=JSON)
    if options["retry_after"] is not None:
        response.headers["Retry-After"] = f"{options['retry_after']:g}"
    return response


def _halves(response: web.Response) -> list[bytes]:
    body = _body(response)
    return [body[: len(body) // 2]]


def _drops(response: web.Response) -> list[bytes]:
    body = _body(response)
    size = max(1, -(-len(body) // TRICKLE_PIECES))
    return [body[begin : begin + size] for begin in range(0, len(body), size)]


def _body(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""


async def _in_pieces(
    request: web.Request, response: web.Response, pieces: Sequence[bytes], seconds: float, *, finish: bool
) -> web.StreamResponse:
    """Send the header with the whole length, then the pieces; without `finish` the connection closes there."""
    sent = web.StreamResponse(status=response.status, headers=response.headers)
    sent.content_length = len(_body(response))
    await sent.prepare(request)
    for piece in pieces:
        await asyncio.sleep(seconds / len(pieces))
        await sent.write(piece)
    if not finish and request.transport is not None:
        request.transport.close()
    return sent


def _list(document: Any) -> web.Response:
    return json_reply([document.get("data")])


def _data_null(document: Any) -> web.Response:
    return json_reply({**document, "data": None})


def _item_null(document: Any) -> web.Response:
    data = document.get("data")
    first = next(iter(data), None) if isinstance(data, dict) else None
    return json_reply({**document, "data": {**data, first: None} if first is not None else data})


def _broken_json(document: Any) -> web.Response:
    body = orjson.dumps(document)
    return web.Response(body=body[: len(body) // 2], content_type=JSON)


def _empty(_document: Any) -> web.Response:
    return web.Response(body=b"", content_type=JSON)


def _no_content_type(document: Any) -> web.Response:
    return Untyped(body=orjson.dumps(document))


def _error_without_message(_document: Any) -> web.Response:
    return json_reply({"status": "error", "data": None, "error_type": "GeneralException"}, 500)


def _error_without_type(_document: Any) -> web.Response:
    return json_reply({"status": "error", "message": "Something went wrong", "data": None}, 500)


def _success_without_data(_document: Any) -> web.Response:
    return json_reply({"status": "success"})


def _wrong_type(document: Any) -> web.Response:
    return json_reply({**document, "data": "unexpected"})


SHAPES: Mapping[str, Callable[[Any], web.Response]] = {
    "list": _list,
    "data_null": _data_null,
    "item_null": _item_null,
    "broken_json": _broken_json,
    "empty": _empty,
    "no_content_type": _no_content_type,
    "error_without_message": _error_without_message,
    "error_without_type": _error_without_type,
    "success_without_data": _success_without_data,
    "wrong_type": _wrong_type,
}
