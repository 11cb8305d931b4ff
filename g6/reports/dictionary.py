"""The data dictionary: every number that G6 keeps, with its unit, definition, source, and where it appears.

Nothing is written down here: all of it follows from the schema (`model`), the tables of measures (`analytics`) and the
rules by which stores and metrics name things. `g6/storage/DICTIONARY.md` is its page.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from g6.analytics import MEASURES
from g6.analytics.surroundings import BREADTH
from g6.metrics.catalogue import (
    DERIVABLE_AGGREGATES,
    GROUP_MEASURES,
    OPTION_COLUMNS,
    PARTICIPANT_GAUGES,
    SURROUNDING,
    measure_metric,
    option_metric,
)
from g6.model.chain import (
    BUILD_UPS,
    DEALER_POSITIONS,
    FITTED_SOURCES,
    IV_STATUSES,
    LEG_COLUMNS,
    LEG_DEFECTS,
    PRICE_SOURCES,
    SMILE_STATUSES,
)
from g6.model.columns import Aggregate, Column
from g6.model.market_snapshot import MARKET_COLUMNS, ROW_DEFECTS
from g6.participants.days import KINDS as FILES
from g6.participants.derived import CASH_COLUMNS, POSITION_COLUMNS
from g6.participants.store import CASH, file_of
from g6.storage.csv_layout import LEG_VALUES
from g6.storage.csv_market import LEVEL_VALUES

# Kind → what an entry of it is said of.
KINDS: Mapping[str, str] = MappingProxyType({
    "leg": "an option in a minute",
    "chain": "an expiry of an index in a minute",
    "index": "an index over all its collected expiries in a minute",
    "market": "the whole market in a minute",
    "level": "India VIX, an index, a sector or a share in a minute",
    "group": "the shares of an index, or of an industry, in a minute",
    "participants": "a class of participants in an instrument on a day",
    "institutions": "a kind of institution in the cash market on a day",
})  # fmt: skip
# What the numbers of a code mean, by the name under which a definition speaks of them.
CODES: Mapping[str, Sequence[str]] = MappingProxyType({
    "LEG_DEFECTS": LEG_DEFECTS, "PRICE_SOURCES": PRICE_SOURCES, "IV_STATUSES": IV_STATUSES,
    "FITTED_SOURCES": FITTED_SOURCES, "SMILE_STATUSES": SMILE_STATUSES, "BUILD_UPS": BUILD_UPS,
    "DEALER_POSITIONS": DEALER_POSITIONS, "ROW_DEFECTS": ROW_DEFECTS,
})  # fmt: skip
NOWHERE = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One number. `csv`, `influx` and `metric` are "" where it has no place there; the archive has every one."""

    kind: str  # one of KINDS
    name: str
    unit: str
    definition: str
    source: str  # who says or defines it so
    since: str  # the release that had it first
    csv: str  # folder/column below csv/
    influx: str  # measurement.field
    metric: str


def entries() -> tuple[Entry, ...]:
    """Return every entry, by kind, in the order of the schema."""
    return (
        *map(_leg, LEG_COLUMNS),
        *(_measure(m) for scope in ("chain", "index", "market") for m in MEASURES if m.scope == scope),
        *map(_level, MARKET_COLUMNS),
        *map(_group, BREADTH),
        *map(_position, POSITION_COLUMNS),
        *map(_flow, CASH_COLUMNS),
    )


