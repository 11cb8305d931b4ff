"""Minutes that are odd as a whole are found, with what makes them so; past oddities do not teach the model wrong."""

import builtins
from datetime import date, timedelta

import numpy as np
import pytest
from handmade_minutes import OPEN

from g6.anomalies.together import (
    COLUMNS,
    INSTALL,
    MEASURES,
    OPENING_MINUTES,
    Changes,
    Model,
    changes_of,
    days_before,
    findings,
    train,
)
from g6.errors import ConfigError

MINUTES = [OPEN + timedelta(minutes=number) for number in range(375)]
PREMIUM, IV = (list(MEASURES).index(name) for name in ("premium", "atm_iv"))
# Volatility and premium go together; all else is on its own.
CORRELATION = np.eye(len(MEASURES))
CORRELATION[PREMIUM, IV] = CORRELATION[IV, PREMIUM] = 0.95
SIZES = np.array([2e-4, 5e-3, 5e-3, 1e-3, 1e-3, 1e-3, 5e-2])


def day_of(seed: int) -> Changes:
    random = np.random.default_rng(seed)
    values = random.multivariate_normal(np.zeros(len(MEASURES)), CORRELATION, len(MINUTES)) * SIZES
    return Changes(MINUTES, values)


def with_change(day: Changes, row: int, deviations: dict[int, float]) -> Changes:
    values = day.values.copy()
    values[row] = 0.0
    for place, size in deviations.items():
        values[row, place] = size * SIZES[place]
    return Changes(day.minutes, values)


@pytest.fixture(scope="module")
def days() -> list[Changes]:
    return [day_of(seed) for seed in range(3)]


@pytest.fixture(scope="module")
def model(days: list[Changes]) -> Model:
    return train(days)


def test_a_minute_in_which_volatility_and_premium_part_is_found_though_neither_stands_out(model: Model) -> None:
    ordinary = day_of(99)
    odd = with_change(ordinary, 200, {PREMIUM: 2.5, IV: -2.5})
    together = with_change(ordinary, 200, {PREMIUM: 2.5, IV: 2.5})
    (found,) = [one for one in findings(model, odd, "NIFTY", "this_week") if one.minute == MINUTES[200]]
    assert found.series == "together"
    assert found.expiry is None
    assert {word.split()[0] for word in found.reason.split(": ", 1)[1].split(", ")[:2]} == {"premium", "atm_iv"}
    assert MINUTES[200] not in {one.minute for one in findings(model, together, "NIFTY", "this_week")}


def test_the_distance_is_mahalanobis(model: Model) -> None:
    """By scipy, of the model's own centre and covariance; and those are about what the minutes were drawn from."""
    from scipy.spatial.distance import mahalanobis

    day = day_of(50)
    inverse = np.linalg.inv(model.covariance)
    expected = [mahalanobis(row, model.centre, inverse) for row in day.values[:20]]
    np.testing.assert_allclose(model.distances(day)[:20], expected, rtol=1e-6)
    true = CORRELATION * np.outer(SIZES, SIZES)
    np.testing.assert_allclose(model.covariance / np.outer(SIZES, SIZES), true / np.outer(SIZES, SIZES), atol=0.2)


def test_past_oddities_move_the_model_hardly(days: list[Changes], model: Model) -> None:
    spoilt = [Changes(d.minutes, np.where(np.arange(375)[:, None] % 10 == 0, 50 * SIZES, d.values)) for d in days]
    ratio = np.diag(train(spoilt).covariance) / np.diag(model.covariance)
    assert ratio == pytest.approx(1.0, abs=0.3)


def test_the_same_days_make_the_same_model(days: list[Changes], model: Model) -> None:
    assert np.array_equal(train(days).covariance, model.covariance)


def test_hardly_a_minute_a_day_is_beyond_the_limit(days: list[Changes], model: Model) -> None:
    beyond = [int((model.distances(day) > model.limit).sum()) for day in (*days, day_of(20), day_of(21))]
    assert max(beyond) <= 1


def test_a_past_oddity_does_not_move_the_limit(days: list[Changes], model: Model) -> None:
    wild = with_change(days[0], 100, {IV: 1e4})
    assert train([wild, *days[1:]]).limit == pytest.approx(model.limit, rel=0.15)


