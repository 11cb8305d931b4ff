"""The profile of a weekday: what its days so far amount to, minute by minute. Pure; a day enters it once.

A profile is a function of its days in the order of their dates. n, sum, min and max would be the same in any order;
the exponential mean is not, and a day that comes late or changes has the profile made anew from all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from g6.masters.totals import ABSENT, Totals, joined, spread, with_pairs
from g6.model.columns import Floats, Ints

SMOOTHING = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Per label (row) and minute (column): days, and the sum, lowest, highest and exponential mean of their totals.

    Ten-thousandths of a rupee. Where `n` is 0 nothing was ever there and the others are 0.
    """

    labels: tuple[str, ...]
    minutes: Ints
    n: Ints
    total: Ints
    lowest: Ints
    highest: Ints
    exponential: Floats

    @property
    def mean(self) -> Floats:
        """Return the plain mean; NaN where there are no days."""
        with np.errstate(invalid="ignore"):
            return self.total / np.where(self.n == 0, np.nan, self.n)


def _empty() -> Profile:
    nothing: Ints = np.zeros((0, 0), np.int64)
    return Profile((), np.zeros(0, np.int64), nothing, nothing, nothing, nothing, nothing.astype(np.float64))


EMPTY = _empty()


def fold(profile: Profile, day: Totals, smoothing: float = SMOOTHING) -> Profile:
    """Return the profile with one more, later day in it.

    The exponential mean begins with the first day's total and then moves by `smoothing`, 0 to 1, of the way to each
    new one (simple exponential smoothing; R. G. Brown, Smoothing, Forecasting and Prediction, 1963).
    """
    day = with_pairs(day)
    labels, minutes = joined([profile.labels, day.labels]), np.union1d(profile.minutes, day.minutes)
    totals = spread(day.values, day.labels, day.minutes, labels, minutes)
    return entered(_grown(profile, labels, minutes), totals, smoothing)


def entered(before: Profile, totals: Ints, smoothing: float = SMOOTHING) -> Profile:
    """Return the profile with one more, later day in it, whose totals are on the profile's own grid."""
    here, new = totals != ABSENT, before.n == 0
    value = np.where(here, totals, 0)
    moved = np.where(new, value, before.exponential + smoothing * (value - before.exponential))
    return Profile(
        before.labels,
        before.minutes,
        n=before.n + here,
        total=before.total + value,
        lowest=np.where(here & (new | (value < before.lowest)), value, before.lowest),
        highest=np.where(here & (new | (value > before.highest)), value, before.highest),
        exponential=np.where(here, moved, before.exponential),
    )


def profile_of(days: Iterable[Totals], smoothing: float = SMOOTHING) -> Profile:
    """Return the profile of days given in the order of their dates."""
    profile = EMPTY
    for day in days:
        profile = fold(profile, day, smoothing)
    return profile


def _grown(profile: Profile, labels: tuple[str, ...], minutes: Ints) -> Profile:
    """Return a profile on a larger grid, with no days where it is new."""
    if labels == profile.labels and np.array_equal(minutes, profile.minutes):
        return profile
    place = {label: row for row, label in enumerate(labels)}
    rows = np.array([place[label] for label in profile.labels], np.int64)
    at = np.ix_(rows, np.searchsorted(minutes, profile.minutes))

    def grown(column: Ints) -> Ints:
        larger = np.zeros((len(labels), len(minutes)), np.int64)
        larger[at] = column
        return larger

    exponential = np.zeros((len(labels), len(minutes)))
    exponential[at] = profile.exponential
    return Profile(
        labels,
        minutes,
        n=grown(profile.n),
        total=grown(profile.total),
        lowest=grown(profile.lowest),
        highest=grown(profile.highest),
        exponential=exponential,
    )
