"""A query looks at no more files than its own conditions need, and never at fewer."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from recorded_days import DAY, minutes, record

from g6 import history
from g6.errors import ConfigError
from g6.history.files import Wanted
from g6.history.scope import narrower, scope_of
from g6.history.views import KINDS
from g6.storage.archive import archive_day

DAYS = tuple(DAY - timedelta(days=back) for back in (2, 1, 0))
FIRST, SECOND, TODAY = DAYS
# The whole directory is searched where a query may name a view in a text.
UNPRUNED = " -- query_table"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two archived days, the files of the first gone, and today."""
    root = tmp_path_factory.mktemp("data")
    for number, day in enumerate(DAYS):
        record(root, minutes(2 + number, day, width=1))
    for day in (FIRST, SECOND):
        archive_day(root, day)
    for path in root.glob(f"csv/**/{FIRST}.csv"):
        path.unlink()
    return root


def scope(query: str, values: object = ()) -> Wanted:
    with duckdb.connect() as connection:
        return scope_of(connection, query, values, KINDS)


SAME_ANSWERS = (
    f"SELECT count(*) FROM chain c WHERE c.date = DATE '{SECOND}' AND c.offset_label = 'atm'",
    f"SELECT count(*) FROM legs WHERE date BETWEEN '{FIRST}' AND '{SECOND}'",
    f"SELECT count(*) FROM legs WHERE ts < '{SECOND}T09:16+05:30'",
    f"SELECT count(*) FROM chain WHERE date = '{SECOND}' OR \"index\" = 'SENSEX'",
    f"SELECT count(*) FROM chain WHERE date = '{SECOND}' UNION ALL SELECT count(*) FROM legs",
    f"SELECT count(*) FROM chain a JOIN chain b USING (ts, \"index\", strike, expiry_code) WHERE a.date = '{SECOND}'",
    f"WITH chain AS (SELECT * FROM legs) SELECT count(*) FROM chain WHERE date = '{SECOND}'",
    f"SELECT count(*) FROM chain o WHERE o.date = '{TODAY}' AND EXISTS (FROM legs i WHERE o.date = '{TODAY}')",
    f"SELECT count(*) FROM expiries WHERE date = '{SECOND}' AND expiry_code = 'this_month'",
)
MORE_OF_THEM = (
    f"SELECT count(*) FROM chain WHERE date = '{SECOND}'",
    f"SELECT count(*) FROM chain WHERE '{SECOND}' = date AND \"index\" = 'NIFTY'",
    f"SELECT count(*) FROM chain WHERE date >= '{SECOND}' AND expiry_code = 'this_week'",
    f"SELECT count(*) FROM chain WHERE date > '{FIRST}' AND date < '{TODAY}'",
    f"SELECT count(*) FROM legs WHERE ts >= '{FIRST}T18:00:00-12:00'",
    f"SELECT count(*) FROM chain WHERE NOT date = '{SECOND}'",
    f"SELECT count(*) FROM chain WHERE date <> '{SECOND}'",
    f"SELECT count(*) FROM chain WHERE date IN ('{FIRST}', '{TODAY}')",
    f"SELECT count(*) FROM chain WHERE \"index\" = 'nifty' COLLATE NOCASE AND date = '{SECOND}'",
    f"SELECT count(*) FROM chain WHERE date = '{SECOND}' UNION ALL SELECT count(*) FROM chain WHERE date = '{TODAY}'",
    f"SELECT count(*) FROM chain a LEFT JOIN overview b ON a.ts = b.ts AND b.date = '{SECOND}'",
    f"WITH one AS (SELECT * FROM chain WHERE date = '{SECOND}') SELECT count(*) FROM one, overview o",
    f"SELECT count(*) FROM (SELECT * FROM chain) WHERE date = '{SECOND}'",
    f"SELECT (SELECT count(*) FROM legs i WHERE o.date = '{SECOND}') FROM overview o ORDER BY 1",
    f"SELECT count(*) FROM Chain WHERE Date = '{SECOND}' AND \"INDEX\" = 'NIFTY'",
    f"FROM overview SELECT count(*) WHERE date = '{SECOND}'",
    f"SELECT count(*) FROM gaps WHERE date = '{SECOND}' AND \"index\" = 'NIFTY'",
    f"SELECT max(date) AS date FROM chain GROUP BY \"index\" HAVING max(date) = '{SECOND}'",
    f"SELECT count(*) FROM chain WHERE date = (SELECT min(date) FROM overview WHERE date > '{FIRST}')",
    "SELECT count(*) FROM chain WHERE date = '2001-01-01'",
    "SELECT count(*) FROM chain WHERE offset_label = 'p1' AND \"index\" = 'SENSEX'",
)


