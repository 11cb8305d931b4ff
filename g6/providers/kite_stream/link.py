"""One connection as the supervisor sees it: begun, told, left; what it says comes through the inbox."""

from collections.abc import Callable
from typing import Protocol

from g6.providers.kite_stream.inbox import Inbox
from g6.providers.kite_stream.needs import AccessToken
from g6.providers.kite_stream.reactor import in_reactor
from g6.providers.kite_stream.subscriptions import Change
from g6.providers.kite_stream.ticker import Ticker


class Link(Protocol):
    """One try of one connection. Nothing here waits or raises."""

    def begin(self) -> None:
        """Start connecting; `Opened` or `Closed` follows, or, on a link that is half open, nothing."""
        ...

    def tell(self, change: Change) -> None:
        """Change what is subscribed."""
        ...

    def leave(self) -> None:
        """End it; nothing that it says later counts."""
        ...


LinkMaker = Callable[[int, AccessToken, Inbox], Link]


class TickerLink:
    """A link by the official ticker, whose methods are called in the reactor's thread."""

    def __init__(self, number: int, token: AccessToken, inbox: Inbox, root: str) -> None:
        self._ticker = Ticker(number, token.api_key, token.access_token, root, inbox.put)

    def begin(self) -> None:
        """Start connecting."""
        in_reactor(self._ticker.begin)

    def tell(self, change: Change) -> None:
        """Change what is subscribed."""
        in_reactor(self._ticker.tell, change.unsubscribe, change.subscribe)

    def leave(self) -> None:
        """End it."""
        in_reactor(self._ticker.leave)
