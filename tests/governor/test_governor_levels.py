"""The levels: what is promised of every course of events, and agreement with a slow reading of the rules."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.governor.levels import LevelMachine, Sample
from g6.model.pressure_report import LEVEL_REASONS

PERMILLE = 1000


@dataclass(frozen=True)
class Event:
    """Time goes on, then a cycle begins if `cycle`, and a sample is taken."""

    after_seconds: float
    cycle: bool
    sample: Sample


def used(permille: int | None, stalled: float | None = None, *, slowed: bool = False) -> Sample:
    return Sample(permille, PERMILLE, stalled, slowed)


# Values at and beside every edge come up often: that is where rules are got wrong.
EDGES = [edge + beside for edge in (600, 700, 800, 900) for beside in (-1, 0, 1)]
permilles = st.one_of(st.sampled_from(EDGES), st.integers(0, 1100))
samples = st.builds(
    used,
    st.one_of(permilles, st.none()),
    st.sampled_from([None, 0.0, 0.0, 0.0, 0.05, 0.10, 0.11, 1.0]),
    slowed=st.sampled_from([False] * 9 + [True]),
)
events = st.builds(Event, st.sampled_from([0.0, 5.0, 60.0, 60.0, 599.0, 600.0, 601.0]), st.booleans(), samples)
# Stretches of one kind, so that dwells run out and samples agree.
stretches = st.lists(st.tuples(events, st.integers(1, 9)), min_size=1, max_size=25)
courses = stretches.map(lambda parts: [event for event, times in parts for _ in range(times)])


def levels_of(course: list[Event]) -> list[int]:
    machine, now, seen = LevelMachine(), 0.0, []
    for event in course:
        now += event.after_seconds
        if event.cycle:
            machine.begin_cycle()
        before = machine.level
        change = machine.take(event.sample, now, starting=event.cycle)
        assert (change is None) == (machine.level == before)
        assert change is None or (change.before, change.after) == (before, machine.level)
        assert change is None or change.reason in LEVEL_REASONS
        seen.append(machine.level)
    return seen


# The rules again, from the whole history each time, in whole numbers.


def asked_for(sample: Sample) -> int:
    if sample.slowed or (sample.rss_bytes or 0) >= 900:
        return 3
    if (sample.rss_bytes or 0) >= 800 or (sample.stalled_ratio is not None and sample.stalled_ratio > 0.1):
        return 2
    return 1 if (sample.rss_bytes or 0) >= 700 else 0


def calm(sample: Sample, level: int) -> bool:
    return asked_for(sample) < level and (sample.rss_bytes or 0) <= {1: 600, 2: 700, 3: 800}[level]


@dataclass
class Step:
    at_sample: int
    time: float
    before: int
    after: int
    first_whole_cycle: int


def dwell_of(steps: list[Step]) -> int:
    dwell = 2
    for number, step in enumerate(steps):
        if step.after < step.before:
            continue
        downs = [down for down in steps[:number] if down.after < down.before and step.time - down.time <= 600]
        if any(step.before < down.before <= step.after for down in downs):
            dwell = min(dwell * 2, 32)
        elif not downs:
            dwell = 2
    return dwell


def reference(course: list[Event]) -> list[int]:
    steps: list[Step] = []
    seen: list[int] = []
    for i, event in enumerate(course):
        now = sum(e.after_seconds for e in course[: i + 1])
        cycle = sum(e.cycle for e in course[: i + 1])
        level = steps[-1].after if steps else 0
        whole = cycle if event.cycle else cycle + 1
        asked = [asked_for(e.sample) for e in course[max(0, i - 1) : i + 1]]
        up = 3 if asked[-1] == 3 else (min(asked) if len(asked) == 2 else 0)
        last = course[i - 2 : i + 1] if i >= 2 else []
        settled = not steps or i - 3 >= steps[-1].at_sample
        if up > level:
            steps.append(Step(i, now, level, up, whole))
        elif (
            level
            and len(last) == 3
            and settled
            and all(calm(e.sample, level) for e in last)
            and (
                cycle - steps[-1].first_whole_cycle >= dwell_of(steps) or now - steps[-1].time >= 300 * dwell_of(steps)
            )
        ):
            steps.append(Step(i, now, level, level - 1, whole))
        seen.append(steps[-1].after if steps else 0)
    return seen


@settings(max_examples=300, deadline=None)
@given(courses)
def test_every_course_is_as_a_slow_reading_of_the_rules_has_it(course: list[Event]) -> None:
    assert levels_of(course) == reference(course)


@settings(max_examples=300, deadline=None)
@given(courses)
def test_levels_fall_one_at_a_time_and_not_before_two_whole_cycles_or_ten_minutes_at_each(
    course: list[Event],
) -> None:
    levels, cycle, whole_since, now, since = levels_of(course), 0, 0, 0.0, 0.0
    before = 0
    for event, level in zip(course, levels, strict=True):
        cycle += event.cycle
        now += event.after_seconds
        assert level >= before - 1
        if level < before:
            assert cycle - whole_since >= 2 or now - since >= 600
        if level != before:
            whole_since, since = (cycle if event.cycle else cycle + 1), now
        before = level


@settings(max_examples=300, deadline=None)
@given(courses)
def test_nine_tenths_and_being_slowed_are_critical_at_once(course: list[Event]) -> None:
    for event, level in zip(course, levels_of(course), strict=True):
        if event.sample.slowed or (event.sample.rss_bytes or 0) >= 900:
            assert level == 3


@settings(max_examples=300, deadline=None)
@given(courses)
def test_one_sample_below_nine_tenths_alone_never_raises_the_level(course: list[Event]) -> None:
    before, earlier = 0, 0
    for event, level in zip(course, levels_of(course), strict=True):
        if level > before:
            assert asked_for(event.sample) == 3 or min(asked_for(event.sample), earlier) >= level
        before, earlier = level, asked_for(event.sample)


@settings(max_examples=200, deadline=None)
@given(courses)
def test_calm_brings_every_course_back_to_normal_however_long_it_flapped(course: list[Event]) -> None:
    rest = [Event(60.0, True, used(0))] * (3 * (32 + 3))
    assert levels_of(course + rest)[-1] == 0


@settings(max_examples=200, deadline=None)
@given(courses)
def test_no_level_is_kept_up_for_the_night_when_no_cycle_runs_and_all_is_calm(course: list[Event]) -> None:
    night = [Event(60.0, False, used(0))] * (3 * (32 * 5 + 3))
    assert levels_of(course + night)[-1] == 0


@given(st.lists(st.builds(Event, st.just(5.0), st.booleans(), st.just(Sample())), max_size=20))
def test_where_nothing_can_be_read_nothing_is_ever_shed(course: list[Event]) -> None:
    assert set(levels_of(course)) <= {0}


def test_memory_between_entry_and_exit_keeps_the_level_for_ever() -> None:
    for level, permille in ((1, 650), (2, 750), (3, 850)):
        entry = {1: 700, 2: 800, 3: 900}[level]
        course = [Event(60.0, True, used(entry))] * 2 + [Event(60.0, True, used(permille))] * 100
        assert set(levels_of(course)[1:]) == {level}


class Flapping:
    """Memory that fills at the start of a cycle when it may, and empties until the level is back at 0."""

    def __init__(self) -> None:
        self.machine, self.now = LevelMachine(), 0.0

    def cycle(self, permille: int) -> None:
        self.now += 60.0
        self.machine.begin_cycle()
        for starting in (True, False, False):  # the ticker looks in between
            self.machine.take(used(permille), self.now, starting=starting)

    def cycles_at_one(self) -> int:
        """Fill until level 1, then empty; return how many cycles ran wholly at it."""
        while self.machine.level == 0:
            self.cycle(750)
        count = 0
        while self.machine.level == 1:
            count += 1
            self.cycle(100)
        return count - 1  # the last one began at level 1 and had left it before it went on


def test_flapping_doubles_the_dwell_up_to_its_most() -> None:
    flapping = Flapping()
    assert [flapping.cycles_at_one() for _ in range(7)] == pytest.approx([2, 4, 8, 16, 32, 32, 32], abs=1)
    assert flapping.machine.dwell_cycles == 32


def test_ten_quiet_minutes_make_the_dwell_short_again() -> None:
    flapping = Flapping()
    for _ in range(3):
        flapping.cycles_at_one()
    assert flapping.machine.dwell_cycles == 8
    for _ in range(11):
        flapping.cycle(100)
    flapping.cycles_at_one()
    assert flapping.machine.dwell_cycles == 2


def test_going_on_to_a_worse_level_is_no_flapping() -> None:
    flapping = Flapping()
    flapping.cycles_at_one()
    flapping.cycle(750)
    assert (flapping.machine.level, flapping.machine.dwell_cycles) == (1, 4)
    flapping.cycle(850)
    assert (flapping.machine.level, flapping.machine.dwell_cycles) == (2, 4)
    flapping.cycle(950)
    assert (flapping.machine.level, flapping.machine.dwell_cycles) == (3, 4)


@pytest.mark.parametrize(
    ("sample", "level", "reason"),
    [
        (used(750), 1, "rss"),
        (used(850), 2, "rss"),
        (used(950), 3, "rss"),
        (used(10, 0.2), 2, "psi"),
        (used(850, 0.2), 2, "rss"),
        (used(10, slowed=True), 3, "high_events"),
        (Sample(None, None, 0.5), 2, "psi"),
    ],
)
def test_a_step_names_the_signal_that_made_it(sample: Sample, level: int, reason: str) -> None:
    machine = LevelMachine()
    changes = [machine.take(sample, 0.0) for _ in range(2)]
    made = next(change for change in changes if change)
    assert (made.after, made.reason) == (level, reason)
