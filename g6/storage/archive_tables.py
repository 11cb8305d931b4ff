"""What stands in the Parquet files: minutes of one index become columns, nothing rounded and nothing left out. No I/O.

Importing this module loads pyarrow, a quarter of a second; whoever collects does without it.
"""

import dataclasses
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import chain as flatten
from types import MappingProxyType
from typing import Any, NamedTuple, get_origin

import numpy as np
import pyarrow as pa

from g6.model.anomaly import Anomaly
from g6.model.chain import EXPIRY_CODES, LEG_COLUMN_NAMES, LEG_COLUMNS, OptionChain
from g6.model.columns import Bools, Dates, Floats, Ints, Texts
from g6.model.contracts import ContractTable
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot
from g6.storage.encoding import HINTS

# An instant is stored as the UTC microsecond that it is, and shown in the exchange's zone.
INSTANT = pa.timestamp("us", tz="Asia/Kolkata")
CODES = pa.list_(pa.string())
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
MICROSECOND = timedelta(microseconds=1)
ARROW_TYPES: Mapping[Any, pa.DataType] = {
    float: pa.float64(), int: pa.int64(), bool: pa.bool_(), str: pa.string(), date: pa.date32(), datetime: INSTANT,
    tuple: CODES, Floats: pa.float64(), Bools: pa.bool_(), Ints: pa.int64(), Texts: pa.string(), Dates: pa.date32(),
}  # fmt: skip
# What has names of its own within is the overview's, a column each: a chain's aggregates behind its code, what else it
# has of the kind behind dots, which no aggregate's name has (`this_week.opening.pcr_oi`).
AGGREGATES = "aggregates"
NAMED = tuple(name for name, hint in HINTS[OptionChain].items() if get_origin(hint) is Mapping)
MAPPINGS = tuple(name for name in NAMED if name != AGGREGATES)
# The folder says the index.
ELSEWHERE = frozenset({*LEG_COLUMN_NAMES, "index", *NAMED})
CONTEXT = tuple(f.name for f in dataclasses.fields(OptionChain) if f.name not in ELSEWHERE)
# Columns in which each value is almost its own do without Parquet's dictionaries, which make a day a fifth larger.
VARIED = frozenset(c.name for c in LEG_COLUMNS if c.unit not in {"bool", "code", "strikes", "points", "seconds"})
OVERVIEW_CONTEXT = ("spot", "spot_frozen", "expected_mask", "collected_mask", "expected_legs", "received_legs")
FLAGS = ("backfilled", "shed_mask")
ANOMALY_COUNT = "anomalies"  # of the overview; what they are has a table of its own


class Minute(NamedTuple):
    """One index in one minute, and the whole minute, which has something to say about it, too."""

    whole: Snapshot
    of: IndexSnapshot


def leg_table(minutes: Sequence[Minute], price_basis: str) -> pa.Table:
    """Return one row per leg: `ts`, the chain's own facts, every column of the schema; NaN is null.

    Rows go by expiry, strike, side and only then by time, because what stands beside its like compresses to half.
    """
    chains = [(minute, chain) for minute in minutes for chain in minute.of.chains]
    lengths = [len(chain) for _, chain in chains]
    # Plain numbers for whole chains first, and one `take` for all legs.
    owner = np.repeat(np.arange(len(chains)), lengths)

    def legs(name: str) -> Any:
        return np.concatenate([getattr(chain, name) for _, chain in chains])

    expiry = np.repeat([chain.expiry.toordinal() for _, chain in chains], lengths)
    order = np.lexsort((owner, ~legs("is_call"), legs("strike"), expiry))
    per_chain = {
        "ts": _column((minute.whole.minute for minute, _ in chains), datetime),
        **{name: _column((getattr(c, name) for _, c in chains), _hint(OptionChain, name)) for name in CONTEXT},
        **_flags([minute.whole for minute, _ in chains]),
        "premium_basis": _column((price_basis for _ in chains), str),
    }
    rows = pa.array(owner[order])
    taken = {name: column.take(rows) for name, column in per_chain.items()}
    # A column at a time: all of them, in two orders, would be there at once otherwise.
    return pa.table({**taken, **{n: pa.array(legs(n)[order], from_pandas=True) for n in LEG_COLUMN_NAMES}})


def overview_table(minutes: Sequence[Minute]) -> pa.Table:
    """Return one row a minute: the index's own facts, and the aggregates of the chain that each expiry code names.

    The columns are those of the CSV overview for every aggregate that any chain has, `provider`, and what else a chain
    says under names, behind dots.
    """
    indices = [minute.of for minute in minutes]
    by_code = [{code: chain for chain in of.chains for code in chain.codes} for of in indices]
    chains = [chain for of in indices for chain in of.chains]
    kinds = {name: _hint(IndexSnapshot, name) for name in OVERVIEW_CONTEXT}
    columns = {
        "ts": _column((m.whole.minute for m in minutes), datetime),
        **{name: _column((getattr(of, name) for of in indices), kind) for name, kind in kinds.items()},
        **_flags([m.whole for m in minutes]),
        ANOMALY_COUNT: _column((len(of.anomalies) for of in indices), int),
        "provider": _column((m.whole.provider for m in minutes), str),
        **_spread("", AGGREGATES, indices, _names(AGGREGATES, indices)),
    }
    for code in EXPIRY_CODES:
        own = [of_minute.get(code) for of_minute in by_code]
        columns[f"{code}_expiry"] = _column((None if chain is None else chain.expiry for chain in own), date)
        columns |= _spread(f"{code}_", AGGREGATES, own, _names(AGGREGATES, chains))
        for mapping in MAPPINGS:
            columns |= _spread(f"{code}.{mapping}.", mapping, own, _names(mapping, chains))
    return pa.table(columns)


