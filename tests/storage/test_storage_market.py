"""The market around the options goes into journal and files and comes back; a minute without it is as before."""

import csv
import io
import json
import zlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from sample_market import AGGREGATES, BREADTH, same_market, sample_market

from g6.model.columns import Aggregate
from g6.model.market_snapshot import BREADTH_MEASURES
from g6.model.snapshot import Snapshot
from g6.storage.csv_market import LEVEL_VALUES, market_header, market_lines
from g6.storage.csv_sink import CsvSink
from g6.storage.encoding import decode_snapshot, encode_snapshot
from g6.storage.influx_lines import lines
from g6.storage.journal import Journal

DESCRIPTORS = tuple(Aggregate(name, "1", "x", scope="market") for name in AGGREGATES)


@pytest.fixture
def minute(sample: ModuleType) -> Snapshot:
    snapshot = sample.snapshot(3)
    return replace(snapshot, market=sample_market(snapshot.minute))


def rows_of(snapshot: Snapshot) -> dict[tuple[str, ...], dict[str, str]]:
    found = {}
    for key, line in market_lines(snapshot, DESCRIPTORS).items():
        (row,) = csv.DictReader(io.StringIO(f"{market_header(key, DESCRIPTORS).decode()}\n{line.decode()}\n"))
        found[key] = row
    return found


def test_the_journal_gives_back_what_it_was_given(minute: Snapshot) -> None:
    assert same_market(decode_snapshot(encode_snapshot(minute)).market, minute.market)


def test_equal_minutes_are_equal_bytes(minute: Snapshot) -> None:
    again = replace(minute, market=sample_market(minute.minute))
    assert encode_snapshot(minute) == encode_snapshot(again)


def test_a_minute_without_it_is_written_as_ever(minute: Snapshot) -> None:
    document = json.loads(zlib.decompress(encode_snapshot(replace(minute, market=None))))
    assert "market" not in document
    assert decode_snapshot(encode_snapshot(replace(minute, market=None))).market is None


def test_what_another_release_wrote_is_read(minute: Snapshot) -> None:
    document = json.loads(zlib.decompress(encode_snapshot(minute)))
    del document["market"]["columns"]["volume"]
    document["market"]["columns"]["of_a_later_release"] = {"values": [1]}
    read = decode_snapshot(zlib.compress(json.dumps(document).encode())).market
    assert read is not None
    assert read.volume.tolist() == pytest.approx([float("nan")] * len(read), nan_ok=True)
    assert read.last.tolist() == pytest.approx(minute.market.last.tolist(), nan_ok=True)


def test_a_level_is_a_row_of_its_own_file(minute: Snapshot) -> None:
    rows = rows_of(minute)
    levels = {key[2]: row for key, row in rows.items() if key[:2] == ("MARKET", "levels")}
    assert set(levels) == {"NIFTY", "INDIAVIX", "NIFTYIT"}, "not what has no level, and no share"
    row = levels["NIFTY"]
    assert list(row)[4:] == list(LEVEL_VALUES)
    assert float(row["level"]) == 24006.05
    assert float(row["change"]) == pytest.approx(-114.5)
    assert float(row["change_ratio"]) == pytest.approx(24006.05 / 24120.55 - 1, abs=1e-8)
    assert (float(row["open"]), float(row["high"]), float(row["low"])) == (24005.05, 24008.05, 24004.05)


def test_a_group_is_a_row_of_its_own_file(minute: Snapshot) -> None:
    rows = {key[2]: row for key, row in rows_of(minute).items() if key[:2] == ("MARKET", "breadth")}
    assert set(rows) == {"NIFTY", "BANKNIFTY", "FINANCIAL_SERVICES", "OIL_GAS"}
    for name, value in BREADTH.items():
        group, measure = name.split(".")
        assert float(rows[group][measure]) == value
    assert list(rows["NIFTY"])[4:] == list(BREADTH_MEASURES)
    assert rows["BANKNIFTY"]["declines"] == "", "not known is not zero"


def test_the_whole_market_is_a_row_with_its_words(minute: Snapshot) -> None:
    row = rows_of(minute)["MARKET", "overview"]
    assert {name: float(row[name]) for name in AGGREGATES} == pytest.approx(AGGREGATES)
    assert (row["mood_word"], row["leader"], row["laggard"]) == ("rather bearish", "NIFTYIT", "NIFTYIT")
    assert row["ts"] == "2026-11-20T09:18:00+05:30"


def test_without_a_market_there_is_no_row(minute: Snapshot) -> None:
    assert market_lines(replace(minute, market=None), DESCRIPTORS) == {}


def test_the_sink_writes_the_files_and_takes_rows_away_again(tmp_path: Path, minute: Snapshot) -> None:
    journal = Journal.open(tmp_path / "2026-11-20.sqlite3", corrupt=tmp_path / "corrupt", max_bytes=50_000_000)
    sink = CsvSink(tmp_path, DESCRIPTORS)
    journal.put(minute)
    sink.drain(journal)
    folder = tmp_path / "csv" / "MARKET"
    written = sorted(str(path.parent.relative_to(folder)) for path in folder.rglob("*.csv"))
    assert written == [
        "breadth/BANKNIFTY", "breadth/FINANCIAL_SERVICES", "breadth/NIFTY", "breadth/OIL_GAS",
        "levels/INDIAVIX", "levels/NIFTY", "levels/NIFTYIT", "overview",
    ]  # fmt: skip
    journal.put(replace(minute, market=None))  # a later tick of the same minute
    sink.drain(journal)
    assert list(folder.rglob("*.csv")) == []
    journal.close()


def test_influx_has_levels_breadth_and_measures_as_index_overview(minute: Snapshot) -> None:
    points: dict[tuple[str, ...], dict[str, float]] = {}
    for line in lines(minute, DESCRIPTORS):
        head, fields, _ = line.decode().split(" ")
        measurement, *tags = head.split(",")
        if measurement == "index_overview":
            key = tuple(tags)
            assert key not in points, "one point a series and minute"
            points[key] = {k: float(v) for k, v in (field.split("=") for field in fields.split(","))}
    assert points["index=INDIAVIX",] == pytest.approx({
        "level": 11.59, "previous_close": 10.84, "open": 10.59, "high": 13.59, "low": 9.59, "change": 0.75,
        "change_ratio": 11.59 / 10.84 - 1, "quote_age_seconds": 0.2,
    })  # fmt: skip
    assert points["index=MARKET",] == pytest.approx(AGGREGATES)
    nifty = points["index=NIFTY",]
    assert nifty["spot"] > 0
    assert (nifty["level"], nifty["advances"], nifty["unknown"]) == (24006.05, 1.0, 1.0)
    assert points["index=NIFTY", "sector=OIL_GAS"] == {"declines": 1.0}
    assert points["index=BANKNIFTY",]["advances"] == 1.0
