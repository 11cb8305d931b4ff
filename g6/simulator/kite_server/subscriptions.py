"""What one connection wants to hear: tokens and their modes, as the client's JSON messages change them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

LTP, QUOTE, FULL = "ltp", "quote", "full"
MODES = (LTP, QUOTE, FULL)
LARGEST_TOKEN = 0xFFFFFFFF


class Subscriptions:
    """Tokens in the order of subscription. A token that nothing is listed under is accepted, and never ticks.

    `fresh` are tokens whose cached tick is still owed, `remoded` those whose next tick comes whatever it says.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.modes: dict[int, str] = {}
        self.fresh: dict[int, None] = {}
        self.remoded: set[int] = set()
        self.version = 0  # grows with every change
        self._limit = limit

    def obey(self, text: str | bytes) -> str | None:
        """Follow one message; return what is wrong with it, in which case nothing changed, else None."""
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            return "Invalid message: not JSON."
        if not isinstance(document, dict):
            return "Invalid message: not an object."
        action = document.get("a")
        follow = _ACTIONS.get(action) if isinstance(action, str) else None
        if follow is None:
            return f"Invalid message: unknown action {str(action)[:40]!r}."
        wrong = follow(self, document.get("v"))
        self.version += wrong is None
        return wrong

    def subscribe(self, value: Any) -> str | None:
        """Add tokens in mode quote; those that are there already keep their mode."""
        tokens = _tokens(value)
        if tokens is None:
            return "Invalid message: a list of instrument tokens is expected."
        new = [token for token in tokens if token not in self.modes]
        if self._limit is not None and len(self.modes) + len(new) > self._limit:
            return f"Instrument limit exceeded: {self._limit} instruments a connection."
        self.modes.update(dict.fromkeys(new, QUOTE))
        self.fresh.update(dict.fromkeys(new))
        return None

    def unsubscribe(self, value: Any) -> str | None:
        """Forget tokens; those that are not there do not matter."""
        tokens = _tokens(value)
        if tokens is None:
            return "Invalid message: a list of instrument tokens is expected."
        for token in tokens:
            self.modes.pop(token, None)
            self.fresh.pop(token, None)
            self.remoded.discard(token)
        return None

    def mode(self, value: Any) -> str | None:
        """Change the mode of tokens; those that are not subscribed stay so."""
        mode, tokens = (value[0], _tokens(value[1])) if isinstance(value, list) and len(value) == 2 else (None, None)
        if mode not in MODES or tokens is None:
            return "Invalid message: a mode and a list of instrument tokens are expected."
        changed = [token for token in tokens if self.modes.get(token, mode) != mode]
        self.modes.update((token, mode) for token in changed)
        self.remoded.update(changed)
        return None


def _tokens(value: Any) -> list[int] | None:
    """Return distinct tokens in order; None for what is no list of them."""
    if not isinstance(value, list):
        return None
    good = all(type(token) is int and 0 <= token <= LARGEST_TOKEN for token in value)
    return list(dict.fromkeys(value)) if good else None


_ACTIONS: Mapping[str, Callable[[Subscriptions, Any], str | None]] = MappingProxyType({
    "subscribe": Subscriptions.subscribe,
    "unsubscribe": Subscriptions.unsubscribe,
    "mode": Subscriptions.mode,
})  # fmt: skip
