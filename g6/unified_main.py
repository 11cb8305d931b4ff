"""The orchestrator: settings → parts → loop → shutdown. It orders the steps of a minute and catches what is left.

One minute goes one way:

1. contracts, spots      `providers.facade`      what is listed, and where the indices stand
2. plan                  `collectors.plan`       all indices, expiries and strikes together
3. quotes                `providers.facade`      one call
4. chains                `collectors.build`      columns per index and expiry, or a refusal
5. enrich, aggregate     `analytics`             forward, IV, Greeks; PCR, max pain …
6. journal               `storage.journal`       one durable transaction; from here nothing can be lost
7. sinks                 `storage`               each a reader of the journal with its own cursor
8. report                `model.report`          one record, told to metrics, health, page, console and log
"""

import logging
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import FrameType

import numpy as np

from g6.analytics import aggregate, enrich
from g6.clock import IST, Clock
from g6.collectors.build import build_chains
from g6.collectors.plan import IndexOrder, Plan, make_plan
from g6.collectors.reject import reject_spot
from g6.errors import AuthError, BadResponse, ConfigError, G6Error, SinkError, TransientError
from g6.model.chain import OptionChain
from g6.model.contracts import ContractTable
from g6.model.quotes import Spot
from g6.model.report import CycleReport, IndexReport, JournalReport, SinkReport
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot
from g6.settings import Settings
from g6.storage.sink import Sink, TellableSink
from g6.wiring import Parts, wire
from g6.wiring.sources import Run, Source

log = logging.getLogger(__name__)

DONE, FAILED, LOGIN_NEEDED = 0, 3, 4

# Time enough for a person to log in.
PROBE_BEFORE_OPEN = timedelta(minutes=30)

# What a failed call is called in metrics and in the journal; the first that fits.
REASON_WORDS: tuple[tuple[type[G6Error], str], ...] = (
    (AuthError, "login_needed"),
    (TransientError, "unreachable"),
    (BadResponse, "bad_response"),
)


def run(settings: Settings, *, run_once: bool = False, cycles: int | None = None, source: Source | None = None) -> int:
    """Run the agent until a signal, the end of a recording or `cycles` minutes; return the exit code.

    Without a `source` it is the one that the settings name.
    """
    limit = 1 if run_once else cycles
    with wire(settings, Run(limit, once=run_once), source) as parts:
        agent = Agent(parts)
        with agent.signals():
            return agent.loop(limit)


