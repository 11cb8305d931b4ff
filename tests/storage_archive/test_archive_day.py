"""A day as Parquet is the day as it was recorded, whole or not there at all."""

import dataclasses
import math
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from recorded_days import DAY, journal_of, minutes, on, record, sample

from g6.errors import ConfigError, SinkError
from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.contracts import ContractTable
from g6.model.snapshot import Snapshot
from g6.storage.archive import archive_day, unarchived, why_not_archived
from g6.storage.archive_manifest import Manifest
from g6.storage.reader import JournalReader

CONTEXT = [f.name for f in dataclasses.fields(OptionChain)]
NAMED = {"aggregates", "opening", "smile"}  # in the overview, a column for each name
CONTEXT = [n for n in CONTEXT if n not in {"index", *NAMED, *(c.name for c in LEG_COLUMNS)}]


def parquet(root: Path, kind: str, index: str | None = "NIFTY", day: date = DAY) -> pl.DataFrame:
    """A file of the archive as another library reads it."""
    folder = root / "archive" / kind / (f"index={index}" if index else "") / f"date={day}"
    return pl.read_parquet(folder / "part.parquet", hive_partitioning=False)


def recorded(root: Path, day: date = DAY) -> list[Snapshot]:
    return list(JournalReader(root).snapshots(day))


def expected_legs(snapshots: list[Snapshot], index: str) -> dict[tuple[object, ...], dict[str, object]]:
    """(minute, expiry, strike, is_call) → every column of the leg, one at a time."""
    legs = {}
    for snapshot in snapshots:
        for chain in (c for i in snapshot.indices for c in i.chains if c.index == index):
            shared = {name: getattr(chain, name) for name in CONTEXT} | {"codes": list(chain.codes)}
            for row in range(len(chain)):
                leg = {c.name: getattr(chain, c.name)[row].item() for c in LEG_COLUMNS}
                key = snapshot.minute, chain.expiry, leg["strike"], leg["is_call"]
                legs[key] = {**shared, **leg, "backfilled": snapshot.backfilled}
    return legs


def same(given: object, wanted: object) -> bool:
    missing = isinstance(wanted, float) and math.isnan(wanted)
    return given is None if missing else given == wanted


@pytest.fixture
def root(tmp_path: Path) -> Path:
    record(tmp_path, minutes(3))
    return tmp_path


def test_every_leg_is_in_the_archive_with_every_value_it_was_recorded_with(root: Path) -> None:
    archive_day(root, DAY)
    wanted = expected_legs(recorded(root), "SENSEX")
    rows = parquet(root, "legs", "SENSEX").to_dicts()
    assert len(rows) == len(wanted) == 3 * (9 + 9)
    for row in rows:
        leg = wanted[row["ts"], row["expiry"], row["strike"], row["is_call"]]
        different = {name: (row[name], value) for name, value in leg.items() if not same(row[name], value)}
        assert not different


def test_the_overview_has_a_row_a_minute_with_the_aggregates_of_each_code(root: Path) -> None:
    archive_day(root, DAY)
    rows = parquet(root, "overview").to_dicts()
    for row, snapshot in zip(rows, recorded(root), strict=True):
        index = snapshot.indices[0]
        week, later = index.chains
        assert row["ts"] == snapshot.minute
        assert (row["provider"], row["spot"]) == ("sample", index.spot)
        assert (row["expected_mask"], row["collected_mask"]) == (0b1011, 0b1101)
        assert row["this_week_pcr_oi"] == row["this_month_pcr_oi"] == week.aggregates["pcr_oi"]
        assert (row["next_month_expiry"], row["next_month_unasked"]) == (later.expiry, 1.0)
        assert row["next_week_expiry"] is None


