"""What is injected is found, once, with its reason; what is ordinary is not; and the past alone decides."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from handmade_minutes import EXPIRY, OPEN, HandMade, snapshot_of

from g6.anomalies.readings import FLOORS
from g6.anomalies.watch import Watch, WatchOptions
from g6.model.anomaly import SERIES, Anomaly
from g6.model.snapshot import Snapshot
from g6.storage.encoding import decode_snapshot, encode_snapshot

# Robust deviations that no ordinary noise has.
WILD = {
    "atm_iv": {"iv": 0.182}, "premium": {"premium": 260.0}, "oi": {"oi": 1.1e6}, "spread": {"spread": 0.02},
    "pcr": {"pcr": 1.2, "oi": 1e6 * 2 / 2.2},
}  # fmt: skip


def watch_of(root: Path, **options: float) -> Watch:
    watch = Watch(root, WatchOptions(**options))  # type: ignore[arg-type]
    watch.begin(OPEN.date())
    return watch


def watched(watch: Watch, minutes: Sequence[Snapshot]) -> list[Anomaly]:
    found = []
    for snapshot in minutes:
        judged = watch.judged(snapshot)
        found += judged.anomalies
        watch.remember(judged)
    return found


def stored(snapshot: Snapshot) -> Snapshot:
    return decode_snapshot(encode_snapshot(snapshot))


def test_ordinary_minutes_have_nothing_to_tell(market: HandMade, tmp_path: Path) -> None:
    assert watched(watch_of(tmp_path), market.minutes(375)) == []


@pytest.mark.parametrize("series", SERIES)
def test_a_jump_of_one_series_is_one_anomaly_of_that_series(market: HandMade, tmp_path: Path, series: str) -> None:
    minutes = [*market.minutes(60), *market.minutes(60, 60, **WILD[series])]
    (found,) = watched(watch_of(tmp_path), minutes)
    assert (found.index, found.expiry, found.series) == ("NIFTY", EXPIRY, series)
    assert found.minute == OPEN + timedelta(minutes=60)
    assert found.deviation > 8


@pytest.mark.parametrize("series", SERIES)
def test_a_spike_and_the_way_back_are_one_episode(market: HandMade, tmp_path: Path, series: str) -> None:
    minutes = [*market.minutes(60), *market.minutes(1, 60, **WILD[series]), *market.minutes(60, 61)]
    assert [one.series for one in watched(watch_of(tmp_path), minutes)] == [series]


def test_an_episode_that_is_over_may_be_followed_by_another(market: HandMade, tmp_path: Path) -> None:
    minutes = [*market.minutes(60), *market.minutes(30, 60, iv=0.182), *market.minutes(30, 90)]
    up, down = watched(watch_of(tmp_path, quiet_minutes=10), minutes)
    assert (up.minute, down.minute) == (OPEN + timedelta(minutes=60), OPEN + timedelta(minutes=90))
    assert up.deviation > 0 > down.deviation


def test_the_reason_is_a_sentence_with_the_numbers_of_the_record(market: HandMade, tmp_path: Path) -> None:
    minutes = [*market.minutes(60), market.minute(60, iv=0.182)]
    (found,) = watched(watch_of(tmp_path), minutes)
    value, expected = found.value * 100, found.expected * 100
    assert found.reason == (
        f"NIFTY this_week atm_iv {value:.1f} % is {found.deviation:.1f} deviations above {expected:.1f} %"
    )
    assert expected == pytest.approx(13.4, abs=0.3)


def test_the_reason_names_a_strike_that_is_not_the_atm_any_more(market: HandMade, tmp_path: Path) -> None:
    odd = market.minute(60, atm=24050.0, premium=300.0)
    chain = odd.chains[0]
    odd = snapshot_of(chain.at, replace(chain, last=np.where(chain.strike == 24000.0, 140.0, chain.last)))
    (found,) = watched(watch_of(tmp_path), [*market.minutes(60), odd])
    assert "premium 280.00 rupees at 24000 is" in found.reason


def test_the_deviation_is_the_textbooks(market: HandMade, tmp_path: Path) -> None:
    """Brute force: the log-change, less the median of the hour's, over 1.4826 times their median absolute deviation."""
    minutes = [*market.minutes(90), market.minute(90, iv=0.182)]
    logs = np.log([snapshot.chains[0].iv[0].round(6) for snapshot in minutes])
    changes = np.diff(logs)
    window, now = changes[-61:-1], changes[-1]
    middle = np.median(window)
    scale = max(0.01, 1.482602218505602 * np.median(np.abs(window - middle)))
    (found,) = watched(watch_of(tmp_path), minutes)
    assert found.deviation == pytest.approx((now - middle) / scale)
    assert found.expected == pytest.approx(np.exp(logs[-2] + middle))
    assert found.value == pytest.approx(minutes[-1].chains[0].iv[0], abs=1e-6)


