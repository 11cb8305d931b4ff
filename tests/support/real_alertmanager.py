"""A real Alertmanager on free ports of this machine, and the receivers that it tells: webhook, Slack-shaped, SMTP."""

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any, Self

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
READY_SECONDS = 20.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Alertmanager:
    """One process over one configuration file, without a cluster."""

    def __init__(self, config: Path, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._config, self._folder = config, folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        assert BINARY is not None
        with (self._folder / "alertmanager.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    BINARY,
                    f"--config.file={self._config}",
                    f"--storage.path={self._folder / 'alertmanager'}",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=log,
                cwd=self._config.parent,  # files of secrets are looked for where it is started
            )
        give_up = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > give_up:
                self.__exit__()
                raise AssertionError((self._folder / "alertmanager.log").read_text()[-2000:])
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def fire(self, *alerts: Mapping[str, str]) -> None:
        """Post alerts with these labels, as Prometheus does."""
        now = datetime.now(UTC)
        posted = [
            {
                "labels": labels,
                "annotations": {"summary": f"{labels['alertname']} says", "description": "what is so",
                                "runbook_url": "http://127.0.0.1:9108/runbooks/x", "dashboard_url": "http://127.0.0.1/d"},
                "startsAt": now.isoformat(),
                "endsAt": (now + timedelta(minutes=10)).isoformat(),
            }
            for labels in alerts
        ]  # fmt: skip
        body = json.dumps(posted).encode()
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", body, {"content-type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()

    def states(self) -> dict[str, str]:
        """Alert name → active or suppressed, as Alertmanager itself says."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:
            return {alert["labels"]["alertname"]: alert["status"]["state"] for alert in json.load(answer)}

    def _is_ready(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/-/ready", timeout=2).close()
        except OSError:
            return False
        return True


class Told:
    """One call of a webhook."""

    def __init__(self, path: str, headers: Mapping[str, str], body: Any) -> None:
        self.path, self.headers, self.body = path, headers, body


@contextmanager
def web_receiver() -> Iterator[tuple[str, "Queue[Told]"]]:
    """Take what is posted, whatever the path, and answer as Slack does."""
    told: Queue[Told] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.put(Told(self.path, dict(self.headers), json.loads(body)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mail_receiver(user: str, password: str) -> Iterator[tuple[str, "Queue[EmailMessage]"]]:
    """Take e-mail of whoever logs in by this name and password."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword

    mails: Queue[EmailMessage] = Queue()

    class Handler:
        async def handle_DATA(  # noqa: N802 - the protocol's word
            self, _server: Any, _session: Any, envelope: Any
        ) -> str:
            mails.put(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
            return "250 taken"

    def is_right(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (user.encode(), password.encode()))

    port = free_port()
    controller = Controller(
        Handler(),
        "127.0.0.1",
        port,
        authenticator=is_right,
        auth_required=True,
        auth_require_tls=False,
        auth_exclude_mechanism=["LOGIN"],
    )
    controller.start()
    try:
        yield f"127.0.0.1:{port}", mails
    finally:
        controller.stop()
