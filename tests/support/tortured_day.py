"""One seed, one trading day: the market and its failures, disks that fill up, kills, clocks that step, restarts.

The day is lived by processes, one after another, of the real agent on the simulated market; each is forked, dies by a
real SIGKILL at a step that the seed names, and tells its parent what it has begun and what it vouches for. Afterwards
one undisturbed agent lives the minutes that the journal has, and the daily files of both must be the same bytes.
"""

import json
import logging
import math
import os
import random
import signal
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from agent_process import tree_of
from bent_agent import Bent
from saboteur import EVERYTHING, JOURNAL, REFUSALS, Death, Saboteur
from short_day import recovered, small

from g6.clock import IST, VirtualClock
from g6.errors import AuthError, BadResponse, TransientError
from g6.market.sessions import SessionCalendar
from g6.model.quotes import QUOTE_COLUMNS, Quotes, Spot
from g6.providers.facade import Facade
from g6.settings import Settings, shipped
from g6.storage.data_directory import DataDirectory
from g6.unified_main import Agent
from g6.wiring import PROVIDERS, SINK_SWITCHES, SINKS, Parts, wire
from g6.wiring.sources import Run, load_market

# From August on the index stands still in a closing auction, and strikes are planned by the forwards of the minute before.
# Who restarts in it with a journal that cannot be read does not know them: such days are of before August.
CLOSING_AUCTION = date(2026, 8, 3)
DAYS = {True: (date(2026, 1, 1), 210), False: (CLOSING_AUCTION, 145)}
MINUTE = timedelta(minutes=1)
MARKETS: tuple[Mapping[str, str], ...] = (
    {"collection.indices": "NIFTY", "collection.expiries": "this_week"},
    {"collection.indices": "NIFTY", "collection.expiries": "this_week,this_month"},
    {"collection.indices": "SENSEX", "collection.expiries": "this_week"},
    {"collection.indices": "BANKNIFTY", "collection.expiries": "this_month,next_month"},
    {"collection.indices": "NIFTY,SENSEX", "collection.expiries": "this_week"},
)
OPTIONS = {"greeks.enabled": ("true", "false"), "collection.strikes_itm": ("0", "1", "2"), "storage.journal.pending_cycles_limit": ("3", "30")}


class Outage(NamedTuple):
    """What the disk refuses, from one minute of the day to another."""

    what: str
    begin: datetime
    end: datetime


class Life(NamedTuple):
    """A process: how it dies, and how long after its last begun minute the next one starts; back when negative."""

    death: Death | None
    pause: timedelta


@dataclass(frozen=True)
class Plan:
    """Everything that a seed decides."""

    seed: int
    day: date
    begin: datetime
    end: datetime
    settings: Mapping[str, str]
    lives: Sequence[Life]
    outages: Sequence[Outage]
    steps: Mapping[datetime, timedelta]  # minutes in which the wall clock is set
    trouble: float  # the share of minutes in which the market answers badly

    def __str__(self) -> str:
        faults = ", ".join(f"{outage.what} from {outage.begin:%H:%M} to {outage.end:%H:%M}" for outage in self.outages)
        deaths = ", ".join(f"{life.death.where} step {life.death.steps}" for life in self.lives if life.death)
        return f"{self.day} {self.settings['collection.indices']}; dies {deaths or 'never'}; refused: {faults or 'nothing'}"


