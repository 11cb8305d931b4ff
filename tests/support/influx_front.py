"""What may stand before a database: an HTTP server that answers as told, and a TCP proxy with faults."""

import gzip
import socket
import struct
import threading
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]


class HttpFront:
    """Answers each write as `answer(lines)` says, or hands it on to `behind` where that is None; metrics go through."""

    def __init__(self, answer: Callable[[list[bytes]], Answer | None], behind: str | None = None) -> None:
        front = self
        self.metrics: Answer = (404, {}, b"")
        self.writes: list[tuple[dict[str, list[str]], dict[str, str], list[bytes]]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                packed = self.headers["Content-Encoding"] == "gzip"
                lines = (gzip.decompress(raw) if packed else raw).split(b"\n")
                front.writes.append((parse_qs(urlsplit(self.path).query), dict(self.headers), lines))
                said = answer(lines)
                if said is None and behind is not None:
                    request = urllib.request.Request(behind + self.path, raw, {"Content-Encoding": "gzip"})
                    with urllib.request.urlopen(request) as response:
                        said = (response.status, {}, b"")
                self.reply(*(said or (204, {}, b"")))

            def do_GET(self) -> None:
                if behind is None:
                    self.reply(*front.metrics)
                    return
                with urllib.request.urlopen(behind + self.path) as response:
                    self.reply(response.status, {}, response.read())

            def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class TcpProxy:
    """Passes bytes on to a port of this machine; connection number n is treated as `fault(n)` says.

    `pass`: to the end. `reset_request`: reset in the middle of the first request. `reset_answer`: the second request
    goes through, and the connection is reset instead of its answer. `slow`: 4 kB of the requests at a time, with
    pauses. `hole`: nothing ever comes back.
    """

    def __init__(self, port: int, fault: Callable[[int], str]) -> None:
        self._port, self._fault = port, fault
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.faults: list[str] = []
        self._closing = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            fault = self._fault(len(self.faults))
            self.faults.append(fault)
            threading.Thread(target=self._serve, args=(client, fault), daemon=True).start()

    def _serve(self, client: socket.socket, fault: str) -> None:
        if fault == "hole":
            self._closing.wait()
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._port))
        except OSError:
            reset(client)
            return
        answers = 1 if fault == "reset_answer" else None
        back = threading.Thread(target=self._pump, args=(server, client, answers), daemon=True)
        back.start()
        self._pump(client, server, 0 if fault == "reset_request" else None, slowly=fault == "slow")
        back.join()
        client.close()
        server.close()

    def _pump(self, source: socket.socket, sink: socket.socket, reset_after: int | None, slowly: bool = False) -> None:
        """Pass on what comes; with `reset_after`, that many readings of it."""
        readings = 0
        try:
            while data := source.recv(4096 if slowly else 65536):
                if readings == reset_after:
                    reset(source)
                    reset(sink)
                    return
                readings += 1
                sink.sendall(data)
                if slowly:
                    self._closing.wait(0.005)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            reset(sink)


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        pass
    connection.close()