def extended(table: pa.Table | None, more: pa.Table) -> pa.Table:
    """Return the rows of both; a column that one of them lacks is null there.

    In one piece: hundreds of columns in pieces of a few rows take many times what is in them.
    """
    if table is None:
        return more
    return pa.concat_tables([table, more], promote_options="default").combine_chunks()


def _flags(wholes: Iterable[Snapshot]) -> dict[str, pa.Array]:
    """Return what holds for all that was recorded in a minute."""
    wholes = list(wholes)
    return {name: _column((getattr(w, name) for w in wholes), _hint(Snapshot, name)) for name in FLAGS}


def _names(mapping: str, owners: Iterable[Any]) -> Sequence[str]:
    """Return the names that any owner's mapping has, in the order in which they were met."""
    return list(dict.fromkeys(flatten.from_iterable(getattr(owner, mapping) for owner in owners)))


def _spread(prefix: str, mapping: str, owners: Sequence[Any], names: Iterable[str]) -> dict[str, pa.Array]:
    """Return a column per name, one value per owner; None among the owners has none."""
    values = [{} if owner is None else getattr(owner, mapping) for owner in owners]
    return {f"{prefix}{name}": _column((of.get(name, np.nan) for of in values), float) for name in names}


def gap_table(minutes: Sequence[Minute]) -> pa.Table:
    """Return one row per refusal: the minute, which expiry ("" for the whole index), and why."""
    refusals = [(m.whole.minute, refusal) for m in minutes for refusal in m.of.refusals]
    columns = {"ts": _column((minute for minute, _ in refusals), datetime)}
    for name in ("expiry", "codes", "reason", "detail"):
        columns[name] = _column((getattr(refusal, name) for _, refusal in refusals), _hint(Refusal, name))
    return pa.table(columns)


def anomaly_table(minutes: Sequence[Minute]) -> pa.Table:
    """Return one row per anomaly: the minute, the expiry (null for the index as a whole), and what was found."""
    found = [(m.whole.minute, anomaly) for m in minutes for anomaly in m.of.anomalies]
    columns = {"ts": _column((minute for minute, _ in found), datetime)}
    columns["expiry"] = _column((anomaly.expiry for _, anomaly in found), date)
    for name in ("series", "value", "expected", "deviation", "reason"):
        columns[name] = _column((getattr(anomaly, name) for _, anomaly in found), _hint(Anomaly, name))
    return pa.table(columns)


def contract_table(tables: Sequence[ContractTable]) -> pa.Table:
    """Return the day's contracts; `dump` numbers the tables that were in force one after the other, from 1."""
    together = ContractTable.concatenate(tables)
    columns: dict[str, Any] = {"dump": pa.array(np.repeat(np.arange(1, len(tables) + 1), [len(t) for t in tables]))}
    for field in dataclasses.fields(ContractTable):
        columns[field.name] = pa.array(
            getattr(together, field.name), ARROW_TYPES[_hint(ContractTable, field.name)], from_pandas=True
        )
    return pa.table(columns)


def checksums(table: pa.Table, before: Mapping[str, int] = MappingProxyType({})) -> dict[str, int]:
    """Return the CRC-32 of each column's name and values, continuing those of the tables `before` this one."""
    columns = zip(table.column_names, table.columns, strict=True)
    return {name: zlib.crc32(_bytes(values), before.get(name, zlib.crc32(name.encode()))) for name, values in columns}


def _bytes(values: pa.ChunkedArray) -> bytes:
    """Return the values as bytes that depend on nothing but them: not on chunks, offsets or null masks."""
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_list(kind):
        return repr(values.to_pylist()).encode()
    if pa.types.is_date(kind):
        values = values.cast(pa.int32())
    if pa.types.is_floating(kind):
        numbers = values.to_numpy()  # null becomes NaN, of which there are many
        return bytes(np.where(np.isnan(numbers), np.nan, numbers).tobytes())
    known = values.is_valid().to_numpy().astype(np.int8)
    whole = values.cast(pa.int64()).fill_null(0).to_numpy()
    return bytes(known.tobytes() + whole.tobytes())


def _hint(cls: type, name: str) -> Any:
    """Return a field's kind; what is a property here is a mask, a whole number."""
    hint = HINTS[cls].get(name, int)
    return get_origin(hint) if get_origin(hint) is tuple else hint


def _column(values: Iterable[Any], kind: Any) -> pa.Array:
    if kind is datetime:
        values = [(instant - EPOCH) // MICROSECOND for instant in values]
    # NaN among floats becomes null; so does None among days.
    return pa.array(list(values), ARROW_TYPES[kind], from_pandas=True)
