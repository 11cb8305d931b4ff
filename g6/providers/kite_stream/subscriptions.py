"""Which connection carries which instrument, and what each has still to be told."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """Tokens that a connection is to be told; those that go are told first, so that there is room."""

    unsubscribe: tuple[int, ...] = ()
    subscribe: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.unsubscribe or self.subscribe)


class Subscriptions:
    """Connections are numbered from 1. An instrument stays where it is as long as it is wanted."""

    def __init__(self, connections: int, instruments_per_connection: int) -> None:
        self._room = instruments_per_connection
        self._wanted: dict[int, set[int]] = {number: set() for number in range(1, connections + 1)}
        self._told: dict[int, set[int]] = {number: set() for number in self._wanted}
        self._doubted: set[int] = set()

    def follow(self, tokens: Iterable[int]) -> tuple[int, ...]:
        """Want exactly these, most important first; return those that found no room on any connection."""
        asked = dict.fromkeys(tokens)
        self._wanted = {number: carried & asked.keys() for number, carried in self._wanted.items()}
        kept = set().union(*self._wanted.values())
        new = [token for token in asked if token not in kept]
        for carried in self._wanted.values():
            room = self._room - len(carried)
            carried.update(new[:room])
            new = new[room:]
        return tuple(new)

    def carried_by(self, number: int) -> Collection[int]:
        """Return what this connection is to carry."""
        return self._wanted[number]

    def told(self, number: int) -> int:
        """Return how many instruments this connection has been asked for."""
        return len(self._told[number])

    def opened(self, number: int) -> None:
        """Take note of a new connection: it knows of no subscription."""
        self._doubted -= self._told[number]
        self._told[number] = set()

    def ask_again(self, tokens: Collection[int]) -> None:
        """Have these given up and subscribed once more, which makes the broker send them afresh."""
        self._doubted.update(tokens)

    def take_change(self, number: int) -> Change:
        """Return what this connection is to be told, once."""
        wanted, told = self._wanted[number], self._told[number]
        doubted = self._doubted & told
        self._doubted -= doubted
        change = Change(tuple(sorted((told - wanted) | doubted)), tuple(sorted((wanted - told) | (wanted & doubted))))
        self._told[number] = set(wanted)
        return change
