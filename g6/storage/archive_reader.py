"""An archived day read back as the minutes that were recorded: what the journal said, when it is there no more.

Importing this module loads pyarrow, a quarter of a second; whoever collects does without it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from g6.clock import IST
from g6.errors import SinkError
from g6.model.anomaly import Anomaly
from g6.model.chain import EXPIRY_CODES, LEG_COLUMN_NAMES, OptionChain
from g6.model.columns import Ints, freeze
from g6.model.market_snapshot import MarketSnapshot
from g6.model.pressure_report import SHED_KINDS
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot
from g6.storage.archive import ANOMALIES, GAPS, INSTRUMENTS, LEGS, MARKET, OVERVIEW
from g6.storage.archive_manifest import ARCHIVE, Manifest, is_sound
from g6.storage.archive_market import markets_of
from g6.storage.archive_tables import (
    AGGREGATES,
    ANOMALY_COUNT,
    CONTEXT,
    EPOCH,
    FLAGS,
    MAPPINGS,
    OVERVIEW_CONTEXT,
)

# Of the overview, what is said under no name of its own.
FACTS = frozenset(
    {"ts", "provider", ANOMALY_COUNT, *FLAGS, *OVERVIEW_CONTEXT, *(f"{code}_expiry" for code in EXPIRY_CODES)}
)

Columns = Mapping[str, Sequence[Any]]
# Code ("" for the index itself) → field → name → column of the overview.
Places = dict[str, dict[str, dict[str, str]]]


class ArchiveReader:
    """The minutes of one archived day, in order of time, some of them in memory.

    They are those that were recorded, but for what has no place in the files: indices stand by name, expiry codes in
    their own order, chains by expiry, legs by strike, call before put; and an aggregate that was NaN is not there.
    Files that are absent, or not as they were when they were verified, are named in `unsound` and left out. SinkError
    when the day is not archived, or its manifest or a file cannot be read.
    """

    def __init__(self, root: Path, day: date) -> None:
        manifest = Manifest.read(root, day)
        if manifest is None:
            raise SinkError(f"{day} is not archived in {root / ARCHIVE}")
        self.manifest = manifest
        self._archive = root / ARCHIVE
        self._parts = [part for part in manifest.parts if is_sound(root, part)]
        self.unsound = tuple(part.path for part in manifest.parts if part not in self._parts)

    def snapshots(self) -> Iterator[Snapshot]:
        """Yield the minutes, ascending."""
        return self._snapshots(None)

    def at(self, minute: datetime) -> Snapshot | None:
        """Return one minute; None when there is none."""
        return next(self._snapshots(minute), None)

    def minutes(self) -> tuple[datetime, ...]:
        """Return the recorded minutes, ascending."""
        with _translated(self._archive):
            paths = [self._archive / part.path for part in self._parts if part.kind == OVERVIEW]
            tables = [_columns(pq.read_table(path, columns=["ts"], partitioning=None)) for path in paths]
        return tuple(sorted({minute for table in tables for minute in table["ts"]}))

    def _snapshots(self, only: datetime | None) -> Iterator[Snapshot]:
        names = sorted({part.index for part in self._parts if part.kind == OVERVIEW})
        with _translated(self._archive):
            indices = [_Index(name, self._paths(name)) for name in names]
            markets = _markets(self._paths(""))
            try:
                for minute in sorted({minute for index in indices for minute in index.minutes}):
                    if only in {None, minute}:
                        snapshot = _snapshot(minute, [index for index in indices if minute in index.minutes])
                        yield replace(snapshot, market=markets.get(minute))
            finally:
                for index in indices:
                    index.close()

    def _paths(self, index: str) -> dict[str, Path]:
        return {part.kind: self._archive / part.path for part in self._parts if part.index == index}


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise SinkError(f"{path} cannot be read: {error}") from error


def _markets(paths: Mapping[str, Path]) -> Mapping[datetime, MarketSnapshot]:
    if not {MARKET, INSTRUMENTS} <= paths.keys():
        return {}
    return markets_of(*(pq.read_table(paths[kind], partitioning=None) for kind in (MARKET, INSTRUMENTS)))


def _snapshot(minute: datetime, indices: Sequence["_Index"]) -> Snapshot:
    first = indices[0]
    shed = first.fact("shed_mask", minute) or 0
    return Snapshot(
        minute=minute,
        provider=first.fact("provider", minute),
        indices=tuple(index.at(minute) for index in indices),
        backfilled=first.fact("backfilled", minute),
        shed=tuple(kind for bit, kind in enumerate(SHED_KINDS) if shed >> bit & 1),
    )


class _Index:
    """One index: its overview and its refusals in memory, its legs as they are needed."""

    def __init__(self, name: str, paths: Mapping[str, Path]) -> None:
        self._name = name
        self._overview = _columns(pq.read_table(paths[OVERVIEW], partitioning=None))
        self.minutes = {minute: number for number, minute in enumerate(self._overview["ts"])}
        self._places = _places(self._overview)
        self._refusals = _refusals(name, pq.read_table(paths[GAPS], partitioning=None)) if GAPS in paths else {}
        findings = paths.get(ANOMALIES)  # days of earlier releases have none
        self._anomalies = {} if findings is None else _anomalies(name, pq.read_table(findings, partitioning=None))
        self._legs = _Legs(name, paths[LEGS]) if LEGS in paths else None

    def close(self) -> None:
        if self._legs is not None:
            self._legs.close()

    def fact(self, name: str, minute: datetime) -> Any:
        """Return a cell of the overview; None for a column that the day's release did not have."""
        column = self._overview.get(name)
        return None if column is None else column[self.minutes[minute]]

    def at(self, minute: datetime) -> IndexSnapshot:
        mask = self.fact("expected_mask", minute)
        chains = self._legs.at(minute) if self._legs is not None else ()
        return IndexSnapshot(
            index=self._name,
            spot=self.fact("spot", minute),
            spot_frozen=self.fact("spot_frozen", minute),
            expected_codes=tuple(code for bit, code in enumerate(EXPIRY_CODES) if mask >> bit & 1),
            # A chain is told of under each of its codes alike.
            chains=tuple(replace(chain, **self._named(chain.codes[0], minute)) for chain in chains),
            refusals=tuple(self._refusals.get(minute, ())),
            anomalies=tuple(self._anomalies.get(minute, ())),
            expected_legs=self.fact("expected_legs", minute),
            received_legs=self.fact("received_legs", minute),
            **self._named("", minute),
        )

    def _named(self, code: str, minute: datetime) -> dict[str, Any]:
        """Return field → what is said under names there."""
        found = {}
        for field, columns in self._places.get(code, {}).items():
            values = {name: self.fact(column, minute) for name, column in columns.items()}
            found[field] = {name: value for name, value in values.items() if not np.isnan(value)}
        return found


