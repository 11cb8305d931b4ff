"""On the simulator's normal days there is next to nothing to tell; what is put into one is found."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from handmade_minutes import snapshot_of
from simulated_days import Days

from g6.anomalies.readings import SPREAD
from g6.anomalies.watch import Watch
from g6.model.anomaly import SERIES, Anomaly
from g6.model.chain import OptionChain
from g6.model.snapshot import Snapshot

WEDNESDAY = date(2026, 6, 3)  # no expiry of NIFTY
ODD_MINUTE = 45


def watched(root: Path, day: date, minutes: Sequence[Snapshot]) -> list[Anomaly]:
    watch, found = Watch(root), []
    watch.begin(day)
    for snapshot in minutes:
        found += watch.judge(snapshot)
        watch.remember(snapshot)
    return found


@pytest.fixture(scope="module")
def ordinary() -> list[Snapshot]:
    return Days(1).minutes(WEDNESDAY, last=70)


def bent(chain: OptionChain, series: str, ratio: float) -> OptionChain:
    """Return the chain with a third more of one of its series; `ratio` is the put-call ratio before."""
    said = dict(chain.aggregates)
    if series == "atm_iv":
        return replace(chain, iv=chain.iv * 1.33)
    if series == "premium":
        return replace(chain, last=chain.last * 1.33)
    if series == "spread":
        return replace(chain, aggregates=said | {SPREAD: said[SPREAD] * 5})
    share = 0.75 if series == "pcr" else 1.33  # fewer calls and as many more puts
    more = np.where(chain.is_call, share, 1.33 if series == "oi" else 1 + 0.25 / ratio)
    return replace(chain, oi=np.round(chain.oi * more))


@pytest.mark.parametrize("series", SERIES)
def test_what_is_put_into_a_simulated_day_is_found_and_told_once(
    ordinary: list[Snapshot], tmp_path: Path, series: str
) -> None:
    assert watched(tmp_path, WEDNESDAY, ordinary) == []
    minutes = list(ordinary)
    ratio = minutes[ODD_MINUTE - 1].chains[0].aggregates["pcr_oi"]
    for number in range(ODD_MINUTE, len(minutes)):
        nearest, *others = minutes[number].chains
        minutes[number] = snapshot_of(minutes[number].minute, bent(nearest, series, ratio), *others)
    (found,) = watched(tmp_path, WEDNESDAY, minutes)
    assert (found.series, found.minute) == (series, minutes[ODD_MINUTE].minute)
    assert found.expiry == minutes[0].chains[0].expiry
    assert f" {series} " in found.reason


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_week_has_at_most_two_false_alarms_a_day_and_hardly_any_but_on_the_day_of_expiry(
    tmp_path: Path, seed: int
) -> None:
    days = Days(seed)
    counts = {}
    for day in days.trading_days(5):
        minutes = days.minutes(day)
        counts[day] = len(watched(tmp_path, day, minutes))
        expires_today = day in {chain.expiry for chain in minutes[0].chains}
        assert expires_today or counts[day] <= 1
    assert sum(counts.values()) <= 2 * len(counts)
