"""The time-series database of a drill: it takes every line, refuses every line, or is not there."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from g6.drill.processes import LOOPBACK, free_port

TAKEN, REFUSED = 204, 400


class Database:
    """Answers writes as InfluxDB 2 does, on one port, and keeps nothing."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"http://{LOOPBACK}:{self._port}"
        self.status = TAKEN
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen."""
        self._server = ThreadingHTTPServer((LOOPBACK, self._port), _handler(self))
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def stop(self) -> None:
        """Be gone: who calls is refused the connection."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


def _handler(database: Database) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b'{"code": "invalid", "message": "unable to parse"}' if database.status == REFUSED else b""
            self.send_response(database.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    return Handler
