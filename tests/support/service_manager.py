"""The receiving end of the service protocol: a datagram socket such as systemd gives to what it starts."""

import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 60.0


class Manager:
    """Listens on a path or on an abstract name; each message is a mapping of what its lines say."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(PATIENCE_SECONDS)

    def environ(self, watchdog_seconds: float | None = None) -> dict[str, str]:
        """What a service is given to find its manager."""
        found = {"NOTIFY_SOCKET": self.address}
        return found if watchdog_seconds is None else found | {"WATCHDOG_USEC": str(round(watchdog_seconds * 1e6))}

    def next(self) -> dict[str, str]:
        """The next message, waited for."""
        lines = self._socket.recv(65_536).decode().split("\n")
        assert all("=" in line for line in lines), lines
        return dict(line.split("=", 1) for line in lines)

    def until(self, name: str) -> list[dict[str, str]]:
        """The messages up to the first that names this."""
        found = [self.next()]
        while name not in found[-1]:
            found.append(self.next())
        return found

    def all(self) -> list[dict[str, str]]:
        """Those that lie there already."""
        found = []
        self._socket.settimeout(0.0)
        try:
            while True:
                found.append(self.next())
        except BlockingIOError:
            return found
        finally:
            self._socket.settimeout(PATIENCE_SECONDS)

    def leave(self) -> None:
        """Listen no longer."""
        self._socket.close()


@contextmanager
def manager(*, abstract: bool = False) -> Iterator[Manager]:
    """A manager for a while. The path is a short one: a socket's name has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="g6-", dir="/tmp") as folder:
        made = Manager(f"@g6-test-{secrets.token_hex(8)}" if abstract else str(Path(folder) / "notify"))
        try:
            yield made
        finally:
            made.leave()
