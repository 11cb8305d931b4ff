"""The day in hand: what each index did in the minutes before this one, and what each chain opened with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from g6.model.chain import NO_AGGREGATES
from g6.model.columns import Floats
from g6.model.snapshot import IndexSnapshot, Snapshot

# A recording that began later does not know the day's opening values.
OPENING_WINDOW = timedelta(minutes=15)
SPOT, IV, VIX, STRADDLE = "spot", "atm_iv_30d", "india_vix", "straddle"
SERIES = (SPOT, IV, VIX, STRADDLE)
NAN = float("nan")


@dataclass(slots=True)
class DaySoFar:
    """Minutes of one day, in their order. `opens` is when each index's session begins."""

    opens: Mapping[str, datetime]
    _minutes: dict[str, list[datetime]] = field(default_factory=dict)
    _series: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    _openings: dict[tuple[str, date], Mapping[str, float]] = field(default_factory=dict)

    def remember(self, snapshot: Snapshot) -> None:
        """Add a minute; the same minute again takes the place of the one before, an older one is left out."""
        for index in snapshot.indices:
            self._add(index, snapshot)
            self._note_opening(index, snapshot.minute)

    def opening(self, index: str, expiry: date) -> Mapping[str, float]:
        """Return a chain's aggregates of the day's first minute; none where that was not recorded."""
        return self._openings.get((index, expiry), NO_AGGREGATES)

    def series(self, index: str, name: str) -> Floats:
        """Return one value per recorded minute of an index, NaN where it had none: one of SERIES."""
        return np.array(self._series.get((index, name), ()), np.float64)

    def _add(self, index: IndexSnapshot, snapshot: Snapshot) -> None:
        minutes = self._minutes.setdefault(index.index, [])
        if minutes and snapshot.minute < minutes[-1]:
            return
        again = bool(minutes) and snapshot.minute == minutes[-1]
        if not again:
            minutes.append(snapshot.minute)
        for name, value in _values(index, snapshot).items():
            series = self._series.setdefault((index.index, name), [])
            if again:
                series[-1] = value
            else:
                series.append(value)

    def _note_opening(self, index: IndexSnapshot, minute: datetime) -> None:
        opened = self.opens.get(index.index)
        if opened is None or minute - opened > OPENING_WINDOW:
            return
        for chain in index.chains:
            if chain.aggregates:
                self._openings.setdefault((chain.index, chain.expiry), chain.aggregates)


def _values(index: IndexSnapshot, snapshot: Snapshot) -> Mapping[str, float]:
    nearest = min(index.chains, key=lambda chain: chain.expiry, default=None)
    market = getattr(snapshot, "market", None)
    return {
        SPOT: index.spot,
        IV: index.aggregates.get(IV, NAN),
        VIX: market.vix if market else NAN,
        STRADDLE: nearest.aggregates.get(STRADDLE, NAN) if nearest else NAN,
    }
