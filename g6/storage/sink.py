"""What a store is to the loop: a reader of the journal, with its own cursor in it."""

from typing import Protocol, runtime_checkable

from g6.model.report import CycleReport, SinkReport
from g6.storage.journal import Journal


class Sink(Protocol):
    """A store that is brought up to date from the journal; it may raise SinkError, and no other error.

    `drain` and `checkpoint` are called by the loop's thread, which owns the journal's connection; a sink that works in
    a thread of its own reads through `Journal.open_read_only` and lets `drain` move its cursor.
    """

    name: str

    def drain(self, journal: Journal) -> SinkReport:
        """Apply what the journal has and the store has not, or what can be done of it within a cycle; say how far."""
        ...

    def checkpoint(self, journal: Journal) -> None:
        """Make what was applied durable, and only then move the cursor."""
        ...

    def close(self) -> None:
        """Let go of threads and connections; what is not delivered stays owed by the cursor."""
        ...


@runtime_checkable
class RestingSink(Protocol):
    """A store that works beside the cycle, in a thread of its own."""

    def rest(self) -> None:
        """Leave the processor to the cycle that begins now, until it drains; returns at once."""
        ...


@runtime_checkable
class TellableSink(Protocol):
    """A store that keeps the agent's health beside the market's minutes."""

    def tell(self, report: CycleReport) -> None:
        """Take note of how a cycle went; returns at once."""
        ...
