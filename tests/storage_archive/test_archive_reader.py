"""What was archived is read back as it was recorded, and what is not in the files any more is said."""

import dataclasses
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from recorded_days import DAY, journal_of, minutes, record

from g6.errors import SinkError
from g6.model.chain import LEG_COLUMN_NAMES, OptionChain
from g6.model.pressure_report import SHED_KINDS
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage import archive
from g6.storage.archive import archive_day, why_not_archived
from g6.storage.archive_manifest import Manifest
from g6.storage.archive_reader import ArchiveReader
from g6.storage.care import Care
from g6.storage.reader import JournalReader

NAMED = ("aggregates", "opening", "smile")


def plain(chain: OptionChain) -> dict[str, object]:
    """A chain as values that compare, its legs by strike, call before put; what is NaN is left out of the named."""
    order = np.lexsort((~chain.is_call, chain.strike))
    legs = {name: getattr(chain, name)[order] for name in LEG_COLUMN_NAMES}
    rest = {f.name: getattr(chain, f.name) for f in dataclasses.fields(chain) if f.name not in {*legs, *NAMED}}
    named = {name: sorted((k, v) for k, v in getattr(chain, name).items() if v == v) for name in NAMED}
    # Texts, in which NaN equals itself and no digit is lost.
    return {name: repr(value.tolist() if name in legs else value) for name, value in {**legs, **rest, **named}.items()}


def of_index(index: IndexSnapshot) -> dict[str, object]:
    fields = {f.name: getattr(index, f.name) for f in dataclasses.fields(index) if f.name != "chains"}
    chains = [plain(chain) for chain in sorted(index.chains, key=lambda chain: chain.expiry)]
    aggregates = {name: value for name, value in index.aggregates.items() if value == value}
    refusals = [replace(refusal, index=index.index) for refusal in index.refusals]  # the samples do not name it
    changed = {"expected_codes": set(index.expected_codes), "refusals": refusals, "aggregates": aggregates}
    return {**fields, **changed, "chains": chains}


def content(snapshot: Snapshot) -> tuple[object, ...]:
    indices = {index.index: of_index(index) for index in snapshot.indices}
    return snapshot.minute, snapshot.provider, snapshot.backfilled, snapshot.shed, indices


def contents(root: Path) -> list[tuple[object, ...]]:
    return [content(snapshot) for snapshot in ArchiveReader(root, DAY).snapshots()]


def recorded(root: Path) -> list[tuple[object, ...]]:
    return [content(snapshot) for snapshot in JournalReader(root).snapshots(DAY)]


def with_names(snapshot: Snapshot) -> Snapshot:
    """The minute with everything that has names of its own, and with things left out for lack of memory."""

    def told(chain: OptionChain) -> OptionChain:
        day = float(chain.expiry.day)
        return replace(chain, opening={"pcr_oi": day}, smile={"a": day / 3, "b": float("nan")})

    indices = tuple(
        replace(index, chains=tuple(map(told, index.chains)), aggregates={"vix_gap": 1.25, "unknown": float("nan")})
        for index in snapshot.indices
    )
    return replace(snapshot, indices=indices, shed=SHED_KINDS[1:2], backfilled=True)


def test_every_minute_is_read_back_as_it_was_recorded(tmp_path: Path) -> None:
    first, second, third = minutes(3)
    record(tmp_path, [first, with_names(second), third])
    archive_day(tmp_path, DAY)
    assert len(contents(tmp_path)) == 3
    assert contents(tmp_path) == recorded(tmp_path)


def test_a_day_of_several_row_groups_is_read_back_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_nifty(snapshot: Snapshot) -> Snapshot:
        nifty, *others = snapshot.indices
        return replace(snapshot, indices=(replace(nifty, chains=()), *others))

    days = minutes(7)
    record(tmp_path, [*days[:2], *map(without_nifty, days[2:5]), *days[5:]])
    legs = sum(map(len, days[0].chains))
    monkeypatch.setattr(archive, "ROW_GROUP_LEGS", legs + 1)  # two minutes each, some of them without NIFTY
    archive_day(tmp_path, DAY)
    assert contents(tmp_path) == recorded(tmp_path)


