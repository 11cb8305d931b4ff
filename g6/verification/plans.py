"""Which expiries an index was to have in each minute, those of minutes that are missing or were refused included.

A minute tells by its chains and refusals. One that does not is given what the nearest minute that does tells, on the
same side of the day's expiry, since the codes move on when contracts expire.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from g6.verification.recorded import IndexSeen, RecordedDay


class Planned(NamedTuple):
    """An expiry that a minute was to have: the codes that point at it, and how many legs."""

    codes: tuple[str, ...]
    legs: int


Plan = Mapping[str, Planned]  # by ISO expiry

# Where nothing of the day says which expiries an index has, all of it is one place.
UNKNOWN: Plan = {"": Planned((), 0)}


class IndexPlans:
    """The plans of one index on one day."""

    def __init__(self, index: str, recorded: RecordedDay) -> None:
        seen = {minute: told.indices[index] for minute, told in recorded.minutes.items() if index in told.indices}
        self._seen = seen
        self._most = _most_legs(seen.values())
        told = {minute: self._told(index_seen) for minute, index_seen in seen.items()}
        self._told_at = {minute: plan for minute, plan in told.items() if plan}
        whole = [minute for minute, plan in self._told_at.items() if not self._unexplained(minute, plan)]
        self._minutes = sorted(whole or self._told_at)
        self._ends = _ends(seen.values())
        changes = sorted(set(self._ends.values()))
        self._changes = [end for end in changes if self._minutes and end.date() == self._minutes[0].date()]

    def at(self, minute: datetime) -> Plan:
        """Return the plan of a minute; UNKNOWN when the whole day does not tell."""
        own = self._told_at.get(minute, {})
        wanted = self._unexplained(minute, own)
        if wanted is not None and not wanted:
            return own
        others = {
            expiry: planned
            for expiry, planned in self._nearest(minute).items()
            if expiry not in own and (wanted is None or wanted.intersection(planned.codes))
        }
        return {**own, **others} or UNKNOWN

    def _unexplained(self, minute: datetime, own: Plan) -> set[str] | None:
        """Return the expiry codes that the minute was to have and says nothing of; None for all that there are."""
        seen = self._seen.get(minute)
        if seen is None or not seen.expected_codes:
            return set() if own else None
        return set(seen.expected_codes) - {code for planned in own.values() for code in planned.codes}

    def _told(self, seen: IndexSeen) -> Plan:
        refused = {refusal.expiry: refusal.codes for refusal in seen.refusals if refusal.expiry}
        plan = {expiry: Planned(codes, self._most.get(expiry, 0)) for expiry, codes in refused.items()}
        plan.update({expiry: Planned(chain.codes, chain.expected) for expiry, chain in seen.chains.items()})
        return plan

    def _nearest(self, minute: datetime) -> Plan:
        if not self._minutes:
            return {}
        change = bisect_right(self._changes, minute)
        same = [known for known in self._minutes if bisect_right(self._changes, known) == change]
        plan = self._told_at[_closest(same or self._minutes, minute)]
        open_still = {
            expiry: Planned(planned.codes, self._most.get(expiry, planned.legs))
            for expiry, planned in plan.items()
            if expiry not in self._ends or self._ends[expiry] > minute
        }
        return open_still or plan


def _closest(minutes: Sequence[datetime], minute: datetime) -> datetime:
    place = bisect_left(minutes, minute)
    return min(minutes[max(0, place - 1) : place + 1], key=lambda known: abs(known - minute))


def _most_legs(seen: Collection[IndexSeen]) -> Mapping[str, int]:
    most: dict[str, int] = {}
    for index in seen:
        for expiry, chain in index.chains.items():
            most[expiry] = max(most.get(expiry, 0), chain.expected)
    return most


def _ends(seen: Collection[IndexSeen]) -> Mapping[str, datetime]:
    return {expiry: chain.expires_at for index in seen for expiry, chain in index.chains.items()}
