"""The worker of the database may die or hang: another one delivers what it had in hand, and nothing is lost."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from supervisor_by_hand import SupervisorByHand, until

from g6.storage.influx_lines import lines
from g6.storage.influx_sink import PART, InfluxSink
from g6.storage.influx_writer import InfluxOptions, Server
from g6.storage.journal import Journal


class Recorder:
    """Keeps what it is given; the first time, it does this instead."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.first: Any = None

    def write(self, given: list[bytes]) -> int:
        first, self.first = self.first, None
        if first:
            first()
        self.lines += given
        return len(given)

    def server(self) -> Server:
        return Server(1.0)

    def close(self) -> None: ...


class Desk:
    """A journal, a sink and the supervisor of its worker."""

    def __init__(self, root: Path, options: InfluxOptions, journal: Journal, sample: ModuleType) -> None:
        self.journal, self.sample = journal, sample
        self.recorder, self.supervisor = Recorder(), SupervisorByHand()
        self.release, self.entered = threading.Event(), threading.Event()
        self.hangs = False
        self.sink = InfluxSink(
            root, options, (), masters=self.masters, writer=self.recorder, supervisor=self.supervisor
        )

    def masters(self, _: object) -> tuple[()]:
        """Hang in the worker's own thread when it is told to, once."""
        if self.hangs:
            self.hangs = False
            self.hang()
        return ()

    def hang(self) -> None:
        self.entered.set()
        self.release.wait()

    def record(self, number: int) -> None:
        self.journal.put(self.sample.snapshot(number))
        self.sink.drain(self.journal)

    def is_delivered(self) -> bool:
        return self.sink.drain(self.journal).lag_cycles == 0

    @property
    def expected(self) -> set[bytes]:
        return {line for number in range(2) for line in lines(self.sample.snapshot(number), ())}


@pytest.fixture
def desk(tmp_path: Path, options: InfluxOptions, journal: Journal, sample: ModuleType) -> Iterator[Desk]:
    made = Desk(tmp_path, options, journal, sample)
    yield made
    made.release.set()
    made.sink.close()


def test_a_worker_that_dies_is_followed_by_one_that_sends_what_it_had_in_hand(desk: Desk) -> None:
    def die() -> None:
        raise SystemExit(3)

    desk.recorder.first = die
    desk.record(0)
    until(lambda: desk.supervisor.reports()[0].restarts == 1)
    desk.record(1)
    until(desk.is_delivered)
    assert set(desk.recorder.lines) == desk.expected
    (report,) = desk.supervisor.reports()
    assert (report.name, report.state, report.reason) == (PART, "running", "SystemExit: 3")


def test_a_worker_that_hangs_is_followed_by_one_that_sends_what_it_had_in_hand(desk: Desk) -> None:
    desk.hangs = True
    desk.record(0)
    assert desk.entered.wait(30.0)
    desk.supervisor.pass_seconds(90)
    assert "no sign of life" in desk.supervisor.reports()[0].reason
    desk.record(1)
    until(desk.is_delivered)
    assert set(desk.recorder.lines) == desk.expected
    workers = [thread for thread in threading.enumerate() if thread.name == PART]
    desk.release.set()  # the one that hung comes back: it changes nothing, and goes
    until(lambda: sum(thread.is_alive() for thread in workers) == 1)
    assert desk.is_delivered()
    assert set(desk.recorder.lines) == desk.expected


def test_a_request_that_hangs_for_ever_is_given_up_with_its_thread(desk: Desk) -> None:
    desk.sink._delivery.endpoint._timeout_seconds = 1e6  # as if nothing below bounded it
    desk.recorder.first = desk.hang
    desk.record(0)
    assert desk.entered.wait(30.0)
    desk.record(1)
    desk.supervisor.pass_seconds(90)
    until(desk.is_delivered)
    assert desk.expected <= set(desk.recorder.lines)
