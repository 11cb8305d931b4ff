"""The governor: samples in, a level with what it sheds out, and memory given back after that."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from g6.clock import Clock
from g6.governor.levels import CRITICAL, LevelMachine, Sample
from g6.governor.limits import Limit, smallest
from g6.governor.readers import Readers
from g6.governor.reclaim import Reclaimer, collect_and_trim
from g6.governor.sentence import sentence_of
from g6.governor.shedding import CRITICAL_EXPIRIES, shed_at
from g6.model.pressure_report import SHED_KINDS, LevelChange, PressureReport, Reclaim

log = logging.getLogger(__name__)

Switch = Callable[[bool], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may choose. Switched off, it measures and says, and never sheds."""

    enabled: bool = True
    limit_bytes: int | None = None  # None: what the control groups and the machine allow
    sample_seconds: float = 5.0  # of the machine's own time, between two samples of the ticker
    critical_strikes: int = 3  # kept on each side of the ATM strike at level 3


class Governor:
    """Judges memory, and says what is to be left out.

    The loop calls `begin_cycle` first in every minute and keeps to its report for the whole of it, and `reclaim` when
    the minute has been told. A thread runs `run`, so that pressure is seen between the minutes as well.

    `switches` are called with True when their kind (a word of `SHED_KINDS`) is to be left out and with False when it
    may come back: at once, by the thread that saw it, the same state never twice. They must be quick, safe in any
    thread, and not raise.
    """

    def __init__(
        self,
        options: Options,
        readers: Readers,
        clock: Clock,
        switches: Mapping[str, Switch] | None = None,
        give_back: Callable[[], None] = collect_and_trim,
    ) -> None:
        self._options = options
        self._readers = readers
        self._clock = clock
        self._switches = dict(switches or {})
        if unknown := set(self._switches) - set(SHED_KINDS):
            raise ValueError(f"nothing of these kinds can be shed: {', '.join(sorted(unknown))}")
        self._machine = LevelMachine()
        self._reclaimer = Reclaimer(readers.rss_bytes, give_back)
        self._state = threading.Lock()
        self._switching = threading.Lock()
        self._switched: set[str] = set()
        self._uss_bytes: int | None = None
        self._cycle_begun = False  # since unique memory was measured last
        self._high_events: int | None = None
        self._reason = ""  # of the last change
        self._changes: list[LevelChange] = []
        self._reclaims: list[Reclaim] = []
        self._limit, self._sample = self._read()

    def begin_cycle(self) -> PressureReport:
        """Count a cycle, sample, and return what it is to run by, with all that happened since the one before."""
        with self._state:
            self._cycle_begun = True
            self._machine.begin_cycle()
            self._take(starting=True)
            report = self._report()
            self._changes.clear()
            self._reclaims.clear()
            self._reclaimer.begin_cycle(report.level)
        self._switch()
        return report

    def sample(self) -> None:
        """Look once. Safe in any thread."""
        with self._state:
            self._take()
        self._switch()

    def report(self) -> PressureReport:
        """Return how things stand now, with the changes and reclaims that the next cycle's report will have."""
        with self._state:
            return self._report()

    def reclaim(self) -> Reclaim | None:
        """Give memory back if that is due: called by the loop between minutes, when what was shed is gone."""
        done = self._reclaimer.attempt()
        if done:
            log.debug("gave %.1f MB back%s", done.freed_bytes / 1e6, "" if done.effective else ": next time later")
            with self._state:
                self._reclaims.append(done)
        return done

    def measure(self) -> None:
        """Measure unique memory, once a cycle: 20 ms a gigabyte, which no minute should wait for."""
        with self._state:
            due, self._cycle_begun = self._cycle_begun, False
        if due:
            uss_bytes = self._readers.uss_bytes()
            with self._state:
                self._uss_bytes = uss_bytes

    def run(self, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Sample every few seconds until `stop`: the body of a thread. `beat` is called as a sign of life."""
        while not stop.wait(self._options.sample_seconds):
            self.sample()
            self.measure()
            beat()

    def _take(self, *, starting: bool = False) -> None:
        """Take a sample and judge it. Wants the lock held."""
        self._limit, self._sample = self._read()
        if not self._options.enabled:
            return
        change = self._machine.take(self._sample, self._clock.elapsed(), starting=starting)
        if change is None:
            return
        self._changes.append(change)
        self._reason = change.reason
        log.log(logging.WARNING if change.after > change.before else logging.INFO, "%s", self._report().sentence)

    def _read(self) -> tuple[Limit | None, Sample]:
        readers, events, before = self._readers, self._readers.high_events(), self._high_events
        configured = self._options.limit_bytes
        own = [] if configured is None else [Limit(configured, "setting")]
        limit = smallest([*own, *readers.limits()])
        self._high_events = events
        return limit, Sample(
            rss_bytes=readers.rss_bytes(),
            limit_bytes=limit.bytes if limit else None,
            stalled_ratio=readers.stalled_ratio(),
            slowed=events is not None and before is not None and events > before,
        )

    def _report(self) -> PressureReport:
        """Return the state. Wants the lock held."""
        level, limit = self._machine.level, self._limit
        report = PressureReport(
            level=level,
            rss_bytes=self._sample.rss_bytes or 0,
            limit_bytes=limit.bytes if limit else None,
            limit_source=limit.source if limit else "",
            shed=shed_at(level),
            changes=tuple(self._changes),
            reclaims=tuple(self._reclaims),
            psi_some_ratio=self._sample.stalled_ratio,
            uss_bytes=self._uss_bytes,
            strikes_each_side=self._options.critical_strikes if level == CRITICAL else None,
            expiries=CRITICAL_EXPIRIES if level == CRITICAL else None,
        )
        return replace(report, sentence=sentence_of(report, self._reason)) if level or self._changes else report

    def _switch(self) -> None:
        """Bring every switch to what the level asks for now, whichever thread is first."""
        with self._switching:
            with self._state:
                wanted = set(shed_at(self._machine.level))
            for kind, switch in self._switches.items():
                if (kind in wanted) != (kind in self._switched):
                    self._switched ^= {kind}
                    switch(kind in wanted)
