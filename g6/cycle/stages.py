"""How long each step of a minute took, and which one it is in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from g6.clock import Clock


@dataclass(slots=True)
class Stages:
    """Seconds by step, in the order of the flow; `current` is the step in hand, the last one when none is."""

    clock: Clock
    seconds: dict[str, float] = field(default_factory=dict)
    current: str = "start"

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time the block as this stage."""
        begun, self.current = self.clock.monotonic(), name
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + self.clock.monotonic() - begun
