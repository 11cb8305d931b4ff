"""A server that answers each request as it was told to, for the shapes that no honest server sends."""

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

JSON = "application/json"


@dataclass(frozen=True)
class Reply:
    """An answer. `headers` without Content-Type send none; `cut` promises more bytes than it sends; `reset` none."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": JSON})
    cut: bool = False
    reset: bool = False
    hold: threading.Event | None = None  # answers only when it is set


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, list[str]]
    form: Mapping[str, list[str]]
    authorization: str
    target_bytes: int

    @property
    def keys(self) -> list[str]:
        return self.query.get("i", [])


Script = Callable[[Asked], Reply]


class ScriptedBroker:
    """Answers by `script`, which may be replaced at any time; keeps what it was asked. A context manager."""

    def __init__(self, script: Script | Reply) -> None:
        self.script: Script = script if callable(script) else lambda _: script
        self.asked: list[Asked] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def handle_any(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(
                    self.command, parts.path, parse_qs(parts.query), parse_qs(self.rfile.read(length).decode()),
                    self.headers.get("Authorization", ""), len(self.path),
                )  # fmt: skip
                outer.asked.append(asked)
                self.give(outer.script(asked))

            do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - http.server looks for these names

            def give(self, reply: Reply) -> None:
                if reply.hold is not None:
                    reply.hold.wait(30)
                if reply.reset:
                    # Lingering for no time makes the close a reset.
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body) + (100 if reply.cut else 0)))
                self.end_headers()
                self.wfile.write(reply.body)
                self.close_connection = reply.cut

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