def test_refused_minutes_are_in_the_gaps_with_their_reasons(root: Path) -> None:
    archive_day(root, DAY)
    rows = parquet(root, "gaps").to_dicts()
    assert [row.pop("ts") for row in rows] == [snapshot.minute for snapshot in recorded(root)]
    refused = {"expiry": "2026-12-01", "codes": ["next_week"], "reason": "thin"}
    assert all(refused.items() <= row.items() for row in rows)


def test_contract_tables_are_kept_in_their_order(root: Path) -> None:
    one = ContractTable(
        index=np.array(["NIFTY"]), exchange=np.array(["NFO"]), symbol=np.array(["NIFTY26NOV24000CE"]),
        token=np.array([12]), kind=np.array(["CE"]), expiry=np.array(["2026-11-24"], "datetime64[D]"),
        strike=np.array([24000.0]), lot=np.array([75]), tick=np.array([0.05]),
    )  # fmt: skip
    record(root, minutes(1), contracts=(one, ContractTable.concatenate([one, one])))
    archive_day(root, DAY)
    table = parquet(root, "contracts", None)
    assert table["dump"].to_list() == [1, 2, 2]
    assert set(table["symbol"]) == {"NIFTY26NOV24000CE"}
    assert set(table["expiry"]) == {date(2026, 11, 24)}


def test_a_day_archived_twice_is_the_same_day(root: Path) -> None:
    archive_day(root, DAY)
    first = Manifest.read(root, DAY)
    archive_day(root, DAY)
    second = Manifest.read(root, DAY)
    assert first is not None
    assert second is not None
    assert [part.columns for part in first.parts] == [part.columns for part in second.parts]


def test_a_journal_that_grows_is_not_archived_until_it_is_again(root: Path) -> None:
    archive_day(root, DAY)
    assert why_not_archived(root, DAY) is None
    assert unarchived(root, DAY + timedelta(days=1)) == ()
    record(root, minutes(4)[3:])
    assert "grown" in (why_not_archived(root, DAY) or "")
    assert unarchived(root, DAY + timedelta(days=1)) == (DAY,)
    assert unarchived(root, DAY) == ()
    assert archive_day(root, DAY).minutes == 4
    assert why_not_archived(root, DAY) is None


def test_an_index_that_a_day_has_no_more_leaves_no_file_behind(root: Path) -> None:
    archive_day(root, DAY)
    (root / "journal" / f"{DAY}.sqlite3").unlink()
    record(root, minutes(2, indices=("NIFTY",)), csv=False)
    archive_day(root, DAY)
    assert not list((root / "archive").rglob("index=SENSEX/*/*.parquet"))
    assert why_not_archived(root, DAY) is None


def test_a_journal_that_began_anew_is_another_one(root: Path) -> None:
    archive_day(root, DAY)
    (root / "journal" / f"{DAY}.sqlite3").unlink()
    record(root, minutes(3), csv=False)
    assert "anew" in (why_not_archived(root, DAY) or "")


@pytest.mark.parametrize("damage", ["changed", "shorter", "gone"])
def test_a_damaged_file_of_the_archive_is_noticed_and_named(root: Path, damage: str) -> None:
    archive_day(root, DAY)
    path = root / "archive/legs/index=NIFTY" / f"date={DAY}" / "part.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if damage == "shorter" else content)
    assert "legs/index=NIFTY" in (why_not_archived(root, DAY) or "")


def test_a_damaged_minute_is_left_out_told_and_keeps_the_day_from_counting_as_archived(root: Path) -> None:
    with sqlite3.connect(root / "journal" / f"{DAY}.sqlite3") as connection:
        connection.execute("UPDATE cycles SET crc = crc + 1 WHERE seq = 2")
    done = archive_day(root, DAY)
    assert (done.minutes, done.damaged) == (2, 1)
    assert "damaged" in (why_not_archived(root, DAY) or "")


