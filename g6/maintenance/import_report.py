"""What an import took, and what it could not take and why."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ImportReport:
    """Counts of one import, growing with it.

    `refused` are reason → rows or files, `examples` reason → the first place; `unused_columns` are in no column of the
    present layout, `renewed_columns` are computed anew from the prices.
    """

    files: int = 0
    rows: int = 0
    rows_taken: int = 0
    days: int = 0
    minutes: int = 0
    minutes_known: int = 0  # of days that were imported before, with the same content
    legs: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    noted: Counter[str] = field(default_factory=Counter)
    unused_columns: Counter[str] = field(default_factory=Counter)
    renewed_columns: Counter[str] = field(default_factory=Counter)

    def refuse(self, reason: str, where: str, count: int = 1) -> None:
        """Count what was not taken; the first place of each reason is kept for a person to look at."""
        self.refused[reason] += count
        self.examples.setdefault(reason, where)

    def note(self, remark: str, where: str, count: int = 1) -> None:
        """Count what was taken, and not as it was written."""
        self.noted[remark] += count
        self.examples.setdefault(remark, where)

    @property
    def complete(self) -> bool:
        """Return whether everything was taken."""
        return not self.refused

    def sentences(self) -> Iterator[str]:
        """Yield the report, a line each."""
        yield f"{self.files} files, {self.rows} rows read; {self.rows_taken} rows taken"
        known = f", {self.minutes_known} of them known already" if self.minutes_known else ""
        yield f"{self.days} days, {self.minutes} minutes{known}, {self.legs} legs in the journals"
        for heading, counts in (("not taken", self.refused), ("changed", self.noted)):
            for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
                yield f"{heading}: {count} x {reason} (first: {self.examples[reason]})"
        for heading, columns in (("computed anew", self.renewed_columns), ("not taken: columns", self.unused_columns)):
            if columns:
                yield f"{heading}: {', '.join(f'{name} ({count} files)' for name, count in sorted(columns.items()))}"

    def document(self) -> Mapping[str, Any]:
        """Return the report as plain values, for JSON."""
        names = ("files", "rows", "rows_taken", "days", "minutes", "minutes_known", "legs")
        tables = ("refused", "noted", "examples", "unused_columns", "renewed_columns")
        return {n: getattr(self, n) for n in names} | {n: dict(getattr(self, n)) for n in tables}
