"""The thread that keeps the stream may die: another one takes over, and quotes flow again."""

from datetime import datetime
from typing import Any

from supervisor_by_hand import SupervisorByHand, until

from g6.clock import IST, VirtualClock
from g6.providers.kite_stream.keeper import PART, Keeper
from g6.providers.kite_stream.options import StreamOptions

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
