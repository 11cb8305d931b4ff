"""A database that was lost is sent every point again: the same keys, the same values, and nothing twice."""

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date

import pytest
from victoria_metrics import BINARY, VictoriaMetrics

from g6.cli.rebuild import main as rebuild_command
from g6.cli.surroundings import Surroundings
from g6.clock import SystemClock
from g6.errors import AuthError, ConfigError, SinkError, TransientError
from g6.maintenance.rebuild import Store, choose_days, rebuild
from g6.maintenance.rebuild_influx import GIVE_UP_SECONDS, InfluxDays
from g6.masters.sink import MasterSink
from g6.masters.updates import MasterUpdates
from g6.storage.influx_ledger import Acknowledged, Ledger
from g6.storage.influx_lines import lines
from g6.storage.influx_sink import InfluxSink
from g6.storage.influx_writer import InfluxOptions, Poison, Server
from g6.storage.journal import Journal

PATIENCE_SECONDS = 60.0
DAYS = (date(2026, 11, 13), date(2026, 11, 20))  # a database takes none of days to come
OPTIONS = InfluxOptions(
    "http://memory", "org", "bucket", "canary-token", batch_lines=40, unconfirmed_seconds=60, first_wait_seconds=0.5
)


class Clock(SystemClock):
    """A clock whose pauses pass at once."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def elapsed(self) -> float:
        return self.seconds

    def pause(self, seconds: float) -> None:
        self.seconds += seconds


class Memory:
    """A database in memory that loses everything when it crashes."""

    def __init__(self) -> None:
        self.points: dict[bytes, bytes] = {}
        self.started_at = 1.0
        self.failing: Exception | None = None
        self.refuses: bytes | None = None
        self.crash_at: int | None = None
        self.requests = 0

    def write(self, given: Sequence[bytes]) -> int:
        self.requests += 1
        if self.requests == self.crash_at:
            self.points, self.started_at = {}, self.started_at + 1
        if self.failing:
            raise self.failing
        if self.refuses and any(self.refuses in line for line in given):
            raise Poison("answers 400: cannot parse", 400)
        self.points |= keyed(given)
        return len(given)

    def server(self) -> Server:
        if isinstance(self.failing, TransientError):
            raise self.failing
        return Server(self.started_at)

    def close(self) -> None:
        pass


def keyed(found: Sequence[bytes]) -> dict[bytes, bytes]:
    """Lines by what makes a point: measurement, tags and second."""
    parts = (line.split(b" ") for line in found)
    return {head + b" " + second: fields for head, fields, second in parts}


def path_of(root, day):
    return root / "journal" / f"{day}.sqlite3"


def on(day, snapshot):
    """The same minute of another day."""
    shift = day - DAYS[1]  # the samples' own day
    indices = tuple(
        replace(index, chains=tuple(replace(chain, at=chain.at + shift) for chain in index.chains))
        for index in snapshot.indices
    )
    return replace(snapshot, minute=snapshot.minute + shift, indices=indices)


@pytest.fixture
def recorded(tmp_path, sample, record):
    """Two Fridays, with a second tick that has other strikes, a late minute and a minute without chains."""
    first = [
        sample.snapshot(0), sample.snapshot(2), sample.snapshot(1), sample.snapshot(1, tick=1, shift=2),
        sample.snapshot(3, expiries=()),
    ]  # fmt: skip
    root = tmp_path / "data"
    record(root, [on(day, snapshot) for day in DAYS for snapshot in first])
    return root


@pytest.fixture
def masters(recorded):
    """What the minutes did to masters that know both days."""
    sink = MasterSink(recorded, {})
    for day in DAYS:
        with closing(journal_of(recorded, day)) as journal:
            sink.drain(journal)
            sink.checkpoint(journal)
    sink.close()
    return lambda root: MasterUpdates(root, "last")


def journal_of(root, day):
    return Journal.open(path_of(root, day), corrupt=root / "corrupt", max_bytes=50_000_000)


def recorded_lines(root, sample, masters_of=lambda _root: None):
    """Every line of every recorded minute."""
    found, masters = [], masters_of(root)
    for day in DAYS:
        with closing(Journal.open_read_only(path_of(root, day))) as journal:
            for _, snapshot in journal.cycles_after(0):
                found += lines(snapshot, sample.AGGREGATES, masters(snapshot) if masters else None)
    return found


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def days_to(sample, memory):
    def make(writer=memory, **more):
        return InfluxDays(OPTIONS, sample.AGGREGATES, clock=Clock(), writer=writer, **more)

    return make


def run(root, days, facts="one database", **more):
    store = {"influx": Store(days.day, facts, runner=days)}
    return list(rebuild(root, choose_days(root), store, lambda _tasks: iter(()), **more))


def test_every_point_is_sent_and_counted(recorded, sample, memory, days_to, masters):
    outcomes = run(recorded, days_to(masters_of=masters))
    assert [(o.task.day, o.error) for o in outcomes] == [(day, None) for day in DAYS]
    expected = recorded_lines(recorded, sample, masters)
    assert memory.points == keyed(expected)
    assert any(b"weekday_master_updates" in key for key in memory.points)
    assert [o.rebuilt.minutes for o in outcomes] == [4, 4]
    assert sum(o.rebuilt.rows for o in outcomes) == len(expected)


def test_a_server_that_dies_with_what_it_acknowledged_is_sent_it_again(recorded, sample, memory, days_to):
    memory.crash_at = 6
    assert all(outcome.error is None for outcome in run(recorded, days_to()))
    assert memory.requests > 6
    assert memory.points == keyed(recorded_lines(recorded, sample))


def test_no_day_is_done_before_it_is_safe(recorded, memory, days_to):
    """Without the wait a crash after the last acknowledgement would leave a hole that nobody knows of."""
    days = days_to()
    run(recorded, days)
    assert days._clock.seconds >= 1_000 + OPTIONS.unconfirmed_seconds


def test_cursors_and_what_the_collector_remembers_stay(recorded, memory, days_to):
    left = {"2026-11-13.sqlite3 x": Acknowledged(3, 1.0, 2.0)}
    Ledger(recorded).remember(left)
    with closing(journal_of(recorded, DAYS[0])) as journal:
        journal.advance("influx", 2)
    before = [path_of(recorded, day).read_bytes() for day in DAYS]
    run(recorded, days_to())
    assert [path_of(recorded, day).read_bytes() for day in DAYS] == before
    assert Ledger(recorded).acknowledged() == left


def test_an_interrupted_run_goes_on_where_it_was(recorded, memory, days_to):
    class Interrupted(Exception):
        pass

    store = {"influx": Store(days_to().day, "one database", runner=days_to())}
    outcomes = rebuild(recorded, choose_days(recorded), store, lambda _tasks: iter(()))
    assert next(outcomes).task.day == DAYS[0]
    with pytest.raises(Interrupted):
        outcomes.throw(Interrupted())
    told, requests = [], memory.requests
    (outcome,) = run(recorded, days_to(), done=lambda what, day: told.append((what, day)))
    assert told == [("influx", DAYS[0])]
    assert outcome.task.day == DAYS[1]
    assert memory.requests > requests


def test_another_database_is_sent_everything(recorded, days_to):
    store = {"influx": Store(days_to().day, "one database", runner=days_to())}
    next(rebuild(recorded, choose_days(recorded), store, lambda _tasks: iter(())))
    assert len(run(recorded, days_to(), facts="another database")) == 2


def test_a_database_that_never_answers_is_given_up(recorded, memory, days_to):
    memory.failing = TransientError("cannot reach http://memory: Connection refused")
    notes = []
    days = days_to(note=notes.append)
    outcomes = run(recorded, days)
    assert all(outcome.error.endswith("cannot reach http://memory: Connection refused") for outcome in outcomes)
    assert len(outcomes) == 2
    assert days._clock.seconds > 1_000 + GIVE_UP_SECONDS
    assert any("Connection refused; next try in" in note for note in notes)
    memory.failing = None
    assert [outcome.error for outcome in run(recorded, days_to())] == [None, None]


def test_a_refused_token_is_told_at_once(recorded, memory, days_to):
    memory.failing = AuthError("answers 401: unauthorized")
    days = days_to()
    assert [outcome.error for outcome in run(recorded, days)] == ["answers 401: unauthorized"] * 2
    assert days._clock.seconds < 1_000 + OPTIONS.unconfirmed_seconds


def test_a_refused_point_is_a_dead_letter_and_its_day_is_not_called_whole(recorded, sample, memory, days_to):
    second = b"%d" % int(on(DAYS[0], sample.snapshot(2)).minute.timestamp())
    memory.refuses = b"index_overview,index=NIFTY spot=24003.15,"
    outcomes = run(recorded, days_to())
    assert all("points were refused for good" in outcome.error for outcome in outcomes)
    letters = [letter.line.encode() for letter in Ledger(recorded).dead_letters()]
    assert any(line.endswith(second) for line in letters)
    expected = keyed(recorded_lines(recorded, sample))
    assert memory.points == {key: value for key, value in expected.items() if key not in keyed(letters)}


def test_a_damaged_minute_is_told_and_costs_no_other(recorded, sample, memory, days_to):
    with closing(journal_of(recorded, DAYS[0])) as journal:
        journal._execute("UPDATE cycles SET crc = crc + 1 WHERE seq = 1")
    first, second = run(recorded, days_to())
    assert "1 minutes in its journal are damaged" in first.error
    assert second.error is None
    assert memory.points == keyed(recorded_lines(recorded, sample))
    assert [outcome.error for outcome in run(recorded, days_to(discard=True), fresh=True)] == [None, None]


def test_masters_that_cannot_be_read_stop_the_day(recorded, days_to):
    def broken(_snapshot):
        raise SinkError("the masters are damaged")

    outcomes = run(recorded, days_to(masters_of=lambda _root: broken))
    assert [outcome.error for outcome in outcomes] == ["the masters are damaged"] * 2


def test_a_journal_that_cannot_be_read_costs_its_day_alone(recorded, days_to):
    path_of(recorded, DAYS[0]).write_bytes(b"no database")
    first, second = run(recorded, days_to())
    assert str(path_of(recorded, DAYS[0])) in first.error
    assert second.error is None


def test_one_day_can_be_sent_alone(recorded, memory, days_to):
    assert days_to().day(recorded, DAYS[1]).minutes == 4
    memory.failing = AuthError("answers 401: unauthorized")
    with pytest.raises(SinkError, match="401"):
        days_to().day(recorded, DAYS[1])


def until(condition):
    """Wait for a condition that another thread or process brings about."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "this never came about"
        threading.Event().wait(0.01)


