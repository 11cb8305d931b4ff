"""Any store made again from the journals, day by day, in parallel, and resumable.

1. the days that have a journal          `choose_days`; a store may know others, `Store.further_days`
2. those not yet done                    `Ledger`, checked against what the store holds now
3. each a task of its own                `Task`, run by a runner of `g6.maintenance.runners`
4. outcomes, in the ledger as they come  `rebuild`

A store is rebuilt by a function (root, day) → Rebuilt: it reads the day's journal, builds beside what is there, and
swaps it in. It shares nothing with other days, so any process that sees the folder can run it.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from g6.errors import ConfigError, G6Error
from g6.maintenance.ledger import Ledger
from g6.storage.data_directory import JOURNAL
from g6.storage.journal import SUFFIX, Journal
from g6.storage.journal_set import days_in


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One day of one store: what it holds now, how much of that was different before, and a digest of it all."""

    minutes: int
    files: int
    rows: int
    changed: int  # files that were replaced, added or removed; for a database the rows that were sent
    digest: str  # "" where the store cannot be read back


DayFunction = Callable[[Path, date], Rebuilt]


@dataclass(frozen=True, slots=True)
class Store:
    """How one store is rebuilt.

    `facts` says what the result depends on beside the journal; `digest` reads back what is there for a day, None where
    nothing can. A store whose days share a state (`parallel` false) is rebuilt day after day, ascending; one whose days
    share more than that, as a connection, brings a `runner` of its own. `further_days` are days without a journal that
    it can be rebuilt of all the same.
    """

    day: DayFunction  # importable, so that another process can run it
    facts: str
    parallel: bool = True
    digest: Callable[[Path, date], str] | None = None
    runner: "Runner | None" = None
    further_days: Callable[[Path], Collection[date]] = lambda _root: ()


@dataclass(frozen=True, slots=True)
class Task:
    """One day of one store."""

    what: str
    day: date
    root: Path
    run: DayFunction
    facts: str
    journal: str  # which content of the journal it is for


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task went: `rebuilt`, or the `error` in one line; `seconds` are those of the work."""

    task: Task
    rebuilt: Rebuilt | None
    error: str | None
    seconds: float


Runner = Callable[[Sequence[Task]], Iterator[Outcome]]


def perform(task: Task) -> Outcome:
    """Run a task in this process; an error becomes a part of the outcome."""
    begun = time.perf_counter()
    try:
        return Outcome(task, task.run(task.root, task.day), None, time.perf_counter() - begun)
    except (G6Error, OSError) as error:
        return Outcome(task, None, " ".join(str(error).split()), time.perf_counter() - begun)


def in_turn(tasks: Sequence[Task]) -> Iterator[Outcome]:
    """Run tasks one after the other in this process."""
    return map(perform, tasks)


def choose_days(
    root: Path, first: date | None = None, last: date | None = None, further: Collection[date] = ()
) -> tuple[date, ...]:
    """Return the days with a journal, and `further` ones, from `first` to `last`, both included, ascending.

    ConfigError when there are none.
    """
    if first and last and first > last:
        raise ConfigError(f"--from {first} is after --to {last}")
    recorded = sorted({*days_in(root / JOURNAL), *further})
    days = tuple(day for day in recorded if (first or day) <= day <= (last or day))
    if not days:
        known = f"there are {len(recorded)}, {recorded[0]} to {recorded[-1]}" if recorded else "there are none at all"
        raise ConfigError(f"{root / JOURNAL} has no journal of the days asked for; {known}")
    return days


def without_source(root: Path, days: Sequence[date], store: Store) -> tuple[date, ...]:
    """Return which of the days the store cannot be rebuilt of: their journal was removed."""
    known = {*days_in(root / JOURNAL), *store.further_days(root)}
    return tuple(day for day in days if day not in known)


def rebuild(
    root: Path,
    days: Sequence[date],
    stores: Mapping[str, Store],
    runner: Runner,
    *,
    fresh: bool = False,
    done: Callable[[str, date], None] = lambda _what, _day: None,
) -> Iterator[Outcome]:
    """Rebuild these days of these stores, yielding outcomes as they come, in any order; not those `without_source`.

    A day that an interrupted run finished is left out, and `done` told, as long as its journal and what the store holds
    are what they were then; `fresh` leaves out nothing. Days that fail are tried again by the next run.
    """
    with closing(Ledger(root)) as ledger:
        failed = False
        for what, store in stores.items():
            left = without_source(root, days, store)
            tasks = [Task(what, d, root, store.day, store.facts, state_of(root, d)) for d in days if d not in left]
            for skipped in [] if fresh else [task for task in tasks if _is_done(ledger, task, store)]:
                tasks.remove(skipped)
                done(what, skipped.day)
            for outcome in (store.runner or (runner if store.parallel else in_turn))(tasks):
                _enter(ledger, outcome)
                failed |= outcome.error is not None
                yield outcome
        if not failed:
            ledger.finish()


def state_of(root: Path, day: date) -> str:
    """Return which content a day's journal has; "unreadable" when it is not there or cannot be read."""
    try:
        with closing(Journal.open_read_only(root / JOURNAL / f"{day.isoformat()}{SUFFIX}")) as journal:
            begun = journal.identity.rpartition(" ")[2]
            return f"{begun} to {journal.last_seq}, {journal.count_after(0)} minutes"
    except G6Error:
        return "unreadable"


def _is_done(ledger: Ledger, task: Task, store: Store) -> bool:
    entry = ledger.entry(task.what, task.day)
    if entry is None or (entry["facts"], entry["journal"]) != (task.facts, task.journal):
        return False
    return store.digest is None or store.digest(task.root, task.day) == entry["digest"]


def _enter(ledger: Ledger, outcome: Outcome) -> None:
    task, rebuilt = outcome.task, outcome.rebuilt
    if rebuilt is not None:
        ledger.enter(
            task.what,
            task.day,
            facts=task.facts,
            journal=task.journal,
            digest=rebuilt.digest,
            rows=rebuilt.rows,
            changed=rebuilt.changed,
            seconds=round(outcome.seconds, 3),
        )