def plan_of(seed: int, minutes: int | None = None) -> Plan:
    """Return the plan of a seed; of a whole session, or of its first and its last minutes when so many are given."""
    choice = random.Random(seed)
    calendar = SessionCalendar.load(shipped("calendar.yaml"))
    outages = [(choice.choice(REFUSALS), choice.random(), choice.randint(1, 40)) for _ in range(choice.randint(0, 3))]
    first, number = DAYS[any(what in {JOURNAL, EVERYTHING} for what, *_ in outages)]
    days = [first + timedelta(days=n) for n in range(number)]
    day = choice.choice([day for day in days if calendar.windows(day, "NSE") and calendar.windows(day, "BSE")])
    window = calendar.windows(day, "NSE")[0]
    begin = window.open if minutes is None or choice.random() < 0.5 else window.close - minutes * MINUTE
    end = window.close if minutes is None else min(begin + minutes * MINUTE, window.close)
    length = int((end - begin) / MINUTE)
    market = dict(choice.choice(MARKETS)) | {name: choice.choice(words) for name, words in OPTIONS.items()}
    return Plan(
        seed=seed,
        day=day,
        begin=begin,
        end=end,
        settings=market | {"providers.simulated.seed": str(choice.randrange(1000))},
        lives=[*_lives(choice, length), Life(None, timedelta(0))],
        outages=[_outage(begin, length, *outage) for outage in outages],
        steps={begin + choice.randrange(length) * MINUTE: _step(choice) for _ in range(choice.randint(0, 2))},
        trouble=choice.choice((0.0, 0.02, 0.2)),
    )


def _lives(choice: random.Random, length: int) -> Iterator[Life]:
    """Most die within the day; now and then one dies while it starts."""
    for _ in range(choice.randint(1, 6)):
        steps = choice.randint(1, 12) if choice.random() < 0.2 else choice.randint(1, max(2, length * 5))
        pause = choice.choice((0, 0, 1, 20, 30, 59, 60, 150, 600, -60, -150))
        yield Life(Death(steps, choice.choice(("before", "within", "after"))), timedelta(seconds=pause))


def _outage(begin: datetime, length: int, what: str, place: float, minutes: int) -> Outage:
    first = int(place * length)
    return Outage(what, begin + first * MINUTE, begin + min(length - 2, first + minutes) * MINUTE)


def _step(choice: random.Random) -> timedelta:
    return timedelta(seconds=choice.choice((-300, -61, 61, 90, 185, 1200)))


class SteppedClock(VirtualClock):
    """A clock that jumps from minute to minute and can be set, as a wall clock is."""

    def set(self, instant: datetime) -> None:
        self._origin = instant


class Answers:
    """How the market answers badly: a pure function of the seed and the instant, the same for whoever asks."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def bends(self) -> dict[str, Callable[..., Any]]:
        return {"contracts": self.contracts, "spots": self.spots, "quotes": self.quotes}

    def contracts(self, table: Any, at: datetime) -> Any:
        self._fail("contracts", at)
        return table

    def spots(self, spots: dict[str, Spot], at: datetime) -> dict[str, Spot]:
        choice = self._fail("spots", at)
        if choice.random() < self._plan.trouble / 2:
            spots[choice.choice(sorted(spots))] = Spot(choice.choice((0.0, math.nan, -1.0)), at)
        return spots

    def quotes(self, quotes: Quotes, _contracts: Any, at: datetime) -> Quotes:
        choice = self._fail("quotes", at)
        if choice.random() >= self._plan.trouble:
            return quotes
        silent = np.random.default_rng(choice.randrange(1 << 30)).random(len(quotes)) < choice.choice((0.1, 0.5, 1.0))
        columns = {name: np.where(silent, np.nan, getattr(quotes, name)) for name in QUOTE_COLUMNS}
        return replace(quotes, answered=quotes.answered & ~silent, **columns)

    def _fail(self, call: str, at: datetime) -> random.Random:
        choice = random.Random(f"{self._plan.seed} {call} {at.isoformat()}")
        if choice.random() < self._plan.trouble / 3:
            kind = choice.choice((TransientError, AuthError, BadResponse, ValueError))
            raise kind(f"{call} fail at {at:%H:%M:%S}")
        return choice


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
        self._owed = [*self._owed, told][-self._parts.settings.storage.journal.pending_cycles_limit :]
        return super()._store(collected, stages)


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
        agent._finish()


def forked(work: Callable[..., None], *arguments: object) -> tuple[int, list[list[str]]]:
    """Do work in a process of its own; return its exit code (minus the signal that ended it) and what it told."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        code = 1
        try:
            work(*arguments, Reporter(writing))
            code = 0
        except BaseException:
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
    outcome.wrong += _differences(there.files, tree_of(folder / "undisturbed"))
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
