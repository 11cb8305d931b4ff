"""The market around the options is archived whole; what is asked of it has the same answer before and after."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from recorded_days import DAY, journal_of, minutes, record
from sample_market import same_market, sample_market

from g6 import history
from g6.analytics import MEASURES
from g6.model.snapshot import Snapshot
from g6.storage import archive
from g6.storage.archive import archive_day, why_not_archived
from g6.storage.archive_reader import ArchiveReader
from g6.storage.csv_sink import CsvSink


def surrounded(count: int, without: Sequence[int] = ()) -> list[Snapshot]:
    """The first minutes of a day with a market each, but for some."""
    return [
        snapshot if number in without else replace(snapshot, market=sample_market(snapshot.minute, 0.05 * number))
        for number, snapshot in enumerate(minutes(count))
    ]


def with_files(root: Path, snapshots: Sequence[Snapshot]) -> None:
    """Put minutes into the journal and the CSV files, with the measures that the agent has."""
    record(root, list(snapshots), csv=False)
    journal, sink = journal_of(root), CsvSink(root, MEASURES)
    sink.drain(journal)
    sink.checkpoint(journal)
    sink.close()
    journal.close()


@pytest.mark.parametrize("row_group_legs", [1, 200_000], ids=["a group a minute", "one group"])
def test_it_is_read_back_as_it_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row_group_legs: int
) -> None:
    monkeypatch.setattr(archive, "ROW_GROUP_LEGS", row_group_legs)
    snapshots = surrounded(4, without=[2])
    record(tmp_path, snapshots, csv=False)
    archive_day(tmp_path, DAY)
    assert why_not_archived(tmp_path, DAY) is None
    read = list(ArchiveReader(tmp_path, DAY).snapshots())
    assert [snapshot.minute for snapshot in read] == [snapshot.minute for snapshot in snapshots]
    assert all(same_market(one.market, other.market) for one, other in zip(read, snapshots, strict=True))
    assert read[2].market is None


def test_a_day_without_one_is_archived_as_ever(tmp_path: Path) -> None:
    record(tmp_path, minutes(2), csv=False)
    archive_day(tmp_path, DAY)
    assert not (tmp_path / "archive" / "market").exists()
    assert [snapshot.market for snapshot in ArchiveReader(tmp_path, DAY).snapshots()] == [None, None]


def told(row: dict[str, object]) -> dict[str, object]:
    """What a row knows; of a quotient the archive keeps the last digit, which the files round away."""
    known = {name: value for name, value in row.items() if value == value}
    return {name: float(f"{value:.14g}") if isinstance(value, float) else value for name, value in known.items()}


def test_every_answer_is_the_same_before_and_after_archiving(tmp_path: Path) -> None:
    with_files(tmp_path, surrounded(3, without=[1]))

    def answers() -> list[list[dict[str, object]]]:
        day = DAY.isoformat()
        tables = (
            history.market(day, data_dir=tmp_path),
            history.levels(day, data_dir=tmp_path),
            history.breadth(day, data_dir=tmp_path),
        )
        return [[told(row) for row in table.pandas().to_dict("records")] for table in tables]

    before = answers()
    assert [len(rows) for rows in before] == [2, 2 * 3, 2 * 4]
    archive_day(tmp_path, DAY)
    for path in (tmp_path / "csv").rglob("*.csv"):
        path.unlink()
    assert answers() == before


def test_one_level_and_one_group_can_be_asked_for(tmp_path: Path) -> None:
    with_files(tmp_path, surrounded(2))
    vix = history.levels(DAY, name="INDIAVIX", data_dir=tmp_path).pandas()
    assert vix["level"].tolist() == pytest.approx([11.59, 11.64])
    bank = history.breadth(DAY, group="BANKNIFTY", data_dir=tmp_path).pandas()
    assert bank["advances"].tolist() == [1.0, 1.0]
    joined = history.sql(
        "SELECT l.ts, l.level, m.mood_word FROM levels l JOIN market m USING (ts) WHERE l.name = 'NIFTY' ORDER BY l.ts",
        data_dir=tmp_path,
    ).pandas()
    assert joined["mood_word"].tolist() == ["rather bearish"] * 2


def test_it_is_no_index_among_indices(tmp_path: Path) -> None:
    with_files(tmp_path, surrounded(1))
    names = history.sql('SELECT DISTINCT "index" FROM overview', data_dir=tmp_path).pandas()["index"].tolist()
    legs = history.sql('SELECT DISTINCT "index" FROM chain', data_dir=tmp_path).pandas()["index"].tolist()
    assert "MARKET" not in {*names, *legs}


def test_a_day_that_has_none_answers_with_no_row(tmp_path: Path) -> None:
    with_files(tmp_path, minutes(1))
    assert len(history.market(DAY, data_dir=tmp_path).pandas()) == 0
    assert len(history.levels(DAY, data_dir=tmp_path).pandas()) == 0
    assert len(history.breadth(DAY, data_dir=tmp_path).pandas()) == 0
