"""The lines of one cycle."""

from collections.abc import Iterator
from contextlib import contextmanager

from g6.logs.identity import CYCLE
from g6.logs.setup import sweep_logs


@contextmanager
def cycle(identity: str) -> Iterator[None]:
    """Give every line that is logged in the block this cycle's id, the one that the journal has it under.

    At its end the counts of repetitions that have stopped are shown.
    """
    before = CYCLE.set(identity)
    try:
        yield
    finally:
        CYCLE.reset(before)
        sweep_logs()
