"""A day that was not verified, or was not good enough, does not leave the disk."""

from datetime import date

import pytest

from g6.verification import report_file
from g6.verification.holds import unverified, verification_hold

DAY = date(2026, 11, 20)


def hold(day, minimum=95.0, *, required=True):
    return verification_hold(day.root, minimum, required=required)(DAY)


def test_a_day_that_was_never_verified_is_held_where_that_is_required(day):
    assert "never verified" in hold(day)
    assert hold(day, required=False) is None
    assert unverified(day.root, DAY)


def test_a_day_that_was_good_enough_is_let_go(day):
    report_file.store(day.root, day.verify())
    assert hold(day, 100.0) is None
    assert not unverified(day.root, DAY)


@pytest.mark.parametrize("required", [True, False])
def test_a_day_below_the_threshold_is_held_and_says_by_how_much(day, required):
    day.forget(4, 5)
    report_file.store(day.root, day.verify())
    assert hold(day, 90.0, required=required) is None
    assert "at 90, below 90.01" in hold(day, 90.01, required=required)


def test_a_report_on_half_a_day_is_none(day, at):
    report_file.store(day.root, day.verify(now=at(13)))
    assert "only until 10:11" in hold(day)
    assert unverified(day.root, DAY)


def test_a_report_that_cannot_be_read_holds(day):
    report_file.store(day.root, day.verify()).write_text("{")
    assert "is no verification" in hold(day, required=False)
    assert unverified(day.root, DAY)
