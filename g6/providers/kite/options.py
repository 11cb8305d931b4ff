"""What may be set about Kite: where it is, how long to wait for it, how much to ask at once."""

import ipaddress
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from g6.errors import ConfigError

ROOT = "https://api.kite.trade"
STREAM_ROOT = "wss://ws.kite.trade"
LOGIN_URL = "https://kite.zerodha.com/connect/login"


@dataclass(frozen=True, slots=True)
class KiteOptions:
    """Addresses, limits and patience; the limits are those that Kite Connect publishes.

    `timeout_seconds` is between two reads, as the client has it; `call_timeout_seconds` and `dump_timeout_seconds`
    are for a whole answer. Both are real seconds, whatever the clock. `batch_bytes` bounds the query of one quote
    request: the front end refuses addresses of about 15 KB long before a call reaches its 500 instruments.
    """

    root: str = ROOT
    stream_root: str = STREAM_ROOT
    login_url: str = LOGIN_URL
    timeout_seconds: float = 7.0
    call_timeout_seconds: float = 15.0
    dump_timeout_seconds: float = 60.0
    batch_bytes: int = 12_000
    batch_count: int = 450
    quote_interval_seconds: float = 1.02  # one a second is allowed where they arrive, which jitters
    historical_interval_seconds: float = 1 / 3
    other_interval_seconds: float = 0.1
    retry_attempts: int = 2
    breaker_failures: int = 3
    breaker_open_seconds: float = 30.0

    @property
    def official(self) -> bool:
        """Tell whether this is Zerodha's own server."""
        return self.root == ROOT

    @property
    def loopback(self) -> bool:
        """Tell whether the server is on this machine, as a simulator is."""
        return _is_loopback(urlsplit(self.root).hostname or "")


def options_for(root: str, base: KiteOptions | None = None) -> KiteOptions:
    """Return `base` (default: the defaults) for a server at `root`, with the stream and the login page beside it.

    Raises ConfigError for a root that is no plain http(s) address, and for one that would carry the token in clear
    text across a network.
    """
    base = base or KiteOptions()
    root = root.rstrip("/")
    if root == ROOT:
        return replace(base, root=ROOT, stream_root=STREAM_ROOT, login_url=LOGIN_URL)
    parts = _split(root)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ConfigError(f"root {root}: http would carry the access token in clear text; use https")
    stream_root = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"
    return replace(base, root=root, stream_root=stream_root, login_url=f"{root}/connect/login")


def _split(root: str) -> SplitResult:
    shape = ConfigError(f"root {root!r}: a scheme, a host and a port are wanted, no path: http://127.0.0.1:8765")
    try:
        parts = urlsplit(root)
        port = parts.port
    except ValueError:
        raise shape from None
    # The client drops a path in front of its own, so a server must own the whole of its port.
    beyond = parts.path or parts.query or parts.fragment or parts.username or parts.password or port == 0
    if parts.scheme not in {"http", "https"} or not parts.hostname or beyond:
        raise shape
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
