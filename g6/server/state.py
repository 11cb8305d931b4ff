"""What the loop has told the server: the report of the minute that ended last."""

from g6.model.report import CycleReport


class PublishedState:
    """Holds one report. The loop swaps it, any thread reads it; a report is frozen, so no lock is needed."""

    def __init__(self) -> None:
        self._report: CycleReport | None = None

    def publish(self, report: CycleReport) -> None:
        """Put a report in the place of the one before."""
        self._report = report

    @property
    def report(self) -> CycleReport | None:
        """Return the last report; None before the first cycle has ended."""
        return self._report
