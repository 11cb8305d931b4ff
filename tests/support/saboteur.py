"""Breaks the stores of the process that it is in, by design and by count: what kills and refuses is one seed's choice.

The n-th step of the stores (a call that changes a daily file, a statement that changes a journal) is where a process
dies, by a real SIGKILL: before the step, after it, or, where the step is a write, in the middle of it.
"""

import errno
import os
import random
import resource
import signal
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, NoReturn

from g6.storage import csv_file
from g6.storage.csv_sink import CsvSink
from g6.storage.journal import Journal
from g6.storage.journal_set import JournalSet

CHANGING_CALLS = ("write", "ftruncate", "fsync", "replace", "unlink", "mkdir")
CHANGING_STATEMENTS = ("BEGIN", "INSERT", "DELETE", "UPDATE", "COMMIT")

# What is refused: the journal alone (its file may not grow), the daily files alone, everything (no file may grow), or
# the sync that a cursor waits for.
JOURNAL, FILES, EVERYTHING, SYNC = "journal", "files", "everything", "sync"
REFUSALS = (JOURNAL, FILES, EVERYTHING, SYNC)


class Death(NamedTuple):
    """After so many steps, and where in the last one: "before", "within" or "after"."""

    steps: int
    where: str


class Saboteur:
    """Counts the steps of the stores of this process, dies at one, and refuses some while it is told to."""

    def __init__(self, death: Death | None, seed: int) -> None:
        self._death = death
        self._stands_before: dict[type, Callable[..., Any]] = {}  # class → its own `_execute`
        self._steps = 0
        self._choice = random.Random(seed)
        self.refused: str | None = None

    def stand_before_files(self) -> None:
        """Stand between the daily files and the disk, until `stand_aside`."""
        csv_file.os = _System(self)

    def stand_before_statements(self, database: type) -> None:
        """Stand between the statements of a class and SQLite, until `stand_aside`."""
        execute = self._stands_before[database] = database._execute
        database._execute = lambda store, statement, *values: self._counted(
            lambda: execute(store, statement, *values), counts=statement.split()[0] in CHANGING_STATEMENTS
        )

    def stand_aside(self) -> None:
        csv_file.os = os
        while self._stands_before:
            database, execute = self._stands_before.popitem()
            database._execute = execute

    def stand_before_stores(self, journals: JournalSet, sinks: Iterable[object]) -> None:
        """Stand between all stores and the disk, for good: the process is given up anyway."""
        self._journals, self._room = journals, journals._max_bytes
        self.stand_before_files()
        self.stand_before_statements(Journal)
        for sink in sinks:
            if isinstance(sink, CsvSink):
                sink._sync = self._syncing(sink._sync)

    def refuse(self, what: str | None) -> None:
        """Refuse this from now on, None for nothing."""
        if self.refused == what:
            return
        self.refused = what
        self._journals._max_bytes = 1 if what == JOURNAL else self._room
        self._journals._close_open()  # it is opened with its new limit
        limit = 0 if what == EVERYTHING else resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def die(self) -> NoReturn:
        """End this process at once, as an impatient administrator does."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError  # nobody survives that

    def write(self, descriptor: int, data: bytes) -> int:
        if self._death is not None and self._steps + 1 == self._death.steps and self._death.where == "within":
            os.write(descriptor, data[: len(data) // 2])
            self.die()
        if self.refused == FILES and self._choice.random() < 0.5:
            if self._choice.random() < 0.5:
                return os.write(descriptor, data[: len(data) // 2])  # the last block of a disk, and then no more
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, data)

    def call(self, name: str, *arguments: Any, **more: Any) -> Any:
        if name == "write":
            return self._counted(lambda: self.write(*arguments))
        return self._counted(lambda: getattr(os, name)(*arguments, **more))

    def _counted(self, step: Callable[[], Any], *, counts: bool = True) -> Any:
        if not counts:
            return step()
        dies = self._death is not None and self._steps + 1 == self._death.steps
        if dies and self._death.where == "before":
            self.die()
        result = step()
        self._steps += 1
        if dies:
            self.die()
        return result

    def _syncing(self, sync: Callable[[Any], None]) -> Callable[[Any], None]:
        def refused(folder: Any) -> None:
            if self.refused == SYNC:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            sync(folder)

        return refused


class _System:
    """The `os` that the daily files see."""

    def __init__(self, saboteur: Saboteur) -> None:
        self._saboteur = saboteur

    def __getattr__(self, name: str) -> Any:
        if name not in CHANGING_CALLS:
            return getattr(os, name)
        return lambda *arguments, **more: self._saboteur.call(name, *arguments, **more)
