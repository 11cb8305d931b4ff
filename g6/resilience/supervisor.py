"""The parts that run beside the loop: each in a thread of its own, restarted when it falls or hangs, within a budget.

1. A part's body runs in a daemon thread until it is told to stop (`_Life`).
2. Every second each part is looked at: has its body ended, or been silent for too long (`look`)?
3. It then rests for a while that doubles, with jitter, and gets a new thread, `RestartBudget.restarts` times in a
   window at most; after that it has failed, and only a person can bring it back (`_fell`, `_begin`).

A thread cannot be killed. One that hangs is told to stop, should it ever come to ask, and left where it is.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from g6.model.part_report import PartReport, PartState
from g6.resilience.retry import RetryPolicy

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# More than this between two looks means that the whole process stood still (stopped, swapped out), and nobody in it
# could give a sign of life.
LONGEST_STEP_SECONDS = 2.0

# What a part does, from its start to its end. It returns soon after the event is set, and calls the second argument
# as a sign of life more often than its limit asks for. Ending otherwise, by return or error, is a failure.
Body = Callable[[threading.Event, Callable[[], None]], None]
OnChange = Callable[[PartReport], None]
ACTIVE: frozenset[PartState] = frozenset({"running", "restarting"})
BACKOFF = RetryPolicy(first_wait_seconds=1.0, maximum_wait_seconds=60.0)


@dataclass(frozen=True, slots=True)
class RestartBudget:
    """So many restarts within a window; the waits before them double, and each is shortened by up to half."""

    restarts: int = 5
    window_seconds: float = 600.0
    backoff: RetryPolicy = BACKOFF


class _Life:
    """One thread's run of a body."""

    def __init__(self, time_seconds: float) -> None:
        self.stop = threading.Event()
        self.beat_at = time_seconds
        self.ended: str | None = None  # why, once it has
        self.thread: threading.Thread | None = None


@dataclass(slots=True)
class _Part:
    name: str
    body: Body
    silent_limit_seconds: float | None
    life: _Life
    state: PartState = "running"
    reason: str = ""
    restarts: int = 0
    due_at: float = 0.0  # of the next restart
    restarted_at: deque[float] = field(default_factory=deque)  # within the window

    def fault(self, now: float) -> str | None:
        """Return why the present life is over, None while it is not."""
        if self.life.ended is not None or self.silent_limit_seconds is None:
            return self.life.ended
        silent = now - self.life.beat_at
        if silent <= self.silent_limit_seconds:
            return None
        return f"no sign of life for {silent:.0f} s, {self.silent_limit_seconds:.0f} s are allowed"

    def report(self, now: float) -> PartReport:
        """Return how it is. It is silent from its last beat on, or from the start of its thread."""
        gives_signs = self.silent_limit_seconds is not None and self.state == "running"
        silent_seconds = max(0.0, now - self.life.beat_at) if gives_signs else None
        return PartReport(self.name, self.state, self.restarts, self.reason, silent_seconds)