def test_legs_that_differ_from_the_journals_own_count_are_no_archive(root: Path) -> None:
    with sqlite3.connect(root / "journal" / f"{DAY}.sqlite3") as connection:
        connection.execute("UPDATE cycles SET legs = legs + 1 WHERE seq = 2")
    with pytest.raises(SinkError, match="36 legs, its journal says 37"):
        archive_day(root, DAY)
    assert why_not_archived(root, DAY) == "it is not archived"


def test_there_is_nothing_to_archive_without_minutes(root: Path) -> None:
    with pytest.raises(SinkError, match="no journal of 2026-11-19"):
        archive_day(root, date(2026, 11, 19))
    journal_of(root, date(2026, 11, 18)).close()
    with pytest.raises(SinkError, match="holds no minute"):
        archive_day(root, date(2026, 11, 18))
    with pytest.raises(ConfigError, match="price basis 'mid' is unknown"):
        archive_day(root, DAY, "mid")


def test_a_minute_without_any_chain_is_in_overview_and_gaps(tmp_path: Path) -> None:
    record(tmp_path, minutes(2, expiries=()))
    done = archive_day(tmp_path, DAY)
    assert (done.minutes, done.legs) == (2, 0)
    assert parquet(tmp_path, "overview")["collected_mask"].to_list() == [0, 0]
    assert len(parquet(tmp_path, "gaps")) == 2
    assert why_not_archived(tmp_path, DAY) is None


def test_an_aggregate_that_appears_during_the_day_is_null_before(tmp_path: Path) -> None:
    early, late = minutes(2)
    chains = tuple(dataclasses.replace(c, aggregates={**c.aggregates, "skew": 0.25}) for c in late.indices[0].chains)
    late = dataclasses.replace(late, indices=(dataclasses.replace(late.indices[0], chains=chains), late.indices[1]))
    record(tmp_path, [early, late])
    archive_day(tmp_path, DAY)
    assert parquet(tmp_path, "overview")["this_week_skew"].to_list() == [None, 0.25]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=1m tmpfs '{folder}' 2>/dev/null") != 0:
        pytest.skip("mounting a small file system needs root")
    yield folder
    os.system(f"umount -l '{folder}'")


def test_a_full_disk_leaves_what_was_archived_before_and_nothing_half_written(root: Path, small_disk: Path) -> None:
    (root / "archive").symlink_to(small_disk)
    archive_day(root, DAY)
    before = {p: p.read_bytes() for p in sorted(small_disk.rglob("*")) if p.is_file()}
    record(root, minutes(4)[3:])
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(SinkError, match="cannot be archived"):
        archive_day(root, DAY)
    ballast.unlink()
    assert {p: p.read_bytes() for p in sorted(small_disk.rglob("*")) if p.is_file()} == before
    archive_day(root, DAY)
    assert why_not_archived(root, DAY) is None


def test_a_name_that_is_no_plain_folder_is_refused(tmp_path: Path) -> None:
    record(tmp_path, minutes(1, indices=("../NIFTY",)), csv=False)
    with pytest.raises(ConfigError, match="cannot be part of a path"):
        archive_day(tmp_path, DAY)


def test_a_whole_archive_reads_as_one_hive_partitioned_table(root: Path) -> None:
    other = DAY - timedelta(days=1)
    record(root, minutes(2, other))
    for day in (DAY, other):
        archive_day(root, day)
    counted = duckdb.sql(
        f"SELECT index, date, count(*) FROM read_parquet('{root}/archive/legs/*/*/*.parquet', hive_partitioning = true)"
        " GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    legs = len(sample.chain("NIFTY", *sample.WEEK, on(DAY, sample.snapshot(0)).minute)) * 2
    assert counted == [(i, d, n * legs) for i in ("NIFTY", "SENSEX") for d, n in ((other, 2), (DAY, 3))]


def test_whoever_collects_does_not_load_what_archives_and_asks() -> None:
    code = (
        "import sys, g6.storage.archive, g6.storage.retention, g6.history, g6.cli.query;"
        "print(sorted({'pyarrow', 'duckdb', 'pandas', 'polars'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
