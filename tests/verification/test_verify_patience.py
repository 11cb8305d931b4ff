"""A database that is still owed minutes is waited for, a little, and is not blamed for what it never was given."""

from datetime import date, datetime

import pytest

from g6.clock import IST, VirtualClock
from g6.errors import BadResponse, TransientError
from g6.verification.patience import patiently
from g6.verification.result import Comparison, StoredCounts

DAY = date(2026, 11, 20)
LACKS = Comparison(10, 2, ("option_data NIFTY: 8 of 10 points",))
WHOLE = Comparison(10, 0)


class Asked:
    """A comparison that answers one after the other, the last one for ever, on a clock that jumps."""

    def __init__(self, *answers, owed=0):
        self.clock = VirtualClock(datetime(2026, 11, 20, 15, 41, tzinfo=IST), float("inf"))
        self.answers, self.owed, self.count = list(answers), owed, 0

    def compare(self, day, counts):
        self.count += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def patiently(self, seconds):
        return patiently(self.compare, lambda day: self.owed, self.clock, seconds)(DAY, StoredCounts())


def test_a_store_that_agrees_is_asked_once():
    asked = Asked(WHOLE, owed=3)
    assert asked.patiently(10) == WHOLE
    assert (asked.count, asked.clock.elapsed()) == (1, 0)


def test_a_store_that_catches_up_in_time_agrees():
    asked = Asked(LACKS, LACKS, LACKS, WHOLE, owed=3)
    assert asked.patiently(10) == WHOLE
    assert asked.clock.elapsed() <= 10


@pytest.mark.parametrize("seconds", [0.0, 0.5, 10.0])
def test_what_is_owed_when_patience_ends_is_not_judged_but_said(seconds):
    asked = Asked(LACKS, owed=3)
    found = asked.patiently(seconds)
    assert (found.compared, found.differing, found.error) == (0, 0, None)
    assert found.unjudged.startswith("3 minutes are not confirmed yet: option_data NIFTY: 8 of 10 points; ")
    assert "g6 verify --date 2026-11-20" in found.unjudged
    assert asked.clock.elapsed() == seconds


def test_what_differs_although_nothing_is_owed_differs_at_once():
    asked = Asked(LACKS)
    assert asked.patiently(10) == LACKS
    assert asked.clock.elapsed() == 0


def test_a_store_that_does_not_answer_is_not_waited_for_and_not_judged():
    asked = Asked(TransientError("cannot reach it"), owed=20)
    found = asked.patiently(10)
    assert found.unjudged.startswith("20 minutes are not confirmed yet: cannot reach it; ")
    assert (asked.count, asked.clock.elapsed()) == (1, 0)


def test_an_answer_that_makes_no_sense_is_the_callers():
    with pytest.raises(BadResponse):
        Asked(BadResponse("what?"), owed=1).patiently(10)


def test_a_store_that_is_not_judged_costs_nothing_and_is_named(day):
    owing = Comparison(0, 0, unjudged="3 minutes are not confirmed yet")
    verification = day.verify(stores={"influx": lambda *_: owing})
    assert verification.score == 100.0
    assert [part.checked for part in verification.parts if part.name == "influx"] == [False]
    assert verification.unjudged == ("influx: 3 minutes are not confirmed yet",)
