"""The governor: what a cycle is told, what is switched, what is logged, and that threads do not disturb it."""

import itertools
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from g6.clock import IST, VirtualClock
from g6.governor.governor import Governor, Options
from g6.governor.limits import Limit
from g6.governor.readers import SystemReaders
from g6.model.pressure_report import SHED_KINDS, LevelChange, PressureReport

Govern = Callable[..., Governor]


def cycles(governor: Governor, count: int = 1) -> PressureReport:
    """Begin so many, with two samples between any two."""
    for _ in range(count):
        report = governor.begin_cycle()
        governor.sample()
        governor.sample()
        governor.measure()
    return report


def test_a_level_is_reached_stays_for_its_dwell_and_goes_step_by_step(readers: Any, govern: Govern) -> None:
    governor = govern()
    assert cycles(governor).level == 0
    readers.share(0.95)
    seen = [cycles(governor).level]
    readers.share(0.3)
    seen += [cycles(governor).level for _ in range(9)]
    assert [level for level, _ in itertools.groupby(seen)] == [3, 2, 1, 0]


def test_each_level_sheds_what_the_one_below_sheds_and_more(readers: Any, govern: Govern) -> None:
    governor, shed = govern(), []
    for share in (0.5, 0.75, 0.85, 0.95):
        readers.share(share)
        cycles(governor)
        shed.append(governor.report().shed)
    assert shed == [SHED_KINDS[:0], SHED_KINDS[:2], SHED_KINDS[:4], SHED_KINDS]


def test_only_the_critical_level_says_how_deep_to_collect(readers: Any, govern: Govern) -> None:
    governor = govern(critical_strikes=4)
    readers.share(0.85)
    report = cycles(governor)
    assert (report.strikes_each_side, report.expiries) == (None, None)
    readers.share(0.9)
    report = cycles(governor)
    assert (report.strikes_each_side, report.expiries) == (4, 1)


def test_the_report_of_a_cycle_has_the_changes_since_the_one_before_and_no_others(readers: Any, govern: Govern) -> None:
    governor = govern()
    readers.share(0.75)
    assert cycles(governor).changes == ()
    assert governor.report().changes == (LevelChange(0, 1, "rss"),)
    readers.share(0.95)
    assert governor.begin_cycle().changes == (LevelChange(0, 1, "rss"), LevelChange(1, 3, "rss"))
    assert governor.begin_cycle().changes == ()


def test_the_smallest_limit_binds_and_names_its_source(readers: Any, govern: Govern) -> None:
    readers.allowed = (Limit(900, "cgroup v2 memory.max"), Limit(1000, "machine"))
    assert (govern().report().limit_bytes, govern().report().limit_source) == (900, "cgroup v2 memory.max")
    report = govern(limit_bytes=800).report()
    assert (report.limit_bytes, report.limit_source) == (800, "setting")
    assert govern(limit_bytes=950).report().limit_bytes == 900
    readers.allowed = ()
    assert (govern().report().limit_bytes, govern().report().limit_source) == (None, "")


def test_a_limit_that_shrinks_under_a_running_agent_is_felt_at_once(readers: Any, govern: Govern) -> None:
    readers.share(0.5)
    governor = govern()
    assert cycles(governor).level == 0
    readers.allowed = (Limit(500_000_001, "cgroup v2 memory.max"),)
    assert cycles(governor).level == 3


def test_being_slowed_counts_only_when_the_count_rises(readers: Any, govern: Govern) -> None:
    readers.high = 41
    governor = govern()
    assert cycles(governor, 3).level == 0, "what happened before the start is not about this process"
    readers.high = 42
    assert cycles(governor).level == 3
    assert "slowed at memory.high" in governor.report().sentence
    readers.high = None
    assert cycles(governor).level == 3


@pytest.mark.parametrize("missing", list(itertools.product([False, True], repeat=5)))
def test_any_signal_may_be_missing(missing: tuple[bool, ...], readers: Any, govern: Govern) -> None:
    names = ("resident", "allowed", "stalled", "high", "unique")
    readers.resident, readers.stalled, readers.high, readers.unique = 950_000_000, 0.5, 0, 5
    for name, gone in zip(names, missing, strict=True):
        if gone:
            setattr(readers, name, () if name == "allowed" else None)
    governor = govern()
    report = cycles(governor, 2)
    assert report.level == (3 if not (missing[0] or missing[1]) else 2 if not missing[2] else 0)
    assert (report.uss_bytes is None) == missing[4]


def test_a_governor_on_a_machine_that_says_nothing_stays_normal(tmp_path: Any, clock: VirtualClock) -> None:
    governor = Governor(Options(), SystemReaders(tmp_path), clock)
    report = cycles(governor, 5)
    assert (report.level, report.rss_bytes, report.limit_bytes, report.share) == (0, 0, None, 0.0)


def test_unique_memory_is_measured_once_a_cycle_and_not_while_a_cycle_begins(readers: Any, govern: Govern) -> None:
    governor = govern()
    readers.unique = 5
    assert governor.begin_cycle().uss_bytes is None
    governor.measure()
    assert governor.report().uss_bytes == 5
    readers.unique = 6
    governor.measure()
    assert governor.report().uss_bytes == 5
    assert governor.begin_cycle().uss_bytes == 5
    governor.measure()
    assert governor.begin_cycle().uss_bytes == 6