def test_where_memory_is_short_fewer_legs_are_held_and_the_day_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = minutes(7)
    record(tmp_path, days)
    legs = sum(map(len, days[0].chains))
    monkeypatch.setattr(archive, "SHORT_ROW_GROUP_LEGS", 2 * legs)
    given_back: list[int] = []
    looks = iter([False, False, False, True, True, True, True])  # short from the fourth minute on
    care = Care(is_short=lambda: next(looks), give_back=lambda: given_back.append(1))
    archive_day(tmp_path, DAY, care=care)
    assert contents(tmp_path) == recorded(tmp_path)
    assert minutes_by_row_group(tmp_path, "NIFTY") == [4, 2, 1]
    assert len(given_back) >= 3


def minutes_by_row_group(root: Path, index: str) -> list[int]:
    with pq.ParquetFile(root / f"archive/legs/index={index}/date={DAY}/part.parquet") as file:
        groups = [file.read_row_group(number, columns=["ts"]) for number in range(file.num_row_groups)]
    return [len(set(group["ts"].to_pylist())) for group in groups]


def test_one_minute_is_found_by_its_time(tmp_path: Path) -> None:
    days = minutes(3)
    record(tmp_path, days)
    archive_day(tmp_path, DAY)
    reader = ArchiveReader(tmp_path, DAY)
    found = reader.at(days[1].minute)
    assert found is not None
    assert content(found) == recorded(tmp_path)[1]
    assert reader.at(days[1].minute.replace(second=1)) is None


def test_a_file_that_is_not_the_one_that_was_verified_is_named_and_left_out(tmp_path: Path) -> None:
    record(tmp_path, minutes(2))
    archive_day(tmp_path, DAY)
    path = tmp_path / f"archive/legs/index=SENSEX/date={DAY}/part.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    reader = ArchiveReader(tmp_path, DAY)
    assert reader.unsound == (f"legs/index=SENSEX/date={DAY}/part.parquet",)
    for snapshot in reader.snapshots():
        assert {index.index: bool(index.chains) for index in snapshot.indices} == {"NIFTY": True, "SENSEX": False}


def test_a_day_that_is_not_archived_is_refused(tmp_path: Path) -> None:
    record(tmp_path, minutes(1))
    with pytest.raises(SinkError, match="not archived"):
        ArchiveReader(tmp_path, DAY)


def test_the_manifest_says_which_minutes_were_damaged_and_how_many_were_replaced(tmp_path: Path) -> None:
    days = minutes(3)
    record(tmp_path, [*days, replace(days[2], provider="another")])
    with closing(journal_of(tmp_path)) as journal:
        journal._connection.execute("UPDATE cycles SET crc = crc + 1 WHERE minute = ?", (days[1].minute.isoformat(),))
    archive_day(tmp_path, DAY)
    manifest = Manifest.read(tmp_path, DAY)
    assert manifest is not None
    assert (manifest.damaged_minutes, manifest.damaged, manifest.replaced) == ((days[1].minute.isoformat(),), 1, 1)
    assert [snapshot.provider for snapshot in ArchiveReader(tmp_path, DAY).snapshots()] == ["sample", "another"]


def test_a_record_that_does_not_even_tell_its_minute_keeps_the_day_from_being_taken_for_archived(
    tmp_path: Path,
) -> None:
    days = minutes(2)
    record(tmp_path, days)
    with closing(journal_of(tmp_path)) as journal:
        journal._connection.execute("UPDATE cycles SET minute = '?' WHERE minute = ?", (days[1].minute.isoformat(),))
    archive_day(tmp_path, DAY)
    assert "1 minutes of its journal are damaged" in (why_not_archived(tmp_path, DAY) or "")


def test_an_archive_of_an_older_release_is_read(tmp_path: Path) -> None:
    record(tmp_path, minutes(2))
    archive_day(tmp_path, DAY)
    path = tmp_path / f"archive/manifest/{DAY}.json"
    document = json.loads(path.read_text())
    older = {name: value for name, value in document.items() if name not in {"damaged_minutes", "replaced"}}
    path.write_text(json.dumps({**older, "format": 1}))
    assert why_not_archived(tmp_path, DAY) is None
    assert contents(tmp_path) == recorded(tmp_path)
    manifest = ArchiveReader(tmp_path, DAY).manifest
    assert (manifest.damaged_minutes, manifest.replaced) == (None, None)
