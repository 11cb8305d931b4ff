"""Nothing leaves the disk that is not archived, verified and passed by every store; what does, leaves oldest first."""

import json
import logging
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from recorded_days import DAY, journal_of, minutes, record

from g6.clock import IST
from g6.errors import ConfigError
from g6.storage.archive import archive_day, why_not_archived
from g6.storage.removals import removed
from g6.storage.retention import Policy, RetentionReport, retention

NOW = datetime(DAY.year, DAY.month, DAY.day, 18, 0, tzinfo=IST)
DAYS = tuple(DAY - timedelta(days=back) for back in (3, 2, 1, 0))
OLDEST, OLDER, YESTERDAY, TODAY = DAYS
ALL = Policy(journal_days=1, csv_days=1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four days, all archived but today."""
    for day in DAYS:
        record(tmp_path, minutes(2, day))
        if day != TODAY:
            archive_day(tmp_path, day)
    return tmp_path


def files(root: Path) -> set[tuple[str, date]]:
    """(kind, day) of everything that is there."""
    csv = {("csv", date.fromisoformat(p.stem)) for p in root.glob("csv/**/*.csv")}
    return csv | {("journal", date.fromisoformat(p.name[:10])) for p in root.glob("journal/*")}


def every(*days: date) -> set[tuple[str, date]]:
    return {(kind, day) for kind in ("csv", "journal") for day in days}


def gone(report: RetentionReport) -> list[tuple[str, date]]:
    return [(removal.kind, removal.day) for removal in report.removed]


def test_by_default_everything_is_kept(root: Path) -> None:
    before = files(root)
    report = retention(root, Policy(), NOW + timedelta(days=4000))
    assert (report.removed, report.kept, report.short_bytes) == ((), (), 0)
    assert files(root) == before == every(*DAYS)


def test_days_beyond_their_age_go_and_the_others_stay(root: Path) -> None:
    retention(root, Policy(journal_days=3, csv_days=2), NOW)
    left = {("csv", YESTERDAY), ("csv", TODAY), ("journal", OLDER), ("journal", YESTERDAY), ("journal", TODAY)}
    assert files(root) == left


def test_today_stays_whatever_the_policy_says(root: Path) -> None:
    archive_day(root, TODAY)
    report = retention(root, Policy(1, 1, minimum_free_bytes=1 << 62), NOW)
    assert files(root) == every(TODAY)
    assert report.short_bytes > 0
    retention(root, ALL, NOW + timedelta(days=1))
    assert files(root) == set()


def test_a_day_begins_and_ends_in_the_exchanges_zone(root: Path) -> None:
    archive_day(root, TODAY)
    just_before = datetime.fromisoformat(f"{TODAY}T18:29:59+00:00")
    retention(root, ALL, just_before)
    assert files(root) == every(TODAY)
    retention(root, ALL, just_before + timedelta(seconds=1))
    assert files(root) == set()


def grow(root: Path) -> None:
    record(root, minutes(3, OLDEST)[2:])


def owe_a_store(root: Path) -> None:
    with closing(journal_of(root, OLDEST)) as journal:
        journal.advance("influx", 1)


def damage_the_archive(root: Path) -> None:
    next(root.glob(f"archive/legs/index=SENSEX/date={OLDEST}/*")).write_bytes(b"PAR1")


def take_the_manifest(root: Path) -> None:
    (root / f"archive/manifest/{OLDEST}.json").unlink()


def tear_the_manifest(root: Path) -> None:
    (root / f"archive/manifest/{OLDEST}.json").write_bytes(b'{"format": 1')


def spoil_the_journal(root: Path) -> None:
    (root / f"journal/{OLDEST}.sqlite3").write_bytes(b"no journal" * 1000)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (grow, "has grown since"),
        (owe_a_store, "influx has not passed 1 of its minutes"),
        (damage_the_archive, "legs/index=SENSEX/date=2026-11-17/part.parquet is absent or damaged"),
        (take_the_manifest, "it is not archived"),
        (tear_the_manifest, "cannot be read"),
        (spoil_the_journal, "is damaged"),
    ],
)
def test_a_day_that_may_not_go_stays_and_says_why(
    root: Path, damage: Callable[[Path], None], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage(root)
    report = retention(root, ALL, NOW)
    assert files(root) == every(OLDEST, TODAY)
    assert [(kept.kind, kept.day) for kept in report.kept] == [("csv", OLDEST), ("journal", OLDEST)]
    assert all(reason in kept.reason for kept in report.kept)
    assert reason in caplog.text
    assert reason in str(report)


def test_a_store_that_never_began_has_passed_nothing(root: Path) -> None:
    report = retention(root, ALL, NOW, sinks=("csv", "masters"))
    assert files(root) == every(*DAYS)
    assert {kept.reason for kept in report.kept} == {"masters has not passed 2 of its minutes"}


def test_whoever_still_needs_a_day_can_hold_it(root: Path) -> None:
    holds = [lambda day: "not verified yet" if day == OLDER else None, lambda day: None]
    report = retention(root, ALL, NOW, holds=holds)
    assert files(root) == every(OLDER, TODAY)
    assert {kept.reason for kept in report.kept} == {"not verified yet"}


def test_a_store_that_is_switched_off_and_owed_something_is_said_to_be(root: Path) -> None:
    owe_a_store(root)
    (on,) = {kept.reason for kept in retention(root, ALL, NOW, sinks=("csv", "influx")).kept if kept.day == OLDEST}
    (off,) = {kept.reason for kept in retention(root, ALL, NOW, sinks=("csv",)).kept if kept.day == OLDEST}
    assert on == "influx has not passed 1 of its minutes"
    assert off == f"{on}, and is switched off now"


def test_what_stays_is_said_by_its_reason(root: Path) -> None:
    holds = [lambda day: "wanted by all" if day in {OLDEST, YESTERDAY} else f"wanted on {day}"]
    report = retention(root, ALL, NOW, holds=holds)
    assert report.said_kept() == (
        f"kept the csv and journal of {OLDEST} and 1 more day: wanted by all",
        f"kept the csv and journal of {OLDER}: wanted on {OLDER}",
    )
    assert report.said_kept(1)[1:] == ("kept for 1 more reason",)
    assert retention(root, Policy(), NOW).said_kept() == ()


def test_what_went_is_known_afterwards_and_a_spoilt_line_tells_of_nothing(root: Path) -> None:
    assert removed(root) == frozenset()
    retention(root, Policy(journal_days=3, csv_days=3), NOW)
    with (root / "archive/removed.jsonl").open("a") as file:
        file.write('{"kind": "csv"}\nnothing\n')
    assert removed(root) == {("csv", OLDEST), ("journal", OLDEST)}


def disk_of(root: Path, size: int) -> Callable[[Path], int]:
    """The free space of a disk of `size` bytes that holds journals and CSV files alone."""
    folders = ("csv", "journal")
    return lambda _: size - sum(p.stat().st_size for f in folders for p in (root / f).rglob("*") if p.is_file())


def test_space_is_made_by_csv_files_first_oldest_first_and_no_more_than_is_wanted(root: Path) -> None:
    free = disk_of(root, 0)
    csv = sum(p.stat().st_size for p in root.glob(f"csv/**/{OLDEST}.csv"))
    report = retention(root, Policy(minimum_free_bytes=free(root) + csv + 1), NOW, free_bytes=free)
    assert gone(report) == [("csv", OLDEST), ("csv", OLDER)]
    assert report.short_bytes == 0
    report = retention(root, Policy(minimum_free_bytes=0), NOW, free_bytes=free)
    assert gone(report) == [("csv", YESTERDAY), ("journal", OLDEST), ("journal", OLDER), ("journal", YESTERDAY)]
    assert report.short_bytes == -free(root)


def test_a_day_is_archived_before_it_makes_space(root: Path) -> None:
    take_the_manifest(root)
    grow(root)
    report = retention(root, Policy(minimum_free_bytes=1 << 62), NOW)
    assert report.archived == (OLDEST,)
    assert files(root) == every(TODAY)
    assert why_not_archived(root, OLDEST) is None


def test_a_day_that_a_store_still_needs_is_not_archived_for_space(root: Path) -> None:
    take_the_manifest(root)
    owe_a_store(root)
    report = retention(root, Policy(minimum_free_bytes=1 << 62), NOW)
    assert report.archived == ()
    assert files(root) == every(OLDEST, TODAY)


def test_what_went_is_counted_logged_and_written_down(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    sizes = {p: p.stat().st_size for p in root.glob("journal/*")}
    with caplog.at_level(logging.INFO, "g6.storage.retention"):
        report = retention(root, Policy(journal_days=3), NOW)
    (removal,) = report.removed
    assert removal.bytes == sum(size for path, size in sizes.items() if path.name.startswith(str(OLDEST)))
    assert f"removed the journal of {OLDEST} for age" in caplog.text
    lines = (root / "archive/removed.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"at": "2026-11-20T12:30:00Z", "kind": "journal", "day": str(OLDEST), "bytes": removal.bytes, "reason": "age"}
    ]


def test_what_a_crash_left_of_a_removed_journal_is_swept_up(root: Path) -> None:
    left = [root / f"journal/{day}.sqlite3-wal" for day in (OLDEST, TODAY)]
    for path in left:
        path.with_name(path.name.removesuffix("-wal")).unlink()
        path.write_bytes(b"left over")
    retention(root, Policy(), NOW)
    assert [path.exists() for path in left] == [False, True]  # today has no archive to fall back on


def test_a_policy_that_keeps_no_day_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="csv_days is 0"):
        Policy(csv_days=0)
