"""The store as the loop has it: it never waits, moves cursors to what is safe, and takes up what was left behind."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from g6.clock import SystemClock
from g6.errors import AuthError, SinkError, TransientError
from g6.model.report import CycleReport, JournalReport
from g6.storage.influx_feed import Masters
from g6.storage.influx_lines import MasterRows, lines
from g6.storage.influx_sink import NAME, InfluxSink
from g6.storage.influx_writer import InfluxOptions, Server
from g6.storage.journal import Journal

PATIENCE_SECONDS = 20.0


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that another thread brings about."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "this never came about"
        threading.Event().wait(0.005)


class Recorder:
    """A writer that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.failing: Exception | None = None
        self.blocked = threading.Event()
        self.blocked.set()
        self.closed = False

    def write(self, given: list[bytes]) -> int:
        self.blocked.wait()
        if self.failing:
            raise self.failing
        self.lines += given
        return len(given)

    def server(self) -> Server:
        if isinstance(self.failing, TransientError):
            raise self.failing
        return Server(1.0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def place(tmp_path: Path, sample: ModuleType, options: InfluxOptions) -> Iterator[SimpleNamespace]:
    """A data directory with journals, a writer, and sinks that are closed at the end."""
    sinks: list[InfluxSink] = []
    journals: dict[str, Journal] = {}
    quick = replace(
        options, unconfirmed_seconds=0.05, first_wait_seconds=0.01, maximum_wait_seconds=0.05, hold_seconds=0.05
    )
    recorder = Recorder()

    def sink(writer: Any = recorder, masters: Masters | None = None, **changes: Any) -> InfluxSink:
        changed = replace(quick, **changes)
        sinks.append(InfluxSink(tmp_path, changed, (), writer=writer, masters=masters, cursor_cycles=3))
        return sinks[-1]

    def journal(day: str = "2026-11-20") -> Journal:
        if day not in journals:
            path = tmp_path / "journal" / f"{day}.sqlite3"
            path.parent.mkdir(exist_ok=True)
            journals[day] = Journal.open(path, corrupt=tmp_path / "corrupt", max_bytes=50_000_000)
        return journals[day]

    yield SimpleNamespace(root=tmp_path, recorder=recorder, sink=sink, journal=journal, sample=sample)
    recorder.blocked.set()
    for each in (*sinks, *journals.values()):
        with suppress(SinkError):
            each.close()


def test_minutes_arrive_and_the_cursor_follows_when_they_are_safe(place: SimpleNamespace) -> None:
    journal, sink = place.journal(), place.sink()
    expected = set()
    for number in range(4):
        journal.put(place.sample.snapshot(number))
        expected |= set(lines(place.sample.snapshot(number), ()))
        assert sink.drain(journal).error is None
    until(lambda: sink.drain(journal).lag_cycles == 0)
    assert set(place.recorder.lines) == expected
    until(lambda: sink.drain(journal) and journal.cursor(NAME) == 4)


def test_minutes_that_went_without_their_masters_are_told_once(place: SimpleNamespace) -> None:
    def unreadable(_minute: object) -> MasterRows:
        raise SinkError("the masters are damaged")

    journal, sink = place.journal(), place.sink(masters=unreadable)
    for number in range(2):
        journal.put(place.sample.snapshot(number))
    told: list[str | None] = []

    def safe() -> bool:
        told.append(sink.drain(journal).error)
        return journal.cursor(NAME) == 2

    until(safe)
    said = [error for error in told if error]
    assert sum(int(error.partition(" minutes went without their weekday masters")[0]) for error in said) == 2
    assert all("the masters are damaged" in error and "g6 rebuild --what influx" in error for error in said)


def test_the_cursor_stays_while_nothing_is_safe(place: SimpleNamespace) -> None:
    journal, sink = place.journal(), place.sink(unconfirmed_seconds=3600)
    journal.put(place.sample.snapshot(0))
    until(lambda: sink.drain(journal).lag_cycles == 0)
    sink.checkpoint(journal)
    assert journal.cursor(NAME) == 0
    assert sink.stats().unconfirmed_cycles == 1


def test_a_checkpoint_moves_the_cursor_between_its_usual_steps(place: SimpleNamespace) -> None:
    journal, sink = place.journal(), place.sink()
    journal.put(place.sample.snapshot(0))
    until(lambda: sink.drain(journal).lag_cycles == 0)
    until(lambda: sink.stats().unconfirmed_cycles == 0)
    journal.put(place.sample.snapshot(1))
    sink.checkpoint(journal)
    assert journal.cursor(NAME) == 1


def test_the_loop_does_not_wait_for_a_server_that_hangs(place: SimpleNamespace) -> None:
    journal, sink = place.journal(), place.sink(close_seconds=0.01)
    place.recorder.blocked.clear()
    for number in range(3):
        journal.put(place.sample.snapshot(number))
        assert sink.drain(journal).lag_cycles == number + 1
    sink.checkpoint(journal)
    sink.close()
    assert place.recorder.lines == []
    assert journal.cursor(NAME) == 0


def test_nothing_is_begun_while_a_cycle_is_under_way(place: SimpleNamespace) -> None:
    journal, sink = place.journal(), place.sink()
    journal.put(place.sample.snapshot(0))
    until(lambda: sink.drain(journal).lag_cycles == 0)
    for number in range(1, 4):
        sink.rest()
        sent = len(place.recorder.lines)
        journal.put(place.sample.snapshot(number))
        sink.tell(CycleReport(place.sample.OPEN, "sample", 0.1, {}, (), JournalReport("x", 1)))  # wakes the worker
        threading.Event().wait(0.05)
        assert len(place.recorder.lines) == sent
        until(lambda: sink.drain(journal).lag_cycles == 0)
        until(lambda: _told(place) == number)  # noqa: B023 (asked at once)


def _told(place: SimpleNamespace) -> int:
    return sum(line.startswith(b"influx_write_stats") for line in place.recorder.lines)


def test_a_sink_at_rest_can_be_closed(place: SimpleNamespace) -> None:
    journal, sink = place.journal(), place.sink()
    journal.put(place.sample.snapshot(0))
    sink.drain(journal)
    sink.rest()
    sink.close()
    assert set(place.recorder.lines) == set(lines(place.sample.snapshot(0), ()))


def test_a_server_that_is_absent_costs_a_sentence(place: SimpleNamespace) -> None:
    journal, sink = place.journal(), place.sink()
    place.recorder.failing = TransientError("cannot reach http://memory: Connection refused")
    journal.put(place.sample.snapshot(0))
    until(lambda: sink.drain(journal).error)
    report = sink.drain(journal)
    assert "cannot reach http://memory: Connection refused; the minutes wait in the journal, next try in" in (
        report.error or ""
    )
    assert report.lag_cycles == 1
    place.recorder.failing = None
    until(lambda: sink.drain(journal).lag_cycles == 0)
    until(lambda: sink.drain(journal).error is None)


def test_a_refused_token_is_told_and_taken_up_when_it_is_mended(place: SimpleNamespace) -> None:
    journal, sink = place.journal(), place.sink()
    place.recorder.failing = AuthError("answers 401: unauthorized")
    journal.put(place.sample.snapshot(0))
    until(lambda: "401" in (sink.drain(journal).error or ""))
    place.recorder.failing = None
    until(lambda: sink.drain(journal).lag_cycles == 0)


def test_a_defect_is_told_and_ends_nothing(place: SimpleNamespace) -> None:
    journal, sink = place.journal(), place.sink()
    place.recorder.failing = ZeroDivisionError("division by zero")
    journal.put(place.sample.snapshot(0))
    until(lambda: sink.drain(journal).error == "ZeroDivisionError: division by zero")


def test_other_days_are_delivered_and_their_cursors_moved_without_their_loop(place: SimpleNamespace) -> None:
    before, journal = place.journal("2026-11-20"), place.journal("2026-11-23")
    minutes = [place.sample.snapshot(0), place.sample.snapshot(3 * 24 * 60)]
    before.put(minutes[0])
    journal.put(minutes[1])
    sink = place.sink()
    sink.drain(before)
    before.close()
    sink.drain(journal)
    until(lambda: sink.drain(journal) and place_cursor(before.path) == 1)
    assert set(place.recorder.lines) == {line for minute in minutes for line in lines(minute, ())}


def place_cursor(path: Path) -> int:
    journal = Journal.open_read_only(path)
    try:
        return journal.cursor(NAME)
    finally:
        journal.close()


def test_a_journal_that_began_anew_is_delivered_from_its_beginning(place: SimpleNamespace) -> None:
    journal, sink = place.journal(), place.sink()
    journal.put(place.sample.snapshot(0))
    until(lambda: sink.drain(journal).lag_cycles == 0)
    journal.close()
    for path in journal.path.parent.glob("*"):
        path.unlink()
    anew = Journal.open(journal.path, corrupt=place.root / "corrupt", max_bytes=10_000_000)
    anew.put(place.sample.snapshot(1))
    until(lambda: sink.drain(anew).lag_cycles == 0)
    assert set(place.recorder.lines) >= set(lines(place.sample.snapshot(1), ()))
    anew.close()


def test_a_run_that_ends_at_once_still_delivers_and_is_not_repeated(place: SimpleNamespace) -> None:
    """`--run-once`: nothing is confirmed before the process ends, and the next run must not begin from the start."""
    journal = place.journal()
    for number in range(3):
        journal.put(place.sample.snapshot(number))
        sink = place.sink(unconfirmed_seconds=3600)
        sink.drain(journal)
        sink.close()
    sent = len(place.recorder.lines)
    assert sent == sum(len(lines(place.sample.snapshot(number), ())) for number in range(3))
    assert place.recorder.closed


def test_health_goes_the_same_way(place: SimpleNamespace) -> None:
    sink = place.sink()
    sink.tell(CycleReport(place.sample.OPEN, "sample", 0.1, {}, (), JournalReport("x", 1)))
    until(lambda: len(place.recorder.lines) == 2)
    assert [line.split(b" ")[0] for line in place.recorder.lines] == [b"monitor_status", b"influx_write_stats"]
    until(lambda: sink.stats().lines == 2)


def test_closing_is_harmless_before_anything_was_done(place: SimpleNamespace) -> None:
    sink = place.sink()
    sink.close()
    sink.close()
    assert place.recorder.closed


def test_the_clock_is_the_machines_by_default(place: SimpleNamespace) -> None:
    sink = place.sink()
    journal = place.journal()
    journal.put(place.sample.snapshot(0))
    until(lambda: sink.drain(journal).lag_cycles == 0)
    last = sink.stats().last_success_timestamp_seconds
    assert last is not None
    assert abs(last - SystemClock().now().timestamp()) < 3600
