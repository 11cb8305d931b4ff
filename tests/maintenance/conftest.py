"""A recorded data directory, as the recorder leaves it: journals and the files that its sink wrote."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from g6.storage.csv_sink import CsvSink
from g6.storage.data_directory import DataDirectory
from g6.storage.journal_set import JournalSet

SAMPLE = Path(__file__).parent.parent / "storage" / "sample_minutes.py"
MAX_BYTES = 50_000_000


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The storage tests' module of sample minutes."""
    spec = importlib.util.spec_from_file_location("sample_minutes", SAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sample_minutes"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tree() -> Callable[[Path], dict[str, bytes]]:
    """Reads every CSV file of a data directory."""
    return lambda root: {str(p.relative_to(root)): p.read_bytes() for p in sorted((root / "csv").rglob("*.csv"))}


@pytest.fixture
def record(sample: ModuleType) -> Callable[..., None]:
    """Records snapshots into a data directory as the loop does, one after the other."""

    def record_into(root: Path, snapshots: list, *, checkpoint: bool = True) -> None:
        directory = DataDirectory(root)
        journals = JournalSet(directory.root, MAX_BYTES)
        sink = CsvSink(directory.root, sample.AGGREGATES)
        day = None
        for snapshot in snapshots:
            if day not in {None, snapshot.minute.date()}:
                sink.checkpoint(journals.journal(day))
            day = snapshot.minute.date()
            assert journals.record(snapshot).error is None
            assert sink.drain(journals.journal(day)).error is None
        if checkpoint and day is not None:
            sink.checkpoint(journals.journal(day))
        journals.close()

    return record_into
