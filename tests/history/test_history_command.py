"""`g6 query`: the answer as a table for people, as CSV and as JSON."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from recorded_days import DAY, minutes, record

from g6.cli.query import main
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError

Query = Callable[..., str]
ATM = "SELECT ts, \"offset\", total_premium, ce_bid, settling FROM chain WHERE index = 'NIFTY' AND offset_label = 'atm'"


@pytest.fixture
def query(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Query:
    """Runs the command over two minutes of two days."""
    for day in (DAY, DAY - timedelta(days=1)):
        record(tmp_path / "data", minutes(2, day))

    def run(*arguments: str) -> str:
        assert main(["--data-dir", str(tmp_path / "data"), *arguments], Surroundings({}, tmp_path)) == 0
        return capsys.readouterr().out

    return run


def test_csv_is_written_as_the_daily_files_are(query: Query, tmp_path: Path) -> None:
    columns = "ts, expiry, strike, atm, total_premium, spot_frozen, ce_bid, pe_iv"
    asked = f"SELECT {columns} FROM chain WHERE index = 'NIFTY' AND expiry_code = 'this_week' AND offset_label = 'p1'"
    given = list(csv.DictReader(io.StringIO(query(f"{asked} ORDER BY ts", "--format", "csv", "--from", str(DAY)))))
    with (tmp_path / f"data/csv/NIFTY/this_week/p1/{DAY}.csv").open(newline="") as file:
        recorded = [{name: row[name] for name in columns.split(", ")} for row in csv.DictReader(file)]
    assert [{k: v.removesuffix(".0") for k, v in row.items()} for row in given] == recorded


def test_json_is_a_list_of_objects(query: Query) -> None:
    rows = json.loads(query(f"{ATM} AND expiry_code = 'this_week' ORDER BY ts", "--format", "json", "--to", str(DAY)))
    assert len(rows) == 4
    assert rows[-1]["ts"] == "2026-11-20T09:16:00+05:30"
    assert all(isinstance(row["total_premium"], float) for row in rows)
    assert all(row["settling"] is False for row in rows)


def test_a_table_is_aligned_and_counted(query: Query) -> None:
    assert query("SELECT 1 AS lots, 'NIFTY' AS name UNION ALL SELECT 1250, NULL").splitlines() == [
        "lots  name",
        "----  -----",
        "   1  NIFTY",
        "1250",
        "(2 rows)",
    ]
    assert query("SELECT 1 AS n WHERE false").splitlines() == ["n", "-", "(0 rows)"]


def test_a_long_table_is_cut_and_says_so(query: Query) -> None:
    lines = query("SELECT * FROM range(250)").splitlines()
    assert len(lines) == 2 + 100 + 1
    assert lines[-1] == "(250 rows, the first 100 shown; --format csv has all)"
    assert len(query("SELECT * FROM range(250)", "--format", "csv").splitlines()) == 251


def test_the_views_can_be_listed_and_described(query: Query) -> None:
    assert "expiries" in query("SHOW TABLES")


def test_the_help_tells_of_every_view_and_of_no_other(
    query: Query, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    views = {row["name"] for row in json.loads(query("SHOW TABLES", "--format", "json"))}
    with pytest.raises(SystemExit) as ended:
        main(["--help"], Surroundings({}, tmp_path))
    assert ended.value.code == 0
    block = capsys.readouterr().out.partition("views (")[2].partition("\n\n")[0].splitlines()[1:]
    names = [re.match(r"  (\w+(?:, \w+)*)  +\S", line) for line in block]
    assert {name for found in names if found for name in found.group(1).split(", ")} == views
    assert "total_premium" in query("DESCRIBE chain")


def test_a_mistake_is_one_line(query: Query) -> None:
    with pytest.raises(ConfigError, match="no day like"):
        query("SELECT 1", "--from", "monday")
    with pytest.raises(ConfigError, match="syntax error"):
        query("SELEC 1")
