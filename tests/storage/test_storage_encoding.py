"""What goes into a payload comes out of it, to the schema's decimals, in any release's reading."""

import dataclasses
import json
import zlib
from datetime import date
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.contracts import EMPTY_CONTRACTS, ContractTable
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage.encoding import (
    DamagedRecord,
    decode_contracts,
    decode_snapshot,
    encode_contracts,
    encode_snapshot,
)

COLUMNS = {c.name for c in LEG_COLUMNS}


def assert_same(read: Any, written: Any) -> None:
    """Compare field by field, whatever fields there are."""
    assert type(read) is type(written)
    for field in dataclasses.fields(written):
        got, given_ = getattr(read, field.name), getattr(written, field.name)
        if isinstance(given_, np.ndarray):
            decimals = next(c.decimals for c in LEG_COLUMNS if c.name == field.name)
            with np.errstate(over="ignore"):
                rounded = given_ if decimals is None else np.round(given_, decimals)
            rounded = np.where(np.isfinite(rounded), rounded, given_)
            assert got.dtype == given_.dtype
            np.testing.assert_array_equal(got, rounded, err_msg=field.name)
        elif isinstance(given_, tuple) and given_ and dataclasses.is_dataclass(given_[0]):
            for one, other in zip(got, given_, strict=True):
                assert_same(one, other)
        elif isinstance(given_, float):
            assert got == pytest.approx(given_, abs=0, rel=0, nan_ok=True)
        else:
            assert got == given_, field.name


def with_column(sample: ModuleType, name: str, values: Any) -> Snapshot:
    base = sample.snapshot(0, indices=("NIFTY",), expiries=(sample.WEEK,))
    chain = dataclasses.replace(base.chains[0], **{name: np.resize(values, len(base.chains[0]))})
    return dataclasses.replace(base, indices=(dataclasses.replace(base.indices[0], chains=(chain,)),))


def test_every_field_of_a_minute_comes_back(sample: ModuleType) -> None:
    minute = sample.snapshot(3, tick=1, expiries=(sample.MONTH, sample.NEXT))
    assert_same(decode_snapshot(encode_snapshot(minute)), minute)


@given(
    name=st.sampled_from(sorted(COLUMNS - {"is_call", "strike"})),
    values=arrays(np.float64, 9, elements=st.floats(-1e300, 1e300) | st.just(np.nan) | st.integers(-9, 9).map(float)),
)
def test_any_finite_column_comes_back_to_its_decimals(sample: ModuleType, name: str, values: Any) -> None:
    minute = with_column(sample, name, values)
    assert_same(decode_snapshot(encode_snapshot(minute)), minute)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_missing(sample: ModuleType, value: float) -> None:
    read = decode_snapshot(encode_snapshot(with_column(sample, "last", [1.0, value, 2.5])))
    assert np.isnan(read.chains[0].last[1])
    assert read.chains[0].last[2] == 2.5


def test_equal_minutes_give_equal_bytes(sample: ModuleType) -> None:
    once = encode_snapshot(sample.snapshot(0))
    assert encode_snapshot(sample.snapshot(0)) == once
    assert encode_snapshot(decode_snapshot(once)) == once


@pytest.mark.parametrize("indices", [(), ("NIFTY",)])
def test_minute_without_chains_comes_back(sample: ModuleType, indices: tuple[str, ...]) -> None:
    minute = sample.snapshot(0, indices=indices, expiries=())
    assert_same(decode_snapshot(encode_snapshot(minute)), minute)


def test_chain_without_legs_comes_back(sample: ModuleType) -> None:
    whole = sample.chain("NIFTY", *sample.WEEK, sample.OPEN)
    empty = dataclasses.replace(whole, **{name: getattr(whole, name)[:0] for name in COLUMNS})
    minute = Snapshot(sample.OPEN, "sample", (IndexSnapshot("NIFTY", 1.5, False, (), (empty,)),))
    assert_same(decode_snapshot(encode_snapshot(minute)), minute)


def test_payload_is_json_that_needs_no_g6(sample: ModuleType) -> None:
    document = json.loads(zlib.decompress(encode_snapshot(sample.snapshot(0))))
    first = document["indices"][0]["chains"][0]
    column = document["columns"]["strike"]
    strikes = [value / 10 ** column["scale"] for value in column["values"]][: first["rows"]]
    assert strikes == [23900, 23900, 23950, 23950, 24000, 24000, 24050, 24050, 24100]
    assert document["minute"] == "2026-11-20T09:15:00+05:30"
    assert "broker_iv" not in document["columns"]  # NaN throughout


def edited(payload: bytes, edit: Any) -> bytes:
    document = json.loads(zlib.decompress(payload))
    edit(document)
    return zlib.compress(json.dumps(document).encode())


def test_unknown_keys_of_a_newer_release_are_ignored(sample: ModuleType) -> None:
    def add(document: dict[str, Any]) -> None:
        document["news"] = 1
        document["columns"]["iv_rank"] = {"values": [1, 2]}
        document["indices"][0]["news"] = {}
        document["indices"][0]["chains"][0]["news"] = []
        document["indices"][0]["refusals"][0]["news"] = None

    minute = sample.snapshot(0)
    assert_same(decode_snapshot(edited(encode_snapshot(minute), add)), minute)


def test_columns_and_fields_that_an_older_release_lacks_are_missing(sample: ModuleType) -> None:
    def remove(document: dict[str, Any]) -> None:
        del document["columns"]["rho"]
        del document["indices"][0]["chains"][0]["rate"]
        del document["indices"][0]["chains"][0]["aggregates"]

    chain = decode_snapshot(edited(encode_snapshot(sample.snapshot(0)), remove)).chains[0]
    assert np.isnan(chain.rho).all()
    assert np.isnan(chain.rate)
    assert dict(chain.aggregates) == {}


@pytest.mark.parametrize("payload", [b"", b"plain", zlib.compress(b"[]"), zlib.compress(b"{}"), zlib.compress(b"{")])
def test_anything_else_is_a_damaged_record(payload: bytes) -> None:
    with pytest.raises(DamagedRecord):
        decode_snapshot(payload)
    with pytest.raises(DamagedRecord):
        decode_contracts(payload)


def test_contract_table_comes_back() -> None:
    table = ContractTable(
        index=np.array(["NIFTY", "BANKNIFTY", "M&M"]), exchange=np.array(["NFO", "NFO", "BFO"]),
        symbol=np.array(["NIFTY26NOV24000CE", "BANKNIFTY26NOVFUT", "MÉM"]), token=np.array([1, 2**40, 3]),
        kind=np.array(["CE", "FUT", "PE"]), expiry=np.array([date(2026, 11, 24)] * 3, "datetime64[D]"),
        strike=np.array([24000.5, 0.0, 1e-7]), lot=np.array([75, 35, 1]), tick=np.array([0.05, 0.05, 0.01]),
    )  # fmt: skip
    for written in (table, EMPTY_CONTRACTS):
        read = decode_contracts(encode_contracts(written))
        for field in dataclasses.fields(ContractTable):
            column, original = getattr(read, field.name), getattr(written, field.name)
            assert column.dtype.kind == original.dtype.kind
            np.testing.assert_array_equal(column, original)


def test_samples_cover_every_column(sample: ModuleType) -> None:
    chain = sample.snapshot(0).chains[0]
    assert isinstance(chain, OptionChain)
    assert {name for name in COLUMNS if not np.isnan(getattr(chain, name)).all()} == COLUMNS - {"broker_iv"}
