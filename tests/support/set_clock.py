"""A machine's clock that a test sets while the agent runs, and that passes only where the agent sleeps."""

import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from g6.unified_main import Agent
from g6.wiring import PROVIDERS, wire
from g6.wiring.sources import Run, load_market


class SetClock:
    """Shows `start` at first. `at` maps a time that it shows, HH:MM:SS, to by how much it is then set, once."""

    speed = 1.0

    def __init__(self, start, at=None):
        self.start, self.at, self.ticks, self.set_by = datetime.fromisoformat(start), dict(at or {}), 0.0, timedelta()

    def now(self):
        return self.start + timedelta(seconds=self.ticks) + self.set_by

    def monotonic(self):
        return self.ticks

    elapsed = monotonic

    def pause(self, seconds):
        for _ in range(round(seconds)):
            self.ticks += 1
            self.set_by += self.at.pop(f"{self.now():%H:%M:%S}", timedelta())

    def wait_until(self, instant, stop):
        raise NotImplementedError


class Sleep(threading.Event):
    """The agent's sleep: it passes on the clock alone. `looks` is asked after each piece of it."""

    def __init__(self, clock, looks=lambda: None):
        super().__init__()
        self._clock, self._looks = clock, looks

    def wait(self, timeout=None):
        self._clock.pause(max(1.0, timeout))
        self._looks()
        return self.is_set()


@contextmanager
def agent_by(clock, settings, looks=lambda parts: None):
    """An agent of real parts on the simulated market, by this clock."""
    run = Run(None, once=False)
    source = replace(PROVIDERS["simulated"](settings, load_market(settings), run), clock=clock)
    with wire(settings, run, source) as parts:
        yield Agent(parts, stop=Sleep(clock, lambda: looks(parts))), parts
