"""Copies: consistent while a recorder writes, checked, and completed where they are put back."""

import shutil
import sqlite3
import threading
from types import SimpleNamespace

import pytest

from g6.errors import ConfigError, SinkError
from g6.maintenance.backup import backup
from g6.maintenance.manifest import MANIFEST, Manifest
from g6.maintenance.restore import restore
from g6.maintenance.supply import supply
from g6.storage.csv_sink import CsvSink
from g6.storage.data_directory import DataDirectory
from g6.storage.journal_set import JournalSet

MAX_BYTES = 50_000_000


@pytest.fixture
def recorded(tmp_path, sample, record):
    root = tmp_path / "data"
    record(root, [sample.snapshot(number, shift=number % 3) for number in range(6)])
    DataDirectory(root).claim("sample")
    return root


def completed(root, sample):
    """A data directory as the next recorder finds it after catching up."""
    supplied = supply(root, [CsvSink(root, sample.AGGREGATES)], MAX_BYTES)
    assert supplied.errors == ()
    return supplied


def test_a_copy_put_back_is_the_original(recorded, tmp_path, tree):
    backup(recorded, tmp_path / "backups" / "one")
    restore(tmp_path / "backups" / "one", tmp_path / "again")
    assert tree(tmp_path / "again") == tree(recorded)
    assert (tmp_path / "again" / "market").read_text() == "sample\n"
    names = sorted(path.name for path in (tmp_path / "again" / "journal").iterdir())
    assert names == ["2026-11-20.sqlite3"]


def test_what_was_not_checkpointed_is_supplied_from_the_journal(tmp_path, sample, record, tree):
    root, copy = tmp_path / "data", tmp_path / "copy"
    record(root, [sample.snapshot(number) for number in range(6)], checkpoint=False)
    backup(root, tmp_path / "one")
    restore(tmp_path / "one", copy)
    torn = copy / next(iter(tree(copy)))
    torn.write_bytes(torn.read_bytes()[:-20])  # as if it was copied while its last row was being written
    completed(copy, sample)
    assert tree(copy) == tree(root)


def test_a_copy_made_while_recording_is_completed_to_exactly_its_journal(tmp_path, sample, record, tree):
    root = tmp_path / "data"
    record(root, [sample.snapshot(0)])
    snapshots = [sample.snapshot(number, shift=number % 3) for number in range(1, 60)]
    begun = threading.Event()

    def go_on():
        journals, sink = JournalSet(root, MAX_BYTES), CsvSink(root, sample.AGGREGATES, checkpoint_cycles=3)
        for snapshot in snapshots:
            journals.record(snapshot)
            sink.drain(journals.journal(sample.DAY))
            begun.set()
        journals.close()

    recorder = threading.Thread(target=go_on)
    recorder.start()
    assert begun.wait(20)
    manifests = [backup(root, tmp_path / f"copy{number}") for number in range(3)]
    recorder.join()
    for number, manifest in enumerate(manifests):
        copy, clean = tmp_path / f"restored{number}", tmp_path / f"clean{number}"
        restore(tmp_path / f"copy{number}", copy)
        completed(copy, sample)
        minutes = manifest.journals[sample.DAY.isoformat()].minutes
        record(clean, [sample.snapshot(0), *snapshots[: minutes - 1]])
        assert tree(copy) == tree(clean)


def test_cursors_of_the_copy_stand_where_they_stood_before_files_were_copied(recorded, tmp_path, sample, monkeypatch):
    from g6.maintenance import backup as module

    copy_file = module._copy_file

    def advance_meanwhile(copy, path):
        copy_file(copy, path)
        journals = JournalSet(recorded, MAX_BYTES)
        journals.record(sample.snapshot(20))
        journals.journal(sample.DAY).advance("csv", 7)
        journals.close()

    monkeypatch.setattr(module, "_copy_file", advance_meanwhile)
    manifest = backup(recorded, tmp_path / "one")
    assert manifest.journals[sample.DAY.isoformat()].last_seq == 7
    with sqlite3.connect(tmp_path / "one" / "journal" / f"{sample.DAY}.sqlite3") as journal:
        assert journal.execute("SELECT seq FROM cursors WHERE sink = 'csv'").fetchall() == [(6,)]