def exported(victoria):
    """Series → second → values: everything that the database has."""
    found = {}
    for series in victoria.series('{__name__!=""}'):
        points = found.setdefault(tuple(sorted(series["metric"].items())), {})
        for stamp, value in zip(series["timestamps"], series["values"], strict=True):
            points.setdefault(stamp, []).append(value)
    return found


@pytest.fixture
def new_victoria(tmp_path):
    """Starts databases, each with nothing in it."""
    if BINARY is None:
        pytest.skip("victoria-metrics is not installed (Debian package victoria-metrics)")
    started = []

    def start():
        folder = tmp_path / f"victoria-{len(started)}"
        folder.mkdir()
        started.append(VictoriaMetrics(folder))
        started[-1].start()
        return started[-1]

    yield start
    for server in started:
        server.kill()


def test_a_wiped_database_has_every_point_again_and_none_twice(recorded, sample, masters, new_victoria):
    first = new_victoria()
    options = InfluxOptions(first.url, "org", "bucket", "any", unconfirmed_seconds=0.5)
    sink = InfluxSink(recorded, options, sample.AGGREGATES, masters=masters(recorded))
    for day in DAYS:
        with closing(journal_of(recorded, day)) as journal:
            until(lambda journal=journal: sink.drain(journal).lag_cycles == 0)
    sink.close()
    before = exported(first)
    first.kill()
    second = new_victoria()
    days = InfluxDays(replace(options, url=second.url), sample.AGGREGATES, masters)
    for _ in range(2):  # what is sent twice is there once
        assert [outcome.error for outcome in run(recorded, days, fresh=True)] == [None, None]
    assert exported(second) == before
    assert {len(values) for points in before.values() for values in points.values()} == {1}
    assert any(dict(series)["__name__"].startswith("weekday_master_updates_") for series in before)


