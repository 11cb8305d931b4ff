"""The watched numbers of a chain, and how they changed since a minute before: like for like, on a log scale."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from g6.model.anomaly import SERIES
from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.columns import Bools, Floats, freeze

NAN = float("nan")
DECIMALS = next(column.decimals for column in LEG_COLUMNS if column.name == "iv") or 0
SPREAD = "spread_window_ratio"  # the chain's aggregate that is watched
# What is older is no basis for a change; of a recording with longer intervals, what is older than two of them.
LONGEST_GAP = timedelta(minutes=5)
# Least scale of a minute's change, log units: what is so quiet that its own scale means nothing. In SERIES' order: the
# volatility by 1 %, the premium by 1 %, open interest and its ratio by a few thousandths (it is published in steps),
# the median spread by a seventh, since it is a few ticks.
FLOORS = freeze(np.array([0.01, 0.01, 0.0025, 0.15, 0.005]))
IV, PREMIUM, OI, PCR = (SERIES.index(name) for name in ("atm_iv", "premium", "oi", "pcr"))


class Legs(NamedTuple):
    """The legs with a known open interest. `key` is the strike, negative for a put; ascending."""

    key: Floats
    oi: Floats


class Reading(NamedTuple):
    """One chain in one minute. `values` and `floors` stand in SERIES' order, NaN where not known or not positive.

    Volatility and premium are those of the strike `atm`.
    """

    values: Floats
    floors: Floats
    atm: float
    legs: Legs


class Known(NamedTuple):
    """A reading as later minutes are compared with it."""

    minute: datetime
    values: Floats
    atm: float
    legs: Legs


class Change(NamedTuple):
    """Since the last known values, in SERIES' order: log-change, its age in minutes, the values before and now.

    Open interest and its ratio are those of the legs that both minutes have. Where the ATM is another strike now,
    volatility and premium are that one's or those of the strike that was the ATM then, whichever changed less
    (`strikes`, NaN for the other series): another ATM, and the strikes that come and go with it, are no change.
    """

    logs: Floats
    minutes: Floats
    before: Floats
    now: Floats
    strikes: Floats


def reading_of(chain: OptionChain, price_basis: str) -> Reading:
    """Read a chain; `price_basis` is the column that premiums are summed of.

    In the averaging window of an expiry day volatility and premium are not told.
    """
    said = chain.aggregates
    values = np.array(
        [
            *_at_strike(chain, chain.atm, price_basis),
            said.get("call_oi", NAN) + said.get("put_oi", NAN),
            said.get(SPREAD, NAN),
            said.get("pcr_oi", NAN),
        ]
    )
    values = np.where(values > 0, values, np.nan)
    return Reading(values, _floors(chain, values), chain.atm, _legs(chain))


def change_since(
    before: Sequence[Known],
    reading: Reading,
    minute: datetime,
    chain: OptionChain,
    price_basis: str,
    longest_gap: timedelta = LONGEST_GAP,
) -> Change:
    """Return how the reading of a chain differs from the last known values of the minutes `before`, ascending."""
    recent = [known for known in before if minute - known.minute <= longest_gap]
    values, age = np.full(len(SERIES), np.nan), np.full(len(SERIES), np.nan)
    for known in recent:
        here = np.isfinite(known.values)
        values[here], age[here] = known.values[here], (minute - known.minute).total_seconds() / 60
    now, strikes = reading.values.copy(), np.full(len(SERIES), np.nan)
    strikes[[IV, PREMIUM]] = reading.atm
    for place in (IV, PREMIUM):
        then = next((known.atm for known in reversed(recent) if math.isfinite(known.values[place])), NAN)
        if then != reading.atm:
            held = _at_strike(chain, then, price_basis)[place]
            if not _nearer(now[place], held, values[place]):
                now[place], strikes[place] = held, then
    values[[OI, PCR]] = now[[OI, PCR]] = age[[OI, PCR]] = np.nan
    last = next((known for known in reversed(recent) if len(known.legs.key)), None)
    if last is not None and len(reading.legs.key):
        values[[OI, PCR]], now[[OI, PCR]] = _of_common_legs(last.legs, reading.legs)
        age[[OI, PCR]] = (minute - last.minute).total_seconds() / 60
    return Change(np.log(now) - np.log(values), age, values, now, strikes)


def _at_strike(chain: OptionChain, strike: float, price_basis: str) -> tuple[float, float]:
    """Return volatility and premium of a strike; NaN where they are not known, or settle."""
    rows = np.flatnonzero(chain.strike == strike)
    if chain.settling or not len(rows):
        return NAN, NAN
    prices, calls = getattr(chain, price_basis)[rows], chain.is_call[rows]
    premium = float(prices.sum()) if calls.any() and not calls.all() else NAN
    iv = _kept(chain.iv[rows[0]])
    return (iv if iv > 0 else NAN), (premium if premium > 0 else NAN)


def _nearer(one: float, other: float, before: float) -> bool:
    """Return whether one value differs less from the one before than another, by ratio; not where one is unknown."""
    return max(one / before, before / one) < max(other / before, before / other)


def _kept(volatility: float) -> float:
    """Return a volatility as the journal keeps it: minutes that are read back say what they said before."""
    return float(np.round(volatility, DECIMALS))


def _of_common_legs(before: Legs, now: Legs) -> tuple[Floats, Floats]:
    """Return total and put-call ratio of the open interest of the legs that are in both."""
    if np.array_equal(before.key, now.key):
        key, then, since = now.key, before.oi, now.oi
    else:
        key, rows, own = np.intersect1d(before.key, now.key, assume_unique=True, return_indices=True)
        then, since = before.oi[rows], now.oi[own]
    return _total_and_ratio(then, key < 0), _total_and_ratio(since, key < 0)


def _total_and_ratio(oi: Floats, put: Bools) -> Floats:
    puts, total = float(oi[put].sum()), float(oi.sum())
    calls = total - puts
    return np.array([total or NAN, puts / calls if puts > 0 and calls > 0 else NAN])


def _legs(chain: OptionChain) -> Legs:
    known = np.isfinite(chain.oi) & (chain.oi >= 0)
    key = np.where(chain.is_call, chain.strike, -chain.strike)[known]
    order = np.argsort(key)
    return Legs(key[order], chain.oi[known][order])


def _floors(chain: OptionChain, values: Floats) -> Floats:
    """Return the floors, larger where rounding to ticks alone moves a value by more."""
    floors = FLOORS.copy()
    iv, premium = values[IV], values[PREMIUM]
    at = np.flatnonzero((chain.strike == chain.atm) & np.isfinite(chain.iv_error))
    if math.isfinite(iv) and len(at):
        floors[IV] = max(floors[IV], _kept(chain.iv_error[at[0]]) / iv)
    if math.isfinite(premium):
        floors[PREMIUM] = max(floors[PREMIUM], chain.tick / premium)
    return floors