@pytest.mark.parametrize("harm", ["change", "shorten", "remove"])
def test_a_harmed_backup_is_not_restored(recorded, tmp_path, tree, harm):
    backup(recorded, tmp_path / "one")
    file = tmp_path / "one" / next(iter(tree(tmp_path / "one")))
    content = file.read_bytes()
    if harm == "remove":
        file.unlink()
    else:
        file.write_bytes(content[:-1] + (b"x" if harm == "change" else b""))
    with pytest.raises(SinkError, match=file.name):
        restore(tmp_path / "one", tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["verify/2026-11-20.json", "reports/2026-11-20.html"])
def test_a_report_that_was_made_anew_in_the_backup_or_is_gone_harms_nothing(recorded, tmp_path, name):
    (recorded / name).parent.mkdir()
    (recorded / name).write_text("as it was")
    backup(recorded, tmp_path / "one")
    (tmp_path / "one" / name).write_text("made anew")
    restore(tmp_path / "one", tmp_path / "again")
    assert (tmp_path / "again" / name).read_text() == "made anew"
    (tmp_path / "one" / name).unlink()
    restore(tmp_path / "one", tmp_path / "once more")
    assert not (tmp_path / "once more" / name).exists()


def test_a_folder_without_its_manifest_is_no_backup(recorded, tmp_path):
    backup(recorded, tmp_path / "one")
    (tmp_path / "one" / MANIFEST).unlink()
    with pytest.raises(ConfigError, match="no finished backup"):
        restore(tmp_path / "one", tmp_path / "again")


def test_a_manifest_cannot_lead_out_of_the_folder(recorded, tmp_path):
    backup(recorded, tmp_path / "one")
    path = tmp_path / "one" / MANIFEST
    path.write_text(path.read_text().replace('"market"', '"../market"'))
    with pytest.raises(ConfigError, match="leads out"):
        Manifest.read(tmp_path / "one")


def test_nothing_that_is_there_is_written_over(recorded, tmp_path):
    target = tmp_path / "one"
    backup(recorded, target)
    with pytest.raises(ConfigError, match="exists already"):
        backup(recorded, target)
    with pytest.raises(ConfigError, match="inside of"):
        backup(recorded, recorded / "copy")
    with pytest.raises(ConfigError, match="new or empty folder"):
        restore(target, recorded)
    with pytest.raises(ConfigError, match="no data directory"):
        backup(tmp_path / "nowhere", tmp_path / "two")


def test_a_full_disk_leaves_no_half_backup(recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10, used=9, free=1_000_000))
    with pytest.raises(ConfigError, match=r"64 MB to stay free, and .* has 1.0 MB free"):
        backup(recorded, tmp_path / "one")
    assert not list(tmp_path.glob("one*"))


def test_a_damaged_journal_is_copied_as_it_is_and_told(recorded, tmp_path, sample):
    path = recorded / "journal" / f"{sample.DAY}.sqlite3"
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"\xff" * 8192
    path.write_bytes(content)
    manifest = backup(recorded, tmp_path / "one")
    assert "is damaged" in manifest.troubles[0]
    restore(tmp_path / "one", tmp_path / "again")
    assert (tmp_path / "again" / "journal" / path.name).read_bytes() == content


def test_a_parquet_file_of_the_archive_is_not_written_twice_on_one_disk(recorded, tmp_path):
    part = recorded / "archive" / "legs" / "part.parquet"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"PAR1")
    backup(recorded, tmp_path / "one")
    assert (tmp_path / "one" / "archive" / "legs" / "part.parquet").stat().st_ino == part.stat().st_ino


def test_other_databases_are_copied_with_what_is_in_their_log(recorded, tmp_path):
    path = recorded / "masters" / "masters.sqlite3"
    path.parent.mkdir()
    live = sqlite3.connect(path, isolation_level=None)
    live.execute("PRAGMA journal_mode=WAL")
    live.execute("CREATE TABLE state (seq)")
    live.execute("INSERT INTO state VALUES (42)")
    backup(recorded, tmp_path / "one")
    live.close()
    with sqlite3.connect(tmp_path / "one" / "masters" / path.name) as copy:
        assert copy.execute("SELECT seq FROM state").fetchall() == [(42,)]
