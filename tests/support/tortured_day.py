"""One seed, one trading day: the market and its failures, disks that fill up, kills, clocks that step, restarts.

The day is lived by processes, one after another, of the real agent on the simulated market; each is forked, dies by a
real SIGKILL at a step that the seed names, and tells its parent what it has begun and what it vouches for. Afterwards
one undisturbed agent lives the minutes that the journal has, and the daily files of both must be the same bytes.
"""

import json
import math
import os
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from bent_agent import Bent
from judged_day import misjudged
from saboteur import Saboteur
from short_day import recovered, small, stores_of
from torture_plan import CLOSING_AUCTION, MINUTE, Answers, Life, Plan, plan_of

from g6.clock import VirtualClock
from g6.settings import Settings
from g6.unified_main import Agent
from g6.wiring import PROVIDERS, Parts, wire
from g6.wiring.sources import Run, load_market


class SteppedClock(VirtualClock):
    """A clock that jumps from minute to minute and can be set, as a wall clock is."""

    def set(self, instant: datetime) -> None:
        self._origin = instant


class Told(NamedTuple):
    """What a process said to its parent: "begun" a minute, "made" so many chains of it, or "vouched" for it."""

    what: str
    minute: datetime
    asked_at: datetime
    chains: int = 0


class Reporter:
    """The pipe to the parent. A line is one write, so what was said before a kill is heard whole."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, what: str, *facts: object) -> None:
        os.write(self._descriptor, json.dumps([what, *map(str, facts)]).encode() + b"\n")


class ToldAgent(Agent):
    """The agent; each of its minutes is told of while it happens."""

    def __init__(self, parts: Parts, reporter: Reporter, before: Callable[[datetime], None]) -> None:
        super().__init__(parts)
        self._reporter, self._before = reporter, before
        self._owed: list[tuple[datetime, datetime, int]] = []
        self._deliver, self.delivery.store = self.delivery.store, self._store

    def minute(self, due, missed=0):
        self._before(due)
        self._asked = due.replace(second=0), self._parts.clock.now()
        self._reporter.tell("begun", *self._asked)
        report, snapshot = super().minute(due, missed)
        if report.journal is not None and report.journal.error is None:
            for told in self._owed:  # with a minute, those that waited before it are on the disk
                self._reporter.tell("vouched", *told)
            self._owed.clear()
        self._reporter.tell("sentence", report)
        return report, snapshot

    def _store(self, collected, stages):
        told = (*self._asked, len(collected.snapshot.chains))
        self._reporter.tell("made", *told)
        journal, sinks = self._deliver(collected, stages)
        if journal.kept:
            self._owed.append(told)
        return journal, sinks


def settings_of(plan: Plan, root: Path, at: datetime) -> Settings:
    return small(root, **plan.settings, **{"clock.at": at.isoformat()})


class _Wired(NamedTuple):
    parts: Parts
    clock: SteppedClock


def wired(plan: Plan, settings: Settings) -> Any:
    """The agent's parts on the bent market and a clock that can be set."""
    source = PROVIDERS["simulated"](settings, load_market(settings), Run(None, once=False))
    clock = SteppedClock(settings.clock.at, math.inf)
    bent = Bent(source.providers[0], **Answers(plan).bends())
    return wire(settings, Run(None, once=False), replace(source, providers=(bent,), clock=clock))


def live(plan: Plan, life: int, root: Path, at: datetime, reporter: Reporter) -> None:
    """Be one process of the day, from an instant on, until death or the close."""
    with wired(plan, settings_of(plan, root, at)) as parts:
        saboteur = Saboteur(plan.lives[life].death, plan.seed + life)
        saboteur.stand_before_stores(parts.journals, parts.sinks)
        agent = ToldAgent(parts, reporter, lambda due: before_minute(plan, parts.clock, saboteur, due, agent))
        agent.loop(None)


def before_minute(plan: Plan, clock: SteppedClock, saboteur: Saboteur, due: datetime, agent: Agent) -> None:
    """What happens to the machine around a minute: the clock is set, the disk refuses or recovers, the day ends."""
    minute = due.replace(second=0)
    if step := plan.steps.get(minute):
        clock.set(clock.now() + step)
    saboteur.refuse(next((outage.what for outage in plan.outages if outage.begin <= minute < outage.end), None))
    if max(minute, clock.now()) + MINUTE >= plan.end:
        agent.stop()


def live_again(plan: Plan, root: Path, asked: Sequence[tuple[datetime, datetime]], _reporter: Reporter) -> None:
    """Be the undisturbed agent that asks at these instants, and at no other."""
    with wired(plan, settings_of(plan, root, asked[0][1])) as parts:
        agent = Agent(parts)
        for minute, at in asked:
            parts.clock.set(at)
            agent.minute(minute)
        agent._last_due = plan.end - MINUTE
        agent._finish(closing=True)


