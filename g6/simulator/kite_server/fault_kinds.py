"""What a fault plan may ask for: each kind, where it can strike, and the options that stand beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

HTTP_ENDPOINTS = ("quote", "ohlc", "ltp", "instruments", "historical", "profile", "session", "login")
MARKET_ENDPOINTS = ("quote", "ohlc", "ltp", "stream")
ENDPOINTS = (*HTTP_ENDPOINTS, "connect", "stream")  # connect: the upgrade to a WebSocket; stream: one that is open

SHAPES = (
    "list", "data_null", "item_null", "broken_json", "empty", "no_content_type", "error_without_message",
    "error_without_type", "success_without_data", "wrong_type",
)  # fmt: skip
BODIES = ("json", "html", "empty", "text")


@dataclass(frozen=True, slots=True)
class Option:
    """One option: how its text is read (ValueError: it cannot be), what it must be, its default."""

    read: Callable[[str], Any]
    said: str
    default: Any = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault. `default_on` empty: a plan must say where. `needs_from`: it happens at an instant."""

    allowed_on: tuple[str, ...]
    default_on: tuple[str, ...] = ()
    options: Mapping[str, Option] = field(default_factory=dict)
    needs_from: bool = False


def _word(*words: str, default: str) -> Option:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return Option(read, "one of " + ", ".join(words), default)


def _number(low: float, high: float, default: float | None = None) -> Option:
    def read(text: str) -> float:
        if not low <= (value := float(text)) <= high:
            raise ValueError(text)
        return value

    return Option(read, f"a number from {low:g} to {high:g}", default)


def _whole(low: int, high: int, default: int | None = None) -> Option:
    def read(text: str) -> int:
        if not low <= (value := int(text)) <= high:
            raise ValueError(text)
        return value

    return Option(read, f"a whole number from {low} to {high}", default)


def _text(default: str | None = None) -> Option:
    return Option(str, "text", default)


_SECONDS = _number(0, 3600, 1.0)

KINDS: Mapping[str, Kind] = MappingProxyType({
    # Transport.
    "status": Kind(HTTP_ENDPOINTS, options={
        "status": _whole(400, 599, 503),
        "error_type": _text(),
        "message": _text(),
        "body": _word(*BODIES, default="json"),
        "retry_after": _number(0, 3600),
    }),
    "latency": Kind((*HTTP_ENDPOINTS, "connect"), options={"seconds": _SECONDS}),
    "trickle": Kind(HTTP_ENDPOINTS, options={"seconds": _SECONDS}),
    "reset": Kind((*HTTP_ENDPOINTS, "connect")),
    "truncate": Kind(HTTP_ENDPOINTS),
    "hang": Kind((*HTTP_ENDPOINTS, "connect")),
    # The shape of a JSON answer.
    "shape": Kind(HTTP_ENDPOINTS, options={"shape": _word(*SHAPES, default="list")}),
    # Token.
    "kill_token": Kind(ENDPOINTS, ENDPOINTS, needs_from=True),
    "second_login": Kind(ENDPOINTS, ENDPOINTS, needs_from=True),
    "no_market_data": Kind((*MARKET_ENDPOINTS, "historical", "connect"), (*MARKET_ENDPOINTS, "historical", "connect")),
    # Data, in quotes and in the stream alike.
    "missing": Kind(MARKET_ENDPOINTS, MARKET_ENDPOINTS),
    "zero_spot": Kind(MARKET_ENDPOINTS, MARKET_ENDPOINTS),
    "frozen": Kind(MARKET_ENDPOINTS, MARKET_ENDPOINTS, needs_from=True),
    "calls_only": Kind(MARKET_ENDPOINTS, MARKET_ENDPOINTS),
    "crossed": Kind(MARKET_ENDPOINTS, MARKET_ENDPOINTS),
    "negative": Kind(MARKET_ENDPOINTS, MARKET_ENDPOINTS),
    # The instruments dump.
    "stale_dump": Kind(("instruments",), ("instruments",), {"days": _whole(1, 365, 3)}),
    "bad_rows": Kind(("instruments",), ("instruments",), {"count": _whole(1, 100_000, 10)}),
    "new_strikes": Kind(("instruments",), ("instruments",)),
    "dump_html": Kind(("instruments",), ("instruments",)),
    # The stream.
    "refuse": Kind(("connect",), ("connect",), {"status": _whole(400, 599, 403)}),
    "drop": Kind(("stream",), ("stream",), {"code": _whole(1000, 4999, 1001)}),
    "mute": Kind(("stream",), ("stream",)),
    "half_open": Kind(("stream",), ("stream",)),
    "text_error": Kind(("stream",), ("stream",), {"message": _text("Something went wrong")}),
    "garbage": Kind(("stream",), ("stream",)),
    "text_noise": Kind(("stream",), ("stream",)),
})  # fmt: skip

TOKEN_DEATHS = frozenset({"kill_token", "second_login"})
DATA_KINDS = frozenset({"missing", "zero_spot", "frozen", "calls_only", "crossed", "negative"})
