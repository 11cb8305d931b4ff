"""Journal and stores under everything at once: what is vouched for is delivered, in order, and once."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from agent_process import rows_of, tree_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from short_day import stores_of
from ticks_delivered import Subscriber, Tick
from troubled_stores import PENDING_LIMIT, Killed, TroubledStores, undisturbed

from g6.clock import IST
from g6.masters.store import MasterStore
from g6.storage.journal import Journal
from g6.storage.journal_set import days_in

OPEN = datetime(2026, 11, 19, 23, 40, tzinfo=IST)
LAST_DAY = date(2026, 11, 21)
TROUBLES = ("journal", "files", "masters", "sync", "subscriber")
# How many chains a minute has, and which strikes.
SHAPES = st.tuples(st.sampled_from([2, 2, 1, 0]), st.sampled_from([(0,), (0, 1), (-1, 0, 1), (1,)]))


@pytest.fixture(autouse=True)
def no_log() -> Iterator[None]:
    """Trouble is what is made here, thousands of times; a failure tells its own story."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def folder_in_memory() -> Path:
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="g6-machine-", dir=memory if os.access(memory, os.W_OK) else None))


class StoresInTrouble(RuleBasedStateMachine):
    """The clock goes on, steps back and over midnight; disks fill up and fail; processes die, and so does the power."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = folder_in_memory()
        self.stores = TroubledStores(self.folder, Subscriber())
        self.now = OPEN
        self.made: dict[float, Tick] = {}  # by spot, which no two have in common
        self.vouched: list[Tick] = []
        self.waiting: list[Tick] = []

    @rule(seconds=st.sampled_from([60, 60, 60, 60, 30, 0, -60, -150, 1200, 86400, -86400]))
    def time_passes(self, seconds: int) -> None:
        later = self.now + timedelta(seconds=seconds)
        self.now = later if OPEN.date() <= later.date() <= LAST_DAY else OPEN

    @rule(shapes=st.lists(SHAPES, min_size=1, max_size=6))
    def minutes_are_recorded(self, shapes: list[tuple[int, tuple[int, ...]]]) -> None:
        for shape in shapes:
            self.record(*shape)
            self.time_passes(60)

    def record(self, chains: int, offsets: tuple[int, ...]) -> None:
        tick = Tick(len(self.made) + 1, self.now.replace(second=0), chains, offsets)
        self.made[tick.spot] = tick
        try:
            journal, sinks = self.stores.minute(tick)
        except Killed:
            self.die()
            return
        assert journal.pending <= PENDING_LIMIT
        # The newest is given up when too much waits; nobody vouches for that.
        assert journal.kept or (journal.error and len(self.waiting) >= PENDING_LIMIT)
        self.waiting += [tick] if journal.kept else []
        if journal.error is None:
            assert journal.pending == 0
            self.vouched += self.waiting
            self.waiting = []
        else:
            assert "journal" in self.stores.refused
        if not self.stores.refused:
            assert [sink.error for sink in sinks] == [None, None, None]
            assert [sink.lag_cycles for sink in sinks] == [0, 0, 0]
            self.check_overview(tick.minute.date())

    @rule(what=st.sets(st.sampled_from(TROUBLES), max_size=3))
    def trouble_begins_or_ends(self, what: set[str]) -> None:
        self.stores.refuse(frozenset(what))

    @precondition(lambda machine: machine.stores.refused)
    @rule()
    def all_trouble_ends(self) -> None:
        self.stores.refuse(frozenset())

    @rule()
    def process_is_killed(self) -> None:
        self.stores.photograph()
        self.die()

    @rule(steps=st.integers(1, 60), where=st.sampled_from(["before", "within", "after"]))
    def death_approaches(self, steps: int, where: str) -> None:
        self.stores.disk.condemn(steps, where)

    @rule(seed=st.none() | st.integers(0, 9))
    def power_is_cut(self, seed: int | None) -> None:
        self.waiting = []
        self.stores.cut_power(seed)

    @rule()
    def process_is_asked_to_end(self) -> None:
        self.waiting = []
        try:
            self.stores.finish()
        except Killed:
            self.die()
        else:
            self.stores.start()

    def die(self) -> None:
        """What waited in memory is gone; nobody had vouched for it."""
        self.waiting = []
        self.stores.resurrect()

    @invariant()
    def deliveries_are_in_order(self) -> None:
        assert self.stores.subscriber.wrong == []

    @invariant()
    def files_ascend(self) -> None:
        for path, content in tree_of(self.stores.root).items():
            lines = content[: content.rfind(b"\n") + 1].splitlines()[1:]
            stamps = [line.partition(b",")[0] for line in lines]
            assert all(before < after for before, after in pairwise(stamps)), path

    def check_overview(self, day: date) -> None:
        """What is vouched for is in the file of this day, as it was vouched for or better."""
        path = self.stores.root / "csv" / "NIFTY" / "overview" / f"{day}.csv"
        self.check_vouched({datetime.fromisoformat(row["ts"]): float(row["spot"]) for row in rows_of(path)}, day)

    def check_vouched(self, kept: dict[datetime, float], *days: date) -> None:
        for vouched in self.vouched:
            if vouched.minute.date() in days:
                assert vouched.minute in kept, f"{vouched} is lost"
                better = self.made[kept[vouched.minute]]
                assert (better.chains, better.number) >= (vouched.chains, vouched.number), f"{better} for {vouched}"

    def teardown(self) -> None:
        try:
            self.stores.refuse(frozenset())
            self.stores.disk.reprieve()
            self.stores.cut_power(None)
            assert self.stores.owed() == []
            self.waiting = []
            self.record(2, (0,))
            self.stores.finish()
            self.stores.end()
            self.check_all_stores()
        finally:
            self.stores.end()
            shutil.rmtree(self.folder)

    def check_all_stores(self) -> None:
        root = self.stores.root
        days = days_in(root / "journal")
        assert self.stores.owed() == []
        kept = {minute: spot for day in days for minute, spot in self.journalled(day).items()}
        ticks = [self.made[spot] for spot in kept.values()]
        assert {tick.minute: tick.spot for tick in ticks} == kept
        self.check_vouched(kept, *days, *(tick.minute.date() for tick in self.vouched))
        assert self.stores.subscriber.keeps == kept
        assert premiums_in_files(root) == {
            (tick.minute, *group, label): total / 10_000
            for tick in ticks
            for group, totals in tick.premiums().items()
            for label, total in totals.items()
        }
        assert premiums_in_masters(root, days) == {tick.minute: tick.premiums() for tick in ticks}
        assert stores_of(root) == stores_of(undisturbed(self.folder / "undisturbed", ticks))

    def journalled(self, day: date) -> dict[datetime, float]:
        with closing(Journal.open_read_only(self.stores.journals.path(day))) as journal:
            return {snapshot.minute: snapshot.indices[0].spot for _, snapshot in journal.cycles_after(0)}


def premiums_in_files(root: Path) -> dict[tuple[datetime, str, str, str], float]:
    return {
        (datetime.fromisoformat(row["ts"]), *path.relative_to(root / "csv").parts[:3]): float(row["total_premium"])
        for path in (root / "csv").glob("*/*/*/*.csv")
        for row in rows_of(path)
    }


def premiums_in_masters(root: Path, days: tuple[date, ...]) -> dict[datetime, object]:
    if not days:
        return {}
    store = MasterStore.open_read_only(root)
    try:
        return {
            datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=IST): tick
            for day in days
            for minute, tick in store.ticks(day).items()
        }
    finally:
        store.close()


class TestStoresInTrouble(StoresInTrouble.TestCase):
    settings = settings(
        max_examples=20, stateful_step_count=25, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck]
    )


@pytest.mark.long
class TestStoresInLongTrouble(StoresInTrouble.TestCase):
    settings = settings(
        max_examples=1000, stateful_step_count=60, deadline=None, database=None, suppress_health_check=[*HealthCheck]
    )
