"""Recorded minutes are read back in order of time, from a live directory too, and nothing is changed by it."""

from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from g6.errors import ConfigError
from g6.model.contracts import EMPTY_CONTRACTS
from g6.storage.data_directory import DataDirectory
from g6.storage.encoding import encode_snapshot
from g6.storage.journal_set import JournalSet
from g6.storage.reader import JournalReader


def test_minutes_come_in_order_of_time_while_another_g6_writes(tmp_path: Path, sample: ModuleType) -> None:
    with DataDirectory(tmp_path).hold():
        journals = JournalSet(tmp_path, 50_000_000)
        for number in (2, 0, 1):
            journals.record(sample.snapshot(number), EMPTY_CONTRACTS)
        for source in (tmp_path, tmp_path / "journal"):
            reader = JournalReader(source)
            assert reader.days() == (sample.DAY,)
            assert [encode_snapshot(s) for s in reader.snapshots(sample.DAY)] == [
                encode_snapshot(sample.snapshot(n)) for n in range(3)
            ]
            assert len(reader.contracts(sample.DAY)) == 0
            assert reader.damaged == 0
        journals.close()


def test_day_without_a_journal_has_no_minutes(tmp_path: Path, sample: ModuleType) -> None:
    journals = JournalSet(DataDirectory(tmp_path).root, 50_000_000)
    journals.record(sample.snapshot(0))
    journals.close()
    other = sample.DAY + timedelta(days=1)
    assert list(JournalReader(tmp_path).snapshots(other)) == []
    assert len(JournalReader(tmp_path).contracts(other)) == 0
    assert [p.name for p in (tmp_path / "journal").iterdir()] == ["2026-11-20.sqlite3"]


def test_folder_without_journals_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no journals"):
        JournalReader(tmp_path)
