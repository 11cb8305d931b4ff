"""Where a day's minutes come from: its journal, or its archive where the journal was removed."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

from g6.errors import ConfigError
from g6.model.snapshot import Snapshot
from g6.storage.archive_manifest import Manifest, archived_days, journal_path
from g6.storage.data_directory import JOURNAL
from g6.storage.journal import Journal
from g6.storage.journal_file import DamagedJournal
from g6.storage.journal_set import days_in


class DaySource:
    """The minutes of one recorded day, in order; what could not be read of them is said in `lacking`, a sentence each.

    ConfigError when the day is not recorded: it names the nearest one that is. SinkError when its archive cannot be
    read, or its journal for another reason than damage.
    """

    def __init__(self, root: Path, day: date | None) -> None:
        self.root, self.day = root, _known(root, day)
        self.kind = "journal" if journal_path(root, self.day).exists() else "archive"
        self.lacking: list[str] = []

    def count(self) -> int | None:
        """Return how many minutes there are; None where nothing can say it."""
        if self.kind == "archive":
            manifest = Manifest.read(self.root, self.day)
            return manifest.minutes if manifest else None
        try:
            with closing(Journal.open_read_only(journal_path(self.root, self.day))) as journal:
                return journal.count_after(0)
        except DamagedJournal:
            return None

    def snapshots(self) -> Iterator[Snapshot]:
        """Yield every sound minute."""
        self.lacking = []
        return self._of_journal() if self.kind == "journal" else self._of_archive()

    def _of_journal(self) -> Iterator[Snapshot]:
        damaged = 0
        try:
            with closing(Journal.open_read_only(journal_path(self.root, self.day))) as journal:
                for minute in journal.minutes():
                    snapshot = journal.at(minute)
                    if snapshot is None:
                        damaged += 1
                    else:
                        yield snapshot
        except DamagedJournal as error:
            self.lacking.append(f"the journal is damaged and read only as far as it goes: {error}")
        if damaged:
            self.lacking.append(f"{damaged} minutes of the journal fail their checksum and are left out")

    def _of_archive(self) -> Iterator[Snapshot]:
        from g6.storage.archive_reader import ArchiveReader  # noqa: PLC0415 (loads pyarrow)

        archive = ArchiveReader(self.root, self.day)
        if archive.unsound:
            names = ", ".join(archive.unsound)
            self.lacking.append(f"files of the archive are absent or not as they were verified: {names}")
        yield from archive.snapshots()


def recorded_days(root: Path) -> tuple[date, ...]:
    """Return the days that have a journal or an archive, ascending."""
    return tuple(sorted({*days_in(root / JOURNAL), *archived_days(root)}))


def _known(root: Path, day: date | None) -> date:
    days = recorded_days(root)
    if not days:
        raise ConfigError(f"{root} holds no recorded day; name a data directory with --data-dir")
    if day is None:
        return days[-1]
    if day not in days:
        nearest = min(days, key=lambda known: (abs(known - day), known))
        raise ConfigError(f"nothing of {day} is recorded in {root}; the nearest day is {nearest}")
    return day