def test_an_episode_is_told_once(model: Model) -> None:
    day = day_of(99)
    for row in (200, 201, 210, 250):
        day = with_change(day, row, {IV: 30.0})
    found = [one.minute for one in findings(model, day, "NIFTY", "this_week")]
    assert [minute for minute in found if minute in {MINUTES[r] for r in (200, 201, 210, 250)}] == [
        MINUTES[200], MINUTES[250],
    ]  # fmt: skip


def test_what_is_unknown_says_nothing_and_what_never_varies_is_left_out() -> None:
    days = [day_of(seed) for seed in range(2)]
    for day in days:
        day.values[:, list(MEASURES).index("spread")] = np.nan
        day.values[:, list(MEASURES).index("oi")] = 0.0
    model = train(days)
    assert [list(MEASURES)[place] for place in model.used] == ["spot", "atm_iv", "premium", "skew", "pcr"]
    unknown = Changes(MINUTES[:3], np.full((3, len(MEASURES)), np.nan))
    assert np.isnan(model.distances(unknown)).all()
    assert findings(model, unknown, "NIFTY", "this_week") == ()


@pytest.mark.parametrize("days", [[], [day_of(1)]])
def test_too_few_minutes_are_refused(days: list[Changes]) -> None:
    with pytest.raises(ConfigError, match="too few"):
        train(days)


def test_without_the_library_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: object, **more: object) -> object:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ConfigError, match="pip install"):
        train([day_of(1), day_of(2)])
    assert "\n" not in INSTALL


DAYS_TO_EXPIRY = 4.0
# Changes of the opening are left out: the minutes that are looked at come after it.
FIRST = OPENING_MINUTES + 1


def columns_of(count: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    return {name: np.exp(0.01 * random.standard_normal(count)) for name in COLUMNS} | {
        "atm_strike": np.ones(count), "days_to_expiry": np.full(count, DAYS_TO_EXPIRY),
    }  # fmt: skip


def test_changes_are_logarithms_of_sums_and_plain_for_the_skew_over_one_over_root_time() -> None:
    columns = columns_of(FIRST + 2)
    found = changes_of(MINUTES[: FIRST + 2], columns)
    assert found.minutes == MINUTES[FIRST : FIRST + 2]
    values = dict(zip(MEASURES, found.values.T, strict=True))
    oi = columns["call_oi"] + columns["put_oi"]
    assert values["oi"] == pytest.approx(np.diff(np.log(oi))[-2:])
    assert values["spot"] == pytest.approx(np.diff(np.log(columns["spot"]))[-2:])
    assert values["premium"] == pytest.approx(np.diff(np.log(columns["straddle"]))[-2:] * 2)
    assert values["skew"] == pytest.approx(np.diff(columns["risk_reversal_25"])[-2:] * 2)


def test_strikes_that_come_and_go_with_the_atm_are_not_taken_for_changes() -> None:
    columns = columns_of(FIRST + 2)
    columns["atm_strike"] = np.where(np.arange(FIRST + 2) < FIRST, 24000.0, 24050.0)
    values = changes_of(MINUTES[: FIRST + 2], columns).values
    assert [name for name, value in zip(MEASURES, values[0], strict=True) if np.isnan(value)] == [
        "atm_iv", "premium", "oi", "pcr", "spread",
    ]  # fmt: skip
    assert np.isfinite(values[1]).all()


def test_a_change_over_a_gap_counts_by_the_root_of_its_minutes_and_not_over_a_long_one() -> None:
    columns = columns_of(FIRST + 2)
    minutes = [*MINUTES[:FIRST], MINUTES[FIRST + 3], MINUTES[FIRST + 20]]
    found = changes_of(minutes, columns).values
    logs = np.log(columns["spot"])
    assert found[0, 0] == pytest.approx((logs[FIRST] - logs[FIRST - 1]) / 2)
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("count", [0, 1, OPENING_MINUTES])
def test_a_day_of_hardly_a_minute_has_no_changes(count: int) -> None:
    assert len(changes_of(MINUTES[:count], columns_of(count))) == 0


def test_the_day_of_expiry_is_left_out() -> None:
    columns = columns_of(FIRST + 2)
    columns["days_to_expiry"] = np.where(np.arange(FIRST + 2) <= FIRST, 1.0005, 0.9999)
    assert changes_of(MINUTES[: FIRST + 2], columns).minutes == [MINUTES[FIRST]]


def test_only_days_before_are_learned_from() -> None:
    days = [date(2026, 11, d) for d in (16, 17, 18, 19, 20)]
    assert days_before(days, days[3], 2) == days[1:3]
