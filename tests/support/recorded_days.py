"""Days of small sample minutes in a data directory, journal and CSV files, as the agent leaves them."""

import importlib.util
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

from g6.model.contracts import ContractTable
from g6.model.snapshot import Snapshot
from g6.storage.csv_sink import CsvSink
from g6.storage.data_directory import DataDirectory
from g6.storage.journal import Journal

MODULE = Path(__file__).parent.parent / "storage" / "sample_minutes.py"
MAX_BYTES = 50_000_000


def _load() -> ModuleType:
    if "sample_minutes" not in sys.modules:
        spec = importlib.util.spec_from_file_location("sample_minutes", MODULE)
        module = importlib.util.module_from_spec(spec)
        sys.modules["sample_minutes"] = module
        spec.loader.exec_module(module)
    return sys.modules["sample_minutes"]


sample = _load()
DAY: date = sample.DAY
WEEK, MONTH, NEXT = sample.WEEK, sample.MONTH, sample.NEXT


def on(day: date, snapshot: Snapshot) -> Snapshot:
    """The same minute of another day."""
    shift = timedelta(days=(day - DAY).days)
    indices = tuple(
        replace(index, chains=tuple(replace(c, at=c.at + shift) for c in index.chains)) for index in snapshot.indices
    )
    return replace(snapshot, minute=snapshot.minute + shift, indices=indices)


def minutes(count: int, day: date = DAY, **options: object) -> list[Snapshot]:
    """The first minutes of a day; the chain of this week has two codes."""
    options.setdefault("expiries", (MONTH, NEXT))
    return [on(day, sample.snapshot(number, **options)) for number in range(count)]


def journal_of(root: Path, day: date = DAY) -> Journal:
    """The day's journal, open."""
    directory = DataDirectory(root)
    return Journal.open(directory.journal / f"{day}.sqlite3", corrupt=directory.corrupt, max_bytes=MAX_BYTES)


def record(
    root: Path, snapshots: list[Snapshot], *, csv: bool = True, contracts: tuple[ContractTable, ...] = ()
) -> None:
    """Put minutes of one day, and bring the CSV files up to date with its cursor."""
    journal = journal_of(root, snapshots[0].minute.date())
    for table in contracts:
        journal.remember_contracts(table)
    for snapshot in snapshots:
        journal.put(snapshot)
    if csv:
        sink = CsvSink(root, sample.AGGREGATES)
        sink.drain(journal)
        sink.checkpoint(journal)
        sink.close()
    journal.close()
