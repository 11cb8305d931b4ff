"""A checksum of columns sees every change of a value, and nothing but that."""

from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest

from g6.clock import IST
from g6.storage.archive_tables import INSTANT, checksums

AT = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
COLUMNS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "price": (pa.float64(), [1.25, None, 3.0]),
    "lot": (pa.int64(), [75, None, 0]),
    "settling": (pa.bool_(), [True, False, False]),
    "expiry": (pa.date32(), [date(2026, 11, 24), None, date(2026, 12, 29)]),
    "ts": (INSTANT, [AT, AT, None]),
    "source": (pa.string(), ["parity", "", None]),
    "codes": (pa.list_(pa.string()), [["this_week"], [], None]),
}


def table(**changed: list[Any]) -> pa.Table:
    return pa.table({name: pa.array(changed.get(name, rows), kind) for name, (kind, rows) in COLUMNS.items()})


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("price", [1.25, 0.0, 3.0]), ("price", [1.25, None, 3.0000000000000004]), ("price", [None, 1.25, 3.0]),
        ("lot", [75, 0, 0]), ("lot", [75, None, 1]), ("lot", [None, 75, 0]),
        ("settling", [True, True, False]),
        ("expiry", [date(2026, 11, 24), date(1970, 1, 1), date(2026, 12, 29)]),
        ("ts", [AT, AT.replace(microsecond=1), None]), ("ts", [AT, None, AT]),
        ("source", ["parity", None, None]), ("source", ["parit", "y", None]),
        ("codes", [["this_week"], [""], None]), ("codes", [["this_week"], None, None]),
    ],
)  # fmt: skip
def test_a_changed_value_changes_the_checksum_of_its_column_alone(name: str, rows: list[Any]) -> None:
    before, after = checksums(table()), checksums(table(**{name: rows}))
    assert {column for column in before if before[column] != after[column]} == {name}


def test_how_rows_are_cut_into_chunks_does_not_matter() -> None:
    whole = table()
    cut = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 2)])
    assert cut.column(0).num_chunks == 2
    assert checksums(cut) == checksums(whole)


def test_tables_one_after_the_other_depend_on_their_order() -> None:
    first, second = table(), table(price=[9.0, 9.0, 9.0])
    assert checksums(second, checksums(first)) != checksums(first, checksums(second))
