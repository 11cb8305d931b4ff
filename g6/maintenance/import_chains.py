"""Legs of many older files become option chains, a snapshot a minute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from g6.clock import IST
from g6.errors import ConfigError
from g6.maintenance.import_file import MEASURED, FileLegs
from g6.maintenance.import_report import ImportReport
from g6.market.indices import IndexDefinition
from g6.market.listing import lot_on
from g6.market.sessions import SessionCalendar
from g6.model.chain import EXPIRY_CODES, OptionChain
from g6.model.columns import Bools, Floats, Ints
from g6.model.snapshot import IndexSnapshot, Snapshot

PROVIDER = "import"
EPOCH_DAY = date(1970, 1, 1)
LOT_UNKNOWN = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Legs:
    """The legs of a day: equal-length columns in the order of index, minute, expiry, strike, call before put."""

    index: Ints
    minute: Ints
    expiry: Ints
    strike: Floats
    is_call: Bools
    offset: Floats
    code: Ints
    atm: Floats
    spot: Floats
    measured: Mapping[str, Floats]


def snapshots_of(
    files: Sequence[FileLegs],
    indices: Mapping[str, IndexDefinition],
    calendar: SessionCalendar,
    report: ImportReport,
) -> list[Snapshot]:
    """Return the minutes of one day in order of time.

    A contract that several files have is taken once, where its offset is least and its file is the last; an expiry has
    every code that a folder gave it.
    """
    names = sorted({file.place.index for file in files})
    legs, codes = _without_repeats(_stacked(files, names), report)
    by_minute: dict[int, dict[str, list[OptionChain]]] = {}
    for rows in _runs(legs):
        name = names[int(legs.index[rows.start])]
        minute = int(legs.minute[rows.start])
        mask = codes[int(legs.index[rows.start]), minute, int(legs.expiry[rows.start])]
        chain = _chain(legs, rows, indices[name], calendar, mask, report)
        by_minute.setdefault(minute, {}).setdefault(name, []).append(chain)
    return [
        Snapshot(_instant(minute), PROVIDER, tuple(_index(name, chains) for name, chains in found.items()))
        for minute, found in sorted(by_minute.items())
    ]


def _stacked(files: Sequence[FileLegs], names: Sequence[str]) -> _Legs:
    both = np.concatenate
    sizes = [len(file.minute) for file in files]
    steps = np.repeat([float(file.place.steps) for file in files], sizes)
    legs = _Legs(
        index=np.repeat([names.index(file.place.index) for file in files], sizes),
        minute=both([file.minute for file in files]),
        expiry=both([file.expiry for file in files]),
        strike=both([file.strike for file in files]),
        is_call=both([file.is_call for file in files]),
        offset=steps * both([file.side for file in files]),
        code=np.repeat([EXPIRY_CODES.index(file.place.code) for file in files], sizes),
        atm=both([file.atm for file in files]),
        spot=both([file.spot for file in files]),
        measured={name: both([file.measured[name] for file in files]) for name in MEASURED},
    )
    # Least offset last, so that of repeats the last one is the one to keep; within it the order of the files stays.
    return _taken(legs, np.lexsort((-steps, legs.is_call == 0, legs.strike, legs.expiry, legs.minute, legs.index)))


def _taken(legs: _Legs, rows: Ints | Bools) -> _Legs:
    columns = {name: getattr(legs, name)[rows] for name in _Legs.__dataclass_fields__ if name != "measured"}
    return _Legs(**columns, measured={name: values[rows] for name, values in legs.measured.items()})


def _without_repeats(legs: _Legs, report: ImportReport) -> tuple[_Legs, dict[tuple[int, int, int], int]]:
    """Return each contract once a minute, and (index, minute, expiry) → the mask of the codes it was found under."""
    codes: dict[tuple[int, int, int], int] = {}
    keys = zip(legs.index.tolist(), legs.minute.tolist(), legs.expiry.tolist(), legs.code.tolist(), strict=True)
    for index, minute, expiry, code in keys:
        codes[index, minute, expiry] = codes.get((index, minute, expiry), 0) | 1 << code
    same = _same_as_next(legs, ("index", "minute", "expiry", "strike", "is_call"))
    repeated_in_code = same & (legs.code == np.roll(legs.code, -1))
    if repeated_in_code.any():
        report.note(
            "a contract stands in several files of one minute",
            _said(legs, repeated_in_code),
            int(repeated_in_code.sum()),
        )
    return _taken(legs, ~same), codes


def _same_as_next(legs: _Legs, names: Sequence[str]) -> Bools:
    same = np.ones(len(legs.minute), bool)
    for name in names:
        values = getattr(legs, name)
        same[:-1] &= values[:-1] == values[1:]
    same[-1:] = False
    return same


def _runs(legs: _Legs) -> list[slice]:
    """Return the rows of each chain."""
    ends = np.flatnonzero(~_same_as_next(legs, ("index", "minute", "expiry"))) + 1
    return [slice(start, stop) for start, stop in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)]


def _chain(
    legs: _Legs,
    rows: slice,
    definition: IndexDefinition,
    calendar: SessionCalendar,
    mask: int,
    report: ImportReport,
) -> OptionChain:
    expiry = EPOCH_DAY + timedelta(days=int(legs.expiry[rows.start]))
    at = _instant(int(legs.minute[rows.start]))
    strike, folder_offset = legs.strike[rows], legs.offset[rows]
    atm = _level(legs.atm[rows], strike[folder_offset == 0])
    columns: dict[str, Any] = {name: values[rows] for name, values in legs.measured.items()}
    answered = np.where(np.any(np.isfinite(np.array(list(columns.values()))), axis=0), 1.0, 0.0)
    return OptionChain(
        index=definition.name,
        expiry=expiry,
        codes=tuple(code for number, code in enumerate(EXPIRY_CODES) if mask & 1 << number),
        at=at,
        expires_at=calendar.expires_at(expiry, definition.exchange),
        spot=_level(legs.spot[rows]),
        spot_frozen=calendar.covers(at.date()) and calendar.spot_frozen(at, definition.exchange),
        expected=len(strike),
        lot=_lot(definition, expiry, report),
        strike=strike,
        is_call=legs.is_call[rows],
        answered=answered,
        offset=_placed(strike, folder_offset, atm),
        atm=atm,
        atm_reference="spot",
        tick=definition.option_tick,
        defect=np.zeros(len(strike)),
        **columns,
    )


def _level(*candidates: Floats) -> float:
    """Return the last known value of the first column that has one; NaN when none has."""
    for values in candidates:
        known = values[np.isfinite(values)]
        if len(known):
            return float(known[-1])
    return float("nan")


def _placed(strike: Floats, folder: Floats, atm: float) -> Floats:
    """Return offsets with the sign that the strike has to the ATM, where both are known."""
    sign = np.sign(strike - atm)
    return np.where(np.isfinite(sign) & (sign != 0) & (folder != 0), np.abs(folder) * sign, folder) + 0.0


def _lot(definition: IndexDefinition, expiry: date, report: ImportReport) -> int:
    try:
        return lot_on(definition, expiry)
    except ConfigError:
        report.note("the lot size is not known for so early an expiry; it is kept as 1", f"{definition.name} {expiry}")
        return LOT_UNKNOWN


def _index(name: str, chains: Sequence[OptionChain]) -> IndexSnapshot:
    legs = sum(len(chain) for chain in chains)
    codes = tuple(dict.fromkeys(code for chain in chains for code in chain.codes))
    spot = _level(np.array([chain.spot for chain in chains]))
    received = sum(chain.received for chain in chains)
    return IndexSnapshot(
        name,
        spot,
        spot_frozen=any(chain.spot_frozen for chain in chains),
        expected_codes=codes,
        chains=tuple(chains),
        expected_legs=legs,
        received_legs=received,
    )


def _instant(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, IST)


def _said(legs: _Legs, where: Bools) -> str:
    row = int(np.argmax(where))
    return f"strike {legs.strike[row]:g} at {_instant(int(legs.minute[row])):%Y-%m-%d %H:%M}"
