"""Older CSV trees become minutes of the journal, as if they had been recorded: every store then has them from there.

Minutes of the journal and not rows of files, because the journal is what rebuilds, archives and every store read. Day
by day:

1. files by day                           `find_files`
2. each file as legs in columns           `import_file.read_legs`
3. legs of all files as chains            `import_chains.snapshots_of`
4. chains valued by the caller's function, so that old days and new ones have one method
5. minutes into the day's journal         `_put`: what was recorded there before is never touched
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, tzinfo
from itertools import groupby
from pathlib import Path

from g6.clock import IST
from g6.errors import ConfigError, SinkError
from g6.maintenance.import_chains import PROVIDER, snapshots_of
from g6.maintenance.import_file import FileLegs, read_legs
from g6.maintenance.import_layout import SUFFIX, Place, Unreadable, place_of
from g6.maintenance.import_report import ImportReport
from g6.market.indices import IndexDefinition
from g6.market.listing import listed_expiries
from g6.market.sessions import SessionCalendar
from g6.model.chain import OptionChain
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage.data_directory import CSV
from g6.storage.journal import Journal
from g6.storage.journal_set import JournalSet


@dataclass(frozen=True, slots=True)
class Importer:
    """How trees are imported: whose indices they are, what a time without a zone means, and how chains are valued.

    `value` returns a chain with what is derived from its prices; `atm` and `offset` are the files' own and stay.
    """

    indices: Mapping[str, IndexDefinition]
    calendar: SessionCalendar
    value: Callable[[OptionChain], OptionChain]
    naive: tzinfo = IST

    def run(
        self,
        source: Path,
        root: Path,
        max_bytes: int,
        told: Callable[[date, int], None] = lambda _day, _minutes: None,
        *,
        dry_run: bool = False,
    ) -> ImportReport:
        """Import the tree `source` into the data directory `root`, which the caller holds; `told` of each day done.

        ConfigError when `source` is no folder or is that directory's own; SinkError when a journal cannot be written.
        Doing it again changes nothing.
        """
        report = ImportReport()
        by_day = self._find_files(source, root, report)
        with closing(JournalSet(root, max_bytes)) as journals:
            for day, files in sorted(by_day.items()):
                minutes = self._day(files, report)
                report.days += bool(minutes)
                for snapshot in minutes:
                    report.legs += sum(len(chain) for chain in snapshot.chains)
                    report.minutes += 1
                    if not dry_run:
                        _put(journals.journal(day), self._valued(snapshot), report)
                told(day, len(minutes))
        return report

    def _find_files(self, source: Path, root: Path, report: ImportReport) -> dict[date, list[tuple[Path, Place]]]:
        if not source.is_dir():
            raise ConfigError(f"{source} is no folder")
        if source.resolve().is_relative_to((root / CSV).resolve()) or source.resolve() == root.resolve():
            raise ConfigError(f"{source} holds the files of this data directory, which come from its own journals")
        names = {name: name for name in self.indices}
        names |= {definition.display_name.upper(): name for name, definition in self.indices.items()}
        found: dict[date, list[tuple[Path, Place]]] = defaultdict(list)
        for path in sorted(source.rglob(f"*{SUFFIX}")):
            report.files += 1
            try:
                place = place_of(path.relative_to(source.parent), names)
            except Unreadable as error:
                report.refuse(str(error), str(path))
                continue
            if place is None:
                report.note("an overview, which is made again from the legs", str(path))
            else:
                found[place.day].append((path, place))
        return found

    def _day(self, files: Sequence[tuple[Path, Place]], report: ImportReport) -> list[Snapshot]:
        legs: list[FileLegs] = []
        for path, place in files:
            try:
                read = read_legs(path, place, self.naive, self._expiry_by_rule(place), report)
            except (Unreadable, OSError) as error:
                report.refuse(error.strerror or "OSError" if isinstance(error, OSError) else str(error), str(path))
                continue
            legs += [read] if read else []
        return snapshots_of(legs, self.indices, self.calendar, report) if legs else []

    def _expiry_by_rule(self, place: Place) -> date | None:
        """Return what an expiry code meant by the exchange's dated weekday rules, for files that do not say."""
        try:
            listed = listed_expiries(self.indices[place.index], place.day, self.calendar)
        except ConfigError:
            return None  # before the tables begin
        nearest = sorted({*listed.weekly, *listed.monthly})[:2] if listed.weekly else []
        months = list(listed.monthly[:2])
        of_code = dict(zip(("this_week", "next_week"), nearest, strict=False))
        of_code |= dict(zip(("this_month", "next_month"), months, strict=False))
        return of_code.get(place.code)

    def _valued(self, snapshot: Snapshot) -> Snapshot:
        indices = tuple(
            dataclasses.replace(index, chains=tuple(self.value(chain) for chain in index.chains))
            for index in snapshot.indices
        )
        return dataclasses.replace(snapshot, indices=indices)


def _put(journal: Journal, snapshot: Snapshot, report: ImportReport) -> None:
    """Add a minute; chains of an earlier import stay beside it, and a minute that was recorded stays as it is."""
    there = journal.at(snapshot.minute)
    if there is not None and there.provider != PROVIDER and there.chains:
        report.refuse("the minute was recorded already", f"{snapshot.minute:%Y-%m-%d %H:%M}")
        return
    if there is not None and there.provider == PROVIDER:
        snapshot = _merged(there, snapshot)
    result = journal.put(snapshot)
    if result.outcome == "kept":
        report.minutes_known += 1
        if journal.at(snapshot.minute) is None:
            raise SinkError(f"{journal.path}: minute {snapshot.minute:%H:%M} is damaged and cannot be replaced")


def _merged(there: Snapshot, new: Snapshot) -> Snapshot:
    """Return both minutes as one; a chain that both have is the newer import's."""
    both = sorted((*there.indices, *new.indices), key=lambda index: index.index)
    return dataclasses.replace(
        new, indices=tuple(_merged_index(list(group)) for _, group in groupby(both, key=lambda index: index.index))
    )


def _merged_index(parts: Sequence[IndexSnapshot]) -> IndexSnapshot:
    by_expiry = {chain.expiry: chain for part in parts for chain in part.chains}  # the newer one is the last
    chains = tuple(by_expiry[expiry] for expiry in sorted(by_expiry))
    legs = sum(len(chain) for chain in chains)
    codes = tuple(dict.fromkeys(code for chain in chains for code in chain.codes))
    return dataclasses.replace(
        parts[-1],
        chains=chains,
        expected_codes=codes,
        expected_legs=legs,
        received_legs=sum(c.received for c in chains),
    )