@pytest.mark.parametrize(
    "query", [*SAME_ANSWERS, *(pytest.param(query, marks=pytest.mark.long) for query in MORE_OF_THEM)]
)
def test_what_is_not_looked_at_changes_no_answer(root: Path, query: str) -> None:
    assert history.sql(query, data_dir=root).rows() == history.sql(query + UNPRUNED, data_dir=root).rows()


@pytest.mark.parametrize(
    ("query", "values", "wanted"),
    [
        ("SELECT * FROM chain WHERE date = '2026-11-20'", (), Wanted(DAY, DAY)),
        ("FROM chain WHERE date = ? AND expiry_code = ?", (DAY, "this_week"), Wanted(DAY, DAY, None, "this_week")),
        ("FROM legs WHERE index = $i AND date >= $d", {"i": "NIFTY", "d": "2026-11-20"}, Wanted(DAY, None, "NIFTY")),
        ("SELECT * FROM chain WHERE ts <= ?", (datetime(2026, 11, 19, 23, tzinfo=UTC),), Wanted(None, DAY)),
        ("SELECT * FROM overview WHERE date BETWEEN '2026-11-18' AND '2026-11-20'", (), Wanted(FIRST, DAY)),
        ("FROM chain WHERE date = '2026-11-18' UNION FROM legs WHERE date = '2026-11-20'", (), Wanted(FIRST, DAY)),
        ("SELECT * FROM chain WHERE date = '2026-11-20' AND (strike > 1 OR \"index\" = 'X')", (), Wanted(DAY, DAY)),
        ("SELECT * FROM chain, overview WHERE chain.date = '2026-11-20'", (), Wanted()),
        ("SELECT * FROM query_table('chain') WHERE date = '2026-11-20'", (), Wanted()),
        ("DESCRIBE chain", (), Wanted()),
        ("SELECT 1", (), Wanted()),
        ("SELECT * FROM chain WHERE date = 'soon'", (), Wanted()),
        ("SELECT * FROM chain WHERE date = ? + 1", (DAY,), Wanted()),
        ("SELECT nothing that is SQL", (), Wanted()),
    ],
)  # fmt: skip
def test_only_what_holds_for_every_row_is_made_use_of(query: str, values: object, wanted: Wanted) -> None:
    assert scope(query, values) == wanted


def test_what_both_want_is_what_each_wants() -> None:
    one, other = Wanted(FIRST, TODAY, "NIFTY"), Wanted(SECOND, None, None, "this_week")
    assert narrower(one, other) == narrower(other, one) == Wanted(SECOND, TODAY, "NIFTY", "this_week")
    assert narrower(one, Wanted()) == one


def test_files_of_other_days_are_not_even_opened(root: Path) -> None:
    damaged = root / f"archive/legs/index=NIFTY/date={FIRST}/part.parquet"
    sound = damaged.read_bytes()
    damaged.write_bytes(b"no Parquet")
    try:
        query = f"SELECT count(*) AS n FROM chain WHERE date = '{SECOND}'"
        assert history.sql(query, data_dir=root).rows()[0]["n"] > 0
    finally:
        damaged.write_bytes(sound)


def test_a_column_that_only_other_days_have_is_there_and_empty(root: Path) -> None:
    """The archive keeps a column that the daily files leave out."""
    rows = history.sql(
        f"SELECT DISTINCT this_week_unasked AS u FROM overview WHERE date = '{TODAY}'", data_dir=root
    ).rows()
    assert rows == [{"u": None}]
    with pytest.raises(ConfigError, match="nowhere"):
        history.sql(f"SELECT nowhere FROM overview WHERE date = '{TODAY}'", data_dir=root)


def test_a_day_is_a_day_in_any_form() -> None:
    for value in (DAY, DAY.isoformat(), date.fromisoformat("2026-11-20")):
        assert scope("SELECT * FROM chain WHERE date = $d", {"d": value}) == Wanted(DAY, DAY)
