"""The past and today answer alike: what was in the CSV files is in the archive, by whatever way one asks."""

import csv
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from recorded_days import DAY, minutes, record, sample

from g6 import history
from g6.errors import ConfigError
from g6.model.chain import LEG_COLUMNS
from g6.storage.archive import archive_day

YESTERDAY = DAY - timedelta(days=1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Yesterday archived, without its CSV files; today recorded."""
    record(tmp_path, minutes(3, YESTERDAY))
    record(tmp_path, minutes(2))
    archive_day(tmp_path, YESTERDAY)
    for path in tmp_path.glob(f"csv/**/{YESTERDAY}.csv"):
        path.unlink()
    return tmp_path


def written(folder: Path, day: date) -> list[dict[str, str]]:
    """The rows of one CSV file, as Python's own reader gives them."""
    with (folder / f"{day}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def as_written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return str(int(value))
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def test_a_chain_of_today_is_its_csv_file(root: Path) -> None:
    rows = history.chain("NIFTY", DAY, expiry="this_week", offset=-1, data_dir=root).rows()
    recorded = written(root / "csv/NIFTY/this_week/m1", DAY)
    assert [{name: as_written(row[name]) for name in recorded[0]} for row in rows] == recorded
    assert {(r["index"], r["expiry_code"], r["offset"], r["offset_label"], r["date"]) for r in rows} == {
        ("NIFTY", "this_week", -1, "m1", DAY)
    }


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM chain ORDER BY ALL",
        "SELECT * FROM legs ORDER BY ALL",
        "SELECT * EXCLUDE (provider) FROM overview ORDER BY ALL",
        "SELECT * FROM expiries ORDER BY ALL",
    ],
)
def test_archiving_changes_no_answer(tmp_path: Path, query: str) -> None:
    record(tmp_path, minutes(4, width=3))
    before = history.sql(query, data_dir=tmp_path).polars()
    archive_day(tmp_path, DAY)
    for path in tmp_path.glob("csv/**/*.csv"):
        path.unlink()
    after = history.sql(query, data_dir=tmp_path).polars()
    # What the CSV files leave out.
    more = {column.name for column in LEG_COLUMNS if column.origin == "context"}
    ours = [name for name in before.columns if not name.endswith("unasked") and name not in more]
    assert len(before)
    assert after.select(ours).sort(ours).equals(before.select(ours).sort(ours), null_equal=True)


def test_days_of_both_kinds_are_one_table(root: Path) -> None:
    table = history.chain("SENSEX", YESTERDAY, DAY, expiry="next_month", data_dir=root)
    per_day = table.polars().group_by("date").len().sort("date").rows()
    assert per_day == [(YESTERDAY, 3 * 5), (DAY, 2 * 5)]
    assert table.arrow().column("ts").to_pylist() == sorted(table.arrow().column("ts").to_pylist())


def test_an_expiry_with_two_codes_is_there_under_both_and_once_by_its_day(root: Path) -> None:
    for day in (YESTERDAY, DAY):
        week, month = (history.chain("NIFTY", day, expiry=code, data_dir=root) for code in ("this_week", "this_month"))
        assert len(week) == len(month) > 0
        both = history.chain("NIFTY", day, expiry=date(2026, 11, 24), data_dir=root)
        assert len(both) == len(week) + len(month)
        assert {row["expiry"] for row in both.rows()} == {date(2026, 11, 24)}


MINUTE = sample.minute_of(1)


@pytest.mark.parametrize("minute", ["09:16", time(9, 16), time(9, 16, 30), MINUTE, MINUTE.replace(tzinfo=None)])
def test_one_minute_by_any_of_its_names(root: Path, minute: Any) -> None:
    rows = history.chain("NIFTY", DAY, expiry="this_week", minute=minute, data_dir=root).rows()
    assert {row["ts"] for row in rows} == {sample.minute_of(1)}
    assert [row["strike"] for row in rows] == [23900.0, 23950.0, 24000.0, 24050.0, 24100.0]


def test_an_overview_by_code_has_a_row_a_minute_whether_collected_or_not(root: Path) -> None:
    for day, count in ((YESTERDAY, 3), (DAY, 2)):
        week = history.overview("NIFTY", day, expiry="this_week", data_dir=root).rows()
        assert [row["pcr_oi"] for row in week] == [0.5] * count
        assert [row["expiry"] for row in history.overview("NIFTY", day, expiry="next_week", data_dir=root).rows()] == (
            [None] * count
        )
        wide = history.overview("NIFTY", day, data_dir=root).rows()
        assert [(row["this_week_max_pain"], row["expected_mask"]) for row in wide] == [(24000.0, 0b1011)] * count


