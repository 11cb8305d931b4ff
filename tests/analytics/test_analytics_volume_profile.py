"""The volume profile against the rule of the value area taken step by step, and worked profiles."""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.analytics import aggregate
from g6.analytics.conventions import Conventions
from g6.analytics.volume_profile import VOLUME_PROFILE, profile_of
from g6.clock import IST
from g6.model.chain import OptionChain

DEFAULT = Conventions()
NAN = math.nan
AT = datetime(2026, 11, 20, 10, tzinfo=IST)


def chain_of(by_strike, spot=24000.0, **changes):
    """Half of each strike's volume is the call's."""
    strikes = sorted(by_strike)
    n = 2 * len(strikes)
    fields = {
        "index": "NIFTY", "expiry": AT.date(), "codes": (), "spot": spot, "spot_frozen": False, "at": AT,
        "expires_at": AT + timedelta(days=4), "expected": n, "lot": 65,
        "strike": np.repeat(np.array(strikes, float), 2), "is_call": np.tile([True, False], len(strikes)),
        "answered": np.ones(n), "volume": np.repeat([by_strike[strike] / 2 for strike in strikes], 2),
    }  # fmt: skip
    return OptionChain(**(fields | changes))


def step_by_step(volumes, peak, share):
    """The value area by its own rule."""
    low = high = peak
    held, enough = volumes[peak], share * sum(volumes)
    while held < enough and high - low + 1 < len(volumes):
        below = volumes[low - 1] if low > 0 else -1
        above = volumes[high + 1] if high + 1 < len(volumes) else -1
        if below >= above:
            low, held = low - 1, held + below
        else:
            high, held = high + 1, held + above
    return low, high


whole = st.integers(0, 40) | st.integers(0, 10**7)


@given(st.lists(whole.map(lambda n: 2.0 * n), min_size=1, max_size=30), st.integers(1, 64))
def test_the_value_area_is_what_growing_it_step_by_step_gives(volumes, sixty_fourths):
    share = sixty_fourths / 64  # exact, so that "enough" is no matter of rounding
    strikes = [23000.0 + 50 * place for place in range(len(volumes))]
    profile = profile_of(chain_of(dict(zip(strikes, volumes, strict=True))), share)
    if not sum(volumes):
        assert all(math.isnan(value) for value in profile)
        return
    peak = strikes.index(profile.peak)
    assert volumes[peak] == max(volumes)
    low, high = step_by_step(volumes, peak, share)
    assert (profile.low, profile.high) == (strikes[low], strikes[high])
    mean = sum(k * v for k, v in zip(strikes, volumes, strict=True)) / sum(volumes)
    assert profile.mean == pytest.approx(mean, rel=1e-12)


def test_a_worked_profile():
    # Of 1000 units 700 are wanted: 300, then 200 above, 150 below, 100 below.
    volumes = {23850.0: 20, 23900.0: 100, 23950.0: 150, 24000.0: 300, 24050.0: 200, 24100.0: 90, 24150.0: 140}
    profile = profile_of(chain_of(volumes), 0.7)
    assert (profile.peak, profile.low, profile.high) == (24000.0, 23900.0, 24050.0)


def test_a_strike_behind_a_quiet_one_waits_for_it():
    volumes = {23950.0: 30, 24000.0: 100, 24050.0: 10, 24100.0: 90}
    profile = profile_of(chain_of(volumes), 0.55)
    assert (profile.low, profile.high) == (23950.0, 24000.0)


def test_of_peaks_alike_the_nearest_to_the_reference_is_the_point_of_control():
    volumes = {23900.0: 500, 24000.0: 10, 24100.0: 500}
    assert profile_of(chain_of(volumes, spot=24020.0), 0.7).peak == 24100.0
    assert profile_of(chain_of(volumes, spot=23990.0), 0.7).peak == 23900.0
    frozen = chain_of(volumes, spot=23990.0, spot_frozen=True, forward=24060.0)
    assert profile_of(frozen, 0.7).peak == 24100.0


@pytest.mark.parametrize("spot", [24000.0, NAN])
def test_one_strike_is_all_of_its_profile(spot):
    assert profile_of(chain_of({24000.0: 650}, spot), 0.7) == (24000.0,) * 4


def test_neither_the_order_of_legs_nor_the_lot_changes_a_profile():
    rng = np.random.default_rng(3)
    chain = chain_of({23000.0 + 50 * place: 2.0 * n for place, n in enumerate(rng.integers(0, 999, 40))})
    order = rng.permutation(len(chain))
    columns = ("strike", "is_call", "answered", "volume")
    shuffled = replace(chain, **{name: getattr(chain, name)[order] for name in columns})
    larger = replace(chain, volume=chain.volume * 75)
    assert profile_of(shuffled, 0.7) == profile_of(chain, 0.7) == pytest.approx(profile_of(larger, 0.7))


def test_a_larger_share_never_has_a_smaller_area():
    rng = np.random.default_rng(4)
    chain = chain_of({23000.0 + 50 * place: 2.0 * n for place, n in enumerate(rng.integers(0, 999, 40))})
    areas = [profile_of(chain, share / 100) for share in range(1, 101)]
    assert all(a.low >= b.low and a.high <= b.high for a, b in pairwise(areas))
    assert (areas[-1].low, areas[-1].high) == (23000.0, 24950.0)


def test_unknown_volumes_count_for_nothing_and_puts_may_be_missing():
    chain = chain_of({23950.0: 20, 24000.0: 100})
    holes = chain.volume.copy()
    holes[0] = NAN
    assert profile_of(replace(chain, volume=holes), 0.7).mean == pytest.approx((23950 * 10 + 24000 * 100) / 110)
    calls = chain.is_call
    only = replace(chain, **{name: getattr(chain, name)[calls] for name in ("strike", "is_call", "answered")},
                   **{name: getattr(chain, name)[calls] for name in chain_columns(chain)})  # fmt: skip
    assert profile_of(only, 0.7).peak == 24000.0


def chain_columns(chain):
    n = len(chain)
    names = type(chain).__slots__
    arrays = {name for name in names if isinstance(getattr(chain, name), np.ndarray) and len(getattr(chain, name)) == n}
    return arrays - {"strike", "is_call", "answered"}


def test_the_area_of_real_chains_holds_its_share_and_its_peak(nse_chains):
    seen = 0
    for chain in nse_chains("NIFTY_20251205_153000.json.gz"):
        told = aggregate(chain, DEFAULT, VOLUME_PROFILE).aggregates
        if not chain.volume.sum() > 0:
            assert all(math.isnan(value) for value in told.values())
            continue
        inside = (chain.strike >= told["value_area_low"]) & (chain.strike <= told["value_area_high"])
        assert chain.volume[inside].sum() >= 0.7 * chain.volume.sum()
        assert told["value_area_low"] <= told["volume_poc"] <= told["value_area_high"]
        assert told["volume_weighted_strike"] == pytest.approx(np.average(chain.strike, weights=chain.volume))
        seen += 1
    assert seen > 5


def test_an_empty_chain_has_no_profile():
    assert all(math.isnan(value) for value in profile_of(chain_of({}), 0.7))
