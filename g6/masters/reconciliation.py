"""The end of a day: what streamed in is compared with the daily files, and the files' word is folded into history.

1. the day as the cycles gave it            `MasterStore.streamed`
2. the day as the CSV files have it         `daily_files.read_day`
3. the two compared, total by total         `differences_of`
4. folded once, in one transaction          `MasterStore.settle`, the ledger says whether it was done before
5. the master files of the weekday          `files.write_weekday`
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from g6.masters.daily_files import read_day
from g6.masters.database import path_of
from g6.masters.files import write_weekday
from g6.masters.store import Folded, MasterStore, content_of, totals_in
from g6.masters.totals import ABSENT, NOTHING, PER_RUPEE, DayTotals, Group, joined, spread

Basis = Literal["files", "streamed", "kept", "nothing"]

DIFFERENCES_KEPT = 1000
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """One total that streaming and the daily files do not agree on, rupees; None where one of them has none."""

    index: str
    expiry_code: str
    offset: str
    minute: str  # HH:MM, IST
    streamed: float | None
    filed: float | None

    def __str__(self) -> str:
        streamed, filed = ("nothing" if v is None else f"{v:.10g}" for v in (self.streamed, self.filed))
        return f"{self.index} {self.expiry_code} {self.offset} {self.minute}: streamed {streamed}, files {filed}"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What comparing a day came to.

    `basis` is whose word was taken: the daily files; what streamed in, where there are no files; what was folded
    before (`kept`), where there is neither; or nothing at all. `folded` tells whether history changed.
    """

    day: date
    basis: Basis
    compared: int  # totals that either side has
    difference_count: int
    differences: tuple[Difference, ...] = ()  # the first of them
    folded: bool = False
    files_written: int = 0

    @property
    def agreed(self) -> bool:
        """Return whether streaming and the daily files say the same, to the last digit."""
        return self.difference_count == 0

    def __str__(self) -> str:
        if self.basis == "nothing":
            return f"masters {self.day}: nothing was recorded"
        done = "folded" if self.folded else "history unchanged"
        if self.basis == "kept":
            return f"masters {self.day}: kept as folded before, its daily files are gone"
        if self.basis == "streamed":
            return f"masters {self.day}: {done} as streamed, there are no daily files to compare"
        said = f"masters {self.day}: {self.compared} totals compared, {self.difference_count} differ, {done}"
        examples = "; ".join(str(difference) for difference in self.differences[:EXAMPLES])
        return f"{said}; {examples}" if examples else said


def compare(root: Path, day: date) -> Reconciliation:
    """Compare a day and change nothing; for a day in hand, or a data directory that is only looked at."""
    filed = read_day(root, day)
    if not path_of(root).is_file():
        return _compared(day, {}, filed)
    with closing(MasterStore.open_read_only(root)) as store:
        return _kept(store, day, filed) or _compared(day, store.streamed(day), filed)


def reconcile(
    root: Path, day: date, *, display_names: Mapping[str, str] | None = None, alive: Callable[[], None] = lambda: None
) -> Reconciliation:
    """Compare a day, fold the files' word into history, and write the master files of its weekday.

    Doing so again changes nothing unless the daily files changed, or minutes came in since; the day is then replaced.
    A second call tells the same differences as the first. Display names are those that the masters remember unless
    they are given. `alive` is called before each daily file, and after the other steps. SinkError when a store cannot
    be read or written; history is then as it was.
    """
    with closing(MasterStore.open(root)) as store:
        store.adopt(store.smoothing, display_names or {})
        seen = store.versions(day)
        filed, streamed = read_day(root, day, alive), store.streamed(day)
        alive()
        result = _kept(store, day, filed) or _compared(day, streamed, filed)
        if result.basis == "nothing" and seen:  # minutes in which nothing was traded: they are done with, too
            rest = store.latest(day)
            entry = store.folded(day) or Folded(content_of(rest), result.basis, totals_in(rest), 0)
            store.settle(day, rest, entry, seen)
        if result.basis in {"kept", "nothing"}:
            return result
        totals = filed if filed is not None else store.latest(day)
        groups = {*store.day(day), *totals, *streamed}
        entry = Folded(content_of(totals), result.basis, totals_in(totals), result.difference_count)
        before = store.folded(day)
        if entry != before or day in store.unsettled_days():
            store.settle(day, totals, entry, seen)
        alive()
        written = write_weekday(store, day.weekday(), groups)
    fresh = before is None or before.content != entry.content
    return replace(result, folded=fresh, files_written=written)


def differences_of(streamed: DayTotals, filed: DayTotals) -> Iterator[Difference]:
    """Yield where two accounts of a day differ, by index, expiry code, offset and minute."""
    for group in sorted({*streamed, *filed}):
        one, other = streamed.get(group, NOTHING), filed.get(group, NOTHING)
        labels, minutes = joined([one.labels, other.labels]), np.union1d(one.minutes, other.minutes)
        left, right = (spread(t.values, t.labels, t.minutes, labels, minutes) for t in (one, other))
        for row, column in np.argwhere(left != right).tolist():
            hour, minute = divmod(int(minutes[column]), 60)
            sides = (_rupees(int(side[row, column])) for side in (left, right))
            yield Difference(*group, labels[row], f"{hour:02d}:{minute:02d}", *sides)


def _compared(day: date, streamed: DayTotals, filed: DayTotals | None) -> Reconciliation:
    if filed is None:
        basis: Basis = "streamed" if streamed else "nothing"
        return Reconciliation(day, basis, totals_in(streamed), 0)
    found = list(differences_of(streamed, filed))
    compared = sum(_either(group, streamed, filed) for group in {*streamed, *filed})
    return Reconciliation(day, "files", compared, len(found), tuple(found[:DIFFERENCES_KEPT]))


def _either(group: Group, streamed: DayTotals, filed: DayTotals) -> int:
    one, other = streamed.get(group, NOTHING), filed.get(group, NOTHING)
    labels, minutes = joined([one.labels, other.labels]), np.union1d(one.minutes, other.minutes)

    left, right = (spread(t.values, t.labels, t.minutes, labels, minutes) for t in (one, other))
    return int(np.count_nonzero((left != ABSENT) | (right != ABSENT)))


def _kept(store: MasterStore, day: date, filed: DayTotals | None) -> Reconciliation | None:
    """Return that a day stays as it was folded, where neither files nor new minutes say anything about it."""
    before = store.folded(day)
    if filed is not None or before is None or day in store.unsettled_days():
        return None
    basis: Basis = "nothing" if before.source == "nothing" else "kept"
    return Reconciliation(day, basis, before.totals, before.differences)


def _rupees(value: int) -> float | None:
    return None if value == ABSENT else value / PER_RUPEE
