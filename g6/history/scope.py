"""Which files a query can need, told by its own conditions: `date = '2026-11-20'` spares a year of them.

DuckDB gives the query as a tree. Only what certainly holds for every row is made use of: conditions joined by AND, on
a view that stands alone in its FROM, that compare `date`, `ts`, `"index"`, `expiry_code` or `offset_label` with a
constant or a value. Where a view is asked several times, what is wanted is wide enough for all of them. A query that
cannot be understood wants everything; DuckDB applies all its conditions in any case.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import orjson

from g6.history.files import Wanted

Node = dict[str, Any]
Values = Sequence[object] | Mapping[str, object]

EVERYTHING = Wanted()
# Column → the field of Wanted that it must equal.
NAMES = {"index": "index", "expiry_code": "code", "offset_label": "place"}
# Comparison → the same with its sides exchanged.
COMPARISONS = {
    "COMPARE_EQUAL": "COMPARE_EQUAL",
    "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
    "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO",
}
# An instant may be written in any zone.
ZONES = timedelta(days=1)
# Functions that are given a query, or the name of a view, as a text: query, query_table.
BY_TEXT = "query"


def scope_of(connection: duckdb.DuckDBPyConnection, query: str, values: Values, views: Iterable[str]) -> Wanted:
    """Return what a query wants of the views at most."""
    if BY_TEXT in query.lower():
        return EVERYTHING
    try:
        (text,) = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchone() or ("{}",)
        known = frozenset(views)
        scopes = [_scope(node, values) for node in _asked(orjson.loads(text), known)]
    except (duckdb.Error, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return EVERYTHING
    return _around(scopes)


def narrower(one: Wanted, other: Wanted) -> Wanted:
    """Return what both want."""
    firsts, lasts = ([day for day in days if day] for days in ((one.first, other.first), (one.last, other.last)))
    return Wanted(
        max(firsts, default=None), min(lasts, default=None), one.index or other.index, one.code or other.code,
        one.place or other.place,
    )  # fmt: skip


def _around(scopes: Sequence[Wanted]) -> Wanted:
    """Return what is wide enough for all."""
    firsts, lasts = [scope.first for scope in scopes], [scope.last for scope in scopes]
    same = {field: {getattr(scope, field) for scope in scopes} for field in NAMES.values()}
    return Wanted(
        None if None in firsts else min((day for day in firsts if day), default=None),
        None if None in lasts else max((day for day in lasts if day), default=None),
        **{field: found.pop() for field, found in same.items() if len(found) == 1},
    )


def _asked(node: Any, views: frozenset[str]) -> Iterator[Node | None]:
    """Yield, for each place where a view is asked, the SELECT that asks it alone; None where others are asked beside.

    A name that the query itself gives to something (WITH) may be taken for a view, which only widens what is wanted.
    """
    if isinstance(node, list):
        for child in node:
            yield from _asked(child, views)
    if not isinstance(node, dict):
        return
    if _is_view(node, views):
        yield None
        return
    alone = node.get("type") == "SELECT_NODE" and _is_view(node.get("from_table"), views)
    if alone:
        yield node
    for name, child in node.items():
        if not (alone and name == "from_table"):
            yield from _asked(child, views)


def _is_view(node: Any, views: frozenset[str]) -> bool:
    return isinstance(node, dict) and node.get("type") == "BASE_TABLE" and node["table_name"].lower() in views


def _scope(select: Node | None, values: Values) -> Wanted:
    if select is None or not select.get("where_clause"):
        return EVERYTHING
    table = select["from_table"]
    own = {"", (table.get("alias") or table["table_name"]).lower()}
    wanted = EVERYTHING
    for column, comparison, value in _conditions(select["where_clause"], own, values):
        wanted = narrower(wanted, _wanted(column, comparison, value))
    return wanted


def _wanted(column: str, comparison: str, value: object) -> Wanted:
    if column in NAMES:
        named = value if comparison == "COMPARE_EQUAL" and isinstance(value, str) else None
        return Wanted(**{NAMES[column]: named})  # type: ignore[arg-type]  # NAMES has the texts among the fields
    day = _day(value)
    if day is None or column not in {"date", "ts"}:
        return EVERYTHING
    wide = ZONES if column == "ts" or isinstance(value, datetime) else timedelta()
    from_it = None if comparison.startswith("COMPARE_LESS") else day - wide
    until_it = None if comparison.startswith("COMPARE_GREATER") else day + wide
    return Wanted(from_it, until_it)


def _conditions(node: Node, own: set[str], values: Values) -> Iterator[tuple[str, str, object]]:
    """Yield (column, comparison, value) of what holds for every row."""
    kind = node["type"]
    if kind == "CONJUNCTION_AND":
        for child in node["children"]:
            yield from _conditions(child, own, values)
    elif kind == "COMPARE_BETWEEN":
        column = _column(node["input"], own)
        yield column, "COMPARE_GREATERTHANOREQUALTO", _value(node["lower"], values)
        yield column, "COMPARE_LESSTHANOREQUALTO", _value(node["upper"], values)
    elif kind in COMPARISONS:
        left, right = node["left"], node["right"]
        yield _column(left, own), kind, _value(right, values)
        yield _column(right, own), COMPARISONS[kind], _value(left, values)


def _column(node: Node, own: set[str]) -> str:
    """Return the column of the view that a node is; "" when it is none, or another one's."""
    *table, column = node.get("column_names") or [""]
    return column.lower() if ".".join(table).lower() in own else ""


def _value(node: Node, values: Values) -> object:
    """Return the constant or the given value that a node is; None for whatever else."""
    kind = node["type"]
    if kind == "OPERATOR_CAST":
        return _value(node["child"], values)
    if kind == "VALUE_CONSTANT":
        return node["literal"]["text"] if node["literal"]["kind"] == "STRING" else None
    if kind == "VALUE_PARAMETER":
        name = node["identifier"]
        if isinstance(values, Mapping):
            return values.get(name)
        place = int(name) - 1 if name.isdecimal() else -1
        return values[place] if 0 <= place < len(values) else None
    return None


def _day(value: object) -> date | None:
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
