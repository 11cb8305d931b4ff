"""Journal, daily files and masters in one process, driven by the agent's own delivery, on a disk that may be troubled.

A death is an exception after a photograph of the disk was taken: what the photograph shows is what a real SIGKILL
would leave at this step, and it is what the next start finds. A power cut leaves of the daily files what was synced,
and of the rest as much as it likes; a sync that fails makes durable nothing, and says so once.
"""

import errno
import os
import random
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn, cast

from agent_process import tree_of
from saboteur import FILES, Death, Saboteur
from ticks_delivered import DeliveringSink, Subscriber, Tick

from g6.clock import SystemClock
from g6.cycle.collection import Collected
from g6.cycle.delivery import Delivery
from g6.cycle.stages import Stages
from g6.errors import SinkError
from g6.masters.sink import MasterSink
from g6.masters.store import MasterStore
from g6.model.report import JournalReport, SinkReport
from g6.storage.csv_sink import CsvSink
from g6.storage.data_directory import DataDirectory
from g6.storage.journal import Journal
from g6.storage.journal_set import JournalSet
from g6.wiring import Parts

PENDING_LIMIT = 3
CHECKPOINT_CYCLES = 4
ROOM_BYTES = 50_000_000


class Killed(BaseException):
    """The process is dead; what it still does on its way out changes nothing any more."""


class Undertaker(Saboteur):
    """Kills by exception: the disk is photographed at the step of the death, and the dead find no disk any more."""

    def __init__(self, stores: "TroubledStores") -> None:
        super().__init__(None, seed=6)
        self._stores = stores
        self.masters_refused = False

    def condemn(self, steps: int, where: str) -> None:
        """Let the process die after so many more steps."""
        self._death = Death(self._steps + steps, where)

    def reprieve(self) -> None:
        self._death = None

    def die(self) -> NoReturn:
        self.reprieve()
        self._stores.photograph()
        raise Killed

    def stand_before_masters(self) -> None:
        self.stand_before_statements(MasterStore)
        execute = MasterStore._execute

        def refusing(store: MasterStore, statement: str, *values: object) -> list[tuple[object, ...]]:
            if self.masters_refused and statement.startswith("INSERT"):
                raise SinkError("the disk is full: 0 bytes free for the masters; make space")
            return execute(store, statement, *values)

        MasterStore._execute = refusing


