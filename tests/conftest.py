"""Fixtures that every room's tests may use."""

import logging
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from g6.logs import secrets, take_down_logs

LEVEL = logging.getLogger().level
PROJECT = Path(__file__).resolve().parent.parent

# What a shell runs in the background is told to ignore Ctrl-C, and hands that on to all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """An agent that runs in this process, in a test or a fixture, sets up its log; the next test must not hear it."""
    _reset_logging()
    yield
    _reset_logging()


def _reset_logging() -> None:
    take_down_logs()
    root = logging.getLogger()
    root.setLevel(LEVEL)
    for handler in root.handlers[:]:
        if type(handler) in {logging.StreamHandler, logging.FileHandler}:  # pytest's own are of other kinds
            root.removeHandler(handler)


@pytest.fixture(autouse=True)
def secrets_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret stays masked as long as its process lives, and the tests share one: "another" is a word elsewhere."""
    monkeypatch.setattr(secrets, "_SECRETS", secrets.Secrets())


@pytest.fixture(scope="session")
def project() -> Path:
    """The top folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def market_data() -> Path:
    """The folder of real market data; it may not be redistributed, so it lies beside the project or nowhere."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real market data beside the project (../shared/data)")
    return folder