def test_switched_off_it_measures_and_never_sheds(readers: Any, govern: Govern) -> None:
    governor = govern(enabled=False)
    readers.share(0.99)
    report = cycles(governor, 3)
    assert (report.level, report.shed, report.rss_bytes) == (0, (), 990_000_000)


def test_ten_minutes_are_those_of_the_clock_that_is_given(readers: Any, govern: Govern, clock: VirtualClock) -> None:
    governor, never = govern(), threading.Event()

    def minutes_at_one() -> int:
        readers.share(0.75)
        cycles(governor, 2)
        readers.share(0.1)
        count = 0
        while cycles(governor).level:
            count += 1
        return count

    first, again = minutes_at_one(), minutes_at_one()
    clock.wait_until(clock.now() + timedelta(minutes=11), never)
    assert again > first
    assert minutes_at_one() == first


def test_switches_are_told_once_each_way_and_before_the_cycle_goes_on(readers: Any, govern: Govern) -> None:
    told: list[tuple[str, bool]] = []
    names = ("options_page", "caches", "greeks")
    governor = govern({name: lambda shed, name=name: told.append((name, shed)) for name in names})  # type: ignore[misc]
    readers.share(0.95)
    governor.begin_cycle()
    assert told == [("options_page", True), ("caches", True), ("greeks", True)]
    cycles(governor, 5)
    assert len(told) == 3
    readers.share(0.1)
    cycles(governor, 12)
    assert told[3:] == [("greeks", False), ("options_page", False), ("caches", False)]


def test_the_ticker_switches_between_cycles_too(readers: Any, govern: Govern) -> None:
    told: list[bool] = []
    governor = govern({"options_page": told.append}, sample_seconds=0.1)
    governor.begin_cycle()
    readers.share(0.95)
    governor.sample()
    assert told == [True]


def test_nothing_can_be_switched_that_is_never_shed(govern: Govern) -> None:
    with pytest.raises(ValueError, match="journal"):
        govern({"journal": print})


def test_only_changes_are_logged(readers: Any, govern: Govern, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "g6.governor")
    governor = govern()
    cycles(governor, 5)
    assert caplog.messages == []
    readers.share(0.87)
    cycles(governor, 5)
    assert caplog.messages == [
        "memory 870 of 1,000 MB (87 %, machine): level 2 high, sheds options page, caches, Greeks, derived measures"
    ]
    readers.share(0.42)
    cycles(governor, 12)
    assert caplog.messages[1:] == [
        "memory 420 of 1,000 MB (42 %, machine): level 1 elevated, sheds options page, caches",
        "memory 420 of 1,000 MB (42 %, machine): level 0 normal, sheds nothing",
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "INFO"]


def test_the_sentence_is_empty_when_all_is_well_and_tells_the_return_once(readers: Any, govern: Govern) -> None:
    governor = govern()
    assert cycles(governor).sentence == ""
    readers.share(0.75)
    cycles(governor)
    readers.share(0.1)
    told = [governor.begin_cycle().sentence for _ in range(20) if governor.sample() is None]
    ending = [sentence for sentence in told if "level 0" in sentence]
    assert len(ending) == 1
    assert told[-1] == ""


def test_the_sentence_says_what_no_share_of_the_limit_would_explain(readers: Any, govern: Govern) -> None:
    governor = govern(critical_strikes=2)
    readers.share(0.02)
    readers.stalled = 0.14
    cycles(governor, 2)
    assert governor.report().sentence.startswith(
        "memory 20 of 1,000 MB (2 %, machine), waited for 14 % of the last 10 s: level 2 high, sheds"
    )
    readers.allowed, readers.high = (), 0
    cycles(governor)
    readers.high = 1
    cycles(governor)
    assert governor.report().sentence == (
        "memory 20 MB, no limit known, slowed at memory.high: level 3 critical, sheds options page, caches, Greeks, "
        "derived measures, strikes beyond ATM ± 2, expiries but the nearest"
    )


def test_samples_of_many_threads_leave_a_level_that_was_asked_for(readers: Any, clock: VirtualClock) -> None:
    """Threads sample while memory goes up and down: no error, no step down by two, and switches that agree."""
    state: dict[str, bool] = {}
    steps: list[LevelChange] = []
    governor = Governor(Options(), readers, clock, {"greeks": lambda shed: state.update(greeks=shed)})
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            governor.sample()

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(300):
        readers.share(0.95 if turn % 20 < 3 else 0.1)
        steps += governor.begin_cycle().changes
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    steps += governor.report().changes
    assert steps
    for before, after in itertools.pairwise(steps):
        assert before.after == after.before
    assert all(step.after == step.before - 1 for step in steps if step.after < step.before)
    assert state["greeks"] == ("greeks" in governor.report().shed)


def test_the_ticker_ends_when_it_is_told_and_gives_signs_of_life(readers: Any) -> None:
    governor = Governor(Options(sample_seconds=0.001), readers, VirtualClock(datetime(2026, 11, 20, tzinfo=IST)))
    stop, beats = threading.Event(), threading.Semaphore(0)
    thread = threading.Thread(target=governor.run, args=(stop, beats.release))
    readers.share(0.95)
    thread.start()
    assert all(beats.acquire(timeout=10) for _ in range(3))
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert governor.report().level == 3
