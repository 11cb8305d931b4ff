"""A day's total premiums as whole numbers: one matrix per index and expiry code, and the pairs that follow from it.

Every number is a whole count of ten-thousandths of a rupee, because that is what the daily files keep: sums, means and
comparisons are then exact, whatever order they are made in.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from g6.model.columns import Bools, Ints, freeze

PER_RUPEE = 10_000
ABSENT = int(np.iinfo(np.int64).min)
OFFSET_LABEL = re.compile(r"atm|[pm][1-9][0-9]{0,3}")

Tick = Mapping["Group", Mapping[str, int]]  # one minute: offset label → total premium


class Group(NamedTuple):
    """What strikes are grouped by: an index and one of its expiry codes."""

    index_name: str
    expiry_code: str


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """The total premiums of one group on one day, ten-thousandths of a rupee; ABSENT where there is none.

    `values` has a row per label and a column per minute. Labels stand in the order of `label_order`, minutes (of the
    IST day, 0 to 1439) ascend; no row and no column is absent throughout, so equal days are equal arrays.
    """

    labels: tuple[str, ...]
    minutes: Ints
    values: Ints

    @classmethod
    def of(cls, labels: Sequence[str], minutes: Ints, values: Ints) -> "Totals":
        """Put rows in order and leave out what is absent throughout."""
        present = values != ABSENT
        rows = sorted(np.flatnonzero(present.any(axis=1)).tolist(), key=lambda row: label_order(labels[row]))
        columns = np.flatnonzero(present.any(axis=0))
        kept = values[np.ix_(np.array(rows, np.int64), columns)]
        return cls(tuple(labels[row] for row in rows), freeze(minutes[columns]), freeze(kept))

    @property
    def present(self) -> Bools:
        """Return where there is a total."""
        present: Bools = self.values != ABSENT
        return present

    @property
    def count(self) -> int:
        """Return how many totals there are."""
        return int(np.count_nonzero(self.present))

    def row(self, label: str) -> Ints:
        """Return the totals of one label, minute by minute; ABSENT throughout where it is unknown."""
        if label in self.labels:
            row: Ints = self.values[self.labels.index(label)]
            return row
        return np.full(len(self.minutes), ABSENT)


DayTotals = Mapping[Group, Totals]
NOTHING = Totals((), np.zeros(0, np.int64), np.zeros((0, 0), np.int64))


def label_order(label: str) -> tuple[bool, int]:
    """Return the sort key of labels: offsets from the lowest to the highest, then pairs from the nearest."""
    if label == "atm":
        return False, 0
    distance = int(re.findall(r"[0-9]+", label)[0])
    if is_pair(label):
        return True, distance
    return False, distance if label[0] == "p" else -distance


def is_pair(label: str) -> bool:
    """Return whether a label is a pair's, as p1m1."""
    return label.startswith("p") and "m" in label


def pair_label(distance: int) -> str:
    """Return the label of the pair of strikes that far above and below the ATM."""
    return f"p{distance}m{distance}"


def with_pairs(totals: Totals) -> Totals:
    """Return the totals with a row for each pair: the mean of above and below, where both are present.

    A mean that falls between two ten-thousandths goes to the even one.
    """
    rows = {label: row for row, label in enumerate(totals.labels)}
    above = {label_order(label)[1]: row for label, row in rows.items() if label[0] == "p"}
    pairs = [(distance, row, rows[f"m{distance}"]) for distance, row in above.items() if f"m{distance}" in rows]
    if not pairs:
        return totals
    distances, upper, lower = zip(*pairs, strict=True)
    means = pair_means(totals.values[list(upper)], totals.values[list(lower)])
    labels = (*totals.labels, *(pair_label(distance) for distance in distances))
    return Totals.of(labels, totals.minutes, np.concatenate([totals.values, means]))


def pair_means(upper: Ints, lower: Ints) -> Ints:
    """Return the means of totals above and below, ABSENT where either is; between two whole numbers the even one."""
    both = (upper != ABSENT) & (lower != ABSENT)
    sums: Ints = np.where(both, upper, 0) + np.where(both, lower, 0)
    floor = sums >> 1
    means: Ints = np.where(both, floor + (sums & floor & 1), ABSENT)
    return means


def day_totals(ticks: Mapping[int, Tick]) -> DayTotals:
    """Return the totals of a day from its minutes (of the IST day → tick)."""
    minutes: Ints = np.array(sorted(ticks), np.int64)
    rows: dict[Group, dict[str, npt.NDArray[np.int64]]] = {}
    for column, minute in enumerate(minutes.tolist()):
        for group, totals in ticks[minute].items():
            of_group = rows.setdefault(group, {})
            for label, value in totals.items():
                if label not in of_group:
                    of_group[label] = np.full(len(minutes), ABSENT)
                of_group[label][column] = value
    found = {group: Totals.of(tuple(by), minutes, np.stack([*by.values()])) for group, by in rows.items() if by}
    return {group: totals for group, totals in sorted(found.items()) if totals.labels}


def overlaid(base: DayTotals, ticks: Mapping[int, Tick]) -> DayTotals:
    """Return a day whose minutes are replaced by `ticks`, each minute as a whole."""
    if not ticks:
        return base
    newer = day_totals(ticks)
    groups = sorted({*base, *newer})
    minutes: Ints = np.array(sorted(ticks), np.int64)
    merged = {g: _replaced(base.get(g, NOTHING), newer.get(g, NOTHING), minutes) for g in groups}
    return {group: totals for group, totals in merged.items() if totals.labels}


def _replaced(base: Totals, newer: Totals, minutes: Ints) -> Totals:
    kept = base.values.copy()
    kept[:, np.isin(base.minutes, minutes)] = ABSENT
    labels, together = joined([base.labels, newer.labels]), np.union1d(base.minutes, newer.minutes)
    values = spread(kept, base.labels, base.minutes, labels, together)
    later = spread(newer.values, newer.labels, newer.minutes, labels, together)
    return Totals.of(labels, together, np.where(later != ABSENT, later, values))


def joined(labels: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Return all labels, each once, in order."""
    return tuple(sorted({label for some in labels for label in some}, key=label_order))


def spread(values: Ints, labels: Sequence[str], minutes: Ints, onto: Sequence[str], onto_minutes: Ints) -> Ints:
    """Return a matrix on a larger grid of labels and minutes; ABSENT where it says nothing."""
    place = {label: row for row, label in enumerate(onto)}
    rows = np.array([place[label] for label in labels], np.int64)
    larger = np.full((len(onto), len(onto_minutes)), ABSENT)
    larger[np.ix_(rows, np.searchsorted(onto_minutes, minutes))] = values
    return larger