@pytest.fixture
def around(tmp_path):
    return Surroundings({}, tmp_path)


def test_the_command_sends_what_the_settings_name(recorded, around, masters, new_victoria, capsys):
    victoria = new_victoria()
    argv = [
        "--data-dir", str(recorded), "--what", "influx", "--set", "storage.influx.enabled=true",
        "--set", f"storage.influx.url={victoria.url}", "--set", "storage.influx.unconfirmed_seconds=0.2",
    ]  # fmt: skip
    assert rebuild_command(argv, around) == 0
    said = capsys.readouterr().out
    assert "2026-11-13 influx: 4 minutes, " in said
    assert "points sent" in said
    assert len(victoria.series("weekday_master_updates_mean")) > 0


def test_a_database_that_is_not_configured_is_refused_in_one_line(recorded, around):
    with pytest.raises(ConfigError, match=r"storage\.influx is switched off; set storage\.influx\.enabled") as refusal:
        rebuild_command(["--data-dir", str(recorded), "--what", "influx"], around)
    assert "\n" not in str(refusal.value)


def test_a_database_that_is_in_use_is_rebuilt_without_being_named(recorded, around):
    """Its options are looked at, which is how one can tell."""
    argv = ["--data-dir", str(recorded), "--set", "storage.influx.enabled=true", "--set", "storage.csv.enabled=false"]
    with pytest.raises(ConfigError, match="ca_file"):
        rebuild_command([*argv, "--set", "storage.influx.ca_file=/nowhere.pem"], around)
