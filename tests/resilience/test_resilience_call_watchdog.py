"""A cycle that hangs in a call is given up in real time; the next one starts in a new thread, so many times."""

import contextvars
import gc
import math
import signal
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Iterator

import pytest

from g6.errors import BadResponse, G6Error, TransientError
from g6.resilience.call_watchdog import CallWatchdog, RestartNeeded, exit_at_latest
from g6.resilience.deadline import NoAnswer

PATIENCE_SECONDS = 60.0
MINUTE: contextvars.ContextVar[str] = contextvars.ContextVar("MINUTE", default="none")

INTERRUPTED_PROCESS = """
import signal, sys, threading
from g6.resilience.call_watchdog import CallWatchdog

heard = []
signal.signal(signal.SIGUSR1, lambda *_: (heard.append(1), print("heard", flush=True)))

def hang():
    print("hangs", flush=True)
    threading.Event().wait()

try:
    CallWatchdog(600.0).run(hang)
except KeyboardInterrupt:
    print("interrupted", len(heard), flush=True)
"""

STUCK_PROCESS = """
import threading
from g6.resilience.call_watchdog import exit_at_latest
exit_at_latest(0.01, 3, threading.Event())
threading.Event().wait()
"""


class Hanging:
    """Calls that hang until they are let go, and a wait that knows: for those it has no patience at all."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.threads: list[threading.Thread] = []
        self.bounds: list[float] = []
        self._hangs = False

    def call(self) -> str:
        self._hangs = True
        self.threads.append(threading.current_thread())
        self.release.wait()
        return "too late"

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.bounds.append(seconds)
        while not (event.is_set() or self._hangs):
            event.wait(0.001)
        self._hangs = False
        return event.is_set()

    def let_go(self) -> None:
        self.release.set()
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    made = Hanging()
    yield made
    made.let_go()


@pytest.fixture
def watchdog(hanging: Hanging) -> Iterator[CallWatchdog]:
    made = CallWatchdog(55.0, wait=hanging.wait)
    yield made
    made.close()


def test_a_call_returns_what_it_returns_from_another_thread_always_the_same_one(watchdog: CallWatchdog) -> None:
    threads = {watchdog.run(threading.current_thread) for _ in range(5)}
    (thread,) = threads
    assert thread is not threading.current_thread()
    assert thread.daemon
    assert watchdog.abandoned == 0


@pytest.mark.parametrize("error", [BadResponse("no"), TimeoutError("the call's own"), KeyError("x"), SystemExit(3)])
def test_a_call_raises_its_own_error_with_the_place_where_it_arose(
    watchdog: CallWatchdog, error: BaseException
) -> None:
    def deep_inside() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        watchdog.run(deep_inside)
    assert caught.value is error
    assert "deep_inside" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert watchdog.run(lambda: "and on") == "and on"


def test_a_hanging_call_is_given_up_and_its_stage_is_named(watchdog: CallWatchdog, hanging: Hanging) -> None:
    with pytest.raises(TransientError, match=r"^quotes: the provider has not come back for 55 s$") as caught:
        watchdog.run(hanging.call, lambda: "quotes")
    assert isinstance(caught.value, NoAnswer)
    assert caught.value.kind == "timeout"
    assert hanging.bounds == [55.0]


def test_the_stage_is_asked_when_the_bound_is_over(watchdog: CallWatchdog, hanging: Hanging) -> None:
    at = ["contracts"]

    def collect() -> str:
        at[0] = "spots"
        return hanging.call()

    with pytest.raises(NoAnswer, match=r"^spots:"):
        watchdog.run(collect, lambda: at[0])


def test_where_it_hangs_is_in_the_log(
    watchdog: CallWatchdog, hanging: Hanging, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NoAnswer):
        watchdog.run(hanging.call)
    assert "1 of 3 threads hang" in caplog.text
    assert "self.release.wait()" in caplog.text


def test_the_next_call_runs_in_a_new_thread_while_the_last_still_hangs(
    watchdog: CallWatchdog, hanging: Hanging
) -> None:
    with pytest.raises(NoAnswer):
        watchdog.run(hanging.call)
    thread = watchdog.run(threading.current_thread)
    assert thread not in hanging.threads
    assert hanging.threads[0].is_alive()
    assert watchdog.abandoned == 1


def test_what_an_abandoned_call_returns_is_dropped_and_its_thread_ends(
    watchdog: CallWatchdog, hanging: Hanging
) -> None:
    with pytest.raises(NoAnswer):
        watchdog.run(hanging.call)
    hanging.let_go()
    assert not hanging.threads[0].is_alive()
    assert watchdog.abandoned == 0
    assert watchdog.run(lambda: "in time") == "in time"


def test_when_as_many_hang_as_may_nothing_more_is_called(watchdog: CallWatchdog, hanging: Hanging) -> None:
    for count in range(1, 4):
        assert not watchdog.exhausted
        with pytest.raises(NoAnswer):
            watchdog.run(hanging.call)
        assert watchdog.abandoned == count
    assert watchdog.exhausted
    called: list[int] = []
    with pytest.raises(RestartNeeded, match=r"^3 calls to the provider hang .*; G6 must be restarted$") as caught:
        watchdog.run(lambda: called.append(1))
    assert called == []
    assert isinstance(caught.value, G6Error)
    assert not isinstance(caught.value, TransientError)


def test_calls_that_come_back_after_all_make_room_again(watchdog: CallWatchdog, hanging: Hanging) -> None:
    for _ in range(3):
        with pytest.raises(NoAnswer):
            watchdog.run(hanging.call)
    hanging.let_go()
    assert not watchdog.exhausted
    assert watchdog.run(lambda: 7) == 7


def test_the_callers_context_goes_with_the_call_and_is_not_changed_by_it(watchdog: CallWatchdog) -> None:
    def read_and_write() -> str:
        found = MINUTE.get()
        MINUTE.set("changed")
        return found

    for minute in ("09:15", "09:16"):
        token = MINUTE.set(minute)
        assert watchdog.run(read_and_write) == minute
        assert MINUTE.get() == minute
        MINUTE.reset(token)


def test_an_infinite_bound_runs_the_call_where_it_is() -> None:
    assert CallWatchdog(math.inf).run(threading.current_thread) is threading.current_thread()


class Columns:
    """Something large that must not outlive its minute."""


def test_nothing_of_a_minute_is_kept_after_it(watchdog: CallWatchdog) -> None:
    def fail() -> None:
        columns = kept.setdefault("columns", Columns())
        raise BadResponse(f"{columns!r} cannot be used")

    kept: dict[str, Columns] = {}
    gc.disable()  # not even until a collection
    try:
        result = watchdog.run(Columns)
        returned = weakref.ref(result)
        del result
        try:
            watchdog.run(fail)
        except BadResponse:
            raised = weakref.ref(kept.pop("columns"))
        watchdog.run(lambda: None)
        assert (returned(), raised()) == (None, None)
    finally:
        gc.enable()


def test_a_closed_watchdog_leaves_no_thread(hanging: Hanging) -> None:
    watchdog = CallWatchdog(55.0, wait=hanging.wait)
    thread = watchdog.run(threading.current_thread)
    watchdog.close()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_signals_reach_the_main_thread_while_it_waits_for_a_call_that_hangs() -> None:
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED_PROCESS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hangs\n"
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.readline() == "heard\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted 1\n"
        assert process.wait(PATIENCE_SECONDS) == 0


def test_a_process_whose_end_hangs_ends_all_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", STUCK_PROCESS], timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 3


def test_a_process_that_ends_in_time_is_left_alone() -> None:
    before, left, ended = set(threading.enumerate()), [], threading.Event()
    exit_at_latest(PATIENCE_SECONDS, 3, ended, leave=left.append)
    ended.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_SECONDS)
    assert left == []
