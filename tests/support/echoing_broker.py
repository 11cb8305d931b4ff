"""A front before the simulated broker that at times answers with what it was asked with: the secrets come back."""

import http.client
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

NOTHING: Mapping[str, str] = {}
JSON, HTML = "application/json", "text/html"


class EchoingBroker:
    """Hands requests on to `behind`; the n-th one for quotes suffers `ills[n]`: a status and a type, 0 for no answer.

    `refused` is set when a token was refused.
    """

    def __init__(self, behind: str, ills: Mapping[int, tuple[int, str]]) -> None:
        front = self
        self.refused = threading.Event()
        self.asked: list[str] = []  # the Authorization headers that came
        self._ills = dict(ills)
        self._quotes = 0
        self._lock = threading.Lock()
        address = urlsplit(behind)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                signed = self.headers.get("Authorization", "")
                ill = front._next(self.path, signed)
                if ill is None:
                    self._hand_on()
                elif ill[0] == 0:
                    self.close_connection = True
                else:
                    self._reply(ill[0], ill[1], front._echo(ill, self.path, signed))
                if ill is not None and ill[0] == 403:
                    front.refused.set()

            def _hand_on(self) -> None:
                connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
                kept = {name: text for name, text in self.headers.items() if name.lower() != "connection"}
                connection.request("GET", self.path, headers=kept)
                answer = connection.getresponse()
                packed = {name: text for name, text in answer.headers.items() if name == "Content-Encoding"}
                self._reply(answer.status, answer.headers.get("Content-Type", JSON), answer.read(), packed)
                connection.close()

            def _reply(self, status: int, content_type: str, body: bytes, more: Mapping[str, str] = NOTHING) -> None:
                self.send_response(status)
                for name, text in more.items():
                    self.send_header(name, text)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _next(self, path: str, signed: str) -> "tuple[int, str] | None":
        with self._lock:
            if signed:
                self.asked.append(signed)
            if urlsplit(path).path != "/quote":
                return None
            self._quotes += 1
            return self._ills.pop(self._quotes, None)

    @staticmethod
    def _echo(ill: tuple[int, str], path: str, signed: str) -> bytes:
        status, content_type = ill
        key, _, token = signed.partition(" ")[2].partition(":")
        query = f"api_key={key}&access_token={token}"
        words = f"{token} of {key} is not known: {signed}; see {path[:40]} and wss://h?{query}"
        if content_type == HTML:
            return f"<html><title>{words}</title></html>".encode()
        kind = {403: "TokenException", 400: "InputException"}.get(status, "GeneralException")
        return json.dumps({"status": "error", "error_type": kind, "message": words, "data": None}).encode()
