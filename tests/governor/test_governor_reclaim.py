"""Memory is given back after it was shed, never while a minute is collected, and seldom where that does nothing."""

import ctypes
import gc
import itertools
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from g6.governor.governor import Governor
from g6.governor.levels import MOST_DWELL_CYCLES
from g6.governor.reclaim import LONGEST_WAIT_CYCLES, TRIM, collect_and_trim
from g6.model.pressure_report import Reclaim

Govern = Callable[..., Governor]
PROCESSES = Path(__file__).parent


class Heap:
    """Gives back what it is told to hold back, and counts how often it was asked."""

    def __init__(self, readers: Any, freed: float) -> None:
        self._readers, self.freed, self.asked = readers, freed, 0

    def give_back(self) -> None:
        self.asked += 1
        self._readers.resident -= round(self.freed * self._readers.resident)


def minutes(governor: Governor, count: int) -> list[Reclaim | None]:
    done = []
    for _ in range(count):
        governor.begin_cycle()
        governor.sample()
        done.append(governor.reclaim())
    return done


def test_nothing_is_given_back_while_all_is_well(readers: Any, govern: Govern) -> None:
    heap = Heap(readers, 0.5)
    readers.share(0.5)
    assert minutes(govern(give_back=heap.give_back), 10) == [None] * 10
    assert heap.asked == 0


def test_it_waits_until_a_cycle_has_run_without_what_was_shed(readers: Any, govern: Govern) -> None:
    heap = Heap(readers, 0.2)
    governor = govern(give_back=heap.give_back)
    governor.begin_cycle()
    readers.share(0.95)
    governor.sample()  # seen in the middle of a cycle that began with everything
    assert governor.reclaim() is None
    governor.begin_cycle()
    assert governor.reclaim() == Reclaim(190_000_000, effective=True)
    assert governor.begin_cycle().reclaims == (Reclaim(190_000_000, effective=True),)


def test_collection_is_never_interrupted_by_it(readers: Any, govern: Govern) -> None:
    heap = Heap(readers, 0.2)
    governor = govern(give_back=heap.give_back)
    readers.share(0.95)
    for _ in range(5):
        governor.begin_cycle()
        governor.sample()
        governor.report()
    assert heap.asked == 0


def test_a_twentieth_is_an_effect_and_less_is_none(readers: Any, govern: Govern) -> None:
    readers.share(0.95)
    assert minutes(govern(give_back=Heap(readers, 0.0499).give_back), 1) == [Reclaim(47_405_000, effective=False)]
    readers.share(0.95)
    assert minutes(govern(give_back=Heap(readers, 0.05).give_back), 1) == [Reclaim(47_500_000, effective=True)]


def test_without_effect_it_is_tried_ever_more_seldom(readers: Any, govern: Govern) -> None:
    heap = Heap(readers, 0.0)
    governor = govern(give_back=heap.give_back)
    readers.share(0.95)
    done = minutes(governor, 300)
    tried = [minute for minute, reclaim in enumerate(done) if reclaim]
    waits = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert waits == [2, 4, 8, 16, 32, 64, 64, 64]
    assert LONGEST_WAIT_CYCLES == 64


def test_with_effect_it_goes_on_every_cycle_until_all_is_well(readers: Any, govern: Govern) -> None:
    heap = Heap(readers, 0.1)
    governor = govern(give_back=heap.give_back)
    readers.share(0.95)
    done = minutes(governor, 4 * MOST_DWELL_CYCLES)
    shrinking = [reclaim for reclaim in done if reclaim]
    assert all(reclaim.effective for reclaim in shrinking)
    assert done[: len(shrinking)] == shrinking
    assert done[-1] is None
    assert governor.report().level == 0


def test_a_higher_level_is_worth_a_try_at_once(readers: Any, govern: Govern) -> None:
    heap = Heap(readers, 0.0)
    governor = govern(give_back=heap.give_back)
    readers.share(0.85)
    minutes(governor, 20)
    before = heap.asked
    readers.share(0.95)
    assert minutes(governor, 1) == [Reclaim(0, effective=False)]
    assert heap.asked == before + 1


def test_memory_that_grew_meanwhile_is_no_negative_gift(readers: Any, govern: Govern) -> None:
    readers.share(0.95)
    assert minutes(govern(give_back=Heap(readers, -0.01).give_back), 1) == [Reclaim(0, effective=False)]


def test_memory_that_cannot_be_read_is_no_effect(readers: Any, govern: Govern) -> None:
    readers.resident, readers.stalled = None, 0.5
    assert [r for r in minutes(govern(), 2) if r] == [Reclaim(0, effective=False)]


def test_cycles_of_references_are_broken() -> None:
    class Knot:
        itself: "Knot"

    gc.disable()
    try:
        knot = Knot()
        knot.itself = knot
        seen = weakref.ref(knot)
        del knot
        assert seen() is not None
        collect_and_trim()
        assert seen() is None
    finally:
        gc.enable()


def test_trimming_is_there_where_the_c_library_has_it() -> None:
    assert (TRIM is not None) == hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(TRIM is None, reason="this C library has no malloc_trim")
@pytest.mark.parametrize("threshold", ["", "131072"])
def test_columns_that_are_dropped_leave_the_process(threshold: str) -> None:
    """Read from the kernel, in a process of its own: most of what the columns took is gone after one attempt."""
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": threshold} if threshold else dict(os.environ)
    printed = subprocess.run(
        [sys.executable, PROCESSES / "columns_process.py"],
        capture_output=True, text=True, check=True, timeout=120, env=environment,
    )  # fmt: skip
    columns, before, after, effective = (int(word) for word in printed.stdout.split())
    assert before - after >= 0.8 * columns
    assert effective == 1