def test_nothing_is_judged_before_enough_changes_are_known(market: HandMade, tmp_path: Path) -> None:
    early = [*market.minutes(15), *market.minutes(5, 15, iv=0.182)]
    assert watched(watch_of(tmp_path), early) == []
    assert len(watched(watch_of(tmp_path, warm_up_minutes=10), early)) == 1


def test_a_series_without_any_change_is_no_reason_for_wild_deviations(market: HandMade, tmp_path: Path) -> None:
    still = market.minutes(60, noise=0.0)
    hardly = market.minute(60, noise=0.0, iv=0.134 * 1.02, premium=204.0, oi=1.005e6, spread=0.0045, pcr=1.01)
    assert watched(watch_of(tmp_path), [*still, hardly]) == []


def test_gaps_are_no_anomalies_and_hide_none(market: HandMade, tmp_path: Path) -> None:
    """Values are missing for three minutes; for half an hour of them nothing at all is known."""
    minutes = market.minutes(100)
    for number in (40, 41, 42):
        chain = minutes[number].chains[0]
        nothing = np.full(len(chain), np.nan)
        minutes[number] = snapshot_of(chain.at, replace(chain, oi=nothing, iv=nothing, last=nothing, aggregates={}))
    del minutes[50:80]
    assert watched(watch_of(tmp_path), minutes) == []
    minutes[43] = market.minute(43, iv=0.182)
    found = watched(watch_of(tmp_path), minutes)
    assert [(one.series, one.minute) for one in found] == [("atm_iv", OPEN + timedelta(minutes=43))]


def test_a_chain_that_was_refused_for_minutes_goes_on_where_it_was(market: HandMade, tmp_path: Path) -> None:
    minutes = market.minutes(60)
    minutes[30:33] = [snapshot_of(snapshot.minute) for snapshot in minutes[30:33]]
    assert watched(watch_of(tmp_path), [*minutes, market.minute(60, premium=260.0)])[0].series == "premium"


