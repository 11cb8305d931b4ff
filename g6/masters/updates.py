"""What each minute does to the weekday masters, as rows for a database: the masters with the minute in them.

A row is the total premium of a minute at an offset or a pair, and what the master of that weekday and minute says once
this day is in it: the days before it and the minute itself. It depends on nothing else, so the same minute gives the
same rows whenever it is asked for: live, after the close and in a rebuild, as long as the days before are folded as
they were.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from g6.errors import ConfigError
from g6.masters.files import DECIMALS
from g6.masters.premiums import minute_of_day, tick_of
from g6.masters.profile import EMPTY, SMOOTHING, Profile, entered, profile_of
from g6.masters.store import Folded, MasterStore
from g6.masters.totals import PER_RUPEE, DayTotals, Group, Tick, pair_label, pair_means
from g6.model.columns import Floats, Ints
from g6.model.snapshot import Snapshot
from g6.storage.influx_lines import MasterRows
from g6.storage.record import day_of_minute

NO_ROWS = MasterRows({}, (), {})

Marks = tuple[Mapping[date, Folded], Sequence[date]]


class MasterUpdates:
    """Reads `<root>/masters` and writes nothing. `price_basis` is the column that is summed, as the masters sum it.

    Each call has a connection of its own, so any thread may call, one at a time. `smoothing` is for masters that hold
    no day yet; others remember theirs.
    """

    def __init__(self, root: Path, price_basis: str, smoothing: float = SMOOTHING) -> None:
        self._root = root
        self._price_basis = price_basis
        self._smoothing = smoothing
        self._known: _Before | None = None

    def __call__(self, snapshot: Snapshot) -> MasterRows:
        """Return the rows of a minute, none where no strike has both its prices. SinkError when masters are unreadable.

        Fields: `total_premium`, `mean`, `min`, `max`, `exponential_mean` in rupees, and `n`, the days.
        """
        tick = tick_of(snapshot, self._price_basis)
        if not tick:
            return NO_ROWS
        before = self._before(day_of_minute(snapshot.minute), tick)
        return _rows(before, tick, minute_of_day(snapshot.minute))

    def _before(self, day: date, groups: Iterable[Group]) -> "_Before":
        """Return the masters before a day, with at least these groups."""
        try:
            store = MasterStore.open_read_only(self._root)
        except ConfigError:  # no day was ever taken in
            return _Before(day, ({}, ()), self._smoothing, False, {}, dict.fromkeys(groups, _Grid(EMPTY)))  # noqa: FBT003
        with closing(store):
            before = self._known = self._current(store, day)
            for group in groups:
                if group not in before.grids:
                    before.grids[group] = _Grid(_profile(store, before, group))
        return before

    def _current(self, store: MasterStore, day: date) -> "_Before":
        folded = {d: entry for d, entry in store.folded_days().items() if d.weekday() == day.weekday()}
        unsettled = [d for d in store.unsettled_days() if d.weekday() == day.weekday() and d < day]
        marks: Marks = ({d: entry for d, entry in folded.items() if d < day}, unsettled)
        later = len(marks[0]) < len(folded)
        known = self._known
        if known and (known.day, known.marks, known.later) == (day, marks, later):
            return known
        return _Before(day, marks, store.smoothing, later, {d: store.latest(d) for d in unsettled})


class _Grid:
    """A profile to look numbers up in: label → row, minute → column, and one more of each where nothing is."""

    def __init__(self, profile: Profile) -> None:
        self.row = {label: row for row, label in enumerate(profile.labels)}
        self._column = {minute: column for column, minute in enumerate(profile.minutes.tolist())}
        wholes = np.stack([profile.n, profile.total, profile.lowest, profile.highest])
        self._wholes: Ints = np.pad(wholes, ((0, 0), (0, 1), (0, 1)))
        self._exponential: Floats = np.pad(profile.exponential, ((0, 1), (0, 1)))

    def at(self, labels: Iterable[str], minute: int) -> tuple[Ints, Floats]:
        """Return n, sum, lowest and highest (a row each) and the exponential mean, by label; 0 where nothing is."""
        rows, column = [self.row.get(label, -1) for label in labels], self._column.get(minute, -1)
        return self._wholes[:, rows, column], self._exponential[rows, column]


@dataclass(slots=True)
class _Before:
    """The masters as the days before one day leave them; `marks` says which those are."""

    day: date
    marks: Marks
    smoothing: float
    later: bool  # days of the weekday that are not before this one are folded, too
    streaming: Mapping[date, DayTotals]  # before, and not folded yet
    grids: dict[Group, _Grid] = field(default_factory=dict)


def _profile(store: MasterStore, before: _Before, group: Group) -> Profile:
    weekday = before.day.weekday()
    if not before.later:
        return store.profile(weekday, group, before.streaming)
    news = {day: totals[group] for day, totals in before.streaming.items() if group in totals}
    days = {**store.history(weekday, group, before.day), **news}
    return profile_of((days[day] for day in sorted(days)), before.smoothing)


def _rows(before: _Before, tick: Tick, minute: int) -> MasterRows:
    by_group = {group: _with_pairs(totals) for group, totals in sorted(tick.items())}
    found = [before.grids[group].at(totals, minute) for group, totals in by_group.items()]
    n, total, lowest, highest = np.concatenate([wholes for wholes, _ in found], axis=1)[:, :, np.newaxis]
    exponential = np.concatenate([means for _, means in found])[:, np.newaxis]
    labels = tuple(label for totals in by_group.values() for label in totals)
    values = np.array([value for totals in by_group.values() for value in totals.values()])[:, np.newaxis]
    profile = Profile(labels, np.array([minute]), n, total, lowest, highest, exponential)
    after = entered(profile, values, before.smoothing)
    columns = {
        "total_premium": values,
        "mean": after.mean,
        "min": after.lowest,
        "max": after.highest,
        "exponential_mean": after.exponential,
    }
    fields: dict[str, Floats] = {
        name: np.round(np.rint(column[:, 0]) / PER_RUPEE, DECIMALS) for name, column in columns.items()
    }
    fields["n"] = after.n[:, 0].astype(np.float64)
    counts = {(group.index_name, group.expiry_code): len(totals) for group, totals in by_group.items()}
    return MasterRows(counts, labels, fields)


def _with_pairs(totals: Mapping[str, int]) -> dict[str, int]:
    """Return the totals of a minute, and of each pair whose two sides it has."""
    distances = [int(label[1:]) for label in totals if label[0] == "p" and f"m{label[1:]}" in totals]
    upper = np.array([totals[f"p{distance}"] for distance in distances], np.int64)
    lower = np.array([totals[f"m{distance}"] for distance in distances], np.int64)
    means = zip(map(pair_label, distances), pair_means(upper, lower).tolist(), strict=True)
    return {**totals, **dict(means)}
