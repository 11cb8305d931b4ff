"""Against a real VictoriaMetrics that is absent, killed, slow or behind bad wires: each key is there once.

It runs on a port of this machine and folds equal keys, as InfluxDB does by itself.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from influx_front import HttpFront, TcpProxy
from victoria_metrics import BINARY, VictoriaMetrics, keys_of

from g6.storage.influx_ledger import Ledger
from g6.storage.influx_lines import lines
from g6.storage.influx_sink import NAME, InfluxSink
from g6.storage.influx_writer import InfluxOptions, InfluxWriter
from g6.storage.journal import Journal

PATIENCE_SECONDS = 60.0


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that another thread or process brings about."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "this never came about"
        threading.Event().wait(0.01)


@pytest.fixture
def sink_to(tmp_path: Path, sample: ModuleType, options: InfluxOptions) -> Iterator[Callable[..., InfluxSink]]:
    """A sink that is quick to try again, closed at the end."""
    opened: list[InfluxSink] = []
    quick = replace(options, batch_lines=500, first_wait_seconds=0.02, maximum_wait_seconds=0.2, timeout_seconds=5)

    def make(url: str, **changes: float) -> InfluxSink:
        made = InfluxSink(tmp_path, replace(quick, url=url, **changes), sample.AGGREGATES)
        opened.append(made)
        return made

    yield make
    for sink in opened:
        sink.close()


def put(journal: Journal, sample: ModuleType, numbers: range) -> list[bytes]:
    """Record minutes and return the lines that they are."""
    found = []
    for number in numbers:
        snapshot = sample.snapshot(number)
        journal.put(snapshot)
        found += lines(snapshot, sample.AGGREGATES)
    return found


def assert_each_once(victoria: VictoriaMetrics, expected: list[bytes]) -> None:
    found = victoria.keys()
    assert set(found) == keys_of(expected)
    assert set(found.values()) == {1}


def live_a_second(victoria: VictoriaMetrics) -> None:
    """Let it grow older than the whole second in which it says it was started."""
    started = victoria.counter("process_start_time_seconds")
    until(lambda: time.time() > started + 1)


def test_values_are_those_that_were_recorded(
    victoria: VictoriaMetrics, sink_to: Callable, journal: Journal, sample: ModuleType
) -> None:
    put(journal, sample, range(3))
    sink = sink_to(victoria.url)
    until(lambda: sink.drain(journal).lag_cycles == 0)
    chain = sample.snapshot(2).chains[0]
    row = next(row for row in range(len(chain)) if chain.offset[row] == 0 and not chain.is_call[row])
    match = 'option_data_iv{index="NIFTY",expiry_code="this_week",offset="atm",side="pe"}'
    (series,) = victoria.series(match)
    second = int(sample.minute_of(2).timestamp())
    assert dict(zip(series["timestamps"], series["values"], strict=True))[second * 1000] == chain.iv[row]


def test_an_outage_of_an_hour_loses_nothing(
    victoria: VictoriaMetrics, sink_to: Callable, journal: Journal, sample: ModuleType
) -> None:
    live_a_second(victoria)
    sink = sink_to(victoria.url)
    expected = put(journal, sample, range(5))
    until(lambda: sink.drain(journal).lag_cycles == 0)
    victoria.flush()
    victoria.kill()
    for number in range(5, 65):
        expected += put(journal, sample, range(number, number + 1))
        report = sink.drain(journal)
        assert report.lag_cycles == number - 4
    until(lambda: "cannot reach" in (sink.drain(journal).error or ""))
    assert journal.cursor(NAME) == 0
    victoria.start()
    until(lambda: sink.drain(journal).lag_cycles == 0)
    until(lambda: sink.drain(journal).error is None)
    assert_each_once(victoria, expected)


def test_what_was_acknowledged_right_before_a_kill_is_there_afterwards(
    victoria: VictoriaMetrics, sink_to: Callable, journal: Journal, sample: ModuleType
) -> None:
    sink = sink_to(victoria.url, unconfirmed_seconds=2.0)
    live_a_second(victoria)
    expected = put(journal, sample, range(10))
    until(lambda: sink.drain(journal).lag_cycles == 0)
    victoria.kill()
    assert journal.cursor(NAME) == 0
    victoria.start()
    until(lambda: sink.stats().server_restarts == 1)
    until(lambda: sink.drain(journal) and journal.cursor(NAME) == 10)
    assert_each_once(victoria, expected)
    assert sink.stats().taken_back > 0


def test_an_acknowledgement_alone_would_not_have_been_enough(
    victoria: VictoriaMetrics, options: InfluxOptions, sample: ModuleType
) -> None:
    """The control for the test above: without the journal's second delivery the rows are gone."""
    sent = lines(sample.snapshot(0), sample.AGGREGATES)
    with closing(InfluxWriter(replace(options, url=victoria.url))) as writer:
        writer.write(sent)
        victoria.kill()
        victoria.start()
    assert set(victoria.keys()) < keys_of(sent)


