"""The weekday masters against the daily files: the day as it streamed in, total by total. Nothing is changed by it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from g6.masters.database import path_of
from g6.masters.reconciliation import compare
from g6.verification.result import Compare, Comparison, StoredCounts

EXAMPLES_LIMIT = 3


def masters_compare(root: Path) -> Mapping[str, Compare]:
    """Return the comparison under its name, for `day.verify`; none where a data directory keeps no masters."""

    def agree(day: date, _counts: StoredCounts) -> Comparison:
        found = compare(root, day)
        examples = tuple(str(difference) for difference in found.differences[:EXAMPLES_LIMIT])
        return Comparison(found.compared, found.difference_count, examples)

    return {"masters": agree} if path_of(root).is_file() else {}