def test_a_leg_that_is_not_listed_is_no_leg(root: Path) -> None:
    query = (
        "SELECT date, side, count(*) AS n FROM legs WHERE index = 'NIFTY' AND expiry_code = 'this_week' GROUP BY ALL"
    )
    counted = {(row["date"], row["side"]): row["n"] for row in history.sql(query, data_dir=root).rows()}
    # Five strikes, of which the highest has no put.
    assert counted == {(YESTERDAY, "CE"): 15, (YESTERDAY, "PE"): 12, (DAY, "CE"): 10, (DAY, "PE"): 8}


def test_a_day_whose_journal_grew_after_it_was_archived_is_read_from_its_csv_files(tmp_path: Path) -> None:
    record(tmp_path, minutes(2))
    archive_day(tmp_path, DAY)
    query = "SELECT count(DISTINCT ts) AS n FROM chain"
    assert history.sql(query, data_dir=tmp_path).rows() == [{"n": 2}]
    record(tmp_path, minutes(3)[2:])
    assert history.sql(query, data_dir=tmp_path).rows() == [{"n": 3}]
    archive_day(tmp_path, DAY)
    assert history.sql(query, data_dir=tmp_path).rows() == [{"n": 3}]


def test_a_half_archived_day_is_not_seen(root: Path) -> None:
    (root / f"archive/manifest/{YESTERDAY}.json").unlink()
    assert history.sql("SELECT DISTINCT date FROM chain", data_dir=root).rows() == [{"date": DAY}]


def test_gaps_and_contracts_of_archived_days_are_views(root: Path) -> None:
    reasons = history.sql("SELECT DISTINCT index, date, reason FROM gaps ORDER BY ALL", data_dir=root).rows()
    assert reasons == [{"index": i, "date": YESTERDAY, "reason": "thin"} for i in ("NIFTY", "SENSEX")]
    assert history.sql("SELECT * FROM contracts", data_dir=root).rows() == []


def test_files_of_older_and_newer_releases_are_one_table(root: Path) -> None:
    """An older release lacks a column, a newer one has one more: both are there, null where they are not."""
    path = root / f"csv/NIFTY/this_week/atm/{DAY}.csv"
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{header},mood", *(f"{line},calm" for line in lines)]) + "\n")
    path = root / f"csv/NIFTY/this_week/p1/{DAY}.csv"
    path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()) + "\n")
    rows = history.sql("SELECT offset_label, mood, pe_rho FROM chain WHERE index = 'NIFTY'", data_dir=root).rows()
    assert {row["mood"] for row in rows if row["offset_label"] == "atm"} == {"calm", None}
    assert {row["mood"] for row in rows if row["offset_label"] != "atm"} == {None}
    assert len(rows) == (3 + 2) * 5 * 3


def test_masters_are_found_by_place_and_weekday(tmp_path: Path) -> None:
    folder = tmp_path / "masters/NIFTY/this_week/p1m1"
    folder.mkdir(parents=True)
    header = "index,expiry_code,offset,weekday,minute,n,sum,mean,min,max,exponential_mean\n"
    for weekday in ("friday", "monday"):
        line = f'"NIFTY, 50",this_week,p1m1,{weekday},09:15,4,40.5,10.125,9,11.25,10.2\n'
        (folder / f"{weekday}.csv").write_text(header + line)
    (row,) = history.masters("NIFTY", offset="p1m1", weekday="Friday", data_dir=tmp_path).rows()
    assert row == {
        "index": "NIFTY", "expiry_code": "this_week", "offset_label": "p1m1", "weekday": "friday", "minute": "09:15",
        "display_name": "NIFTY, 50", "n": 4, "sum": 40.5, "mean": 10.125, "min": 9.0, "max": 11.25,
        "exponential_mean": 10.2,
    }  # fmt: skip
    assert len(history.masters("NIFTY", offset="p1m1", data_dir=tmp_path)) == 2
    assert len(history.masters("NIFTY", offset=0, data_dir=tmp_path)) == 0


VIEWS = ("chain", "legs", "overview", "expiries", "masters", "gaps", "contracts")


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_there_and_empty_where_nothing_is_recorded(tmp_path: Path, view: str) -> None:
    table = history.sql(f"SELECT * FROM {view}", data_dir=tmp_path)
    assert len(table) == 0
    assert "index" in table.columns


