"""A supervisor whose time passes by hand and whose parts rest no longer than until the next look."""

import threading
import time
from collections.abc import Callable

from g6.resilience.retry import RetryPolicy
from g6.resilience.supervisor import RestartBudget, Supervisor

NO_REST = RestartBudget(backoff=RetryPolicy(first_wait_seconds=0.0, maximum_wait_seconds=0.0))
PATIENCE_SECONDS = 30.0


class SupervisorByHand(Supervisor):
    """Nobody looks but the test; a second passes with each look of `pass_seconds`."""

    def __init__(self, budget: RestartBudget = NO_REST) -> None:
        self.now = 0.0
        super().__init__(budget=budget, monotonic=lambda: self.now, look_seconds=None)

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1.0
            self.look()


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that another thread brings about."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "this never came about"
        threading.Event().wait(0.005)
