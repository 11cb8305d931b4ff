"""The views as SQL: the archive's Parquet files and the CSV files of days not archived yet, in one shape. No I/O.

| view | a row is | key |
|---|---|---|
| `chain` | a strike, call (`ce_*`) and put (`pe_*`) side by side | ts, index, expiry_code, strike |
| `legs` | one leg | ts, index, expiry_code, strike, side |
| `overview` | a minute of an index, aggregates per expiry code (`this_week_pcr_oi`) | ts, index |
| `expiries` | the same by expiry code (`pcr_oi`) | ts, index, expiry_code |
| `masters` | a minute of a weekday: n, sum, mean, min, max … of the total premium | index … weekday, minute |
| `market` | a minute of India VIX, sectors and breadth together | ts |
| `levels` | a minute of India VIX, an index or a sector | ts, name |
| `breadth` | a minute of an index's shares, or of an industry's | ts, group_name |
| `gaps` | a refusal and its reason; archived days only | |
| `anomalies` | what was out of the ordinary, and why; of days not archived, what they showed as a whole | |
| `contracts` | a listed contract; archived days only | date, dump, exchange, symbol |
| `participants` | contracts of a class of participants, long, short, net | date, kind, participant, instrument |
| `participant_cash` | the cash flows of institutions, crores of rupees | date, participant |

A chain that two expiry codes name is there under both. Every view is there, empty, where nothing is recorded.
"""

# ruff: noqa: S608  names and paths are quoted, and the database can change nothing

from collections.abc import Iterable, Iterator, Mapping, Sequence

from g6.history.files import FLOWS, MASTERS, POSITIONS, Columns, Files
from g6.history.market_views import MARKET_KINDS, market_views
from g6.model.chain import EXPIRY_CODES, LEG_COLUMNS
from g6.storage.archive import ANOMALIES, CONTRACTS, GAPS, LEGS, OVERVIEW
from g6.storage.csv_layout import (
    FORWARD_DECIMALS,
    LEG_CONTEXT,
    LEG_VALUES,
    OVERVIEW_CONTEXT,
    PREMIUM_DECIMALS,
    PRICE_BASES,
    YEARS_DECIMALS,
)

# View → the kind of files that it is made of.
KINDS: Mapping[str, str] = {
    "chain": LEGS, "legs": LEGS, "overview": OVERVIEW, "expiries": OVERVIEW, "masters": MASTERS, "gaps": GAPS,
    "anomalies": ANOMALIES,
    "contracts": CONTRACTS, "participants": POSITIONS, "participant_cash": FLOWS, **MARKET_KINDS,
}  # fmt: skip
# To the readers every path is a pattern.
LITERALLY = str.maketrans({character: f"[{character}]" for character in "[*?"})

INSTANT, DAY, TEXT, NUMBER, TRUTH, WHOLE = "TIMESTAMPTZ", "DATE", "VARCHAR", "DOUBLE", "BOOLEAN", "BIGINT"
# What is no plain number, by name.
TYPES: Mapping[str, str] = {
    "ts": INSTANT, "at": INSTANT, "expires_at": INSTANT, "expiry": DAY, "date": DAY, "offset": "INTEGER",
    "index": TEXT, "expiry_code": TEXT, "offset_label": TEXT, "side": TEXT, "premium_basis": TEXT,
    "forward_source": TEXT, "atm_reference": TEXT, "provider": TEXT, "reason": TEXT, "detail": TEXT,
    "spot_frozen": TRUTH, "settling": TRUTH, "backfilled": TRUTH, "expected": WHOLE, "lot": WHOLE,
    "shed_mask": WHOLE, "expected_mask": WHOLE, "collected_mask": WHOLE, "expected_legs": WHOLE, "received_legs": WHOLE,
    "anomalies": WHOLE,
    "weekday": TEXT, "minute": TEXT, "display_name": TEXT, "n": WHOLE, "dump": WHOLE, "exchange": TEXT,
    "symbol": TEXT, "token": WHOLE, "kind": TEXT,
}  # fmt: skip
EXPIRIES = tuple(f"{code}_expiry" for code in EXPIRY_CODES)
PLACE = ("ts", "date", "index", "expiry_code", "offset", "offset_label")
SIDES = ("ce", "pe")
DOT = "."
QUOTE = '"'  # display names may need one; nothing in the other files does
VALUES = tuple(column.name for column in LEG_VALUES)
CHAIN_COLUMNS = (*PLACE, *LEG_CONTEXT[1:], *(f"{side}_{name}" for side in SIDES for name in VALUES))
# What belongs to the chain and is the same for all its legs.
SHARED = tuple(name for name in LEG_CONTEXT if name not in {"ts", "expiry", "strike", "total_premium"})
DECIMALS = {"forward": FORWARD_DECIMALS, "years": YEARS_DECIMALS}
LEG_NAMES = tuple(c.name for c in LEG_COLUMNS if c.origin != "identity" and c.name != "offset")
LEGS_COLUMNS = (*PLACE, "expiry", "strike", "side", *SHARED, *LEG_NAMES)
MASTER_COLUMNS = (
    "index", "expiry_code", "offset_label", "weekday", "minute", "display_name", "n", "sum", "mean", "min", "max",
    "exponential_mean",
)  # fmt: skip
GAP_COLUMNS = ("ts", "date", "index", "expiry", "reason", "detail")
ANOMALY_COLUMNS = ("ts", "date", "index", "expiry", "series", "value", "expected", "deviation", "reason")
CONTRACT_COLUMNS = (
    "date", "dump", "index", "exchange", "symbol", "token", "kind", "expiry", "strike", "lot", "tick",
)  # fmt: skip


