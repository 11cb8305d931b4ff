"""The log at the root as it was before, and a clock that only moves when told."""

import logging

import pytest

from g6.logs import set_terminal_writer, take_down_logs


class HandClock:
    """Seconds that never pass by themselves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture(autouse=True)
def root_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    set_terminal_writer(None)
    take_down_logs()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