@dataclass(slots=True)
class Stages:
    """How long each step of a minute took, in the order of the flow."""

    clock: Clock
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time the block as this stage."""
        begun = self.clock.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + self.clock.monotonic() - begun


@dataclass(frozen=True, slots=True)
class Collected:
    """What the market gave in a minute: the snapshot, what was listed then, and why it is empty if it is."""

    snapshot: Snapshot
    listed: ContractTable | None = None
    error: G6Error | None = None


class Agent:
    """The loop over minutes, and the minute."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stop = threading.Event()
        self._told_to_stop = False
        self._forwards: dict[tuple[str, date], float] = {}  # the last known, for planning while a spot stands still
        self._day: date | None = None
        self._last_due: datetime | None = None
        self._repaired: dict[str, int] = {}  # sink → torn files that were repaired before the first minute
        self._exit = DONE

    def loop(self, limit: int | None) -> int:
        """Run minutes as the schedule gives them. A minute in hand is finished before anything ends."""
        self._catch_up()
        try:
            self._minutes(limit)
        except ConfigError:  # the end of the calendar, say: what was written until then is made durable all the same
            self._finish(closing=False)
            raise
        self._finish(closing=limit != 1)  # one minute alone is no day
        # A collector that was told to stop has done its work; a bounded run is judged by its minutes.
        return DONE if self._stop.is_set() and limit is None else self._exit

    def _minutes(self, limit: int | None) -> None:
        parts, done, missed = self._parts, 0, 0
        self._probe()
        due = parts.schedule.first(parts.clock.now())
        self._recall(due)
        while due is not None and self._wait(due):
            self._last_due = due
            report, snapshot = self.minute(due, missed)
            self._tell(report, snapshot, first=done == 0)
            done += 1
            if done == limit:
                return  # without a look at what would follow: the calendar may end here
            due, missed = parts.schedule.following(due, parts.clock.now())
            if missed:
                parts.observation.missed(missed)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Let SIGTERM and Ctrl-C finish the minute in hand; a second Ctrl-C ends at once."""

        def on_signal(number: int, _frame: FrameType | None) -> None:
            if self._told_to_stop and number == signal.SIGINT:
                raise KeyboardInterrupt
            self._told_to_stop = True
            # The code that a signal interrupts may hold the event's lock: taking it here would wait for itself, for
            # ever. A thread takes it when it is free.
            threading.Thread(target=self._stop_for, args=(signal.Signals(number).name,), daemon=True).start()

        if threading.current_thread() is not threading.main_thread():
            yield  # Python delivers signals to the main thread only
            return
        before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Ask the loop to end after the minute in hand."""
        self._stop.set()

    def _stop_for(self, signal_name: str) -> None:
        self._stop.set()
        log.info("%s: finishing the minute in hand", signal_name)

    def minute(self, due: datetime, missed: int = 0) -> tuple[CycleReport, Snapshot | None]:
        """Run one minute, whatever happens in it, and say how it went."""
        stages = Stages(self._parts.clock)
        self._parts.provider.begin_minute()
        self._parts.deadline.restart()
        try:
            collected = self._collect(due, stages)
            journal, sinks = self._store(collected, stages)
            report = self._report(stages, missed, collected, journal, sinks)
        except ConfigError:
            raise  # only a person can mend it, and not while this runs
        except Exception as error:  # per cycle: one of the three places where anything may arrive
            log.exception("the minute failed")
            spent, name = sum(stages.seconds.values()), self._parts.provider.name
            asked = self._parts.provider.report()
            report = CycleReport(due, name, spent, stages.seconds, (), None, (), missed, _said(error), asked)
            self._exit = FAILED
            return report, None
        self._judge(report, collected.error)
        return report, collected.snapshot

    def _report(
        self,
        stages: Stages,
        missed: int,
        collected: Collected,
        journal: JournalReport,
        sinks: tuple[SinkReport, ...],
    ) -> CycleReport:
        return CycleReport(
            minute=collected.snapshot.minute,
            provider=collected.snapshot.provider,
            seconds=sum(stages.seconds.values()),
            stages=stages.seconds,
            indices=tuple(IndexReport.of(index) for index in collected.snapshot.indices),
            journal=journal,
            sinks=sinks,
            missed_minutes=missed,
            error=str(collected.error) if collected.error else None,
            market=self._parts.provider.report(),
        )

    def _wait(self, due: datetime) -> bool:
        parts = self._parts
        now = parts.clock.now()
        closed = parts.schedule.is_pause(now, due)
        if closed:
            log.info("closed; the next minute is %s", f"{due:%a %d %b %Y %H:%M}")
        parts.observation.waiting(due, now, closed=closed)
        if self._day is not None and due.date() > self._day:
            self._close_day(self._day)
        if closed and due - now > PROBE_BEFORE_OPEN and parts.clock.wait_until(due - PROBE_BEFORE_OPEN, self._stop):
            self._probe()
        return parts.clock.wait_until(due, self._stop) and not self._stop.is_set()

    def _close_day(self, day: date) -> None:
        """Do what is done with a day that is over: once, when the loop comes to a later one or ends behind it."""
        self._checkpoint()
        self._day = None
        self._parts.observation.closed(self._parts.closing.run(day))

    def _probe(self) -> None:
        """Find out before it matters whether a person must log in."""
        self._parts.deadline.restart()
        self._parts.observation.probed(self._parts.provider.probe())

    def _collect(self, due: datetime, stages: Stages) -> Collected:
        orders = [
            order for order in self._parts.orders if self._parts.schedule.includes(order.definition.exchange, due)
        ]
        try:
            return self._ask(orders, due, stages)
        except ConfigError:
            raise
        except G6Error as error:
            return self._nothing(orders, due, error)
        except Exception as error:  # per cycle: one of the three places where anything may arrive
            log.exception("nothing could be collected")
            return self._nothing(orders, due, G6Error(_said(error)))

    def _nothing(self, orders: Sequence[IndexOrder], due: datetime, error: G6Error) -> Collected:
        """Return a minute without a chain. It is journalled all the same: a gap must say why it is one."""
        word = next((word for kind, word in REASON_WORDS if isinstance(error, kind)), "failed")
        indices = tuple(_refused_index(order.definition.name, word, str(error)) for order in orders)
        minute = due.astimezone(IST).replace(second=0, microsecond=0)
        return Collected(Snapshot(minute, self._parts.provider.name, indices), error=error)

    def _ask(self, orders: Sequence[IndexOrder], due: datetime, stages: Stages) -> Collected:
        parts, at = self._parts, self._parts.clock.now()
        definitions = [order.definition for order in orders]
        with stages("contracts"):
            listed = parts.provider.contracts(definitions, at)
        with stages("spots"):
            spots = parts.provider.spots(definitions, at)
        with stages("plan"):
            levels, refusals = self._levels(orders, spots, at)
            usable = {name: spots[name] for name in levels}  # a level that was refused is not kept either
            plan = make_plan(orders, listed, levels, parts.calendar, at, self._frozen_forwards(orders, at))
        with stages("quotes"):
            quotes = parts.provider.quotes(plan.contracts, at)
        with stages("chains"):
            built = list(build_chains(plan, quotes, spots, parts.calendar, parts.limits))
        refusals += [*plan.refusals, *(refusal for _, refusal in built if refusal)]
        with stages("enrich"):
            accepted = [self._value(chain) for chain, refusal in built if refusal is None]
        self._remember(accepted)
        asked = [chain for chain, _ in built]
        unvalued = sum(not chain.aggregates for chain in accepted)
        error = G6Error(f"{unvalued} chains could not be valued and are stored as collected") if unvalued else None
        snapshot = self._snapshot(due, orders, plan, usable, asked, accepted, refusals, backfilled=quotes.backfilled)
        return Collected(snapshot, listed, error)

    def _levels(
        self, orders: Sequence[IndexOrder], spots: Mapping[str, Spot], at: datetime
    ) -> tuple[dict[str, float], list[Refusal]]:
        """Return the usable spots, and the indices that have none."""
        levels: dict[str, float] = {}
        refusals: list[Refusal] = []
        for order in orders:
            name = order.definition.name
            frozen = self._parts.calendar.spot_frozen(at, order.definition.exchange)
            reason = reject_spot(spots.get(name), at, self._parts.limits, frozen=frozen)
            if reason:
                refusals.append(Refusal(name, "", (), reason.word, reason.detail))
            else:
                levels[name] = spots[name].last
        return levels, refusals

    def _frozen_forwards(self, orders: Sequence[IndexOrder], at: datetime) -> dict[tuple[str, date], float]:
        """Return the last forwards of the indices that stand still: their options trade on, and strikes follow."""
        calendar = self._parts.calendar
        frozen = {o.definition.name for o in orders if calendar.spot_frozen(at, o.definition.exchange)}
        return {key: forward for key, forward in self._forwards.items() if key[0] in frozen}

    def _value(self, chain: OptionChain) -> OptionChain:
        """Return the chain with what it says; should that fail, as it is: values can be had later, quotes cannot."""
        parts = self._parts
        try:
            return aggregate(enrich(chain, parts.conventions, parts.enrichers), parts.conventions)
        except Exception:  # still the cycle's: what was collected may not depend on arithmetic
            log.exception("%s %s could not be valued", chain.index, chain.expiry)
            return chain

    def _remember(self, chains: Sequence[OptionChain]) -> None:
        self._forwards.update(_forwards(chains))

    def _snapshot(
        self,
        due: datetime,
        orders: Sequence[IndexOrder],
        plan: Plan,
        spots: Mapping[str, Spot],
        asked: Sequence[OptionChain],
        accepted: Sequence[OptionChain],
        refusals: Sequence[Refusal],
        *,
        backfilled: bool,
    ) -> Snapshot:
        def index_of(order: IndexOrder) -> IndexSnapshot:
            name = order.definition.name
            own = [chain for chain in asked if chain.index == name]
            return IndexSnapshot(
                index=name,
                spot=spots[name].last if name in spots else float("nan"),
                spot_frozen=self._parts.calendar.spot_frozen(due, order.definition.exchange),
                expected_codes=plan.expected_codes.get(name, ()),
                chains=tuple(chain for chain in accepted if chain.index == name),
                refusals=tuple(refusal for refusal in refusals if refusal.index == name),
                expected_legs=sum(chain.expected for chain in own),
                received_legs=sum(chain.received for chain in own),
            )

        minute = due.astimezone(IST).replace(second=0, microsecond=0)
        indices = tuple(index_of(order) for order in orders)
        return Snapshot(minute, self._parts.provider.name, indices, backfilled)

    def _store(self, collected: Collected, stages: Stages) -> tuple[JournalReport, tuple[SinkReport, ...]]:
        day, reports = collected.snapshot.minute.date(), []
        if self._day not in {None, day}:
            self._checkpoint()
        self._day = day
        with stages("journal"):
            journal = self._parts.journals.record(collected.snapshot, collected.listed)
        for sink in self._parts.sinks:
            with stages(sink.name):
                report = self._drain(sink, day)
            # What the start repaired is said with the first minute: until then there is no sentence to say it in.
            reports.append(replace(report, repaired=report.repaired + self._repaired.pop(sink.name, 0)))
        return journal, tuple(reports)

    def _tell(self, report: CycleReport, snapshot: Snapshot | None, *, first: bool) -> None:
        self._parts.observation.tell(report, snapshot, first=first)
        for sink in self._parts.sinks:
            if isinstance(sink, TellableSink):
                sink.tell(report)

    def _drain(self, sink: Sink, day: date) -> SinkReport:
        try:
            return sink.drain(self._parts.journals.journal(day))
        except SinkError as error:
            return SinkReport(sink.name, error=str(error))
        except Exception as error:  # per sink: one of the three places where anything may arrive
            log.exception("the sink %s failed", sink.name)
            return SinkReport(sink.name, error=_said(error))

    def _catch_up(self) -> None:
        """Give each sink what an earlier run left behind: after a crash this is all the repair there is."""
        for sink in self._parts.sinks:
            for day in self._parts.journals.undrained(sink.name):
                report = self._drain(sink, day)
                self._repaired[sink.name] = self._repaired.get(sink.name, 0) + report.repaired
                log.info("%s: %s", sink.name, report.error or f"{report.rows} rows of {day} supplied from the journal")
                self._day = day
                self._checkpoint()

    def _recall(self, due: datetime | None) -> None:
        """Take up the forwards of the minute before: a restart while a spot stands still plans as if it had run on."""
        if due is None or due.date() not in self._parts.journals.days():
            return
        known: dict[tuple[str, date], float] = {}
        try:
            journal, before = self._parts.journals.journal(due.date()), due
            # A minute that was refused in part says nothing of the rest: what came before it is still in force.
            while (snapshot := journal.latest_before(before)) is not None:
                known = _forwards(snapshot.chains) | known
                if _says_all_forwards(snapshot):
                    break
                before = snapshot.minute
        except SinkError as error:
            log.warning("%s", error)
        self._forwards.update(known)

    def _finish(self, *, closing: bool) -> None:
        day = self._day
        if closing and day is not None and self._is_over(day):
            self._close_day(day)
        self._checkpoint()
        if self._parts.unreadable:
            self._exit = self._exit or FAILED
            log.error("%d recordings could not be read and were left out", len(self._parts.unreadable))

    def _is_over(self, day: date) -> bool:
        """Return whether no minute of this day is left to run."""
        try:
            due, _ = self._parts.schedule.following(self._last_due or self._parts.clock.now(), self._parts.clock.now())
        except ConfigError:  # the calendar ends with this day
            return True
        return due is None or due.date() > day

    def _checkpoint(self) -> None:
        """Make what the sinks wrote on the day in hand durable, and their cursors with it."""
        if self._day is None:
            return
        for sink in self._parts.sinks:
            try:
                sink.checkpoint(self._parts.journals.journal(self._day))
            except SinkError as error:
                log.warning("%s: %s; the rows that the journal holds are supplied again", sink.name, error)

    def _judge(self, report: CycleReport, error: G6Error | None) -> None:
        if isinstance(error, AuthError):
            self._exit = LOGIN_NEEDED
        elif report.status == "failed":
            self._exit = self._exit or FAILED


def _forwards(chains: Sequence[OptionChain]) -> dict[tuple[str, date], float]:
    return {(chain.index, chain.expiry): chain.forward for chain in chains if np.isfinite(chain.forward)}


def _says_all_forwards(snapshot: Snapshot) -> bool:
    whole = all(index.chains and not index.refusals for index in snapshot.indices)
    return whole and all(np.isfinite(chain.forward) for chain in snapshot.chains)


def _said(error: Exception) -> str:
    """Return what arrived unexpectedly, as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")


def _refused_index(index: str, reason: str, detail: str) -> IndexSnapshot:
    return IndexSnapshot(index, float("nan"), False, (), (), (Refusal(index, "", (), reason, detail),))  # noqa: FBT003


if __name__ == "__main__":
    from g6.cli import main

    sys.exit(main())
