"""Totals are whole numbers; pairs follow from them; equal days are equal arrays, and bytes give back what they were."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.masters.encoding import (
    decode_profile,
    decode_tick,
    decode_totals,
    encode_profile,
    encode_tick,
    encode_totals,
)
from g6.masters.profile import profile_of
from g6.masters.totals import ABSENT, Group, Totals, day_totals, overlaid, with_pairs
from g6.storage.encoding import DamagedRecord

GROUP = Group("NIFTY", "this_week")
OTHER = Group("SENSEX", "next_week")
LABELS = ("m2", "m1", "atm", "p1", "p2")

prices = st.integers(-(10**9), 10**9)
ticks = st.dictionaries(
    st.integers(555, 570),
    st.dictionaries(st.sampled_from([GROUP, OTHER]), st.dictionaries(st.sampled_from(LABELS), prices)),
)


def flat(totals):
    """Every total by (group, label, minute)."""
    return {
        (group, label, int(minute)): int(value)
        for group, of_group in totals.items()
        for label, row in zip(of_group.labels, of_group.values, strict=True)
        for minute, value in zip(of_group.minutes, row, strict=True)
        if value != ABSENT
    }


def flat_ticks(minutes):
    return {
        (group, label, minute): value
        for minute, tick in minutes.items()
        for group, totals in tick.items()
        for label, value in totals.items()
    }


@settings(deadline=None)
@given(ticks)
def test_day_has_every_total_of_its_minutes_and_no_other(minutes):
    assert flat(day_totals(minutes)) == flat_ticks(minutes)


@settings(deadline=None)
@given(ticks, ticks)
def test_newer_minutes_replace_older_ones_as_a_whole(older, newer):
    assert flat(overlaid(day_totals(older), newer)) == flat_ticks({**older, **newer})


@settings(deadline=None)
@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_pair_is_the_mean_of_above_and_below_and_a_half_goes_to_the_even_number(above, below):
    totals = day_totals({555: {GROUP: {"p1": above, "m1": below, "atm": 7}}})[GROUP]
    (mean,) = with_pairs(totals).row("p1m1").tolist()
    assert mean == round(Fraction(above + below, 2))  # Python rounds a half to the even number


def test_pair_is_there_only_where_both_strikes_are():
    day = day_totals(
        {
            555: {GROUP: {"p1": 100, "m1": 300, "p2": 50}},
            556: {GROUP: {"p1": 100}},
            557: {GROUP: {"m1": 300, "m3": 1}},
        }
    )
    paired = with_pairs(day[GROUP])
    assert paired.labels == ("m3", "m1", "p1", "p2", "p1m1")
    assert paired.row("p1m1").tolist() == [200, ABSENT, ABSENT]


def test_labels_stand_in_the_order_of_strikes():
    day = day_totals({555: {GROUP: dict.fromkeys(("p10", "atm", "m2", "p2", "m10"), 1)}})
    assert with_pairs(day[GROUP]).labels == ("m10", "m2", "atm", "p2", "p10", "p2m2", "p10m10")


def test_what_is_absent_throughout_is_left_out():
    values = np.array([[ABSENT, ABSENT], [ABSENT, 5]])
    totals = Totals.of(("atm", "p1"), np.array([555, 556]), values)
    assert (totals.labels, totals.minutes.tolist(), totals.values.tolist()) == (("p1",), [556], [[5]])


@settings(deadline=None)
@given(ticks)
def test_bytes_give_back_what_they_were_made_of(minutes):
    for tick in minutes.values():
        assert decode_tick(encode_tick(tick)) == tick
    for totals in day_totals(minutes).values():
        read = decode_totals(encode_totals(totals))
        assert flat({GROUP: read}) == flat({GROUP: totals})
        assert encode_totals(read) == encode_totals(totals)
        profile = profile_of([totals, totals])
        read_profile = decode_profile(encode_profile(profile))
        for column in ("n", "total", "lowest", "highest", "exponential", "minutes"):
            assert np.array_equal(getattr(read_profile, column), getattr(profile, column))


@pytest.mark.parametrize("read", [decode_tick, decode_totals, decode_profile])
def test_damaged_bytes_are_refused(read):
    payload = bytearray(encode_totals(day_totals({555: {GROUP: {"atm": 12345}}})[GROUP]))
    payload[len(payload) // 2] ^= 0x10
    with pytest.raises(DamagedRecord):
        read(bytes(payload))
    with pytest.raises(DamagedRecord):
        read(b"")
