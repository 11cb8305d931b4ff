"""The payload of one journal row: columns as JSON, compressed. Any JSON reader can open it without G6.

A snapshot is `{"schema", "minute", "provider", "columns", "indices"}`. All chains of the minute share one set of
columns, each chain owning the next `rows` of them. A column of numbers is `{"values": […]}`; with `scale` the values
are whole numbers to be divided by 10**scale, and `missing` is the number that stands for NaN. A column that is NaN
throughout is left out. `market`, where there is one, has columns of its own, those of text as lists. Unknown keys are
ignored and absent columns are NaN, so old and new releases read each other.
"""

import dataclasses
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
import orjson

from g6.clock import IST
from g6.errors import SinkError
from g6.model.anomaly import Anomaly
from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.columns import Bools, Dates, Floats, Ints, Texts
from g6.model.contracts import ContractTable
from g6.model.market_snapshot import MARKET_COLUMNS, MarketSnapshot
from g6.model.snapshot import SCHEMA_VERSION, IndexSnapshot, Refusal, Snapshot

# Level 1 costs a third of level 6's time here and is 6 % larger; the journal is on the way of every minute.
COMPRESSION_LEVEL = 1
# Prices and quantities are whole or have paise; tried in this order, and only where nothing is lost.
LOSSLESS_SCALES = (0, 2)
LARGEST_EXACT = 2.0**53
NESTED = {"chains", "refusals", "anomalies", "indices", "market"}
NOT_SCALARS = frozenset({c.name for c in (*LEG_COLUMNS, *MARKET_COLUMNS)} | NESTED)

HINTS: Mapping[type, Mapping[str, Any]] = {
    cls: get_type_hints(cls)
    for cls in (Snapshot, IndexSnapshot, Refusal, Anomaly, OptionChain, MarketSnapshot, ContractTable)
}

Document = dict[str, Any]
T = TypeVar("T")


class DamagedRecord(SinkError):
    """A stored record is not what was written: its checksum fails or it cannot be read back."""


def checksum(key: str, payload: bytes) -> int:
    """Return the CRC-32 of a record's key and payload together."""
    return zlib.crc32(payload, zlib.crc32(key.encode()))


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Return the payload of a minute; equal snapshots give equal bytes. Columns keep their schema's decimals."""
    return _pack(
        {
            "schema": SCHEMA_VERSION,
            **_scalars(snapshot),
            "columns": _leg_columns(snapshot.chains),
            "indices": [_index_document(index) for index in snapshot.indices],
            **({} if snapshot.market is None else {"market": _market_document(snapshot.market)}),
        }
    )


def decode_snapshot(payload: bytes) -> Snapshot:
    """Return the minute of a payload; DamagedRecord when it is not one."""
    try:
        document = _unpack(payload)
        columns = {name: _numbers(column) for name, column in document["columns"].items()}
        start, indices = 0, []
        for item in document["indices"]:
            chains = []
            for chain in item["chains"]:
                stop = start + chain["rows"]
                chains.append(_chain(chain, columns, slice(start, stop)))
                start = stop
            refusals = tuple(_revived(Refusal, refusal) for refusal in item["refusals"])
            anomalies = tuple(_revived(Anomaly, anomaly) for anomaly in item.get("anomalies", ()))
            nested = {"chains": tuple(chains), "refusals": refusals, "anomalies": anomalies}
            indices.append(_revived(IndexSnapshot, item, **nested))
        return _revived(Snapshot, document, indices=tuple(indices), market=_market(document.get("market")))
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRecord(f"not a snapshot of G6: {error}") from error


def encode_contracts(table: ContractTable) -> bytes:
    """Return the payload of a contract table."""
    return _pack({"schema": SCHEMA_VERSION, "columns": {f: _table_column(getattr(table, f)) for f in _names(table)}})


def decode_contracts(payload: bytes) -> ContractTable:
    """Return the contract table of a payload; DamagedRecord when it is not one."""
    try:
        columns = _unpack(payload)["columns"]
        return ContractTable(
            **{f: _read_table_column(columns[f], HINTS[ContractTable][f]) for f in _names(ContractTable)}
        )
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise DamagedRecord(f"not a contract table of G6: {error}") from error


def _pack(document: Document) -> bytes:
    return zlib.compress(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), COMPRESSION_LEVEL)


def _unpack(payload: bytes) -> Document:
    document = orjson.loads(zlib.decompress(payload))
    if not isinstance(document, dict):
        raise TypeError("no JSON object")
    return document


def _index_document(index: IndexSnapshot) -> Document:
    return {
        **_scalars(index),
        "chains": [{"rows": len(chain), **_scalars(chain)} for chain in index.chains],
        "refusals": [_scalars(refusal) for refusal in index.refusals],
        **({"anomalies": [_scalars(anomaly) for anomaly in index.anomalies]} if index.anomalies else {}),
    }


