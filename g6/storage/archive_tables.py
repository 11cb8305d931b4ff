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

from g6.model.chain import EXPIRY_CODES, LEG_COLUMN_NAMES, LEG_COLUMNS, OptionChain
from g6.model.columns import Bools, Dates, Floats, Ints, Texts
from g6.model.contracts import ContractTable
from g6.model.snapshot import IndexSnapshot, Refusal
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
# The folder says the index; aggregates are the overview's.
CONTEXT = [f.name for f in dataclasses.fields(OptionChain) if f.name not in {*LEG_COLUMN_NAMES, "index", "aggregates"}]
# Columns in which each value is almost its own do without Parquet's dictionaries, which make a day a fifth larger.
VARIED = frozenset(c.name for c in LEG_COLUMNS if c.unit not in {"bool", "code", "strikes", "points", "seconds"})
OVERVIEW_CONTEXT = ("spot", "spot_frozen", "expected_mask", "collected_mask", "expected_legs", "received_legs")


class Minute(NamedTuple):
    """One index in one minute, with what the whole minute has to say about it."""

    minute: datetime
    provider: str
    backfilled: bool
    of: IndexSnapshot


def leg_table(minutes: Sequence[Minute], price_basis: str) -> pa.Table:
    """Return one row per leg: `ts`, the chain's own facts, every column of the schema; NaN is null.

    Rows go by expiry, strike, side and only then by time, because what stands beside its like compresses to half.
    """
    chains = [(minute, chain) for minute in minutes for chain in minute.of.chains]
    lengths = [len(chain) for _, chain in chains]
    # Plain numbers for whole chains first, and one `take` for all legs.
    owner = np.repeat(np.arange(len(chains)), lengths)
    legs = {name: np.concatenate([getattr(chain, name) for _, chain in chains]) for name in LEG_COLUMN_NAMES}
    expiry = np.repeat([chain.expiry.toordinal() for _, chain in chains], lengths)
    order = np.lexsort((owner, ~legs["is_call"], legs["strike"], expiry))
    per_chain = {
        "ts": _column((minute.minute for minute, _ in chains), datetime),
        **{name: _column((getattr(c, name) for _, c in chains), _hint(OptionChain, name)) for name in CONTEXT},
        "backfilled": _column((minute.backfilled for minute, _ in chains), bool),
        "premium_basis": _column((price_basis for _ in chains), str),
    }
    rows = pa.array(owner[order])
    taken = {name: column.take(rows) for name, column in per_chain.items()}
    return pa.table({**taken, **{name: pa.array(values[order], from_pandas=True) for name, values in legs.items()}})


def overview_table(minutes: Sequence[Minute]) -> pa.Table:
    """Return one row a minute: the index's own facts, and the aggregates of the chain that each expiry code names.

    The columns are those of the CSV overview for every aggregate that any chain has, and `provider`.
    """
    by_code = [{code: chain for chain in m.of.chains for code in chain.codes} for m in minutes]
    names = list(dict.fromkeys(flatten.from_iterable(c.aggregates for m in minutes for c in m.of.chains)))
    kinds = {name: _hint(IndexSnapshot, name) for name in OVERVIEW_CONTEXT}
    columns = {
        "ts": _column((m.minute for m in minutes), datetime),
        **{name: _column((getattr(m.of, name) for m in minutes), kind) for name, kind in kinds.items()},
        "backfilled": _column((m.backfilled for m in minutes), bool),
        "provider": _column((m.provider for m in minutes), str),
    }
    for code in EXPIRY_CODES:
        chains = [chains.get(code) for chains in by_code]
        columns[f"{code}_expiry"] = _column((chain and chain.expiry for chain in chains), date)
        for name in names:
            values = (np.nan if chain is None else chain.aggregates.get(name, np.nan) for chain in chains)
            columns[f"{code}_{name}"] = _column(values, float)
    return pa.table(columns)


def gap_table(minutes: Sequence[Minute]) -> pa.Table:
    """Return one row per refusal: the minute, which expiry ("" for the whole index), and why."""
    refusals = [(m.minute, refusal) for m in minutes for refusal in m.of.refusals]
    columns = {"ts": _column((minute for minute, _ in refusals), datetime)}
    for name in ("expiry", "codes", "reason", "detail"):
        columns[name] = _column((getattr(refusal, name) for _, refusal in refusals), _hint(Refusal, name))
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
