"""What price and open interest did since yesterday, leg by leg, and which of it a chain shows most."""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from g6.analytics.conventions import Conventions
from g6.model.background import IndexView
from g6.model.chain import BUILD_UPS, OptionChain
from g6.model.columns import Aggregate, Floats, Ints

NEUTRAL, LONG_BUILD_UP, SHORT_BUILD_UP, SHORT_COVERING, LONG_UNWINDING = range(len(BUILD_UPS))
CALLS, PUTS, BOTH = slice(0, 1), slice(1, 2), slice(0, 2)  # of _Classes


def add_build_up(chain: OptionChain, conventions: Conventions) -> OptionChain:
    """Set `oi_change` and `build_up`; NaN for a leg that was not seen yesterday, or has no price or interest now."""
    oi_change = chain.oi - chain.previous_oi
    price = _direction(chain.last - chain.previous_close, chain.previous_close, conventions.build_up_price_ratio)
    interest = _direction(oi_change, chain.previous_oi, conventions.build_up_oi_ratio)
    grows, rises = interest > 0, price > 0
    moved = np.where(
        grows,
        np.where(rises, LONG_BUILD_UP, SHORT_BUILD_UP),
        np.where(rises, SHORT_COVERING, LONG_UNWINDING),
    )
    code = np.where(price * interest == 0, NEUTRAL, moved).astype(np.float64)
    code[np.isnan(price) | np.isnan(interest)] = np.nan
    return replace(chain, oi_change=oi_change, build_up=code)


def _direction(change: Floats, before: Floats, least: float) -> Floats:
    """Return 1, -1, or 0 where the change is less than this share of what was before; NaN where it is unknown."""
    return np.where(np.abs(change) < least * before, 0.0, np.sign(change))


def long_build_ups(chain: OptionChain, _: Conventions) -> float:
    """Return how many legs became dearer with more open interest."""
    return _count(chain, LONG_BUILD_UP)


def short_build_ups(chain: OptionChain, _: Conventions) -> float:
    """Return how many legs became cheaper with more open interest."""
    return _count(chain, SHORT_BUILD_UP)


def short_coverings(chain: OptionChain, _: Conventions) -> float:
    """Return how many legs became dearer with less open interest."""
    return _count(chain, SHORT_COVERING)


def long_unwindings(chain: OptionChain, _: Conventions) -> float:
    """Return how many legs became cheaper with less open interest."""
    return _count(chain, LONG_UNWINDING)


def neutral_legs(chain: OptionChain, _: Conventions) -> float:
    """Return how many legs kept price or open interest."""
    return _count(chain, NEUTRAL)


def call_build_up(chain: OptionChain, _: Conventions) -> float:
    """Return the class of most of the calls' change of open interest."""
    return _dominant(_classes(chain), CALLS)


def put_build_up(chain: OptionChain, _: Conventions) -> float:
    """Return the class of most of the puts' change of open interest."""
    return _dominant(_classes(chain), PUTS)


def dominant_build_up(chain: OptionChain, _: Conventions) -> float:
    """Return the class of most of the legs' change of open interest."""
    return _dominant(_classes(chain), BOTH)


def index_call_build_up(view: IndexView, _: Conventions) -> float:
    """Return the class of most of the calls' change of open interest over all expiries."""
    return _dominant(_classes_of_index(view), CALLS)


def index_put_build_up(view: IndexView, _: Conventions) -> float:
    """Return the class of most of the puts' change of open interest over all expiries."""
    return _dominant(_classes_of_index(view), PUTS)


def index_dominant_build_up(view: IndexView, _: Conventions) -> float:
    """Return the class of most of the legs' change of open interest over all expiries."""
    return _dominant(_classes_of_index(view), BOTH)


def _count(chain: OptionChain, code: int) -> float:
    """Return how many legs are of a class; NaN where no leg is of any."""
    counts = _classes(chain).counts.sum(axis=0)
    return float(counts[code]) if counts.any() else float("nan")


def _dominant(classes: "_Classes", sides: slice) -> float:
    """Return the class, but for neutral, with most of the change of open interest; 0, neutral, where nothing moved."""
    return float(np.argmax(classes.moved[sides].sum(axis=0))) if classes.counts[sides].any() else float("nan")


class _Classes(NamedTuple):
    """By side, calls first, and class: how many legs, and the sum of their changes of open interest by size."""

    counts: Ints
    moved: Floats


@lru_cache(maxsize=2)
def _classes(chain: OptionChain) -> _Classes:
    known = np.flatnonzero(~np.isnan(chain.build_up))
    place = chain.build_up[known].astype(np.int64) + len(BUILD_UPS) * ~chain.is_call[known]
    shape = 2, len(BUILD_UPS)
    weight = np.abs(chain.oi_change[known])
    moved = np.asarray(np.bincount(place, weight, 2 * len(BUILD_UPS)), np.float64).reshape(shape)
    moved[:, NEUTRAL] = 0.0
    counts: Ints = np.bincount(place, minlength=2 * len(BUILD_UPS)).reshape(shape)
    return _Classes(counts, moved)


@lru_cache(maxsize=1)
def _classes_of_index(view: IndexView) -> _Classes:
    parts = [_classes(chain) for chain in view.chains]
    nothing = np.zeros((2, len(BUILD_UPS)))
    counts: Ints = sum((part.counts for part in parts), nothing.astype(np.int64))
    return _Classes(counts, sum((part.moved for part in parts), nothing))


_THRESHOLDS = "moves of less than 1 % of yesterday's price or OI are neutral, by default"

BUILD_UP = (
    (Aggregate("long_build_ups", "legs", f"Legs whose price and OI rose since yesterday; {_THRESHOLDS}"),
     long_build_ups),
    (Aggregate("short_build_ups", "legs", f"Legs whose price fell and OI rose since yesterday; {_THRESHOLDS}"),
     short_build_ups),
    (Aggregate("short_coverings", "legs", f"Legs whose price rose and OI fell since yesterday; {_THRESHOLDS}"),
     short_coverings),
    (Aggregate("long_unwindings", "legs", f"Legs whose price and OI fell since yesterday; {_THRESHOLDS}"),
     long_unwindings),
    (Aggregate("neutral_legs", "legs", f"Legs known yesterday that are in no class of build-up; {_THRESHOLDS}"),
     neutral_legs),
    (Aggregate("call_build_up", "code",
               "Class of BUILD_UPS with the largest sum of |OI change| over the calls in it; 0 when all are neutral"),
     call_build_up),
    (Aggregate("put_build_up", "code",
               "Class of BUILD_UPS with the largest sum of |OI change| over the puts in it, by the puts' own prices; "
               "0 when all are neutral"), put_build_up),
    (Aggregate("dominant_build_up", "code",
               "Class of BUILD_UPS with the largest sum of |OI change| over the legs in it; 0 when all are neutral"),
     dominant_build_up),
)  # fmt: skip

_OF_ALL = (
    "Class of BUILD_UPS with the largest sum of |OI change| over the {0} in it, all collected expiries together; "
    "0 when all are neutral"
)

INDEX_BUILD_UP = (
    (Aggregate("index_call_build_up", "code", _OF_ALL.format("calls"), "index"), index_call_build_up),
    (Aggregate("index_put_build_up", "code", _OF_ALL.format("puts"), "index"), index_put_build_up),
    (Aggregate("index_dominant_build_up", "code", _OF_ALL.format("legs"), "index"), index_dominant_build_up),
)  # fmt: skip
