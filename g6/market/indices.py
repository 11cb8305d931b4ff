"""Index definitions: what G6 knows of an underlying before any dump is read. Adding one is a YAML entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from g6.errors import ConfigError
from g6.market.tables import DAY, read_table


class Weekday(IntEnum):
    """Days of the week, numbered as `date.weekday` does."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """On which weekday contracts expire, for expiries on or after `from_day`; `weekly` None: there are none."""

    from_day: date
    weekly: Weekday | None
    monthly: Weekday


@dataclass(frozen=True, slots=True)
class LotSize:
    """Units per lot of the contracts that expire on or after `expiries_from`."""

    expiries_from: date
    lot: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a believable market of this index needs; see `_simulation` for what each defaults to."""

    level: float  # index points on an ordinary day
    annual_volatility: float  # of the index, 1/sqrt(year)
    market_loading: float  # correlation with the factor common to all indices, 0..1
    strike_step: float  # points between strikes near the money
    near_width: float  # share of the level, on either side, that is listed with the fine step
    wing_step: float  # points between strikes further out
    far_step: float  # points between strikes of quarterly and half-yearly expiries
    weeklies: int  # how many weekly expiries are listed, the monthly ones not counted
    monthlies: int
    quarterlies: int  # further March, June, September and December expiries
    half_yearlies: int  # further June and December expiries
    daily_volume: float  # units, all expiries together
    open_interest: float  # units, all expiries together


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """One underlying. `name` is the exact `name` of the exchange's contract file (SENSEX is not SENSEX50)."""

    name: str
    display_name: str
    exchange: str  # NSE or BSE, where the index itself is quoted
    derivative_exchange: str  # NFO or BFO, where its futures and options are
    spot_symbol: str
    expiry_rules: tuple[ExpiryRule, ...]  # ascending; for listing only, codes are resolved from the dump
    lot_sizes: tuple[LotSize, ...]  # ascending
    future_tick: float  # rupees
    option_tick: float  # rupees
    simulation: Simulation

    def rule_on(self, expiry: date) -> ExpiryRule:
        """Return the rule for expiries around this day; the earliest one for days before the table."""
        return next((r for r in reversed(self.expiry_rules) if r.from_day <= expiry), self.expiry_rules[0])


def load_indices(path: Path) -> Mapping[str, IndexDefinition]:
    """Return index name → definition in the file's order. Raises ConfigError, one line naming key and value."""
    table = read_table(path, _SCHEMA)
    return MappingProxyType({name: _definition(path, name, entry) for name, entry in table.items()})


def _definition(path: Path, name: str, entry: Mapping[str, Any]) -> IndexDefinition:
    rules = tuple(_rule(row) for row in entry["expiry_rules"])
    lots = tuple(LotSize(date.fromisoformat(row["expiries_from"]), row["lot"]) for row in entry["lot_sizes"])
    _require_ascending(path, f"{name}.expiry_rules", [r.from_day for r in rules])
    _require_ascending(path, f"{name}.lot_sizes", [s.expiries_from for s in lots])
    exchange = entry["exchange"]
    return IndexDefinition(
        name=name,
        display_name=entry["display_name"],
        exchange=exchange,
        derivative_exchange=DERIVATIVE_EXCHANGES[exchange],
        spot_symbol=entry.get("spot_symbol", f"{exchange}:{entry['display_name']}"),
        expiry_rules=rules,
        lot_sizes=lots,
        future_tick=entry.get("future_tick", 0.05),
        option_tick=entry.get("option_tick", 0.05),
        simulation=_simulation(entry["simulation"], weekly=rules[-1].weekly is not None),
    )


def _rule(row: Mapping[str, Any]) -> ExpiryRule:
    weekly = row.get("weekly")
    return ExpiryRule(
        date.fromisoformat(row["from_day"]),
        Weekday[weekly.upper()] if weekly else None,
        Weekday[row["monthly"].upper()],
    )