POSITION_TYPES: Mapping[str, str] = {
    "date": DAY, "participant": TEXT, "instrument": TEXT, "long": WHOLE, "short": WHOLE, "net": WHOLE,
    "long_short_ratio": NUMBER, "previous_date": DAY, "change_long": NUMBER, "change_short": NUMBER,
    "change_net": NUMBER,
}  # fmt: skip
ANOMALY_TYPES: Mapping[str, str] = {
    "ts": INSTANT, "date": DAY, "index": TEXT, "expiry": DAY, "series": TEXT, "value": NUMBER, "expected": NUMBER,
    "deviation": NUMBER, "reason": TEXT,
}  # fmt: skip
FLOW_TYPES: Mapping[str, str] = {
    "date": DAY, "participant": TEXT, "buy": NUMBER, "sell": NUMBER, "net": NUMBER, "previous_date": DAY,
    "change_net": NUMBER,
}  # fmt: skip


def views(files: Files) -> dict[str, str]:
    """Return view → its SELECT; each stands by itself."""
    parquet = files.parquet
    archived = _union(LEGS_COLUMNS, (_archived_legs(paths) for paths in parquet[LEGS].values()))
    recorded = _union(CHAIN_COLUMNS, (_csv_chain(columns, paths) for columns, paths in files.legs.items()))
    overviews = [_archived_overview(columns, paths) for columns, paths in parquet[OVERVIEW].items()]
    overviews += [_csv_overview(columns, paths) for columns, paths in files.overviews.items()]
    names = _overview_names([*parquet[OVERVIEW], *files.overviews])
    overview = _union(("ts", "date", "index", *names), overviews)
    # Kept apart as results they would be read whole, for the few rows that are asked for.
    parts = f"WITH recorded AS NOT MATERIALIZED ({recorded}), archived AS NOT MATERIALIZED ({archived})"
    return {
        "chain": f"{parts} SELECT * FROM recorded UNION ALL BY NAME {_paired()}",
        "legs": f"{parts} SELECT * FROM archived UNION ALL BY NAME {_unpaired()}",
        "overview": overview,
        "expiries": f"WITH minutes AS NOT MATERIALIZED ({overview}) {_by_code(names)}",
        "masters": _union(MASTER_COLUMNS, (_masters(columns, paths) for columns, paths in files.masters.items())),
        "gaps": _union(GAP_COLUMNS, (_parquet(paths) for paths in parquet[GAPS].values())),
        "anomalies": _table(
            ANOMALY_TYPES, [*(_parquet(paths) for paths in parquet[ANOMALIES].values()), *_judged(files.judged)]
        ),
        "contracts": _union(CONTRACT_COLUMNS, (_parquet(paths) for paths in parquet[CONTRACTS].values())),
        "participants": _table(
            {"kind": TEXT, **POSITION_TYPES},
            (f"SELECT {text(k)} AS kind, * FROM {_read(POSITION_TYPES, [p])}" for k, p in files.positions.items()),
        ),
        "participant_cash": _table(FLOW_TYPES, (f"SELECT * FROM {_read(FLOW_TYPES, [p])}" for p in files.flows)),
        **market_views(files),
    }


