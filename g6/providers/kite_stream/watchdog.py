"""Silence where there should be sound, and how long to wait before trying again. Pure: the time is an argument.

The official client never sends a ping, so that a link whose other end is gone looks connected for ever; and a
subscription that was accepted proves nothing. Both show only in what does not come.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Silence(Generic[Key]):
    """When something was last heard, for each of several things that should be heard from."""

    def __init__(self, limit_seconds: float) -> None:
        self.limit_seconds = limit_seconds
        self._since: dict[Key, float] = {}

    def heard(self, key: Key, at: float) -> None:
        """Take note of a sound."""
        self._since[key] = at

    def too_long(self, key: Key, now: float, *, expected: bool = True) -> float | None:
        """Return how long it has been silent, if that is longer than the limit.

        Where no sound is expected there is no silence: it begins when a sound is next expected.
        """
        if not expected:
            self._since.pop(key, None)
            return None
        silent = now - self._since.setdefault(key, now)
        return silent if silent > self.limit_seconds else None

    def forget(self, key: Key) -> None:
        """Expect nothing of it any more."""
        self._since.pop(key, None)


class ExchangeWatch:
    """Which exchanges are mute: they trade, a connection lives, and yet none of their instruments ticks."""

    def __init__(self, limit_seconds: float) -> None:
        self.mute: dict[str, float] = {}  # exchange → seconds without a tick
        self._silence: Silence[str] = Silence(limit_seconds)
        self._ticked_at: dict[str, float] = {}
        self._called_at: dict[str, float] = {}

    def heard(self, exchanges: Iterable[str], at: float) -> None:
        """Take note of ticks."""
        for exchange in exchanges:
            self._silence.heard(exchange, at)
            self._ticked_at[exchange] = at

    def check(self, expected: Mapping[str, bool], now: float) -> list[str]:
        """Find who is mute of these; return those to be asked for afresh: at first, and again after each limit."""
        before, self.mute = self.mute, {}
        for exchange, should_tick in expected.items():
            silent = self._silence.too_long(exchange, now, expected=should_tick)
            if silent is not None:
                self.mute[exchange] = silent
        due = [
            exchange
            for exchange in self.mute
            if exchange not in before or now - self._called_at[exchange] > self._silence.limit_seconds
        ]
        self._called_at.update(dict.fromkeys(due, now))
        return due

    def ages(self, exchanges: Iterable[str], now: float) -> dict[str, float]:
        """Return exchange → seconds since its last tick, of those that ever ticked."""
        return {exchange: now - self._ticked_at[exchange] for exchange in exchanges if exchange in self._ticked_at}


def wait_seconds(failures: int, first_seconds: float, max_seconds: float) -> float:
    """Return the wait before the next try after so many failures in a row: doubling, up to a limit."""
    return min(max_seconds, first_seconds * 2.0 ** min(failures, 30))
