"""Numbers as a person reads them: never nan, never rounded into a lie, never with a vendor's control characters."""

import math
from datetime import date, datetime

import numpy as np
import pytest

from g6.clock import IST
from g6.console.figures import (
    countdown,
    counted,
    day,
    duration,
    elapsed,
    instant,
    number,
    percent,
    percentile,
    plain,
    size,
    sparkline,
)  # fmt: skip

NOW = datetime(2026, 11, 20, 15, 31, tzinfo=IST)


@pytest.mark.parametrize("show", [number, percent, size, duration])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_known_is_a_dash(show, value):
    assert show(value) == "-"


@pytest.mark.parametrize(
    ("ratio", "decimals", "text"),
    [(1, 0, "100%"), (0.99999, 0, "99%"), (0.29, 0, "29%"), (0.9999, 1, "99.9%"), (0.995, 1, "99.5%"),
     (0.004, 0, "<1%"), (0.0004, 1, "<0.1%"), (0, 0, "0%"), (1.31, 0, "131%")],
)  # fmt: skip
def test_a_share_is_whole_only_if_it_is(ratio, decimals, text):
    assert percent(ratio, decimals) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0.0 kB"), (999, "1.0 kB"), (47_400, "47 kB"), (999_400, "999 kB"), (1_000_000, "1.0 MB"),
     (212e6, "212 MB"), (1.7e9, "1.7 GB"), (120.4e9, "120 GB"), (2.5e12, "2.5 TB")],
)  # fmt: skip
def test_sizes_have_two_or_three_digits(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0004, "0 ms"), (0.041, "41 ms"), (0.099, "99 ms"), (0.0996, "0.10 s"), (0.284, "0.28 s"), (9.99, "9.99 s"),
     (9.996, "10 s"), (59.4, "59 s"), (59.6, "1 min"), (3599, "1 h 00 min"), (21_960, "6 h 06 min"),
     (234_000, "2 d 17 h")],
)  # fmt: skip
def test_durations_have_the_units_that_matter(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "left", "past"),
    [(0, "0 s", "0 s"), (0.2, "1 s", "0 s"), (59.5, "60 s", "59 s"), (60, "60 s", "60 s"), (61, "2 min", "61 s"),
     (3600, "1 h 00 min", "1 h 00 min"), (3601, "1 h 01 min", "1 h 00 min")],
)  # fmt: skip
def test_what_is_left_is_rounded_up_and_what_has_passed_down(seconds, left, past):
    assert (countdown(seconds), elapsed(seconds)) == (left, past)


def test_an_instant_says_its_day_where_that_is_not_today():
    assert instant(NOW, NOW) == "15:31"
    assert instant(NOW.replace(day=19), NOW) == "Thu 19 Nov 15:31"
    assert day(date(2027, 1, 28), NOW.date()) == "Thu 28 Jan 27"


def test_nouns_follow_their_number():
    assert [counted(n, "minute") for n in (0, 1, 1240)] == ["0 minutes", "1 minute", "1,240 minutes"]
    assert counted(2, "index", "indices") == "2 indices"


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("count", [1, 2, 19, 20, 60])
def test_percentiles_are_those_of_numpys_inverted_cdf(share, count):
    values = list(np.random.default_rng(6).random(count))
    assert percentile(values, share) == np.quantile(values, share, method="inverted_cdf")


def test_a_percentile_of_nothing_is_nothing():
    assert percentile([], 0.5) is None
    assert percentile([math.nan], 0.5) is None


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_sparkline_is_as_long_as_its_values_and_never_falls_where_they_rise(ascii_only):
    bars = sparkline([i / 10 for i in range(80)], 60, ascii_only=ascii_only)
    assert len(bars) == 60
    order = "_.-:=+*#" if ascii_only else "▁▂▃▄▅▆▇█"
    heights = [order.index(bar) for bar in bars]
    assert heights == sorted(heights)
    assert heights[-1] == len(order) - 1
    assert bars.isascii() == ascii_only


def test_a_sparkline_starts_at_zero_and_leaves_out_what_is_not_known():
    assert sparkline([0.0, math.nan, 1.0], 10, ascii_only=True) == "_ #"
    assert sparkline([0.0, 0.0], 10, ascii_only=True) == "__"
    assert sparkline([1.0], 0, ascii_only=True) == ""
    steady = sparkline([0.9, 1.0, 0.95], 10, ascii_only=True)
    assert set(steady) <= {"*", "#"}, "small differences of large values are small"


def test_foreign_texts_become_one_printable_line():
    assert plain("a\x1b[2Jb\r\nc\u200bd", ascii_only=False) == "a [2Jb  c d"
    assert plain("σ – “naïve” → …", ascii_only=True) == '? - "na?ve" -> ...'
    assert plain("σ – naïve", ascii_only=False) == "σ – naïve"