class TroubledStores:
    """The stores between a start and the next one: the same calls in the same order as the agent makes them."""

    def __init__(self, folder: Path, subscriber: Subscriber) -> None:
        self.root = DataDirectory(folder / "data").root
        self.subscriber = subscriber
        self.refused: frozenset[str] = frozenset()
        self.disk = Undertaker(self)
        self._photograph: Path = folder / "photograph"
        self._durable: dict[str, bytes] = {}  # daily files as the disk has them
        self._forsaken: dict[str, tuple[int | None, bytes]] = {}  # inode, and what a failed sync left unwritten of it
        self.disk.stand_before_files()
        self.disk.stand_before_statements(Journal)
        self.disk.stand_before_masters()
        self.start()

    # What the agent does.

    def start(self) -> None:
        """Begin a process: the stores get what an earlier one left behind. A death in it is followed by another one."""
        while True:
            try:
                self._begin()
            except Killed:
                self._bury()
            else:
                return

    def _begin(self) -> None:
        self.journals = JournalSet(self.root, ROOM_BYTES, PENDING_LIMIT)
        self.csv = CsvSink(self.root, (), checkpoint_cycles=CHECKPOINT_CYCLES, sync=self._sync)
        self.masters = MasterSink(self.root, {"NIFTY": "NIFTY 50"}, checkpoint_cycles=CHECKPOINT_CYCLES)
        self.delivering = DeliveringSink(self.subscriber)
        self.sinks = (self.csv, self.masters, self.delivering)
        parts = SimpleNamespace(journals=self.journals, sinks=self.sinks)
        self.delivery = Delivery(cast("Parts", parts))  # it needs no others
        self.refuse(self.refused)
        self.delivery.catch_up()

    def minute(self, tick: Tick) -> tuple[JournalReport, Sequence[SinkReport]]:
        """Record a minute and give it to every store; Killed when the process dies of it."""
        return self.delivery.store(Collected(tick.snapshot()), Stages(SystemClock()))

    def finish(self) -> None:
        """End the process as one that was asked to."""
        self.delivery.checkpoint()
        for sink in self.sinks:
            sink.close()
        self.journals.close()

    def owed(self) -> list[tuple[str, date]]:
        """Return which stores lack what of which days."""
        return [(sink.name, day) for sink in self.sinks for day in self.journals.undrained(sink.name)]

    # What happens to it.

    def refuse(self, what: frozenset[str]) -> None:
        """Refuse these from now on: "journal", "files" and "masters" are full, "sync" fails, "subscriber" is away."""
        self.refused = what
        room = 1 if "journal" in what else ROOM_BYTES
        if self.journals._max_bytes != room:
            self.journals._max_bytes = room
            self.journals._close_open()  # it is opened with its new limit
        self.disk.refused = FILES if "files" in what else None
        self.disk.masters_refused = "masters" in what
        self.delivering.is_away = "subscriber" in what

    def resurrect(self) -> None:
        """Start again on what a death left."""
        self._bury()
        self.start()

    def cut_power(self, seed: int | None) -> None:
        """Die with the machine; only a seed leaves more of the daily files than what was synced."""
        self.photograph()
        if seed is not None:
            choice, live = random.Random(seed), tree_of(self._photograph)
            left = {path: self._survivor(path, live, choice) for path in sorted({*live, *self._durable})}
            self._durable = {path: content for path, content in left.items() if content is not None}
        self._forsaken = {}
        shutil.rmtree(self._photograph / "csv")
        (self._photograph / "csv").mkdir()
        for path, content in self._durable.items():
            (self._photograph / path).parent.mkdir(parents=True, exist_ok=True)
            (self._photograph / path).write_bytes(content)
        self.resurrect()

    def _survivor(self, path: str, live: dict[str, bytes], choice: random.Random) -> bytes | None:
        """What is left of a file: what was synced, what it was at last, or synced rows and a part of the others."""
        durable, now = self._durable.get(path), live.get(path)
        known = durable or b""
        if now is None or not now.startswith(known):
            return choice.choice((durable, now))
        size = choice.randint(len(known), len(now))
        torn = now[:size].ljust(choice.choice((size, len(now))), b"\0")
        return choice.choice((durable, now, torn))

    def photograph(self) -> None:
        """Keep what is on the disk at this step; what the dead process still does is not in it."""
        self._forsaken = {path: lost for path, lost in self._forsaken.items() if self._inode(path) == lost[0]}
        shutil.copytree(self.root, self._photograph, ignore=shutil.ignore_patterns("*-shm"))

    def _bury(self) -> None:
        self.disk.reprieve()
        for sink in self.sinks:
            sink.close()
        self.journals._close_open()
        shutil.rmtree(self.root)
        self._photograph.rename(self.root)
        # A photograph's files are the files that it shows, and have other inodes.
        self._forsaken = {path: (self._inode(path), lost) for path, (_, lost) in self._forsaken.items()}

    def _sync(self, _folder: Path) -> None:
        live = tree_of(self.root)
        if "sync" in self.refused:
            unwritten = [path for path, content in live.items() if content != self._durable.get(path)]
            self._forsaken |= {path: (self._inode(path), live[path]) for path in unwritten}
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._durable = {path: self._written(path, content) for path, content in live.items()}

    def _written(self, path: str, content: bytes) -> bytes:
        """Return what a sync that succeeds leaves of a file: not what an earlier one failed to write of it."""
        inode, lost = self._forsaken.get(path, (None, b""))
        if inode != self._inode(path):
            return content
        differs = (at for at, (now, then) in enumerate(zip(content, lost, strict=False)) if now != then)
        size = next(differs, min(len(content), len(lost)))
        return self._durable.get(path, b"")[:size].ljust(size, b"\0") + content[size:]

    def _inode(self, path: str) -> int | None:
        file = self.root / path
        return file.stat().st_ino if file.exists() else None

    def end(self) -> None:
        """Give the disk back to this process."""
        self.disk.stand_aside()
        for sink in self.sinks:
            sink.close()
        self.journals._close_open()


def undisturbed(folder: Path, ticks: Sequence[Tick]) -> Path:
    """Record minutes in order of time in a process that nothing happens to; return its data directory."""
    stores = TroubledStores(folder, Subscriber())
    try:
        for tick in sorted(ticks, key=lambda tick: tick.minute):
            stores.minute(tick)
        stores.finish()
    finally:
        stores.end()
    return stores.root
