"""Whether an answer is usable. A refusal is a reason or None; the reason is the metric's label."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np

from g6.model.chain import LEG_DEFECTS, OptionChain
from g6.model.columns import Bools, Floats
from g6.model.quotes import Quotes, Spot

PRICES = ("last", "bid", "ask", "average_price")
QUANTITIES = ("volume", "oi", "bid_quantity", "ask_quantity", "bid_depth", "ask_depth")
ABSURD = 1e12  # no premium in rupees and no quantity in units comes near; a number like this is a vendor's fault


@dataclass(frozen=True, slots=True)
class Limits:
    """What a usable answer must keep to."""

    minimum_leg_ratio: float = 0.8
    stale_after_seconds: float = 180.0


class Reason(NamedTuple):
    """Why something was refused: a short word for the metric, and a sentence for a person."""

    word: str
    detail: str


def reject_spot(spot: Spot | None, at: datetime, limits: Limits, *, frozen: bool) -> Reason | None:
    """Refuse an index whose level is absent, not positive, or old while it should be moving."""
    if spot is None or np.isnan(spot.last):
        return Reason("no_spot", "its spot did not answer")
    if not 0 < spot.last < ABSURD:
        # Kite answers 0.00 on holidays and before the open; collecting on it would centre on the lowest strike.
        return Reason("bad_spot", f"its spot is {spot.last:g}, which no index can be")
    age = (at - spot.quoted_at).total_seconds()
    if age > limits.stale_after_seconds and not frozen:
        return Reason("stale_spot", f"its spot is {age:.0f} s old, {limits.stale_after_seconds:g} s are allowed")
    return None


def reject_chain(chain: OptionChain, limits: Limits) -> Reason | None:
    """Refuse a chain too thin, too old or without any price to be this minute's truth."""
    received, needed = chain.received, limits.minimum_leg_ratio
    if received < needed * chain.expected:
        return Reason("coverage", f"{received} of {chain.expected} legs answered, {needed:.0%} are needed")
    ages = chain.quote_age_seconds[~np.isnan(chain.quote_age_seconds)]
    if len(ages) and ages.min() > limits.stale_after_seconds:
        return Reason("stale", f"its freshest quote is {ages.min():.0f} s old")
    if not _any_price(chain):
        return Reason("no_prices", "no leg has a bid, an ask or a last price")
    return None


def clean(quotes: Quotes, groups: Iterable[slice]) -> tuple[Quotes, Floats]:
    """Take the unusable parts out of each leg, and say which: returns the quotes and a code of LEG_DEFECTS per leg.

    A defect costs its leg the columns that it makes doubtful, and no other leg anything: a crossed book loses bid and
    ask, a number below zero or beyond all sense (`ABSURD`) itself, a last price of 0 on a traded leg the last price.
    `groups` are the chains: one in which contracts traded while every open interest is 0 has no open interest at all.
    """
    columns = {name: getattr(quotes, name) for name in (*PRICES, *QUANTITIES)}
    traded = columns["volume"] > 0
    crossed = columns["bid"] > columns["ask"]
    crossed &= columns["ask"] > 0
    zero_last = traded & (columns["last"] == 0)
    negative = np.zeros(len(quotes), dtype=bool)
    for name, values in columns.items():
        bad = (values < 0) | (values > ABSURD)
        negative |= bad
        # A price of 0 is how a vendor writes "none"; a quantity of 0 is a quantity.
        columns[name] = _without(values, bad | (values == 0) if name in PRICES else bad)
    columns["bid"] = _without(columns["bid"], crossed)
    columns["ask"] = _without(columns["ask"], crossed)
    columns["oi"], zero_oi = _without_zero_oi(columns["oi"], traded, groups)
    found = {"zero_oi": zero_oi, "zero_price": zero_last, "crossed": crossed, "negative": negative,
             "absent": ~quotes.answered}  # fmt: skip
    return replace(quotes, **columns), _codes(found, len(quotes))


def _without_zero_oi(oi: Floats, traded: Bools, groups: Iterable[slice]) -> tuple[Floats, Bools]:
    hit = np.zeros(len(oi), dtype=bool)
    for group in groups:
        known = oi[group][~np.isnan(oi[group])]
        if len(known) and not known.any() and traded[group].any():
            hit[group] = ~np.isnan(oi[group])
    return _without(oi, hit), hit


def _without(values: Floats, bad: Bools) -> Floats:
    return np.where(bad, np.nan, values) if bad.any() else values


def _codes(found: dict[str, Bools], count: int) -> Floats:
    """Return one code per leg; where several hold, the last one named in `found`."""
    codes = np.zeros(count)
    for word, where in found.items():
        codes[where] = LEG_DEFECTS.index(word)
    return codes


def _any_price(chain: OptionChain) -> bool:
    return any(not np.isnan(getattr(chain, name)).all() for name in ("last", "bid", "ask"))
