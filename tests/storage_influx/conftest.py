"""What the tests of the InfluxDB store share: sample minutes, a clock by hand, a server in memory and a real one."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from victoria_metrics import BINARY, VictoriaMetrics

from g6.clock import IST, SystemClock
from g6.errors import TransientError
from g6.storage.influx_writer import InfluxOptions, Poison, Server
from g6.storage.journal import Journal

SAMPLES = Path(__file__).resolve().parent.parent / "storage" / "sample_minutes.py"


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The module of sample minutes."""
    spec = importlib.util.spec_from_file_location("sample_minutes", SAMPLES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("sample_minutes", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """The journal of the sample day."""
    opened = Journal.open(tmp_path / "2026-11-20.sqlite3", corrupt=tmp_path / "corrupt", max_bytes=50_000_000)
    yield opened
    opened.close()


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    """A running VictoriaMetrics."""
    if BINARY is None:
        pytest.skip("victoria-metrics is not installed (Debian package victoria-metrics)")
    server = VictoriaMetrics(tmp_path)
    server.start()
    yield server
    server.kill()


class HandClock(SystemClock):
    """A clock that is moved by hand; its wall and its seconds move together."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.begin = datetime(2026, 11, 20, 9, 15, tzinfo=IST)

    def monotonic(self) -> float:
        return self.seconds

    def elapsed(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.begin + timedelta(seconds=self.seconds)

    def pause(self, seconds: float) -> None:
        self.seconds += seconds


class MemoryServer:
    """A server that keeps what it acknowledges in memory for `flush_seconds`, and loses that when it crashes."""

    def __init__(self, clock: HandClock, flush_seconds: float = 10.0) -> None:
        self.clock, self.flush_seconds = clock, flush_seconds
        self.started_at: float | None = 1.0
        self.dropped_rows = 0
        self.requests: list[list[bytes]] = []
        self.failing: Exception | None = None
        self.refuses: Callable[[bytes], bool] = lambda line: False
        self.largest = 10**9
        self.closed = False
        self._memory: list[tuple[float, bytes]] = []
        self._disk: set[bytes] = set()

    def write(self, lines: Sequence[bytes]) -> int:
        self.requests.append(list(lines))
        self._fail()
        if len(lines) > self.largest:
            raise Poison("answers 413: too large", 413)
        if any(map(self.refuses, lines)):
            raise Poison("answers 400: cannot parse", 400)
        self._memory += [(self.clock.seconds, line) for line in lines]
        return sum(map(len, lines))

    def server(self) -> Server:
        self._fail()
        return Server(self.started_at, self.dropped_rows)

    def close(self) -> None:
        self.closed = True

    @property
    def durable(self) -> set[bytes]:
        """What a crash would not lose."""
        flushed = [line for at, line in self._memory if at <= self.clock.seconds - self.flush_seconds]
        self._disk.update(flushed)
        self._memory = [entry for entry in self._memory if entry[0] > self.clock.seconds - self.flush_seconds]
        return self._disk

    @property
    def held(self) -> set[bytes]:
        """What a query would find."""
        return self.durable | {line for _, line in self._memory}

    def crash(self) -> None:
        """Lose the memory, and be there again at once as another process."""
        assert self.durable is not None
        self._memory = []
        self.started_at = (self.started_at or 0) + 1

    def go_down(self) -> None:
        self.failing = TransientError("cannot reach http://memory: Connection refused")

    def come_up(self) -> None:
        self.failing = None

    def _fail(self) -> None:
        if self.failing:
            raise self.failing


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture
def memory_server(hand_clock: HandClock) -> MemoryServer:
    return MemoryServer(hand_clock)


@pytest.fixture
def new_memory_server() -> Callable[[], tuple[HandClock, MemoryServer]]:
    """A clock and a server anew, for tests that need many."""

    def make() -> tuple[HandClock, MemoryServer]:
        clock = HandClock()
        return clock, MemoryServer(clock)

    return make


@pytest.fixture
def options() -> InfluxOptions:
    """Small requests, so that a few minutes take several."""
    return InfluxOptions("http://memory", "org", "bucket", "canary-token", batch_lines=30, timeout_seconds=5)
