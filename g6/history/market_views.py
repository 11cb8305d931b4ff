"""The views of the market around the options as SQL, from the archive's files and the CSV files. No I/O."""

# ruff: noqa: S608  names and paths are quoted, and the database can change nothing

from collections.abc import Iterator, Mapping, Sequence

from g6.history.files import Columns, Files
from g6.model.market_snapshot import BREADTH_MEASURES
from g6.storage.archive import INSTRUMENTS, MARKET
from g6.storage.csv_market import BREADTH, CONTEXT, LEVEL_VALUES, LEVELS, OVERVIEW, WORDS

# View → the kind of files that it is made of.
MARKET_KINDS: Mapping[str, str] = {"market": MARKET, "levels": INSTRUMENTS, "breadth": MARKET}

INSTANT, TEXT, NUMBER, TRUTH, WHOLE = "TIMESTAMPTZ", "VARCHAR", "DOUBLE", "BOOLEAN", "BIGINT"
TYPES: Mapping[str, str] = {
    "ts": INSTANT, "date": "DATE", "frozen": TRUTH, "backfilled": TRUTH, "shed_mask": WHOLE, "name": TEXT,
    "group_name": TEXT, **dict.fromkeys(WORDS, TEXT),
}  # fmt: skip
SAID, OF_GROUP = "aggregates.", "breadth."
LITERALLY = str.maketrans({character: f"[{character}]" for character in "[*?"})  # to the readers a path is a pattern


def market_views(files: Files) -> dict[str, str]:
    """Return view → its SELECT: `market` a row a minute, `levels` and `breadth` one per name or group and minute."""
    parquet = {kind: files.parquet[kind].items() for kind in (MARKET, INSTRUMENTS)}
    csv = {kind: files.market[kind].items() for kind in (OVERVIEW, LEVELS, BREADTH)}
    market = [_archived_market(columns, paths) for columns, paths in parquet[MARKET]]
    levels = [_archived_levels(paths) for _, paths in parquet[INSTRUMENTS]]
    breadth = [select for columns, paths in parquet[MARKET] for select in _archived_breadth(columns, paths)]
    market += [f"SELECT * EXCLUDE (filename), {_DATE} FROM {_csv(columns, paths)}" for columns, paths in csv[OVERVIEW]]
    levels += [_csv_of("name", columns, paths) for columns, paths in csv[LEVELS]]
    breadth += [_csv_of("group_name", columns, paths) for columns, paths in csv[BREADTH]]
    measures = dict.fromkeys(
        [c.removeprefix(SAID) for columns, _ in parquet[MARKET] for c in columns if c.startswith(SAID)]
        + [c for columns, _ in csv[OVERVIEW] for c in columns]
    )
    return {
        "market": _union(("ts", "date", *CONTEXT[1:], *measures, *WORDS), market),
        "levels": _union(("ts", "date", "name", *CONTEXT[1:], *LEVEL_VALUES), levels),
        "breadth": _union(("ts", "date", "group_name", *CONTEXT[1:], *BREADTH_MEASURES), breadth),
    }


def _archived_market(columns: Columns, paths: Sequence[str]) -> str:
    own = (f"{_name(c)} AS {_name(c.removeprefix(SAID))}" for c in columns if c.startswith(SAID))
    listed = ", ".join(["ts", "date", *CONTEXT[1:], *own, *(word for word in WORDS if word in columns)])
    return f"SELECT {listed} FROM {_parquet(paths)}"


def _archived_levels(paths: Sequence[str]) -> str:
    # With the decimals that the day's CSV files had, so that archiving a day changes no answer.
    change = {"change": "last - previous_close", "change_ratio": "last / previous_close - 1"}
    values = (
        f"round({change.get(column, column)}, {decimals}) AS {_name(name)}"
        for name, (column, decimals) in LEVEL_VALUES.items()
    )
    listed = ", ".join(["ts", "date", "name", *CONTEXT[1:], *values])
    return f"SELECT {listed} FROM {_parquet(paths)} WHERE kind <> 'share' AND last IS NOT NULL"


def _archived_breadth(columns: Columns, paths: Sequence[str]) -> Iterator[str]:
    own = [c.removeprefix(OF_GROUP).rpartition(".") for c in columns if c.startswith(OF_GROUP)]
    for group in dict.fromkeys(group for group, _, _ in own):
        measures = [measure for of_group, _, measure in own if of_group == group]
        values = (f"{_name(f'{OF_GROUP}{group}.{measure}')} AS {_name(measure)}" for measure in measures)
        listed = ", ".join(["ts", "date", f"{_text(group)} AS group_name", *CONTEXT[1:], *values])
        known = " OR ".join(f"{_name(f'{OF_GROUP}{group}.{measure}')} IS NOT NULL" for measure in measures)
        yield f"SELECT {listed} FROM {_parquet(paths)} WHERE {known}"


_DATE = "CAST(split_part(split_part(filename, '/', -1), '.', 1) AS DATE) AS date"


def _csv_of(column: str, columns: Columns, paths: Sequence[str]) -> str:
    listed = f"* EXCLUDE (filename), {_DATE}, split_part(filename, '/', -2) AS {column}"
    return f"SELECT {listed} FROM {_csv(columns, paths)}"


def _csv(columns: Columns, paths: Sequence[str]) -> str:
    listed = ", ".join(f"{_text(column)}: {_text(TYPES.get(column, NUMBER))}" for column in columns)
    return (
        f"read_csv({_paths(paths)}, header = true, auto_detect = false, delim = ',', quote = '', escape = '',"
        f" columns = {{{listed}}}, filename = true)"
    )


def _parquet(paths: Sequence[str]) -> str:
    return f"read_parquet({_paths(paths)}, hive_partitioning = true, hive_types = {{'date': DATE}})"


def _union(columns: Sequence[str], selects: Sequence[str]) -> str:
    frame = ", ".join(f"CAST(NULL AS {TYPES.get(c, NUMBER)}) AS {_name(c)}" for c in dict.fromkeys(columns))
    return " UNION ALL BY NAME ".join([f"SELECT {frame} WHERE false", *(f"({select})" for select in selects)])


def _paths(paths: Sequence[str]) -> str:
    return "[" + ", ".join(_text(path.translate(LITERALLY)) for path in paths) + "]"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