def test_a_folder_may_have_a_name_that_is_a_pattern_or_a_quotation(tmp_path: Path) -> None:
    root = tmp_path / "it's [odd] *?"
    record(root, minutes(1))
    record(root, minutes(1, YESTERDAY))
    archive_day(root, YESTERDAY)
    assert len(history.chain("NIFTY", YESTERDAY, DAY, expiry="this_week", data_dir=root)) == 2 * 5


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("DROP VIEW chain", "only reads"),
        ("COPY (SELECT 1) TO '{root}/csv/x.csv'", "only reads"),
        ("SELECT 1; SELECT 2", "one query at a time"),
        ("SELECT content FROM read_text('/etc/hostname')", "file system"),
        ("SELECT nothing FROM chain", '"nothing" not found'),
        ("SELEC 1", "syntax error"),
        ("INSTALL httpfs", "only reads"),
        ("SET enable_external_access = true", "only reads"),
        ("", "one query at a time"),
    ],
)
def test_a_query_that_is_wrong_or_does_more_than_read_is_refused_in_one_line(root: Path, query: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        history.sql(query.format(root=root), data_dir=root)
    assert "\n" not in str(refused.value)


def test_values_stand_for_marks(root: Path) -> None:
    query = "SELECT count(*) AS n FROM chain WHERE date = ? AND index = ?"
    assert history.sql(query, (DAY, "NIFTY"), data_dir=root).rows() == [{"n": 2 * 15}]
    named = {"day": DAY, "index": "NIFTY"}
    assert history.sql("SELECT $day AS day, $index AS i", named, data_dir=root).rows() == [{"day": DAY, "i": "NIFTY"}]


def test_a_span_of_days_leaves_the_others_out(root: Path) -> None:
    query = "SELECT DISTINCT date FROM chain"
    assert history.sql(query, last=YESTERDAY, data_dir=root).rows() == [{"date": YESTERDAY}]
    assert history.sql(query, first=str(DAY), data_dir=root).rows() == [{"date": DAY}]


def test_every_form_of_an_answer_says_the_same(root: Path) -> None:
    table = history.chain("NIFTY", DAY, expiry="this_week", data_dir=root)
    assert len(table) == len(table.rows()) == len(table.pandas()) == len(table.polars()) == table.arrow().num_rows
    bids = [row["ce_bid"] for row in table.rows()]
    assert None in bids
    assert table.polars()["ce_bid"].to_list() == bids
    assert [None if value != value else value for value in table.pandas()["ce_bid"]] == bids
    assert table.pandas()["ts"].iloc[0] == table.polars()["ts"][0] == sample.minute_of(0)
    assert list(table.pandas().columns) == table.polars().columns == list(table.columns)


def test_an_answer_is_asked_further_as_a_relation_of_its_own_or_beside_other_tables(root: Path) -> None:
    table = history.chain("NIFTY", DAY, expiry="this_week", data_dir=root)
    relation = table.duckdb()
    assert tuple(relation.columns) == table.columns
    assert relation.order("ts").to_arrow_table()["ts"][0].as_py() == sample.minute_of(0)
    assert relation.order("ts").project("ts").fetchall()[0] == (sample.minute_of(0),)
    assert relation.filter("offset_label = 'atm'").aggregate("count(*)").fetchall() == [(2,)]
    with duckdb.connect() as mine:
        mine.execute("CREATE TABLE held AS SELECT 24050.0 AS strike")
        held = table.duckdb(mine).join(mine.table("held"), "strike")
        assert [row["strike"] for row in table.rows()].count(24050.0) == held.to_arrow_table().num_rows == 2


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01"])
def test_what_is_no_day_is_refused(root: Path, day: str) -> None:
    with pytest.raises(ConfigError, match="is no day"):
        history.chain("NIFTY", day, data_dir=root)


def test_what_is_no_code_and_no_directory_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no day like 2026-11-20, nor an expiry code"):
        history.chain("NIFTY", DAY, expiry="weekly", data_dir=root)
    with pytest.raises(ConfigError, match="no expiry code"):
        history.overview("NIFTY", DAY, expiry="weekly", data_dir=root)
    with pytest.raises(ConfigError, match="is not there"):
        history.of(tmp_path / "nowhere")


def test_the_data_directory_is_the_agents_own_unless_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("G6_STORAGE__DATA_DIR", str(root))
    assert len(history.chain("NIFTY", DAY, expiry="this_week")) == 2 * 5
