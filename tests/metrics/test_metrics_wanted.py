"""What did not come counts as lost also in a minute that could not even be planned."""

from collections.abc import Callable

import pytest

from g6.metrics.instruments import Instruments
from g6.metrics.observe import Observer
from g6.model.report import CycleReport, IndexReport
from g6.model.snapshot import Refusal

INDICES = ("NIFTY", "SENSEX")
Reports = Callable[..., CycleReport]
Indices = Callable[..., IndexReport]


def nothing_of(index: str, reason: str) -> IndexReport:
    """An index of a minute in which the broker, or its level, did not answer."""
    return IndexReport(index, float("nan"), False, (), 0, 0, (), (Refusal(index, "", (), reason, "…"),))


@pytest.fixture
def legs(instruments: Instruments) -> Callable[[str], tuple[float | None, float | None]]:
    def read(index: str) -> tuple[float | None, float | None]:
        words = ("expected", "received")
        sample = instruments.registry.get_sample_value
        return tuple(sample(f"g6_legs_{word}_total", {"index": index}) for word in words)  # type: ignore[return-value]

    return read


def failed(report: Reports) -> CycleReport:
    return report(indices=tuple(nothing_of(name, "unreachable") for name in INDICES), error="unreachable")


def test_a_minute_that_fails_wants_what_the_last_plan_wanted(
    observer: Observer, report: Reports, one_index: Indices, legs: Callable[[str], object]
) -> None:
    """Nine of 21 minutes fail: the share that came is that of twelve minutes in 21, not all."""
    good = report(
        indices=(one_index("NIFTY", expected=200, received=200), one_index("SENSEX", expected=80, received=80))
    )
    for minute in range(21):
        observer.cycle(failed(report) if minute in range(5, 14) else good)
    assert legs("NIFTY") == (21 * 200, 12 * 200)
    assert legs("SENSEX") == (21 * 80, 12 * 80)


def test_an_index_without_a_level_is_lost_beside_one_that_came(
    observer: Observer,
    instruments: Instruments,
    report: Reports,
    one_index: Indices,
    legs: Callable[[str], object],
) -> None:
    nifty = one_index("NIFTY", expected=200, received=200)
    observer.cycle(report(indices=(nifty, one_index("SENSEX", expected=80, received=80))))
    observer.cycle(report(indices=(nifty, nothing_of("SENSEX", "no_spot"))))
    assert (legs("NIFTY"), legs("SENSEX")) == ((400, 400), (160, 80))
    assert instruments.registry.get_sample_value("g6_index_expected_codes_mask", {"index": "SENSEX"}) == 15
    assert instruments.registry.get_sample_value("g6_index_collected_codes_mask", {"index": "SENSEX"}) == 0


def test_what_was_never_planned_or_is_not_in_session_is_not_lost(
    observer: Observer, report: Reports, one_index: Indices, legs: Callable[[str], object]
) -> None:
    observer.cycle(failed(report))
    assert (legs("NIFTY"), legs("SENSEX")) == ((0, 0), (0, 0))
    observer.cycle(
        report(indices=(one_index("NIFTY", expected=9, received=9), one_index("SENSEX", expected=8, received=8)))
    )
    observer.cycle(report(indices=(nothing_of("NIFTY", "unreachable"),)))  # an evening of one exchange
    assert (legs("NIFTY"), legs("SENSEX")) == ((18, 9), (8, 8))


def test_a_minute_that_broke_altogether_wants_what_the_one_before_wanted(
    observer: Observer, report: Reports, one_index: Indices, legs: Callable[[str], object]
) -> None:
    observer.cycle(report(indices=(one_index("NIFTY", expected=9, received=9),)))
    observer.cycle(report(indices=(), journal=None, error="KeyError: 1"))
    assert legs("NIFTY") == (18, 9)


def test_minutes_lost_by_an_overrun_are_wanted_and_those_of_a_closed_market_or_a_set_clock_are_not(
    observer: Observer, report: Reports, one_index: Indices, legs: Callable[[str], object]
) -> None:
    observer.cycle(report(indices=(one_index("NIFTY", expected=9, received=9),)))
    observer.skipped("overrun", 2)
    assert legs("NIFTY") == (27, 9)
    observer.skipped("closed")
    observer.skipped("clock", 30)
    assert legs("NIFTY") == (27, 9)


def test_a_process_that_begins_in_an_outage_wants_what_the_one_before_wanted(
    observer: Observer, report: Reports, one_index: Indices, legs: Callable[[str], object]
) -> None:
    observer.recalled([one_index("NIFTY", expected=9, received=9)])
    assert legs("NIFTY") == (0, 0)
    observer.cycle(failed(report))
    assert legs("NIFTY") == (9, 0)
