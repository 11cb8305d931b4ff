"""The market around the options as Parquet, nothing rounded and nothing left out, and back. No I/O.

`market` has one row a minute: when it was quoted, and what it says under names, behind dots
(`aggregates.mood_score`, `breadth.NIFTY.advances`). `instruments` has one row per quoted instrument and minute.

Importing this module loads pyarrow, a quarter of a second; whoever collects does without it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from g6.clock import IST
from g6.model.columns import Ints
from g6.model.market_snapshot import MARKET_COLUMNS, MarketSnapshot
from g6.model.snapshot import Snapshot
from g6.storage.archive_tables import EPOCH, INSTANT, MICROSECOND

NAMED = ("aggregates", "breadth")
TEXTS = tuple(c.name for c in MARKET_COLUMNS if c.origin == "identity")
NUMBERS = tuple(c.name for c in MARKET_COLUMNS if c.origin != "identity")


def market_table(snapshots: Sequence[Snapshot]) -> pa.Table:
    """Return one row per minute that has a market."""
    found = [(snapshot, snapshot.market) for snapshot in snapshots if snapshot.market is not None]
    markets = [market for _, market in found]
    columns = {
        "ts": _instants([snapshot.minute for snapshot, _ in found]),
        "at": _instants([market.at for market in markets]),
        "frozen": pa.array([market.frozen for market in markets], pa.bool_()),
        "backfilled": pa.array([snapshot.backfilled for snapshot, _ in found], pa.bool_()),
        "shed_mask": pa.array([snapshot.shed_mask for snapshot, _ in found], pa.int64()),
        # What follows from the rest, for whoever asks in SQL.
        "mood_word": pa.array([market.mood for market in markets], pa.string()),
        "leader": pa.array([market.leader for market in markets], pa.string()),
        "laggard": pa.array([market.laggard for market in markets], pa.string()),
    }
    for mapping in NAMED:
        for name in dict.fromkeys(name for market in markets for name in getattr(market, mapping)):
            values = [getattr(market, mapping).get(name, np.nan) for market in markets]
            columns[f"{mapping}.{name}"] = pa.array(values, pa.float64(), from_pandas=True)
    return pa.table(columns)


def instrument_table(snapshots: Sequence[Snapshot]) -> pa.Table:
    """Return one row per instrument and minute, by instrument and only then by time; NaN is null."""
    found = [(snapshot, snapshot.market) for snapshot in snapshots if snapshot.market is not None]
    lengths = [len(market) for _, market in found]
    owner = np.repeat(np.arange(len(found)), lengths)
    place = np.concatenate([np.arange(n) for n in lengths]) if lengths else np.empty(0, np.int64)
    order = np.lexsort((owner, place))
    rows = pa.array(owner[order])
    columns = {
        "ts": _instants([snapshot.minute for snapshot, _ in found]).take(rows),
        "frozen": pa.array([market.frozen for _, market in found], pa.bool_()).take(rows),
        "backfilled": pa.array([snapshot.backfilled for snapshot, _ in found], pa.bool_()).take(rows),
        "shed_mask": pa.array([snapshot.shed_mask for snapshot, _ in found], pa.int64()).take(rows),
    }
    for name in (*TEXTS, *NUMBERS):
        values = [getattr(market, name) for _, market in found]
        kind = pa.string() if name in TEXTS else pa.float64()
        together: Any = np.concatenate(values)[order] if values else []
        columns[name] = pa.array(together, kind, from_pandas=name in NUMBERS)
    return pa.table(columns)


def markets_of(market: pa.Table, instruments: pa.Table) -> dict[datetime, MarketSnapshot]:
    """Return minute → market of the two tables; a column that the day's release did not have is NaN."""
    rows = _rows_by_minute(instruments)
    present = set(instruments.column_names)
    texts = {name: np.array(instruments[name].to_pylist(), np.str_) for name in TEXTS if name in present}
    numbers = {name: instruments[name].to_numpy() for name in NUMBERS if name in present}
    places = {mapping: _named_columns(market, f"{mapping}.") for mapping in NAMED}
    found: dict[datetime, MarketSnapshot] = {}
    facts = zip(market["ts"].to_pylist(), market["at"].to_pylist(), market["frozen"].to_pylist(), strict=True)
    for number, (minute, at, frozen) in enumerate(facts):
        own = rows.get(minute, np.empty(0, np.int64))
        said: dict[str, Any] = {
            mapping: {name: values[number] for name, values in columns.items() if not np.isnan(values[number])}
            for mapping, columns in places.items()
        }
        columns: dict[str, Any] = {name: values[own] for name, values in (*texts.items(), *numbers.items())}
        found[minute.astimezone(IST)] = MarketSnapshot(at=at.astimezone(IST), frozen=frozen, **columns, **said)
    return found


def _named_columns(table: pa.Table, prefix: str) -> Mapping[str, Sequence[float]]:
    names = [name for name in table.column_names if name.startswith(prefix)]
    return {name.removeprefix(prefix): table[name].to_numpy().tolist() for name in names}


def _rows_by_minute(table: pa.Table) -> dict[datetime, Ints]:
    minutes, place = np.unique(table["ts"].cast(pa.int64()).to_numpy(), return_inverse=True)
    order = np.argsort(place, kind="stable")  # instruments stay in the order in which they were kept
    ends = np.cumsum(np.bincount(place, minlength=len(minutes)))
    starts = [0, *ends[:-1].tolist()]
    return {
        (EPOCH + int(minute) * MICROSECOND): order[start:end]
        for minute, start, end in zip(minutes.tolist(), starts, ends.tolist(), strict=True)
    }


def _instants(instants: Sequence[datetime]) -> pa.Array:
    return pa.array([(instant - EPOCH) // MICROSECOND for instant in instants], INSTANT)
