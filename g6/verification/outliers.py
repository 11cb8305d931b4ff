"""What no market does, leg by leg, from one minute to the next. Streaming: minutes come in order of time.

crossed         a bid above the ask, as collected (the collector takes such books away and says so) or as stored
duplicate_legs  a strike and side that stands twice
iv_jump         a volatility away from the leg's last believed one by more than 8 points, 40 % of it, and what rounding
                and the width of the book allow; after three minutes at a new level that one is believed
oi_shrinks      an open interest that fell by more than was traded: a trade closes at most what it trades. Vendors
                publish it minutes late, so what was traded since five minutes before counts, and 5 %, or three lots,
                are left to them
volume_shrinks  a quantity traded today that became less

Back-filled minutes are not examined: candles have no books, and their volumes are the exchange's, not the vendor's.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import numpy as np

from g6.model.chain import LEG_DEFECTS, OptionChain
from g6.model.columns import Bools, Floats, Ints
from g6.model.snapshot import Snapshot
from g6.verification.result import Finding

CROSSED = LEG_DEFECTS.index("crossed")

JUMP_FLOOR, JUMP_SHARE = 0.08, 0.40
# Multiples of what rounding to a tick, and the middle of a wide book, do to a volatility.
ERROR_MULTIPLE, SPREAD_MULTIPLE = 4.0, 1.0
BELIEVED_AFTER_MINUTES = 3
# Near its end an option's volatility is the quotient of two vanishing numbers.
SHORTEST_YEARS = 3 / 24 / 365
LEAST_VEGA = 1e-3  # rupees per vol point

OI_LATENESS_MINUTES = 5
OI_TOLERANCE_SHARE, OI_TOLERANCE_LOTS = 0.05, 3

ChainKey = tuple[str, str]  # index, ISO expiry


class _Past(NamedTuple):
    """A minute of a chain: who the legs were, and how much of each had been traded."""

    keys: Floats
    volume: Floats


@dataclass(slots=True)
class _State:
    """What is known of a chain's legs from the minutes before; the columns run along `keys`."""

    keys: Floats
    iv: Floats  # last believed
    doubted: Ints  # minutes in a row that `iv` was contradicted
    iv_error: Floats
    oi: Floats
    volume: Floats
    history: deque[_Past] = field(default_factory=lambda: deque(maxlen=OI_LATENESS_MINUTES))


@dataclass(slots=True)
class _Tally:
    count: int
    example: str
    first: datetime
    last: datetime


class Outliers:
    """Examines a day's minutes, ascending; `findings` tells, per kind, index and expiry, what was found."""

    def __init__(self) -> None:
        self._states: dict[ChainKey, _State] = {}
        self._tallies: dict[tuple[str, ChainKey], _Tally] = {}

    def flagged(self, snapshot: Snapshot) -> Mapping[ChainKey, int]:
        """Return how many legs of each chain are outliers in this minute."""
        if snapshot.backfilled:
            return {}
        return {
            (chain.index, chain.expiry.isoformat()): self._examine(chain, snapshot.minute) for chain in snapshot.chains
        }

    def findings(self) -> Iterator[Finding]:
        """Yield what was found so far."""
        for (kind, chain), tally in self._tallies.items():
            yield Finding(kind, " ".join(chain), tally.count, tally.example, tally.first, tally.last)

    def _examine(self, chain: OptionChain, minute: datetime) -> int:
        key = (chain.index, chain.expiry.isoformat())
        keys = chain.strike * 2 + chain.is_call
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        repeated = np.zeros(len(keys), bool)
        repeated[1:] = keys[1:] == keys[:-1]
        found = {"duplicate_legs": repeated, "crossed": _crossed(chain)[order]}
        state = self._states.get(key)
        now = _Now(chain, order, keys, _carried(state, keys))
        found |= {"iv_jump": now.jumps, "oi_shrinks": _oi_shrinks(now, state), "volume_shrinks": now.volume_shrinks}
        for kind, where in found.items():
            if where.any():
                self._count(kind, key, minute, int(np.count_nonzero(where)), _example(kind, now, where))
        self._states[key] = _after(state, now)
        flags = np.logical_or.reduce(list(found.values()))
        return int(np.count_nonzero(flags))

    def _count(self, kind: str, chain: ChainKey, minute: datetime, count: int, example: str) -> None:
        tally = self._tallies.setdefault((kind, chain), _Tally(0, example, minute, minute))
        tally.count += count
        tally.last = minute


class _Carried(NamedTuple):
    """The earlier columns, along the present legs; NaN, or 0 minutes of doubt, for legs that were not there."""

    iv: Floats
    doubted: Ints
    iv_error: Floats
    oi: Floats
    volume: Floats