def chosen(names: Iterable[str], of: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the entries of these names, metrics or words within a name; all without any."""
    wanted = tuple(name.lower() for name in names)
    exact = [e for e in of if {e.name, e.metric, e.kind} & set(wanted)]
    yield from exact or [e for e in of if not wanted or any(name in e.name for name in wanted)]


def as_markdown(of: Sequence[Entry]) -> str:
    """Return the page: one table per kind, and the codes."""
    parts = [HEAD]
    for kind, said in KINDS.items():
        rows = [entry for entry in of if entry.kind == kind]
        if rows:
            title = f"## {kind.capitalize()}: {said}\n\n"
            parts.append(title + TABLE_HEAD + "".join(map(_row, rows)))
    codes = [(name, ", ".join(f"{i} {word}" for i, word in enumerate(words))) for name, words in CODES.items()]
    told = "".join(f"- `{name}`: {words}\n" for name, words in codes)
    return "\n".join([*parts, f"## Codes\n\nA number, once given, keeps its meaning.\n\n{told}"])


HEAD = """# Data dictionary

Every number that G6 keeps. Printed by `g6 dictionary --markdown` from the schema; do not edit. CSV files are named
from `csv/` of the data directory on, those of participants and institutions from the data directory itself; `*` is the
day, and `CODE` is `this_week`, `next_week`, `this_month` or `next_month`. A leg has its column twice, `ce_` for the
call and `pe_` for the put. Influx is `measurement.field`. Metrics begin on `/metrics`, and the many on
`/metrics/options`. A derived column of a leg that has no metric stands in `UNGAUGED_COLUMNS` of
`g6/metrics/catalogue.py` with the reason. The Parquet archive has everything of a minute: legs in `legs`, measures in
`overview` and `market`. An empty cell means that there is none, NaN or an absent field that it was not known.
"""
TABLE_HEAD = (
    "| name | unit | definition | source | since | CSV | Influx | metric |\n|---|---|---|---|---|---|---|---|\n"
)


def _row(entry: Entry) -> str:
    places = " | ".join(f"`{place}`" if place else "" for place in (entry.csv, entry.influx, entry.metric))
    told = " | ".join(text.replace("|", r"\|") for text in (entry.unit, entry.definition, entry.source, entry.since))
    return f"| `{entry.name}` | {told} | {places} |\n"


def _leg(column: Column) -> Entry:
    stored = column in LEG_VALUES
    places = {"strike": ("INDEX/CODE/OFFSET/*.csv: strike", "option_data.strike")}
    csv, influx = places.get(
        column.name,
        (f"INDEX/CODE/OFFSET/*.csv: ce_{column.name}, pe_{column.name}", f"option_data.{column.name}")
        if stored
        else (NOWHERE, NOWHERE),
    )
    metric = option_metric(column.name).name if column.name in OPTION_COLUMNS else NOWHERE
    return Entry("leg", column.name, column.unit, column.help, column.source, column.since, csv, influx, metric)


def _measure(measure: Aggregate) -> Entry:
    name, scope = measure.name, measure.scope
    csv = {"chain": f"INDEX/overview/*.csv: CODE_{name}", "index": f"INDEX/overview/*.csv: {name}"}.get(
        scope, f"MARKET/overview/*.csv: {name}"
    )
    influx = f"options_overview.{name}" if scope == "chain" else f"index_overview.{name}"
    metric = NOWHERE if name in DERIVABLE_AGGREGATES else measure_metric(measure).name
    return Entry(scope, name, measure.unit, measure.help, measure.source, measure.since, csv, influx, metric)


def _level(column: Column) -> Entry:
    own = next((name for name, (source, _) in LEVEL_VALUES.items() if source == column.name), NOWHERE)
    csv = f"MARKET/levels/NAME/*.csv: {own}" if own else NOWHERE
    influx = f"index_overview.{own}" if own else NOWHERE
    metric = SURROUNDING[column.name].name if column.name in SURROUNDING else NOWHERE
    return Entry("level", column.name, column.unit, column.help, column.source, column.since, csv, influx, metric)


def _group(measure: Aggregate) -> Entry:
    name = measure.name
    csv, influx = f"MARKET/breadth/GROUP/*.csv: {name}", f"index_overview.{name}"
    metric = SURROUNDING[name].name if name in GROUP_MEASURES else NOWHERE
    return Entry("group", name, measure.unit, measure.help, measure.source, measure.since, csv, influx, metric)


def _position(column: Column) -> Entry:
    files = ", ".join(map(file_of, FILES))
    metric = PARTICIPANT_GAUGES[column.name].name if column.name in PARTICIPANT_GAUGES else NOWHERE
    return _of_day("participants", column, files, metric)


def _flow(column: Column) -> Entry:
    metric = PARTICIPANT_GAUGES["cash_net"].name if column.name == "net" else NOWHERE
    return _of_day("institutions", column, file_of(CASH), metric)


def _of_day(kind: str, column: Column, files: str, metric: str) -> Entry:
    csv = f"{files}: {column.name}"
    return Entry(kind, column.name, column.unit, column.help, column.source, column.since, csv, NOWHERE, metric)