class _Legs:
    """The chains of one index, a row group at a time, forwards: the groups follow each other in time."""

    def __init__(self, index: str, path: Path) -> None:
        self._index = index
        self._file = pq.ParquetFile(path)
        self._next = 0
        self._last: datetime | None = None  # minute of the groups that were looked at
        self._chains: Mapping[datetime, Sequence[OptionChain]] = {}

    def close(self) -> None:
        self._file.close()

    def at(self, minute: datetime) -> Sequence[OptionChain]:
        """Return the chains of a minute that is not before the one asked for last."""
        while (self._last is None or self._last < minute) and self._next < self._file.num_row_groups:
            group, self._next = self._next, self._next + 1
            self._last = max(_columns(self._file.read_row_group(group, columns=["ts"]))["ts"])
            if self._last >= minute:
                self._chains = _chains(self._file.read_row_group(group), self._index)
        return self._chains.get(minute, ())


def _chains(table: pa.Table, index: str) -> dict[datetime, list[OptionChain]]:
    """Return minute → chains, by expiry, of rows in any order of the chains; the legs of each stay in theirs."""
    ts, expiry = _whole(table["ts"]), _whole(table["expiry"])
    order = np.lexsort((expiry, ts))
    begins_here = np.ones(len(order), bool)
    begins_here[1:] = (np.diff(ts[order]) != 0) | (np.diff(expiry[order]) != 0)
    begins = np.flatnonzero(begins_here)
    present = set(table.column_names)
    legs = {name: freeze(table[name].to_numpy()[order]) for name in LEG_COLUMN_NAMES if name in present}
    first = table.select(["ts", *(name for name in CONTEXT if name in present)]).take(pa.array(order[begins]))
    context = _columns(first)
    minutes = context.pop("ts")
    found: dict[datetime, list[OptionChain]] = {}
    for number, (begin, end) in enumerate(zip(begins.tolist(), [*begins[1:].tolist(), len(order)], strict=True)):
        shared = {name: values[number] for name, values in context.items()}
        columns: dict[str, Any] = {name: values[begin:end] for name, values in legs.items()}
        found.setdefault(minutes[number], []).append(OptionChain(index=index, **shared, **columns))
    return found