class _Now:
    """A chain's columns in order of their keys, beside what was carried over, and what follows of the two."""

    def __init__(self, chain: OptionChain, order: Ints, keys: Floats, before: _Carried) -> None:
        self.keys, self.before, self.lot = keys, before, chain.lot
        self.strike, self.is_call = chain.strike[order], chain.is_call[order]
        self.oi, self.volume, self.iv_error = chain.oi[order], chain.volume[order], chain.iv_error[order]
        self.bid, self.ask, vega = chain.bid[order], chain.ask[order], chain.vega[order]
        reliable = not chain.settling and not chain.years < SHORTEST_YEARS
        self.iv = chain.iv[order] if reliable else np.full(len(order), np.nan)
        self.allowed = _allowed(self, (self.ask - self.bid) / 2 / np.maximum(vega, LEAST_VEGA) * 0.01)
        with np.errstate(invalid="ignore"):
            self.jumps: Bools = np.abs(self.iv - before.iv) > self.allowed
            self.volume_shrinks: Bools = self.volume < before.volume


def _allowed(now: _Now, half_width: Floats) -> Floats:
    """Return how far a volatility may lie from the believed one; 1/sqrt(year)."""
    rounding = ERROR_MULTIPLE * (np.nan_to_num(now.iv_error) + np.nan_to_num(now.before.iv_error))
    width = SPREAD_MULTIPLE * np.maximum(np.nan_to_num(half_width), 0.0)  # a crossed book allows nothing
    allowed: Floats = JUMP_FLOOR + JUMP_SHARE * now.before.iv + rounding + width
    return allowed


def _crossed(chain: OptionChain) -> Bools:
    with np.errstate(invalid="ignore"):
        where: Bools = (chain.defect == CROSSED) | ((chain.bid > chain.ask) & (chain.ask > 0))
    return where


def _oi_shrinks(now: _Now, state: _State | None) -> Bools:
    """Compare falls with what was traded since the lateness allowed, or today where that cannot be told."""
    if state is None:
        return np.zeros(len(now.keys), bool)
    oldest = state.history[0] if len(state.history) == state.history.maxlen else None
    since = np.nan_to_num(_along(oldest.keys, oldest.volume, now.keys)) if oldest else np.zeros(len(now.keys))
    with np.errstate(invalid="ignore"):
        fall = now.before.oi - now.oi
        tolerated = np.maximum(OI_TOLERANCE_SHARE * now.before.oi, OI_TOLERANCE_LOTS * now.lot)
        shrinks: Bools = fall > np.maximum(now.volume - since, 0) + tolerated
    return shrinks


def _carried(state: _State | None, keys: Floats) -> _Carried:
    if state is None:
        nothing = np.full(len(keys), np.nan)
        return _Carried(nothing, np.zeros(len(keys), np.int64), nothing, nothing, nothing)
    columns = [_along(state.keys, column, keys) for column in (state.iv, state.iv_error, state.oi, state.volume)]
    doubted = np.nan_to_num(_along(state.keys, state.doubted.astype(np.float64), keys)).astype(np.int64)
    return _Carried(columns[0], doubted, *columns[1:])


def _along(keys: Floats, column: Floats, wanted: Floats) -> Floats:
    """Return a column along other keys; NaN where it has none. Both are ascending."""
    if len(keys) == len(wanted) and np.array_equal(keys, wanted):
        return column
    if not len(keys):
        return np.full(len(wanted), np.nan)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, column[place], np.nan)


def _after(state: _State | None, now: _Now) -> _State:
    """Return what the next minute is compared with: what this one says, or the minute before where it is in doubt."""
    before = now.before
    doubted = np.where(now.jumps, before.doubted + 1, 0)
    keep = (np.isnan(now.iv) & ~np.isnan(before.iv)) | (now.jumps & (doubted < BELIEVED_AFTER_MINUTES))
    history = deque(maxlen=OI_LATENESS_MINUTES) if state is None else state.history
    history.append(_Past(now.keys, now.volume))
    return _State(
        keys=now.keys,
        iv=np.where(keep, before.iv, now.iv),
        doubted=np.where(keep & ~now.jumps, before.doubted, doubted),
        iv_error=np.where(keep, before.iv_error, now.iv_error),
        oi=np.where(np.isnan(now.oi), before.oi, now.oi),
        volume=np.where(np.isnan(now.volume), before.volume, now.volume),
        history=history,
    )


def _example(kind: str, now: _Now, where: Bools) -> str:
    row = int(np.flatnonzero(where)[0])
    leg = f"{now.strike[row]:g} {'CE' if now.is_call[row] else 'PE'}"
    columns = {
        "iv_jump": (now.before.iv, now.iv, ".1%"),
        "oi_shrinks": (now.before.oi, now.oi, ",.0f"),
        "volume_shrinks": (now.before.volume, now.volume, ",.0f"),
    }
    if kind not in columns:
        return leg
    before, after, form = columns[kind]
    return f"{leg} from {before[row]:{form}} to {after[row]:{form}}"
