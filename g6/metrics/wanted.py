"""What a minute should have brought of each index, also where it failed before anything could be planned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from g6.model.report import CycleReport, IndexReport


@dataclass(frozen=True, slots=True)
class Wanted:
    """The legs and the expiry codes that were wanted of one index in one minute."""

    legs: int = 0
    codes: tuple[str, ...] = ()


class LastWanted:
    """Remembers what was last planned of each index.

    A minute that failed, or an index without a level, plans nothing; a share of the quotes that came would be blind to
    just the minutes that brought none. They count as wanted what was wanted last, and nothing before anything was.
    """

    def __init__(self) -> None:
        self._planned: dict[str, Wanted] = {}
        self.latest: Mapping[str, Wanted] = {}  # of the indices of the last minute

    def recall(self, planned: Iterable[IndexReport]) -> None:
        """Take up what was planned before this process began."""
        for index in planned:
            self._of(index)

    def of(self, report: CycleReport) -> Mapping[str, Wanted]:
        """Return index → what was wanted of it in this minute; of a minute that says nothing, as in the one before."""
        if report.indices:
            self.latest = {index.index: self._of(index) for index in report.indices}
        return self.latest

    def _of(self, report: IndexReport) -> Wanted:
        if report.expected:
            self._planned[report.index] = Wanted(report.expected, report.expected_codes)
        last = self._planned.get(report.index, Wanted())
        return Wanted(last.legs, report.expected_codes or last.codes)
