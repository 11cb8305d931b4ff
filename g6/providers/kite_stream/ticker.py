"""The official ticker, changed in what it gets wrong for a program that runs all day.

- Its parser makes Python objects of every tick: here a frame is passed on as bytes.
- It logs reasons and parses text frames itself: here both are passed on, and it logs nothing.
- It tries again on its own, with the old token, and gives up for good in the end: here one ticker is one try.
- It tells nobody of a connection that could not be made.
- A pong that it did not ask for makes it drop the connection some seconds later; it asks for none.
- It does not verify the server's certificate, though the token is in the address.
- It leaves a connection alone that is made after `close()`.
"""

import os
import re
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import certifi
from kiteconnect.ticker import KiteTicker, KiteTickerClientProtocol, connectWS
from twisted.internet import ssl

from g6.providers.kite_stream.inbox import Closed, Event, Message, Opened

CONNECT_SECONDS = 10.0
TOKENS_PER_MESSAGE = 500
REFUSED_UPGRADE = re.compile(r"upgrade failed \((\d{3})")
PEM_END = b"-----END CERTIFICATE-----"


class _Protocol(KiteTickerClientProtocol):  # type: ignore[misc]  # the client ships no types
    def onPong(self, response: bytes) -> None:  # noqa: N802  autobahn's name
        """Do nothing: the client would start to miss further pongs, which it never asks for."""


class Ticker(KiteTicker):  # type: ignore[misc]  # the client ships no types
    """One try of one connection; every method belongs to the reactor's thread. Tells `post` all that happens."""

    def __init__(self, number: int, api_key: str, access_token: str, root: str, post: Callable[[Event], None]) -> None:
        # `reconnect=False` is ignored by the client; no tries are none.
        super().__init__(
            api_key, access_token, root=root, reconnect=False, reconnect_max_tries=0, connect_timeout=CONNECT_SECONDS
        )
        self._number = number
        self._secrets = (access_token, api_key)
        self._post = post
        self._ended = False
        self._connector: Any = None

    def begin(self) -> None:
        """Start connecting."""
        try:
            self._create_connection(self.socket_url, useragent=self._user_agent(), headers={"X-Kite-Version": "3"})
            self.factory.protocol = _Protocol
            self.factory.noisy = False
            context = trusting(urlsplit(self.root).hostname or "") if self.factory.isSecure else None
            self._connector = connectWS(self.factory, contextFactory=context, timeout=self.connect_timeout)
        except Exception as error:  # noqa: BLE001  in the reactor's thread nobody else would hear of it
            self._end(f"{type(error).__name__}: {error}")

    def tell(self, unsubscribe: Sequence[int], subscribe: Sequence[int]) -> None:
        """Change what is subscribed, in mode full; passed over when the connection is gone by now."""
        try:
            for some in _pieces(unsubscribe):
                if self.is_connected():
                    self.unsubscribe(some)
            for some in _pieces(subscribe):
                if self.is_connected():
                    self.subscribe(some)
                    self.set_mode(self.MODE_FULL, some)
        except Exception as error:  # noqa: BLE001  in the reactor's thread nobody else would hear of it
            self._end(f"{type(error).__name__}: {error}")
            self.leave()

    def leave(self) -> None:
        """End the connection, or the attempt, without waiting for an answer that a dead link would never give."""
        self._ended = True
        if self.ws is not None:
            self.ws.dropConnection(abort=True)
        elif self._connector is not None:
            self._connector.disconnect()

    def _on_open(self, ws: object) -> None:
        del ws
        if self._ended:
            self.leave()
        else:
            self._post(Opened(self._number, time.monotonic()))

    def _on_message(self, ws: object, payload: bytes, is_binary: bool) -> None:  # noqa: FBT001  the client's signature
        del ws
        self._post(Message(self._number, time.monotonic(), payload, is_binary))

    def _on_error(self, ws: object, code: int | None, reason: object) -> None:
        """Do nothing: the closing follows, with the same reason."""

    def _on_close(self, ws: object, code: int | None, reason: object) -> None:
        del ws
        refused = REFUSED_UPGRADE.search(str(reason))
        self._end(f"closed with code {code}: {reason}" if reason else f"closed with code {code}",
                  int(refused.group(1)) if refused else None)  # fmt: skip

    def _on_noreconnect(self) -> None:
        """Take note of the end of the only try: where there was no connection, `_on_close` was not called."""
        self._end("no connection could be made")

    def _end(self, detail: str, status: int | None = None) -> None:
        if not self._ended:
            self._ended = True
            for secret in self._secrets:
                detail = detail.replace(secret, "…")
            self._post(Closed(self._number, " ".join(detail.split()), status))


def _pieces(tokens: Sequence[int]) -> list[list[int]]:
    return [list(tokens[at : at + TOKENS_PER_MESSAGE]) for at in range(0, len(tokens), TOKENS_PER_MESSAGE)]


def trusting(host: str) -> object:
    """Return a TLS context that accepts this host's certificate only from who is trusted over REST as well."""
    roots = ssl.trustRootFromCertificates(_authorities(_bundle()))  # type: ignore[no-untyped-call]  # Twisted's gap
    return ssl.optionsForClientTLS(host, trustRoot=roots)


def _bundle() -> str:
    """Return the file of trusted authorities: the one that `requests`, which carries REST, would take."""
    named = os.environ.get("REQUESTS_CA_BUNDLE", "")
    return named if Path(named).is_file() else certifi.where()


@cache
def _authorities(bundle: str) -> list[ssl.Certificate]:
    text = Path(bundle).read_bytes()
    return [ssl.Certificate.loadPEM(part + PEM_END) for part in text.split(PEM_END)[:-1]]