def text(value: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def name(column: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + column.replace('"', '""') + '"'


def _type(column: str) -> str:
    return DAY if column in EXPIRIES else TYPES.get(column, NUMBER)


def _union(columns: Sequence[str], selects: Iterable[str]) -> str:
    """Return all selects together; the columns come in this order and exist even where no select has them."""
    return _table({column: _type(column) for column in columns}, selects)


def _table(types: Mapping[str, str], selects: Iterable[str]) -> str:
    """Return all selects together, with columns of these types in this order, and whatever else they have."""
    frame = ", ".join(f"CAST(NULL AS {kind}) AS {name(column)}" for column, kind in types.items())
    return " UNION ALL BY NAME ".join([f"SELECT {frame} WHERE false", *(f"({select})" for select in selects)])


def pattern(path: str) -> str:
    """Return the pattern that a path alone matches."""
    return path.translate(LITERALLY)


def _paths(paths: Iterable[str]) -> str:
    return "[" + ", ".join(text(pattern(path)) for path in paths) + "]"


def _parquet(paths: Sequence[str]) -> str:
    kinds = "{'index': VARCHAR, 'date': DATE}" if "/index=" in paths[0] else "{'date': DATE}"
    return f"SELECT * FROM read_parquet({_paths(paths)}, hive_partitioning = true, hive_types = {kinds})"


def _judged(paths: Sequence[str]) -> Iterator[str]:
    """Yield the SELECT of what days showed as a whole, where they were judged."""
    if not paths:
        return
    found = {column: kind for column, kind in ANOMALY_TYPES.items() if column not in {"ts", "date"}}
    members = ", ".join(f"{name(column)} {kind}" for column, kind in {"minute": INSTANT, **found}.items())
    files = f"read_json({_paths(paths)}, columns = {{day: 'DATE', anomalies: {text(f'STRUCT({members})[]')}}})"
    listed = ", ".join(f"found.{name(column)}" for column in found)
    yield f"SELECT found.minute AS ts, day AS date, {listed} FROM (SELECT day, unnest(anomalies) AS found FROM {files})"


def _archived_overview(columns: Columns, paths: Sequence[str]) -> str:
    # What the archive keeps behind dots is what the journal knew beside; the files of the day never showed it.
    dotted = ", ".join(name(column) for column in columns if DOT in column)
    return f"SELECT * EXCLUDE ({dotted}) FROM ({_parquet(paths)})" if dotted else _parquet(paths)


def _csv(columns: Columns, paths: Sequence[str], quote: str = "") -> str:
    return _read({column: _csv_type(column) for column in columns}, paths, quote, ", filename = true")


def _read(types: Mapping[str, str], paths: Sequence[str], quote: str = "", more: str = "") -> str:
    listed = ", ".join(f"{text(column)}: {text(kind)}" for column, kind in types.items())
    return (
        f"read_csv({_paths(paths)}, header = true, auto_detect = false, delim = ',', quote = {text(quote)},"
        f" escape = {text(quote)}, columns = {{{listed}}}{more})"
    )


def _csv_type(column: str) -> str:
    known = {*CHAIN_COLUMNS, *OVERVIEW_CONTEXT, *MASTER_COLUMNS}
    return _type(column) if column in known or column.startswith(EXPIRY_CODES) else TEXT


def _folder(place: int) -> str:
    """Return the expression for a folder of the file's path, counted from its end; it decides which files are read."""
    return f"split_part(filename, '/', {place})"


_DATE = f"CAST(split_part({_folder(-1)}, '.', 1) AS DATE) AS date"


def _csv_chain(columns: Columns, paths: Sequence[str]) -> str:
    label = _folder(-2)
    number = (
        f"CAST(CASE left({label}, 1) WHEN 'a' THEN '0' WHEN 'm' THEN '-' || substr({label}, 2)"
        f" ELSE substr({label}, 2) END AS INTEGER)"
    )
    return (
        f'SELECT * EXCLUDE (filename), {_DATE}, {_folder(-4)} AS "index", {_folder(-3)} AS expiry_code,'
        f' {number} AS "offset", {label} AS offset_label FROM {_csv(columns, paths)}'
    )


def _csv_overview(columns: Columns, paths: Sequence[str]) -> str:
    return f'SELECT * EXCLUDE (filename), {_DATE}, {_folder(-3)} AS "index" FROM {_csv(columns, paths)}'


def _masters(columns: Columns, paths: Sequence[str]) -> str:
    """Return the masters; the folder has the index's name, the file's own column the one that people read."""
    dropped = ", ".join(name(c) for c in columns if c in {"expiry_code", "offset", "weekday"})
    return (
        f'SELECT * EXCLUDE (filename, {dropped}) RENAME ("index" AS display_name), {_folder(-4)} AS "index",'
        f" {_folder(-3)} AS expiry_code, {_folder(-2)} AS offset_label,"
        f" split_part({_folder(-1)}, '.', 1) AS weekday FROM {_csv(columns, paths, quote=QUOTE)}"
    )


def _archived_legs(paths: Sequence[str]) -> str:
    # With the decimals that the day's CSV files had, so that archiving a day changes no answer.
    rounded = ", ".join(f"round({column}, {decimals}) AS {column}" for column, decimals in DECIMALS.items())
    return (
        f'SELECT * EXCLUDE (codes, is_call) REPLACE (CAST("offset" AS INTEGER) AS "offset", {rounded}),'
        " CASE WHEN is_call THEN 'CE' ELSE 'PE' END AS side,"
        ' CASE WHEN "offset" = 0 THEN \'atm\' WHEN "offset" > 0 THEN \'p\' || CAST("offset" AS INTEGER)'
        " ELSE 'm' || CAST(-\"offset\" AS INTEGER) END AS offset_label,"
        f" unnest(codes) AS expiry_code FROM ({_parquet(paths)})"
    )


def _paired() -> str:
    """Return the archived legs with call and put in one row; the premium is summed as the day's files had it."""
    key = [*PLACE, "expiry", "strike"]
    shared = [f"any_value({name(column)}) AS {name(column)}" for column in SHARED]
    sides = [
        f"any_value({name(column)}) FILTER (side = {text(side.upper())}) AS {side}_{column}"
        for side in SIDES
        for column in VALUES
    ]
    listed = ", ".join([*map(name, key), *shared, *sides])
    premiums = " ".join(f"WHEN {text(basis)} THEN ce_{basis} + pe_{basis}" for basis in PRICE_BASES)
    return (
        f"SELECT *, round(CASE premium_basis {premiums} END, {PREMIUM_DECIMALS}) AS total_premium"
        f" FROM (SELECT {listed} FROM archived GROUP BY {', '.join(map(name, key))})"
    )


def _unpaired() -> str:
    """Return the recorded strikes as legs; a leg without a defect code is one that is not listed."""
    shared = ", ".join(map(name, [*PLACE, "expiry", "strike", *SHARED]))
    # Absent is defect 1; a release that has not said so has no such column to be asked.
    return " UNION ALL BY NAME ".join(
        f"SELECT {shared}, {text(side.upper())} AS side, {', '.join(f'{side}_{c} AS {name(c)}' for c in VALUES)},"
        f" CASE WHEN {side}_defect = 1 THEN 0.0 ELSE 1.0 END AS answered"
        f" FROM recorded WHERE {side}_defect IS NOT NULL"
        for side in SIDES
    )


def _overview_names(headers: Sequence[Columns]) -> list[str]:
    """Return the overview's columns: what concerns the minute, then each code's, in the order they were met."""
    met = (column for columns in headers for column in columns if DOT not in column)
    return list(dict.fromkeys([*OVERVIEW_CONTEXT, "provider", *EXPIRIES, *met]))


def code_columns(columns: Iterable[str], code: str) -> dict[str, str]:
    """Return an expiry code's own columns of the overview: with the code before the name → the name alone."""
    return {column: column.removeprefix(f"{code}_") for column in columns if column.startswith(f"{code}_")}


def _by_code(names: Sequence[str]) -> str:
    selects = []
    for code in EXPIRY_CODES:
        own = (f"{name(column)} AS {name(short)}" for column, short in code_columns(names, code).items())
        selects.append(
            f'SELECT ts, date, "index", {text(code)} AS expiry_code, spot, {", ".join(own)} FROM minutes'
            f" WHERE {name(f'{code}_expiry')} IS NOT NULL"
        )
    return _union(("ts", "date", "index", "expiry_code", "expiry", "spot"), selects)