class Supervisor:
    """Keeps parts running from `run` to `end` or `stop`; safe for any thread. What a part does never reaches a caller.

    Time is real (`monotonic`, never stepping back): threads and servers live by no other clock. `on_change` is told of
    each change of a state, without a lock held. `launch` starts a thread. With `look_seconds` None nobody looks unless
    `look` or `reports` is called; otherwise a thread of its own does, which ends when no part is left.
    """

    def __init__(
        self,
        on_change: OnChange | None = None,
        *,
        budget: RestartBudget = RestartBudget(),
        monotonic: Callable[[], float] = time.monotonic,
        launch: Callable[[threading.Thread], None] = threading.Thread.start,
        look_seconds: float | None = LOOK_SECONDS,
    ) -> None:
        self._on_change, self._budget = on_change, budget
        self._monotonic, self._launch, self._look_seconds = monotonic, launch, look_seconds
        self._time, self._looked_at = 0.0, monotonic()
        self._lock = threading.Lock()
        self._parts: dict[str, _Part] = {}
        self._changes: deque[PartReport] = deque()
        self._wake = threading.Event()
        self._watcher: threading.Thread | None = None

    def run(self, name: str, body: Body, *, silent_limit_seconds: float | None = None) -> None:
        """Start a part. With a limit, longer silence means that it hangs. ValueError while the name is running."""
        with self._lock:
            known = self._parts.get(name)
            if known is not None and known.state in ACTIVE:
                raise ValueError(f"{name} is running already")
            part = _Part(name, body, silent_limit_seconds, _Life(self._advance()))
            self._parts[name] = part
            self._start_life(part)
            self._watch()
        self._announce()

    def look(self) -> None:
        """Look once at every part: note what fell or hangs, and start again what has rested."""
        with self._lock:
            now = self._advance()
            for part in self._parts.values():
                if part.state == "running" and (fault := part.fault(now)) is not None:
                    self._fell(part, fault, now)
                elif part.state == "restarting" and now >= part.due_at:
                    self._begin(part, now)
        self._announce()

    def reports(self) -> tuple[PartReport, ...]:
        """Look, and return how each part is, in the order in which they were started."""
        self.look()
        with self._lock:
            return tuple(part.report(self._time) for part in self._parts.values())

    def end(self, name: str, seconds: float) -> bool:
        """Tell one part to stop and wait for it so long; return whether its thread has ended. Unknown ones have."""
        return self._end([name], seconds)

    def stop(self, seconds: float = 5.0) -> bool:
        """Tell every part to stop and wait for all of them together so long; return whether all threads have ended."""
        return self._end(list(self._parts), seconds)

    def _end(self, names: list[str], seconds: float) -> bool:
        with self._lock:
            parts = [self._parts[name] for name in names if name in self._parts]
            for part in parts:
                part.life.stop.set()
                if part.state in ACTIVE:
                    self._change(part, "stopped")
        self._wake.set()
        give_up = time.monotonic() + seconds
        for part in parts:
            if part.life.thread is not None and part.life.thread.is_alive():
                part.life.thread.join(max(0.0, give_up - time.monotonic()))
        self._announce()
        late = [part.name for part in parts if part.life.thread is not None and part.life.thread.is_alive()]
        if late:
            log.warning("%s did not end within %g s; what is left ends with the process", ", ".join(late), seconds)
        return not late

    def _fell(self, part: _Part, reason: str, now: float) -> None:
        """Note why a life is over, and decide whether there is another one. The lock is held."""
        part.life.stop.set()
        part.reason = reason
        while part.restarted_at and part.restarted_at[0] <= now - self._budget.window_seconds:
            part.restarted_at.popleft()
        used = len(part.restarted_at)
        if used >= self._budget.restarts:
            log.error("%s has failed for good after %d restarts: %s", part.name, part.restarts, reason)
            self._change(part, "failed")
            return
        wait_seconds = self._budget.backoff.wait_seconds(used + 1, RuntimeError(reason))
        log.warning("%s fell: %s; it is started again in %.1f s", part.name, reason, wait_seconds)
        part.due_at = now + wait_seconds
        self._change(part, "restarting")

    def _begin(self, part: _Part, now: float) -> None:
        part.restarts += 1
        part.restarted_at.append(now)
        part.life = _Life(now)
        self._change(part, "running")
        self._start_life(part)

    def _start_life(self, part: _Part) -> None:
        life = part.life
        life.thread = threading.Thread(
            target=self._live, args=(part.name, part.body, life), name=part.name, daemon=True
        )
        try:
            self._launch(life.thread)
        except (RuntimeError, MemoryError) as error:  # no thread can be had at present
            life.ended = f"no thread: {error}"

    def _live(self, name: str, body: Body, life: _Life) -> None:
        def beat() -> None:
            life.beat_at = self._time

        try:
            body(life.stop, beat)
            life.ended = "it ended by itself"
        except BaseException as error:  # whatever it is, the thread is over, and a person must hear why
            log.log(logging.DEBUG if life.stop.is_set() else logging.WARNING, "%s fell", name, exc_info=error)
            life.ended = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
        self._wake.set()

    def _advance(self) -> float:
        """Return this supervisor's time: real seconds, but for those in which the process stood still."""
        now = self._monotonic()
        self._time += min(now - self._looked_at, LONGEST_STEP_SECONDS)
        self._looked_at = now
        return self._time

    def _watch(self) -> None:
        """See to it that somebody looks. The lock is held."""
        if self._look_seconds is not None and self._watcher is None:
            watcher = threading.Thread(target=self._keep_looking, name="supervisor", daemon=True)
            with suppress(RuntimeError):  # no thread can be had at present; `reports` looks, too
                watcher.start()
                self._watcher = watcher

    def _keep_looking(self) -> None:
        while True:
            self._wake.wait(self._look_seconds)
            self._wake.clear()
            self.look()
            with self._lock:
                if not any(part.state in ACTIVE for part in self._parts.values()):
                    self._watcher = None
                    return

    def _change(self, part: _Part, state: PartState) -> None:
        part.state = state
        self._changes.append(part.report(self._time))

    def _announce(self) -> None:
        while self._on_change is not None and self._changes:
            with self._lock:
                change = self._changes.popleft() if self._changes else None
            try:
                if change is not None:
                    self._on_change(change)
            except Exception:  # who is told may not stop the looking
                log.exception("nobody could be told of %s", change)


def every(seconds: float, action: Callable[[], None]) -> Body:
    """Return a body that does this now and every so many seconds after, and gives a sign of life each time."""

    def body(stop: threading.Event, beat: Callable[[], None]) -> None:
        while not stop.is_set():
            action()
            beat()
            stop.wait(seconds)

    return body
