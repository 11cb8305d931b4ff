"""The day in hand: what each index did in the minutes before this one, and what each chain opened with."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from g6.clock import IST
from g6.model.chain import NO_AGGREGATES
from g6.model.columns import Floats
from g6.model.snapshot import IndexSnapshot, Snapshot

# A recording that began later does not know the day's opening values.
OPENING_WINDOW = timedelta(minutes=15)
MINUTE, FROZEN, SPOT, IV, VIX = "minute_of_day", "spot_frozen", "spot", "atm_iv_30d", "india_vix"
SERIES = (MINUTE, FROZEN, SPOT, IV, VIX)
NAN = float("nan")


@dataclass(slots=True)
class DaySoFar:
    """Minutes of one day. `opens` is when each index's session begins.

    What is asked for is asked of the minutes *before* one: a minute that is collected again, after a restart within
    it or a clock that was set back, sees what it saw the first time.
    """

    opens: Mapping[str, datetime]
    _minutes: dict[str, list[datetime]] = field(default_factory=dict)
    _values: dict[str, list[Mapping[str, float]]] = field(default_factory=dict)
    _openings: dict[tuple[str, date], dict[datetime, Mapping[str, float]]] = field(default_factory=dict)

    def remember(self, snapshot: Snapshot) -> None:
        """Add a minute; the same minute again takes the place of the one before."""
        for index in snapshot.indices:
            self._add(index, snapshot)
            self._note_opening(index, snapshot.minute)

    def opening(self, index: str, expiry: date, before: datetime) -> Mapping[str, float]:
        """Return a chain's aggregates of the day's first minute; none where that was not recorded."""
        known = self._openings.get((index, expiry), {})
        first = min((minute for minute in known if minute < before), default=None)
        return NO_AGGREGATES if first is None else known[first]

    def series(self, index: str, name: str, before: datetime | None = None) -> Floats:
        """Return one value per recorded minute of an index, NaN where it had none: one of SERIES."""
        end = len(self._values.get(index, ())) if before is None else self._place(index, before)
        return np.array([values[name] for values in self._values.get(index, ())[:end]], np.float64)

    def _add(self, index: IndexSnapshot, snapshot: Snapshot) -> None:
        minutes = self._minutes.setdefault(index.index, [])
        values = self._values.setdefault(index.index, [])
        place = self._place(index.index, snapshot.minute)
        if place < len(minutes) and minutes[place] == snapshot.minute:
            values[place] = _values(index, snapshot)
            return
        minutes.insert(place, snapshot.minute)
        values.insert(place, _values(index, snapshot))

    def _place(self, index: str, minute: datetime) -> int:
        return bisect_left(self._minutes.get(index, ()), minute)

    def _note_opening(self, index: IndexSnapshot, minute: datetime) -> None:
        opened = self.opens.get(index.index)
        if opened is None or minute - opened > OPENING_WINDOW:
            return
        for chain in index.chains:
            if chain.aggregates:
                self._openings.setdefault((chain.index, chain.expiry), {})[minute] = chain.aggregates


def minute_of_day(minute: datetime) -> float:
    """Return the minutes since midnight IST."""
    local = minute.astimezone(IST)
    return float(60 * local.hour + local.minute)


def _values(index: IndexSnapshot, snapshot: Snapshot) -> Mapping[str, float]:
    market = getattr(snapshot, "market", None)
    return {
        MINUTE: minute_of_day(snapshot.minute),
        FROZEN: float(index.spot_frozen),
        SPOT: index.spot,
        IV: index.aggregates.get(IV, NAN),
        VIX: market.vix if market else NAN,
    }