def _refusals(index: str, table: pa.Table) -> dict[datetime, list[Refusal]]:
    columns = _columns(table)
    found: dict[datetime, list[Refusal]] = {}
    rows = zip(*(columns[name] for name in ("ts", "expiry", "codes", "reason", "detail")), strict=True)
    for minute, expiry, codes, reason, detail in rows:
        found.setdefault(minute, []).append(Refusal(index, expiry, codes, reason, detail))
    return found


def _anomalies(index: str, table: pa.Table) -> dict[datetime, list[Anomaly]]:
    columns = _columns(table)
    found: dict[datetime, list[Anomaly]] = {}
    names = ("ts", "expiry", "series", "value", "expected", "deviation", "reason")
    for minute, expiry, series, value, expected, deviation, reason in zip(
        *(columns[name] for name in names), strict=True
    ):
        anomaly = Anomaly(index, expiry, series, minute, value, expected, deviation, reason)
        found.setdefault(minute, []).append(anomaly)
    return found


def _places(columns: Iterable[str]) -> Places:
    """Return where the overview says what is said under names: `pcr_oi`, `this_week_pcr_oi`, `this_week.smile.a`."""
    places: Places = {}
    for column in columns:
        if column in FACTS:
            continue
        code = next((code for code in EXPIRY_CODES if column.startswith(code)), "")
        name = column.removeprefix(code)
        field = AGGREGATES
        if name.startswith("."):
            _, field, name = name.split(".", 2)
        if field in {AGGREGATES, *MAPPINGS}:
            name = name.removeprefix("_") if code else name
            places.setdefault(code, {}).setdefault(field, {})[name] = column
    return places


def _columns(table: pa.Table) -> dict[str, Any]:
    """Return the columns as the model has them: instants in IST, tuples; what is missing among numbers is NaN."""
    return {name: _values(column) for name, column in zip(table.column_names, table.columns, strict=True)}


def _values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        return [(EPOCH + timedelta(microseconds=value)).astimezone(IST) for value in _whole(column).tolist()]
    if pa.types.is_floating(column.type):
        numbers: list[float] = column.to_numpy().tolist()
        return numbers
    values: list[Any] = column.to_pylist()
    return [tuple(value) for value in values] if pa.types.is_list(column.type) else values


def _whole(column: pa.ChunkedArray) -> Ints:
    """Return days, or microseconds, since 1970."""
    narrow = column.cast(pa.int32()) if pa.types.is_date(column.type) else column
    numbers: Ints = narrow.cast(pa.int64()).to_numpy()
    return numbers
