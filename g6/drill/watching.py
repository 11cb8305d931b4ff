"""What became of an alert: as Prometheus has it, and as the receiver of notifications hears it."""

import contextlib
import json
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from g6.drill.processes import LOOPBACK


@dataclass(slots=True)
class Sighting:
    """One alert of one drill. Instants are of the monotonic clock; None for what did not happen yet."""

    pending_at: float | None = None
    firing_at: float | None = None
    is_active: bool = False


class Watch:
    """Looks at the alerts of one Prometheus."""

    def __init__(self, prometheus: str) -> None:
        self._url = f"{prometheus}/api/v1/alerts"
        self.seen: dict[str, Sighting] = {}

    def look(self) -> None:
        """Look once. A Prometheus that does not answer has no alerts."""
        now, states = time.monotonic(), self._states()
        for name in states.keys() - self.seen.keys():
            self.seen[name] = Sighting()
        for name, sighting in self.seen.items():
            found = states.get(name, set())
            sighting.is_active = bool(found)
            if found and sighting.pending_at is None:
                sighting.pending_at = now
            if "firing" in found and sighting.firing_at is None:
                sighting.firing_at = now

    def of(self, name: str) -> Sighting:
        """Return what was seen of an alert."""
        return self.seen.setdefault(name, Sighting())

    def forget(self) -> None:
        """Begin anew."""
        self.seen.clear()

    def _states(self) -> Mapping[str, set[str]]:
        states: dict[str, set[str]] = {}
        with contextlib.suppress(OSError, ValueError):
            with urllib.request.urlopen(self._url, timeout=2) as reply:  # noqa: S310 - a loopback address of ours
                alerts = json.load(reply)["data"]["alerts"]
            for alert in alerts:
                states.setdefault(alert["labels"]["alertname"], set()).add(alert["state"])
        return states


@dataclass(frozen=True, slots=True)
class Notification:
    """What the receiver was told, and when by the monotonic clock."""

    drill: str
    alert: str
    fingerprint: str
    is_firing: bool
    at: float


class Receiver:
    """A webhook on a free port, which keeps what it is told; a context manager."""

    def __init__(self) -> None:
        self._told: list[Notification] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer((LOOPBACK, 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://{LOOPBACK}:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self, drill: str, alert: str, since: float) -> tuple[Notification, ...]:
        """Return the notifications of an alert since an instant, in their order."""
        with self._lock:
            return tuple(n for n in self._told if (n.drill, n.alert) == (drill, alert) and n.at >= since)

    def first_firing(self, drill: str, alert: str, since: float) -> float | None:
        """Return when the alert was told of first."""
        return next((n.at for n in self.told(drill, alert, since) if n.is_firing), None)

    def all_resolved(self, drill: str, alert: str, since: float) -> float | None:
        """Return when the last of what was told of was told to be over; None while something is not."""
        last = {n.fingerprint: n for n in self.told(drill, alert, since)}
        if not last or any(n.is_firing for n in last.values()):
            return None
        return max(n.at for n in last.values())

    def take(self, document: Mapping[str, Any]) -> None:
        """Keep what a notification says."""
        now = time.monotonic()
        found = [
            Notification(
                a["labels"].get("drill", ""), a["labels"]["alertname"], a["fingerprint"], a["status"] == "firing", now
            )
            for a in document["alerts"]
        ]
        with self._lock:
            self._told += found

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self.take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Say nothing: the drill's own lines are what a person reads."""

        return Handler
