"""A day over its weekday's profile: the numbers are those of the days, and the day itself is not among them."""

from datetime import date, timedelta

import numpy as np
import pytest

from g6.errors import ConfigError
from g6.reports.overlay import overlay_of

FRIDAY = date(2026, 11, 20)


def by_minute(overlay, name):
    values = getattr(overlay, name).tolist()
    return {m: v for m, v in zip(overlay.minutes.tolist(), values, strict=True) if not np.isnan(v)}


def test_profile_is_that_of_the_earlier_days_alone(recorded):
    days = {1: {555: 100.0, 556: 10.0}, 2: {555: 300.0}, 3: {555: 200.0}, 4: {555: 500.0}, -1: {555: 9e5}}
    root = recorded(
        folded={FRIDAY - timedelta(weeks=w): totals for w, totals in days.items()}, today={555: 250.0, 600: 7}
    )
    overlay = overlay_of(root, "NIFTY", "this_week", "atm", FRIDAY)
    past = [500.0, 200.0, 300.0, 100.0]
    assert by_minute(overlay, "mean") == {555: np.mean(past), 556: 10.0}
    assert by_minute(overlay, "lowest") == {555: 100.0, 556: 10.0}
    assert by_minute(overlay, "highest") == {555: 500.0, 556: 10.0}
    assert by_minute(overlay, "band_low") == {555: np.percentile(past, 25), 556: 10.0}
    assert by_minute(overlay, "band_high") == {555: np.percentile(past, 75), 556: 10.0}
    smoothed = past[0]
    for value in past[1:]:
        smoothed = 0.8 * smoothed + 0.2 * value
    assert by_minute(overlay, "exponential")[555] == pytest.approx(smoothed, abs=1e-9)
    assert by_minute(overlay, "today") == {555: 250.0, 600: 7.0}
    assert (overlay.days, overlay.weekday, overlay.display_name) == (4, "Friday", "NIFTY 50")


def test_sentence_says_where_the_day_stands(recorded):
    history = {FRIDAY - timedelta(weeks=w): {555: 100.0 * w} for w in range(1, 6)}
    places = {
        50.0: "below all",
        150.0: "below their middle",
        300.0: "within",
        450.0: "above their middle",
        501.0: "above all",
    }
    for number, (value, place) in enumerate(places.items()):
        root = recorded(folded=history, today={555: value}, name=f"data{number}")
        said = str(overlay_of(root, "NIFTY", "this_week", "atm"))
        assert f"{value:.2f} at 09:15" in said
        assert f"{value / 300 - 1:+.1%} from the mean of 5 earlier Fridays, {place}" in said


def test_pair_is_the_mean_of_the_strikes_around_the_atm(recorded):
    root = recorded(folded={}, today={555: {"p1": 100.0, "m1": 151.0}})
    overlay = overlay_of(root, "NIFTY", "this_week", "p1m1")
    assert by_minute(overlay, "today") == {555: 125.5}
    assert "no earlier Friday" in str(overlay)


def test_day_without_minutes_still_shows_its_weekday(recorded):
    root = recorded(folded={FRIDAY - timedelta(weeks=1): {555: 100.0}}, today={})
    overlay = overlay_of(root, "NIFTY", "this_week", "atm", FRIDAY)
    assert overlay.last is None
    assert str(overlay).endswith("nothing recorded on the day, 1 earlier Fridays")


def test_day_in_hand_is_the_last_one_that_has_minutes(recorded):
    root = recorded(folded={FRIDAY - timedelta(weeks=1): {555: 100.0}}, today={555: 1.0})
    assert overlay_of(root, "NIFTY", "this_week", "atm").day == FRIDAY


def test_what_is_not_there_is_told_with_what_is(recorded, tmp_path):
    root = recorded(folded={FRIDAY - timedelta(weeks=1): {555: 100.0}}, today={555: {"p1": 2.0}})
    with pytest.raises(ConfigError, match=r"NIFTY this_week p9 .* its offsets are atm p1"):
        overlay_of(root, "NIFTY", "this_week", "p9")
    with pytest.raises(ConfigError, match="there are NIFTY this_week"):
        overlay_of(root, "SENSEX", "this_week", "atm")
    with pytest.raises(ConfigError, match="no weekday masters"):
        overlay_of(tmp_path / "nowhere", "NIFTY", "this_week", "atm")