def forked(work: Callable[..., None], *arguments: object) -> tuple[int, list[list[str]]]:
    """Do work in a process of its own; return its exit code (minus the signal that ended it) and what it told."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        code = 1
        try:
            work(*arguments, Reporter(writing))
            code = 0
        except BaseException:  # noqa: BLE001 (the process ends here, and its parent is told why)
            os.write(writing, json.dumps(["failed", traceback.format_exc()[-3000:]]).encode() + b"\n")
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as lines:
        told = [json.loads(line) for line in lines]
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), told


@dataclass
class Outcome:
    """What became of a day. `wrong` is empty, or says what was not as it must be."""

    plan: Plan
    minutes: int = 0
    vouched: int = 0
    kills: int = 0
    repairs: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


def torture(seed: int, folder: Path, minutes: int | None = None) -> Outcome:
    """Live the day of a seed twice, tortured and undisturbed, and compare; what is left lies in `folder`."""
    plan = plan_of(seed, minutes)
    outcome = Outcome(plan)
    told = _live_through(plan, folder / "tortured", outcome)
    if outcome.wrong:
        return outcome
    there = recovered(folder / "tortured", plan.day)
    outcome.minutes, outcome.vouched = len(there.minutes), sum(line.what == "vouched" for line in told)
    outcome.wrong += _lost(told, there.minutes)
    asked = sorted(_winners(told, there.minutes).items())
    if set(there.minutes) != {minute for minute, _ in asked}:
        outcome.wrong.append("the journal has minutes that nobody made")
    if asked:
        code, said = forked(live_again, plan, folder / "undisturbed", asked)
        outcome.wrong += [f"the undisturbed day ended with {code}: {said}"] if code else []
    outcome.wrong += misjudged(folder / "tortured", plan, set(there.minutes))
    outcome.wrong += _differences(stores_of(folder / "tortured"), stores_of(folder / "undisturbed"))
    return outcome


def _live_through(plan: Plan, root: Path, outcome: Outcome) -> list[Told]:
    at, told = plan.begin, []
    for number in count():
        life = plan.lives[number]
        code, lines = forked(live, plan, number, root, at)
        sentences = [line[1] for line in lines if line[0] == "sentence"]
        outcome.repairs += sum("torn files repaired" in sentence for sentence in sentences)
        outcome.refused += sum("journal: " in sentence or "csv: " in sentence for sentence in sentences)
        told += [_heard(line) for line in lines if line[0] in {"begun", "made", "vouched"}]
        if code == 0:
            return told
        if code != -signal.SIGKILL or life.death is None:
            outcome.wrong.append(f"process {number} ended with {code}: {lines[-1:]}")
            return told
        outcome.kills += 1
        at = _restart(plan, life, told, at)
    raise AssertionError  # the last life does not end but by itself


def _restart(plan: Plan, life: Life, told: Sequence[Told], at: datetime) -> datetime:
    latest = told[-1].asked_at if told else at
    start = min(max(latest + life.pause, plan.begin), plan.end - MINUTE)
    # While the index stands still a tick is planned by the one before it, also by one that it takes the place of.
    return start if plan.day < CLOSING_AUCTION else floor(start + timedelta(seconds=59))


def floor(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _heard(line: Sequence[str]) -> Told:
    what, minute, asked_at, *chains = line
    return Told(what, datetime.fromisoformat(minute), datetime.fromisoformat(asked_at), *map(int, chains))


def _lost(told: Sequence[Told], there: Mapping[datetime, datetime | None]) -> list[str]:
    """Return what was vouched for and is not there, nor anything as good that was asked for later."""
    made = {line.asked_at: line.chains for line in told if line.what == "made"}
    wrong = []
    for line in told:
        if line.what != "vouched":
            continue
        kept = there.get(line.minute)
        if line.minute not in there or (line.chains and (kept is None or made[kept] < line.chains)):
            wrong.append(f"{line.minute:%H:%M} asked at {line.asked_at:%H:%M:%S} was vouched for and is lost")
    return wrong


def _winners(told: Sequence[Told], there: Mapping[datetime, datetime | None]) -> dict[datetime, datetime]:
    """Return minute → when it was asked for, of what the journal kept."""
    asked = {}
    for line in told:
        if line.what == "made" and line.minute in there:
            kept = there[line.minute]
            if (kept is None and line.chains == 0) or line.asked_at == kept:
                asked[line.minute] = line.asked_at
    return asked


def _differences(tortured: Mapping[str, bytes], undisturbed: Mapping[str, bytes]) -> list[str]:
    missing = sorted(undisturbed.keys() - tortured.keys())
    further = sorted(tortured.keys() - undisturbed.keys())
    other = [path for path in sorted(tortured.keys() & undisturbed.keys()) if tortured[path] != undisturbed[path]]
    named = {"missing": missing, "not in the undisturbed day": further, "different": other}
    return [f"{word}: {', '.join(paths[:3])} ({len(paths)})" for word, paths in named.items() if paths]
