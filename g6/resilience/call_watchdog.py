"""A cycle that hangs in a call: given up in time, so that the next minute starts when it is due.

The calls that a provider makes have bounds of their own; this is the one behind them, for what hangs where nobody
thought of it: a name server, a lock, a file system. The work runs in a thread, and the loop waits for it no longer
than the bound. A thread cannot be killed: one that hangs is left where it is, and when several do the process is
worn out and says that it must be restarted. What hangs without letting go of the interpreter is the service
manager's to notice.
"""

import contextvars
import logging
import math
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from g6.errors import G6Error
from g6.resilience.deadline import NoAnswer

T = TypeVar("T")
Wait = Callable[[threading.Event, float], bool]

log = logging.getLogger(__name__)


class RestartNeeded(G6Error):
    """So many calls hang that only a new process can go on (exit 3, and the service manager starts it again)."""


class CallWatchdog:
    """Runs one call at a time, each with `bound_seconds` of real time; for one thread.

    The bound counts while the machine is awake: after a sleep a call has the rest of it to notice that its connection
    is gone. An infinite bound runs the call where it is, for sources that cannot hang. `wait` waits for an event.
    """

    def __init__(
        self, bound_seconds: float = 55.0, *, abandoned_limit: int = 3, wait: Wait = threading.Event.wait
    ) -> None:
        self._bound_seconds, self._limit, self._wait = bound_seconds, abandoned_limit, wait
        self._worker: _Worker | None = None
        self._abandoned: list[_Worker] = []

    def run(self, call: Callable[[], T], stage: Callable[[], str] = lambda: "collection") -> T:
        """Return what `call` returns, or raise what it raises, with its traceback.

        It runs in another thread, the same one for each call as long as none hangs, in a copy of the caller's context.
        NoAnswer (a TransientError) when it is not over within the bound: `stage` is asked where it is by then, and
        whatever it still does or returns is dropped, so it should change nothing but what it returns. RestartNeeded,
        without calling, when `exhausted`.
        """
        if math.isinf(self._bound_seconds):
            return call()
        self.check()
        worker = self._worker = self._worker or _Worker()
        job = _Job(call)
        try:
            worker.take(job)
            over = self._wait(job.over, self._bound_seconds)
        finally:
            if not job.over.is_set():
                self._abandon(worker)
        if not over and not job.over.is_set():
            raise self._given_up(worker, stage())
        return job.outcome()

    @property
    def abandoned(self) -> int:
        """Return how many threads hang at present; one that came back after all counts no more."""
        self._abandoned = [worker for worker in self._abandoned if worker.is_alive()]
        return len(self._abandoned)

    @property
    def exhausted(self) -> bool:
        """Return whether as many threads hang as may: the process should finish the minute and end."""
        return self.abandoned >= self._limit

    def check(self) -> None:
        """Raise RestartNeeded when `exhausted`."""
        if self.exhausted:
            raise RestartNeeded(
                f"{self.abandoned} calls to the provider hang and do not come back; G6 must be restarted"
            )

    def close(self) -> None:
        """End the idle thread; nothing is waited for."""
        if self._worker is not None:
            self._worker.dismiss()
            self._worker = None

    def _abandon(self, worker: "_Worker") -> None:
        worker.dismiss()
        self._abandoned.append(worker)
        self._worker = None

    def _given_up(self, worker: "_Worker", stage: str) -> NoAnswer:
        error = NoAnswer(f"{stage}: the provider has not come back for {self._bound_seconds:g} s")
        log.warning("%s; %d of %d threads hang, this one here:\n%s", error, self.abandoned, self._limit, worker.stack())
        return error


class _Job(Generic[T]):
    """A call, and what became of it."""

    def __init__(self, call: Callable[[], T]) -> None:
        self.over = threading.Event()
        self._call, self._context = call, contextvars.copy_context()
        self._result: list[T] = []
        self._error: BaseException | None = None

    def do(self) -> None:
        """Make the call, in the worker's thread."""
        try:
            self._result.append(self._context.run(self._call))
        except BaseException as error:  # noqa: BLE001 - it is the caller's, who raises it from the outcome
            self._error = error
        self.over.set()

    def outcome(self) -> T:
        """Return the result or raise the error."""
        if self._error is None:
            return self._result[0]
        try:
            raise self._error
        finally:
            self._error = None  # its traceback holds this frame: a circle that would keep a minute's columns alive


class _Worker:
    """A thread that takes jobs until it is dismissed."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="cycle", daemon=True)
        self._thread.start()

    def take(self, job: _Job[Any]) -> None:
        """Do this next."""
        self._jobs.put(job)

    def dismiss(self) -> None:
        """End when the job in hand is done, if it ever is."""
        self._jobs.put(None)

    def is_alive(self) -> bool:
        """Return whether the thread has not ended."""
        return self._thread.is_alive()

    def stack(self) -> str:
        """Return where the thread is, as a traceback's lines."""
        frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 - the documented way, for just this
        return "".join(traceback.format_stack(frame)) if frame else "(it has just ended)"

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.do()
            del job  # while it waits for the next, it holds nothing of the last


def exit_at_latest(
    seconds: float, code: int, cancelled: threading.Event, *, leave: Callable[[int], object] = os._exit
) -> None:
    """End the process with this code when the seconds are over, whatever then still hangs, unless `cancelled` is set.

    For a shutdown whose tidying may wait for the very thing that hangs. Nothing is flushed: what matters is durable.
    """

    def watch() -> None:
        if not cancelled.wait(seconds):
            leave(code)

    threading.Thread(target=watch, name="exit at latest", daemon=True).start()
