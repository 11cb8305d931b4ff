"""Changes are those of the same strikes and legs, over the time between."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from handmade_minutes import OPEN, HandMade

from g6.analytics import MEASURES
from g6.anomalies.readings import IV, OI, PCR, PREMIUM, Known, change_since, reading_of
from g6.anomalies.readings import SPREAD as WATCHED_SPREAD
from g6.anomalies.together import COLUMNS
from g6.model.anomaly import SERIES
from g6.model.chain import OptionChain

SPREAD = SERIES.index("spread")


def known(chain: OptionChain) -> Known:
    reading = reading_of(chain, "last")
    return Known(chain.at, reading.values, reading.atm, reading.legs)


def change(before: OptionChain, now: OptionChain) -> tuple[np.ndarray, np.ndarray]:
    found = change_since([known(before)], reading_of(now, "last"), now.at, now, "last")
    return found.logs, found.minutes


def smiling(market: HandMade, minute: int, atm: float) -> OptionChain:
    """A chain with a steep smile and a straddle that is dearer away from 24,000, which does not change."""
    chain = market.chain(OPEN + timedelta(minutes=minute), atm=atm, noise=0.0)
    away = (chain.strike - 24000.0) / 50
    iv, last = 0.13 - 0.01 * away, 100.0 + 10 * np.abs(away)
    at = chain.strike == atm
    said = dict(chain.aggregates) | {"atm_iv": iv[at][0], "straddle": last[at].sum()}
    return replace(chain, iv=iv, last=last, aggregates=said)


def test_another_atm_strike_is_no_change_of_volatility_or_premium(market: HandMade) -> None:
    logs, _ = change(smiling(market, 0, 24000.0), smiling(market, 1, 24050.0))
    assert logs[[IV, PREMIUM]] == pytest.approx(0.0, abs=1e-12)


def test_a_move_to_another_strike_that_is_as_usual_there_is_no_change(market: HandMade) -> None:
    """The index leaps; the straddle that was at the money is dear now, the one that is now is not."""
    before = market.chain(OPEN, atm=24000.0, noise=0.0)
    later = market.chain(OPEN + timedelta(minutes=1), atm=24150.0, noise=0.0)
    later = replace(later, last=np.where(later.strike == 24000.0, 300.0, later.last))
    assert change(before, later)[0][PREMIUM] == 0.0


def test_a_strike_that_is_not_listed_any_more_leaves_the_change_unknown(market: HandMade) -> None:
    before = replace(market.chain(OPEN, noise=0.0), atm=24000.0)
    later = market.chain(OPEN + timedelta(minutes=1), atm=24050.0, noise=0.0)
    later = replace(later, strike=np.where(later.strike == 24000.0, 30000.0, later.strike))
    assert np.isnan(change(before, later)[0][[IV, PREMIUM]]).all()


def test_strikes_that_come_and_go_are_no_change_of_open_interest(market: HandMade) -> None:
    before, now = (market.chain(OPEN + timedelta(minutes=m), noise=0.0) for m in (0, 1))
    held = 1e6 * (1 + np.arange(len(before.strike)))
    before, now = replace(before, oi=held), replace(now, oi=held)
    names = ("strike", "is_call", "oi", "last", "iv", "answered")
    lower = replace(before, **{n: getattr(before, n)[:-4] for n in names}, **blank(before, slice(None, -4)))
    upper = replace(now, **{n: getattr(now, n)[4:] for n in names}, **blank(now, slice(4, None)))
    logs, _ = change(lower, upper)
    assert logs[[OI, PCR]] == pytest.approx(0.0, abs=1e-12)


def blank(chain: OptionChain, rows: slice) -> dict[str, np.ndarray]:
    from g6.model.chain import LEG_COLUMN_NAMES

    done = {"strike", "is_call", "oi", "last", "iv", "answered"}
    return {name: getattr(chain, name)[rows] for name in LEG_COLUMN_NAMES if name not in done}


def test_open_interest_and_its_ratio_are_those_of_the_common_legs_by_brute_force(market: HandMade) -> None:
    random = np.random.default_rng(3)
    before, now = (market.chain(OPEN + timedelta(minutes=m), noise=0.0) for m in (0, 1))
    holdings = [
        np.where(random.random(len(before)) < 0.2, np.nan, random.integers(1, 9, len(before)) * 65.0) for _ in "ab"
    ]
    before, now = replace(before, oi=holdings[0]), replace(now, oi=holdings[1])
    sums = {(side, t): 0.0 for side in (True, False) for t in (0, 1)}
    for is_call, a, b in zip(before.is_call, *holdings, strict=True):
        if a == a and b == b:
            sums[bool(is_call), 0] += a
            sums[bool(is_call), 1] += b
    logs, _ = change(before, now)
    total = [sums[True, t] + sums[False, t] for t in (0, 1)]
    ratio = [sums[False, t] / sums[True, t] for t in (0, 1)]
    assert logs[OI] == pytest.approx(np.log(total[1] / total[0]))
    assert logs[PCR] == pytest.approx(np.log(ratio[1] / ratio[0]))


def test_a_series_that_was_unknown_for_minutes_is_compared_with_its_own_last_value(market: HandMade) -> None:
    first = market.chain(OPEN, spread=0.004, noise=0.0)
    said = {name: value for name, value in first.aggregates.items() if name != WATCHED_SPREAD}
    second = replace(market.chain(OPEN + timedelta(minutes=1), iv=0.14, noise=0.0), aggregates=said | {"atm_iv": 0.14})
    third = market.chain(OPEN + timedelta(minutes=3), spread=0.008, iv=0.14, noise=0.0)
    found = change_since([known(first), known(second)], reading_of(third, "last"), third.at, third, "last")
    assert found.logs[SPREAD] == pytest.approx(np.log(2))
    assert (found.minutes[SPREAD], found.minutes[IV]) == (3.0, 2.0)


def test_what_is_older_than_five_minutes_is_no_basis(market: HandMade) -> None:
    logs, minutes = change(market.chain(OPEN), market.chain(OPEN + timedelta(minutes=6)))
    assert np.isnan(logs).all()
    assert np.isnan(minutes).all()


@pytest.mark.parametrize("spoilt", ["nan", "no puts", "one leg", "no open interest", "nothing said", "settling"])
def test_chains_with_little_in_them_are_unknown_and_nothing_is_wild(market: HandMade, spoilt: str) -> None:
    whole = market.chain(OPEN)
    rows = {"no puts": whole.is_call, "one leg": whole.strike == -1.0}.get(spoilt, np.ones(len(whole), bool))
    if spoilt == "one leg":
        rows[0] = True
    from g6.model.chain import LEG_COLUMN_NAMES

    chain = replace(whole, **{name: getattr(whole, name)[rows] for name in LEG_COLUMN_NAMES})
    if spoilt == "nan":
        nothing = np.full(len(chain), np.nan)
        chain = replace(chain, oi=nothing, iv=nothing, last=nothing, atm=np.nan, aggregates={})
    if spoilt == "no open interest":
        chain = replace(chain, oi=np.zeros(len(chain)))
    if spoilt == "nothing said":
        chain = replace(chain, aggregates={})
    if spoilt == "settling":
        chain = replace(chain, settling=True)
    later = replace(chain, at=OPEN + timedelta(minutes=1))
    logs, _ = change(chain, later)
    assert ((logs == 0) | np.isnan(logs)).all()
    if spoilt == "settling":
        assert np.isnan(logs[[IV, PREMIUM]]).all()


def test_a_tick_is_no_wild_change_of_a_premium_of_a_few_ticks(market: HandMade) -> None:
    assert reading_of(market.chain(OPEN, premium=0.5), "last").floors[PREMIUM] >= 0.05 / 0.51


def test_every_watched_name_is_one_that_chains_say() -> None:
    said = {descriptor.name for descriptor in MEASURES if descriptor.scope == "chain"}
    assert {*COLUMNS, "call_oi", "put_oi", "pcr_oi", WATCHED_SPREAD} <= said | {"spot"}
