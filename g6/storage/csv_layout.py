"""What stands in the CSV files: a snapshot becomes one row per strike and one row per index. No I/O.

A line is bytes without its line end, and every line begins with `ts`. NaN is an empty cell, a truth 0 or 1, a code
its number, a whole number has no fraction. No cell needs quoting: names, days and numbers hold no comma.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import chain as flatten

import numpy as np
import orjson

from g6.model.chain import EXPIRY_CODES, LEG_COLUMNS, OptionChain, offset_label
from g6.model.columns import Aggregate, Bools, Column, Floats, Ints
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage.record import minute_text

# `offset` is the file's folder, and `answered` is said again by `defect` (absent).
LEG_VALUES: tuple[Column, ...] = tuple(
    c for c in LEG_COLUMNS if c.origin in {"collected", "derived"} and c.name not in {"offset", "answered"}
)
# Prices of one leg that a premium may be the sum of.
PRICE_BASES = ("last", "price", "average_price")
# What people call a basis → the column: the switch between last and average traded price.
PREMIUM_COLUMNS: Mapping[str, str] = {"last": "last", "average": "average_price"}
PREMIUM_DECIMALS = 4
FORWARD_DECIMALS = 4
YEARS_DECIMALS = 9

LEG_CONTEXT = (
    "ts", "expiry", "strike", "atm", "spot", "forward", "total_premium", "premium_basis",
    "years", "rate", "spot_frozen", "settling", "backfilled", "shed_mask",
)  # fmt: skip
LEG_HEADER = ",".join([*LEG_CONTEXT, *(f"{side}_{c.name}" for side in ("ce", "pe") for c in LEG_VALUES)]).encode()

OVERVIEW_CONTEXT = (
    "ts", "spot", "spot_frozen", "expected_mask", "collected_mask", "expected_legs", "received_legs",
    "backfilled", "shed_mask", "anomalies",
)  # fmt: skip

LegKey = tuple[str, str, str]  # index, expiry code, offset


def overview_header(aggregates: Sequence[Aggregate]) -> bytes:
    """Return the header of the overview: every expiry code has its columns, wanted or not, so that all files agree."""
    names = [a.name for a in aggregates if a.scope == "chain"]
    per_code = (f"{code}_{name}" for code in EXPIRY_CODES for name in ("expiry", *names))
    return ",".join([*OVERVIEW_CONTEXT, *per_code, *(a.name for a in aggregates if a.scope == "index")]).encode()


def overview_lines(snapshot: Snapshot, aggregates: Sequence[Aggregate]) -> dict[str, bytes]:
    """Return index → line, for every index of the minute: the masks tell when no chain was accepted."""
    return {index.index: _overview_line(snapshot, index, aggregates) for index in snapshot.indices}


def _overview_line(snapshot: Snapshot, index: IndexSnapshot, aggregates: Sequence[Aggregate]) -> bytes:
    context = [
        minute_text(snapshot.minute).encode(),
        _cell(index.spot),
        b"%d" % index.spot_frozen,
        b"%d" % index.expected_mask,
        b"%d" % index.collected_mask,
        b"%d" % index.expected_legs,
        b"%d" % index.received_legs,
        b"%d" % snapshot.backfilled,
        b"%d" % snapshot.shed_mask,
        b"%d" % len(index.anomalies),
    ]
    by_code = {code: chain for chain in index.chains for code in chain.codes}
    of_chain = [a for a in aggregates if a.scope == "chain"]
    per_code = (_code_cells(by_code.get(code), of_chain) for code in EXPIRY_CODES)
    whole = _values(index.aggregates, [a for a in aggregates if a.scope == "index"])
    return b",".join(flatten(context, *per_code, whole))


def _code_cells(chain: OptionChain | None, aggregates: Sequence[Aggregate]) -> list[bytes]:
    if chain is None:
        return [b""] * (1 + len(aggregates))
    return [chain.expiry.isoformat().encode(), *_values(chain.aggregates, aggregates)]


def _values(known: Mapping[str, float], aggregates: Sequence[Aggregate]) -> list[bytes]:
    if not aggregates:
        return []
    # 15 digits: all that a sum of decimal prices means, without the noise of its binary form.
    return _cells(np.array([float(f"{known.get(a.name, np.nan):.15g}") for a in aggregates]))


def leg_lines(snapshot: Snapshot, price_basis: str) -> dict[LegKey, bytes]:
    """Return (index, expiry code, offset) → line: call and put of a strike side by side.

    `price_basis` is one of PRICE_BASES, what `total_premium` is the sum of; NaN when either leg has none. A chain
    with two codes is there under both. A strike whose offset is unknown (a chain without an ATM) has no place in
    the files; the journal keeps it.
    """
    chains = snapshot.chains
    if not chains:
        return {}
    rows = _Strikes(chains)
    columns = {c.name: _rounded(_stacked(chains, c.name), c.decimals) for c in LEG_VALUES}
    basis = columns[price_basis]
    premium = _rounded(basis[rows.call] + basis[rows.put], PREMIUM_DECIMALS)
    minute = minute_text(snapshot.minute).encode()
    cells = (
        rows.repeated([b"%b,%b" % (minute, chain.expiry.isoformat().encode()) for chain in chains]),
        _cells(rows.strike),
        rows.repeated([_levels(chain) for chain in chains]),
        _cells(premium),
        rows.repeated([_model(chain, price_basis, snapshot) for chain in chains]),
        *(_cells(columns[c.name][side]) for side in (rows.call, rows.put) for c in LEG_VALUES),
    )
    return rows.placed(list(map(b",".join, zip(*cells, strict=True))))


class _Strikes:
    """The strikes of all chains, ascending within each: where their legs stand in the stacked columns."""

    def __init__(self, chains: Sequence[OptionChain]) -> None:
        self._chains = chains
        number = np.repeat(np.arange(len(chains)), [len(chain) for chain in chains])
        strike, is_call, offset = (_stacked(chains, name)[:-1] for name in ("strike", "is_call", "offset"))
        order = np.lexsort((strike, number))
        begins = np.ones(len(order), bool)
        begins[1:] = (np.diff(strike[order]) != 0) | (np.diff(number[order]) != 0)
        row = np.empty(len(order), np.int64)
        row[order] = np.cumsum(begins) - 1
        self.strike = strike[order][begins]
        self._chain = number[order][begins].tolist()
        self.call, self.put = (self._positions(row, is_call == side) for side in (1, 0))
        known = np.isfinite(offset)
        self._offset = np.full(len(self.strike), np.nan)
        self._offset[row[known]] = offset[known]

    def _positions(self, row: Ints, legs: Bools) -> Ints:
        """Return the leg of each strike, or -1, where the stacked columns hold NaN."""
        positions = np.full(len(self.strike), -1)
        positions[row[legs]] = np.flatnonzero(legs)
        return positions

    def repeated(self, of_chain: Sequence[bytes]) -> list[bytes]:
        """Return each chain's own cells once per strike."""
        return [of_chain[number] for number in self._chain]

    def placed(self, lines: Sequence[bytes]) -> dict[LegKey, bytes]:
        """Return the lines by the file they belong to."""
        keyed = {}
        for number, offset, line in zip(self._chain, self._offset.tolist(), lines, strict=True):
            if not math.isnan(offset):
                chain, label = self._chains[number], offset_label(round(offset))
                for code in chain.codes:
                    keyed[chain.index, code, label] = line
        return keyed