def _market_document(market: MarketSnapshot) -> Document:
    columns: Document = {}
    for spec in MARKET_COLUMNS:
        values = getattr(market, spec.name)
        stored = values.tolist() if values.dtype.kind == "U" else _column(values, spec.decimals)
        if stored is not None:
            columns[spec.name] = stored
    return {**_scalars(market), "columns": columns}


def _market(document: Document | None) -> MarketSnapshot | None:
    if document is None:
        return None
    stored, texts = document["columns"], {c.name for c in MARKET_COLUMNS if c.origin == "identity"}
    columns = {
        spec.name: np.array(stored[spec.name], np.str_) if spec.name in texts else _numbers(stored[spec.name])
        for spec in MARKET_COLUMNS
        if spec.name in stored
    }
    return _revived(MarketSnapshot, document, **columns)


def _scalars(noun: Any) -> Document:
    """Return the fields of a dataclass that are neither columns nor nested records."""
    values = ((f.name, getattr(noun, f.name)) for f in dataclasses.fields(noun) if f.name not in NOT_SCALARS)
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values}


def _leg_columns(chains: Sequence[OptionChain]) -> Document:
    columns: Document = {}
    for spec in LEG_COLUMNS if chains else ():
        values = np.concatenate([getattr(chain, spec.name) for chain in chains]).astype(np.float64)
        column = _column(values, spec.decimals)
        if column is not None or spec.origin == "identity":
            columns[spec.name] = column or {"values": values}
    return columns


def _column(values: Floats, decimals: int | None) -> Document | None:
    """Return numbers as whole numbers where the decimals allow it: an eighth of the time, a tenth smaller."""
    finite = np.isfinite(values)
    if not finite.any():
        return None
    with np.errstate(over="ignore"):  # what overflows is beyond LARGEST_EXACT or has no decimals to round
        return _whole_or_plain(values, finite, decimals)


def _whole_or_plain(values: Floats, finite: Bools, decimals: int | None) -> Document:
    known = values[finite]
    for scale in LOSSLESS_SCALES if decimals is None else (decimals,):
        whole = np.rint(known * 10.0**scale)
        if np.abs(whole).max() >= LARGEST_EXACT:
            break
        if decimals is not None or np.array_equal(whole / 10.0**scale, known):
            return _whole_column(whole, finite, scale)
    rounded = values if decimals is None else np.round(values, decimals)
    return {"values": np.where(np.isfinite(rounded), rounded, values)}


def _whole_column(whole: Floats, finite: Bools, scale: int) -> Document:
    if finite.all():
        return {"scale": scale, "values": whole.astype(np.int64)}
    missing = int(whole.min()) - 1
    values = np.full(len(finite), missing, np.int64)
    values[finite] = whole
    return {"scale": scale, "missing": missing, "values": values}


def _numbers(column: Document) -> Floats:
    values: Floats = np.array(column["values"], np.float64)  # null becomes NaN
    if "missing" in column:
        values[values == column["missing"]] = np.nan
    return values / 10.0 ** column["scale"] if column.get("scale") else values


def _chain(document: Document, columns: Mapping[str, Floats], rows: slice) -> OptionChain:
    hints = HINTS[OptionChain]
    present = {spec.name: columns[spec.name][rows] for spec in LEG_COLUMNS if spec.name in columns}
    typed = {name: values.astype(bool) if hints[name] == Bools else values for name, values in present.items()}
    return _revived(OptionChain, document, **typed)


def _revived(cls: type[T], document: Document, **parts: Any) -> T:
    """Build a dataclass from the keys it knows; what the document lacks takes the field's default."""
    hints = HINTS[cls]
    known = {name: _value(document[name], hints[name]) for name in _names(cls) if name in document}
    return cls(**{**known, **parts})


def _value(value: Any, hint: Any) -> Any:
    if isinstance(hint, UnionType):  # of one kind and None
        return None if value is None else _value(value, get_args(hint)[0])
    read = READERS.get(get_origin(hint) or hint)
    return value if read is None else read(value)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


# Kind → how JSON's form of it is read; what is not here is as it should be.
READERS: Mapping[Any, Callable[[Any], Any]] = {
    float: _number,
    datetime: lambda text: datetime.fromisoformat(text).astimezone(IST),
    date: date.fromisoformat,
    tuple: tuple,
    Mapping: lambda numbers: {key: _number(number) for key, number in numbers.items()},
}


def _names(noun: Any) -> Iterable[str]:
    return [f.name for f in dataclasses.fields(noun)]


def _table_column(values: npt.NDArray[Any]) -> Any:
    if values.dtype.kind == "U":
        return values.tolist()
    if values.dtype.kind == "M":
        return values.astype("datetime64[D]").astype(str).tolist()
    return values if values.dtype.kind in "iu" else _column(values.astype(np.float64), None) or {"values": values}


def _read_table_column(stored: Any, hint: Any) -> npt.NDArray[Any]:
    if hint == Texts:
        return np.array(stored, np.str_)
    if hint == Dates:
        return np.array(stored, "datetime64[D]")
    return np.array(stored, np.int64) if hint == Ints else _numbers(stored)
