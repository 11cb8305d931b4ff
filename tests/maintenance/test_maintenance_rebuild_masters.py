"""Masters made anew: nothing that only they hold is given up unasked, and an archived day is as good as a recorded."""

import shutil
from contextlib import closing

import pytest
from recorded_days import DAY, minutes, record

from g6.errors import SinkError
from g6.maintenance.rebuild import choose_days
from g6.maintenance.rebuild_masters import days_without_journal, rebuild_masters
from g6.masters.store import MasterStore
from g6.storage.archive import archive_day
from g6.storage.archive_manifest import journal_path
from g6.storage.archive_reader import ArchiveReader
from g6.storage.journal import Journal

MINUTES = 6


@pytest.fixture
def root(tmp_path):
    """A day as it was recorded, with its masters."""
    record(tmp_path, minutes(MINUTES))
    masters(tmp_path)
    return tmp_path


def masters(root, **more):
    """Rebuild the day's masters and return their files."""
    rebuild_masters(root, DAY, display_names={}, price_basis="last", smoothing=0.2, **more)
    return files(root)


def files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted((root / "masters").rglob("*.csv"))}


def profile_minutes(root):
    """The minutes of the day that the masters know, each as minutes after 09:15."""
    with closing(MasterStore.open_read_only(root)) as store:
        return {minute - 555 for of_group in store.day(DAY).values() for minute in of_group.minutes.tolist()}


def change_journal(root, statement):
    journal = Journal.open(journal_path(root, DAY), corrupt=root / "corrupt", max_bytes=10**8)
    journal._execute(statement)
    journal.close()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE cycles SET crc = crc + 1 WHERE seq = 3", "1 minutes in the journal of 2026-11-20 are damaged"),
        ("DELETE FROM cycles WHERE seq = 3", "hold 1 minutes of 2026-11-20 that the journal has not, 09:17 the first"),
    ],
)
def test_a_minute_that_the_journal_cannot_supply_is_never_given_up_unasked(root, harm, said):
    before = files(root)
    change_journal(root, harm)
    with pytest.raises(SinkError, match=said):
        masters(root)
    assert files(root) == before
    assert profile_minutes(root) == set(range(MINUTES))
    masters(root, discard=True)
    assert profile_minutes(root) == set(range(MINUTES)) - {2}


def test_masters_of_a_day_whose_journal_was_removed_are_made_from_its_archive(root):
    original = files(root)
    archive_day(root, DAY)
    journal_path(root, DAY).unlink()
    for lost in ("masters", "csv"):
        shutil.rmtree(root / lost)
    assert days_without_journal(root) == {DAY}
    assert choose_days(root, further=days_without_journal(root)) == (DAY,)
    assert masters(root) == original


def test_a_damaged_archive_is_told_and_changes_nothing(root):
    original = files(root)
    archive_day(root, DAY)
    journal_path(root, DAY).unlink()
    legs = next(part for part in ArchiveReader(root, DAY).manifest.parts if part.kind == "legs")
    (root / "archive" / legs.path).write_bytes(b"PAR1")
    with pytest.raises(SinkError, match=f"{legs.path} of the archive is absent or damaged"):
        masters(root)
    assert files(root) == original


def test_where_only_the_daily_files_are_left_masters_are_made_from_them(root):
    original = files(root)
    shutil.rmtree(root / "journal")
    shutil.rmtree(root / "masters")
    assert days_without_journal(root) == {DAY}
    assert masters(root) == original


def test_a_day_of_which_nothing_is_left_is_refused(root):
    original = files(root)
    for lost in ("journal", "csv"):
        shutil.rmtree(root / lost)
    with pytest.raises(SinkError, match="nothing is left of 2026-11-20"):
        masters(root)
    assert files(root) == original