def test_a_minute_that_is_collected_again_is_judged_as_the_first_time(market: HandMade, tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    watched(watch, market.minutes(60))
    odd = market.minute(60, iv=0.182)
    first = watch.judge(odd)
    watch.remember(odd)
    assert watch.judge(odd) == first != ()
    watch.remember(odd)
    watched(watch, market.minutes(3, 61))
    assert watch.judge(odd) == first


def test_judging_alone_changes_nothing(market: HandMade, tmp_path: Path) -> None:
    one, other = watch_of(tmp_path), watch_of(tmp_path)
    minutes = [*market.minutes(60), *market.minutes(20, 60, premium=260.0)]
    for snapshot in minutes[:60]:
        one.remember(snapshot)
        other.judge(snapshot)
        other.remember(snapshot)
    for _ in range(3):
        assert one.judge(minutes[60]) == other.judge(minutes[60]) != ()


@pytest.mark.parametrize("at", [5, 30, 60, 61, 75, 119])
def test_a_restart_in_the_day_gives_the_findings_of_a_run_without_one(
    market: HandMade, tmp_path: Path, at: int
) -> None:
    """What is gone through again is what the journal says of the minutes: rounded as it keeps them."""
    minutes = [
        *market.minutes(60), market.minute(60, iv=0.182), *market.minutes(30, 61), *market.minutes(29, 91, oi=1.1e6),
    ]  # fmt: skip
    whole = watched(watch_of(tmp_path), minutes)
    assert [one.series for one in whole] == ["atm_iv", "oi"]
    first = watch_of(tmp_path)
    found = watched(first, minutes[:at])
    again = watch_of(tmp_path)
    for snapshot in minutes[:at]:
        again.remember(stored(snapshot))
    assert found + watched(again, minutes[at:]) == whole


def every(minutes: Sequence[Snapshot], seconds: int) -> list[Snapshot]:
    """The same values, but so many seconds apart: each at the minute that its cycle is of."""
    found = []
    for number, snapshot in enumerate(minutes):
        at = (OPEN + timedelta(seconds=number * seconds)).replace(second=0)
        found.append(snapshot_of(at, *(replace(chain, at=at) for chain in snapshot.chains)))
    return found


def beyond(series: str, seconds: int) -> dict[str, float]:
    """A value that is 16 of the series' least scales off: twice the threshold, as far as a longer step may go."""
    ordinary = {"atm_iv": ("iv", 0.134), "premium": ("premium", 200.0), "oi": ("oi", 1e6), "spread": ("spread", 0.004),
                "pcr": ("pcr", 1.0)}  # fmt: skip
    name, value = ordinary[series]
    return {name: value * float(np.exp(16 * FLOORS[SERIES.index(series)] * np.sqrt(max(1, seconds / 60))))}


@pytest.mark.parametrize("seconds", [90, 200, 301, 900])
@pytest.mark.parametrize("series", SERIES)
def test_a_jump_is_found_at_every_interval(market: HandMade, tmp_path: Path, series: str, seconds: int) -> None:
    minutes = every([*market.minutes(24), market.minute(24, **beyond(series, seconds))], seconds)
    found = watched(watch_of(tmp_path, interval_seconds=seconds), minutes)
    assert (series, minutes[-1].minute) in [(one.series, one.minute) for one in found]
    assert {one.minute for one in found} == {minutes[-1].minute}


@pytest.mark.parametrize("seconds", [200, 600, 900])
def test_ordinary_cycles_and_one_that_failed_have_nothing_to_tell(
    market: HandMade, tmp_path: Path, seconds: int
) -> None:
    minutes = every(market.minutes(60), seconds)
    del minutes[30]
    watch = watch_of(tmp_path, interval_seconds=seconds)
    assert watched(watch, minutes) == []
    assert watch.judge(every(market.minutes(61, iv=0.3), seconds)[-1]) != ()


def test_another_day_knows_nothing_of_the_one_before(market: HandMade, tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    watched(watch, market.minutes(60))
    watch.begin(OPEN.date() + timedelta(days=3))
    assert watch.judge(market.minute(60, iv=0.5)) == ()


def test_closes_of_candles_are_neither_judged_nor_remembered(market: HandMade, tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    watched(watch, market.minutes(60))
    candle = replace(market.minute(60, iv=0.182), backfilled=True)
    assert watched(watch, [candle]) == []
    assert watched(watch, market.minutes(20, 61)) == []


def test_a_minute_that_lacks_memory_is_remembered_and_not_judged(market: HandMade, tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    watched(watch, market.minutes(60))
    short = replace(market.minute(60, iv=0.182), shed=("derived",))
    assert watched(watch, [short, *market.minutes(10, 61, iv=0.182)]) == []


def test_each_chain_is_judged_by_itself(market: HandMade, tmp_path: Path) -> None:
    other = HandMade(np.random.default_rng(8))
    minutes = []
    for number in range(70):
        at = OPEN + timedelta(minutes=number)
        far = replace(other.chain(at, iv=0.182 if number == 65 else 0.134), expiry=EXPIRY + timedelta(days=7))
        minutes.append(snapshot_of(at, market.chain(at), replace(far, codes=("next_week", "this_month"))))
    (found,) = watched(watch_of(tmp_path), minutes)
    assert found.expiry == EXPIRY + timedelta(days=7)
    assert found.reason.startswith("NIFTY next_week atm_iv")


def test_findings_are_put_into_the_index_that_they_are_of(market: HandMade, tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    watched(watch, market.minutes(60))
    odd = market.minute(60, iv=0.182)
    odd = replace(odd, indices=(*odd.indices, replace(odd.indices[0], index="SENSEX", chains=())))
    judged = watch.judged(odd)
    assert [len(index.anomalies) for index in judged.indices] == [1, 0]
    assert judged.anomalies == watch.judge(odd)
    assert replace(judged, indices=odd.indices) == odd
