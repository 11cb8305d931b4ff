"""A profile is what pandas makes of the same days, and it does not matter how they arrived."""

import numpy as np
import pandas as pd
import pytest

from g6.masters.profile import EMPTY, fold, profile_of
from g6.masters.totals import Group, day_totals

GROUP = Group("NIFTY", "this_week")
LABELS = ("m1", "atm", "p1")


def some_days(seed):
    """Up to six days, each with some minutes and some strikes."""
    random = np.random.default_rng(seed)
    days = []
    for _ in range(random.integers(1, 7)):
        minutes = random.choice(np.arange(555, 561), random.integers(1, 6), replace=False).tolist()
        strikes = {m: random.choice(LABELS, random.integers(1, 4), replace=False).tolist() for m in minutes}
        days.append({m: {label: int(random.integers(0, 10**7)) for label in strikes[m]} for m in minutes})
    return days


def totals_of(minutes):
    return day_totals({minute: {GROUP: tick} for minute, tick in minutes.items()})[GROUP]


def cell(profile, column, label, minute):
    return getattr(profile, column)[profile.labels.index(label), profile.minutes.tolist().index(minute)]


@pytest.mark.parametrize("smoothing", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("seed", range(8))
def test_profile_is_what_pandas_makes_of_the_days(seed, smoothing):
    days = some_days(seed)
    profile = profile_of([totals_of(minutes) for minutes in days], smoothing)
    seen = pd.DataFrame(
        [
            (n, label, m, v)
            for n, minutes in enumerate(days)
            for m, tick in minutes.items()
            for label, v in tick.items()
        ],
        columns=["day", "label", "minute", "value"],
    )
    for (label, minute), values in seen.groupby(["label", "minute"])["value"]:
        assert cell(profile, "n", label, minute) == len(values)
        assert cell(profile, "total", label, minute) == values.sum()
        assert cell(profile, "mean", label, minute) == pytest.approx(values.mean(), rel=1e-15)
        assert cell(profile, "lowest", label, minute) == values.min()
        assert cell(profile, "highest", label, minute) == values.max()
        expected = values.ewm(alpha=smoothing, adjust=False).mean().iloc[-1]
        assert cell(profile, "exponential", label, minute) == pytest.approx(expected, rel=1e-12)
    bases = [label in LABELS for label in profile.labels]
    assert profile.n[bases].sum() == len(seen)


def test_minute_that_a_day_lacks_keeps_what_the_days_before_said():
    first, second = totals_of({555: {"atm": 100}, 556: {"atm": 200}}), totals_of({555: {"atm": 300}})
    profile = fold(fold(EMPTY, first, 0.5), second, 0.5)
    assert profile.n.tolist() == [[2, 1]]
    assert profile.exponential.tolist() == [[200.0, 200.0]]
    assert profile.lowest.tolist() == [[100, 200]]


def test_pairs_have_profiles_of_their_own():
    days = [
        totals_of({555: {"p1": 100, "m1": 300}}),
        totals_of({555: {"p1": 100}}),
        totals_of({555: {"m1": 2, "p1": 4}}),
    ]
    profile = profile_of(days)
    assert profile.labels == ("m1", "p1", "p1m1")
    assert cell(profile, "n", "p1m1", 555) == 2
    assert cell(profile, "total", "p1m1", 555) == 203


def test_mean_of_no_days_is_nan():
    profile = profile_of([totals_of({555: {"atm": 1}, 556: {"p1": 2}})])
    assert np.isnan(cell(profile, "mean", "atm", 556))