def _stacked(chains: Sequence[OptionChain], name: str) -> Floats:
    """Return a column of all chains one after the other, and NaN at the end for legs that are not listed."""
    return np.concatenate([*(getattr(chain, name) for chain in chains), [np.nan]])


def _levels(chain: OptionChain) -> bytes:
    return b"%b,%b,%b" % (_cell(chain.atm), _cell(chain.spot), _cell(chain.forward, FORWARD_DECIMALS))


def _model(chain: OptionChain, price_basis: str, snapshot: Snapshot) -> bytes:
    years, rate = _cell(chain.years, YEARS_DECIMALS), _cell(chain.rate)
    flags = chain.spot_frozen, chain.settling, snapshot.backfilled, snapshot.shed_mask
    return b"%b,%b,%b,%d,%d,%d,%d" % (price_basis.encode(), years, rate, *flags)


def _rounded(values: Floats, decimals: int | None) -> Floats:
    return values if decimals is None else np.round(values, decimals)


def _cell(value: float, decimals: int | None = None) -> bytes:
    return _cells(_rounded(np.array([value], np.float64), decimals))[0]


def _cells(values: Floats) -> list[bytes]:
    """Return numbers as text, the shortest that reads back as the same number."""
    if np.isnan(values).all():
        return [b""] * len(values)
    # One call for the column and one split: a tenth of the time of a format call per number. Adding zero takes
    # the sign off a negative zero; what is not finite becomes null.
    text = orjson.dumps(values + 0.0, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1] + b","
    return text.replace(b".0,", b",").replace(b"null", b"").split(b",")[:-1]