@pytest.mark.long
def test_a_server_killed_again_and_again_while_it_is_written_to_has_everything_in_the_end(
    victoria: VictoriaMetrics, sink_to: Callable, journal: Journal, sample: ModuleType
) -> None:
    sink = sink_to(victoria.url, unconfirmed_seconds=1.5)
    expected = []
    for round_number in range(3):
        live_a_second(victoria)
        expected += put(journal, sample, range(round_number * 10, round_number * 10 + 10))
        sink.drain(journal)
        begun = sink.stats().lines
        until(lambda begun=begun: sink.stats().lines > begun)
        victoria.kill()
        sink.drain(journal)
        victoria.start()
    until(lambda: sink.drain(journal) and journal.cursor(NAME) == journal.last_seq)
    assert_each_once(victoria, expected)


def test_bad_lines_are_set_aside_and_cost_nothing_else(
    victoria: VictoriaMetrics, sink_to: Callable, journal: Journal, sample: ModuleType, tmp_path: Path
) -> None:
    """VictoriaMetrics refuses no line, so a stricter server stands before it, as InfluxDB 2 is one."""

    def strict(given: list[bytes]) -> tuple[int, dict[str, str], bytes] | None:
        bad = any(b"offset=m2" in line for line in given)
        return (400, {}, b'{"code":"invalid","message":"partial write: field type conflict"}') if bad else None

    with closing(HttpFront(strict, behind=victoria.url)) as front:
        sink = sink_to(front.url)
        expected = put(journal, sample, range(3))
        errors = []
        until(lambda: errors.append((report := sink.drain(journal)).error) or report.lag_cycles == 0)
        errors.append(sink.drain(journal).error)
        bad = [line for line in expected if b"offset=m2" in line]
        assert_each_once(victoria, [line for line in expected if line not in bad])
        letters = Ledger(tmp_path).dead_letters()
        assert [letter.line.encode() for letter in letters] == sorted(bad)
        assert all("field type conflict" in letter.reason for letter in letters)
        assert any("lines refused for good" in (error or "") for error in errors)
        assert sink.stats().dead_letters == len(bad)
        sink.close()


def test_minutes_out_of_the_servers_retention_are_told(tmp_path: Path, sink_to: Callable, sample: ModuleType) -> None:
    """It says 204 to them and keeps nothing; its own counters are all there is to tell."""
    if BINARY is None:
        pytest.skip("victoria-metrics is not installed (Debian package victoria-metrics)")
    snapshot = sample.snapshot(0)
    old = replace(snapshot, minute=snapshot.minute - timedelta(days=700), indices=())
    journal = Journal.open(tmp_path / f"{old.minute.date()}.sqlite3", corrupt=tmp_path / "corrupt", max_bytes=1_000_000)
    journal.put(old)
    server = VictoriaMetrics(tmp_path, retention="1")
    server.start()
    try:
        sink = sink_to(server.url, unconfirmed_seconds=2.5)  # it counts them a second or two later
        until(lambda: "did not keep" in (sink.drain(journal).error or ""))
        assert sink.stats().dropped_by_server >= 7  # a row for each field of `pipeline_tick`
    finally:
        server.kill()
        journal.close()


@pytest.mark.parametrize(
    "faults",
    [
        ["reset_request", "reset_request", "pass"],
        ["reset_answer", "reset_answer", "reset_answer", "pass"],
        ["slow"],
        ["hole", "reset_answer", "slow"],
    ],
    ids="-".join,
)
def test_bad_wires_lose_nothing(
    victoria: VictoriaMetrics, sink_to: Callable, journal: Journal, sample: ModuleType, faults: list[str]
) -> None:
    with closing(TcpProxy(victoria.port, lambda number: faults[min(number, len(faults) - 1)])) as proxy:
        sink = sink_to(proxy.url, timeout_seconds=1.0, batch_lines=200)
        expected = put(journal, sample, range(20))
        until(lambda: sink.drain(journal).lag_cycles == 0)
        assert_each_once(victoria, expected)
        assert proxy.faults[: len(faults)] == faults  # each of them was met
        sink.close()