def _require_ascending(path: Path, key: str, days: list[date]) -> None:
    for earlier, later in pairwise(days):
        if later <= earlier:
            raise ConfigError(f"{path}: {key}: {later} after {earlier}: rows must ascend")


def _simulation(entry: Mapping[str, Any], *, weekly: bool) -> Simulation:
    """Fill in what an entry leaves out, from its level alone.

    The fine step is the exchanges' habitual 0.2 % of the level, rounded to 1, 2.5, 5 or 10 times a power of
    ten; wings are five and quarterlies ten times as coarse. Turnover is that of a middling index:
    Rs 2 lakh crore of notional a day and Rs 1 lakh crore open.
    """
    level = float(entry["level"])
    step = float(entry.get("strike_step", _round_step(0.002 * level)))
    return Simulation(
        level=level,
        annual_volatility=float(entry.get("annual_volatility", 0.14)),
        market_loading=float(entry.get("market_loading", 0.85)),
        strike_step=step,
        near_width=float(entry.get("near_width", 0.08)),
        wing_step=float(entry.get("wing_step", 5 * step)),
        far_step=float(entry.get("far_step", 10 * step)),
        weeklies=entry.get("weeklies", 4 if weekly else 0),
        monthlies=entry.get("monthlies", 3),
        quarterlies=entry.get("quarterlies", 0),
        half_yearlies=entry.get("half_yearlies", 0),
        daily_volume=float(entry.get("daily_volume", 2e12 / level)),
        open_interest=float(entry.get("open_interest", 1e12 / level)),
    )


def _round_step(step: float) -> float:
    candidates = [m * 10.0**power for power in range(-2, 5) for m in (1.0, 2.5, 5.0)]
    return min(candidates, key=lambda candidate: abs(candidate - step))


DERIVATIVE_EXCHANGES: Mapping[str, str] = MappingProxyType({"NSE": "NFO", "BSE": "BFO"})

_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
_WEEKDAY = {"enum": [day.name.lower() for day in Weekday]}
_POSITIVE = {"type": "number", "exclusiveMinimum": 0}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 20}


def _object(required: list[str], **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


_SIMULATION = _object(
    ["level"],
    level=_POSITIVE, annual_volatility=_POSITIVE, market_loading=_SHARE, strike_step=_POSITIVE,
    near_width=_SHARE, wing_step=_POSITIVE, far_step=_POSITIVE, weeklies=_COUNT,
    monthlies={**_COUNT, "minimum": 1}, quarterlies=_COUNT, half_yearlies=_COUNT,
    daily_volume=_POSITIVE, open_interest=_POSITIVE,
)  # fmt: skip
_INDEX = _object(
    ["display_name", "exchange", "expiry_rules", "lot_sizes", "simulation"],
    display_name=_TEXT,
    exchange={"enum": list(DERIVATIVE_EXCHANGES)},
    spot_symbol={**_TEXT, "pattern": "^(NSE|BSE):"},
    expiry_rules={
        "type": "array",
        "minItems": 1,
        "items": _object(
            ["from_day", "monthly"],
            from_day=DAY, weekly=_WEEKDAY, monthly=_WEEKDAY, confidence=_TEXT, source=_TEXT,
        ),
    },
    lot_sizes={
        "type": "array",
        "minItems": 1,
        "items": _object(
            ["expiries_from", "lot"],
            expiries_from=DAY, lot={"type": "integer", "minimum": 1},
            confidence=_TEXT, source=_TEXT,
        ),
    },
    future_tick=_POSITIVE,
    option_tick=_POSITIVE,
    simulation=_SIMULATION,
    confidence=_TEXT,
    source=_TEXT,
)  # fmt: skip
_SCHEMA = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": "^[A-Z0-9][A-Z0-9_&-]{0,31}$"},
    "additionalProperties": _INDEX,
}
