"""The thread that keeps the stream may die: another one takes over, and quotes flow again."""

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from supervisor_by_hand import SupervisorByHand, until

from g6.clock import IST, VirtualClock
from g6.providers.kite_stream.keeper import PART, Keeper
from g6.providers.kite_stream.options import StreamOptions
from g6.settings import load
from g6.wiring.kite import kite_source
from g6.wiring.sources import Run, load_market

START = datetime(2026, 11, 20, 10, 0, tzinfo=IST)


class DyingSession:
    """A session of which a question, once, ends the thread that asks."""

    def __init__(self) -> None:
        self.asked = 0

    @property
    def token(self) -> None:
        self.asked += 1
        if self.asked == 1:
            raise SystemExit(3)

    def on_auth_failure(self, _: str) -> None: ...


def test_a_stream_whose_thread_dies_is_kept_by_another_one() -> None:
    session: Any = DyingSession()
    supervisor = SupervisorByHand()
    clock = VirtualClock(START, float("inf"))
    keeper = Keeper(session, lambda *_: None, StreamOptions(), clock, lambda *_: False, supervisor)
    keeper.start()
    until(lambda: supervisor.reports()[0].restarts == 1)
    (report,) = supervisor.reports()
    assert (report.name, report.state, report.reason) == (PART, "running", "SystemExit: 3")
    keeper.wait(lambda _: True, 30.0)  # a pass was made
    assert session.asked > 1
    keeper.close()
    assert supervisor.reports()[0].state == "stopped"


class HangingSession:
    """An account of which the second question hangs."""

    def __init__(self) -> None:
        self.asked, self.over = 0, threading.Event()

    @property
    def token(self) -> None:
        self.asked += 1
        if self.asked > 1:
            self.over.wait()

    def on_auth_failure(self, _: str) -> None: ...


def test_a_board_that_nobody_keeps_is_known_as_one() -> None:
    session: Any = HangingSession()
    clock = VirtualClock(START, float("inf"))
    options = StreamOptions(stall_seconds=0.3)
    keeper = Keeper(session, lambda *_: None, options, clock, lambda *_: False, SupervisorByHand())
    assert keeper.absent_seconds is None, "nobody was wanted yet"
    keeper.start()
    keeper.wait(lambda _: True, 30.0)
    until(lambda: keeper.absent_seconds)
    assert (keeper.absent_seconds or 0.0) > options.stall_seconds
    session.over.set()
    until(lambda: keeper.absent_seconds is None)
    keeper.close()


def test_the_agents_own_supervisor_keeps_the_stream(tmp_path: Path) -> None:
    settings = load({"providers.order": "kite-stream", "collection.indices": "NIFTY"}, {}, tmp_path)
    supervisor = SupervisorByHand()
    environ = {"HOME": str(tmp_path), "KITE_API_KEY": "simulated"}
    run = Run(None, once=False, supervisor=supervisor)
    source = kite_source(settings, load_market(settings), run, VirtualClock(START, float("inf")), environ)
    stream: Any = source.providers[0]
    stream._keeper.start()
    assert [part.name for part in supervisor.reports()] == [PART]
    stream.close()
    assert supervisor.reports()[0].state == "stopped"
