"""The dated table behind the session calendar: its rows, its file format and the override on top."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from itertools import pairwise
from pathlib import Path
from typing import Any

from g6.errors import ConfigError
from g6.market.tables import DAY, read_table

EXCHANGES = ("NSE", "BSE")
SATURDAY = 5

Hours = tuple[time, time]


@dataclass(frozen=True, slots=True)
class SessionRule:
    """The regular hours from `from_day` on, until the next rule of the same exchange."""

    from_day: date
    open: time
    close: time
    expiring_close: time  # of index contracts on their own expiry day
    spot_frozen: Hours | None  # while the cash market's closing auction holds the index still
    confidence: str
    source: str


@dataclass(frozen=True, slots=True)
class Holiday:
    """A weekday without a regular session."""

    day: date
    name: str
    confidence: str
    source: str


@dataclass(frozen=True, slots=True)
class SpecialSession:
    """A day with hours of its own, even on a weekend or holiday. No window at all: closed."""

    day: date
    windows: tuple[Hours, ...]
    kind: str  # one of SPECIAL_KINDS
    confidence: str
    source: str


@dataclass(frozen=True, slots=True)
class ExchangeTimetable:
    """One exchange's rows; the last file that speaks of a day decides all of it."""

    rules: tuple[SessionRule, ...] = ()  # ascending
    holidays: Mapping[date, Holiday] = field(default_factory=dict)
    special: Mapping[date, SpecialSession] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timetable:
    """The whole table: what it covers and each exchange's rows."""

    known_from: date
    known_until: date
    recurring_holidays: tuple[tuple[int, int], ...]  # (month, day), for days outside the table
    exchanges: Mapping[str, ExchangeTimetable]
    path: Path


def load_timetable(path: Path, override: Path | None = None) -> Timetable:
    """Return the table of one file, with the rows of `override` on top.

    An override has the same keys, all optional. Whatever it says of a day (holiday or special session)
    replaces all that the table said of that day for those exchanges; a rule replaces the one of the same
    `from_day`; `covers` and `recurring_holidays` replace the table's. Raises ConfigError in one line.
    """
    table = read_table(path, _schema(["covers", "rules", "holidays"]))
    layers = [(path, table)]
    if override is not None:
        layers.append((override, read_table(override, _schema([]))))
    merged = {**table, **layers[-1][1]}
    covers = merged["covers"]
    exchanges = {exchange: ExchangeTimetable() for exchange in EXCHANGES}
    for file, layer in layers:
        exchanges = {name: _lay_over(below, layer, name, file) for name, below in exchanges.items()}
    recurring = tuple(_month_day(text) for text in merged.get("recurring_holidays", []))
    timetable = Timetable(_day(covers, "from"), _day(covers, "until"), recurring, exchanges, override or path)
    _require_covered(timetable)
    return timetable


def _lay_over(below: ExchangeTimetable, layer: Mapping[str, Any], exchange: str, path: Path) -> ExchangeTimetable:
    rules = {rule.from_day: rule for rule in below.rules}
    rules |= {_day(row, "from_day"): _rule(row, path) for row in _rows(layer, "rules", exchange)}
    holidays = {_day(row): _holiday(row) for row in _rows(layer, "holidays", exchange)}
    special = {_day(row): _special(row, path) for row in _rows(layer, "special_sessions", exchange)}
    spoken_of = holidays.keys() | special.keys()
    return ExchangeTimetable(
        tuple(rules[day] for day in sorted(rules)),
        {day: row for day, row in below.holidays.items() if day not in spoken_of} | holidays,
        {day: row for day, row in below.special.items() if day not in spoken_of} | special,
    )


def _rows(layer: Mapping[str, Any], key: str, exchange: str) -> Iterable[Mapping[str, Any]]:
    return (row for row in layer.get(key, []) if exchange in row.get("exchanges", EXCHANGES))


def _rule(row: Mapping[str, Any], path: Path) -> SessionRule:
    frozen = row.get("spot_frozen")
    rule = SessionRule(
        from_day=_day(row, "from_day"),
        open=time.fromisoformat(row["open"]),
        close=time.fromisoformat(row["close"]),
        expiring_close=time.fromisoformat(row["expiring_close"]),
        spot_frozen=_hours(frozen, path, f"rules {row['from_day']} spot_frozen") if frozen else None,
        confidence=row["confidence"],
        source=row["source"],
    )
    if not rule.open < min(rule.close, rule.expiring_close):
        raise ConfigError(f"{path}: rules {rule.from_day}: opens at {rule.open}, not before it closes")
    return rule


def _holiday(row: Mapping[str, Any]) -> Holiday:
    return Holiday(_day(row), row["name"], row["confidence"], row["source"])


def _special(row: Mapping[str, Any], path: Path) -> SpecialSession:
    key = f"special_sessions {row['day']}"
    windows = tuple(_hours(pair, path, key) for pair in row["windows"])
    for (_, closed), (opened, _) in pairwise(windows):
        if opened <= closed:
            raise ConfigError(f"{path}: {key}: window at {opened} begins before {closed}: windows must ascend")
    return SpecialSession(_day(row), windows, row["kind"], row["confidence"], row["source"])


def _hours(pair: list[str], path: Path, key: str) -> Hours:
    begin, end = (time.fromisoformat(text) for text in pair)
    if begin >= end:
        raise ConfigError(f"{path}: {key}: {pair[0]} is not before {pair[1]}")
    return begin, end


def _day(row: Mapping[str, Any], key: str = "day") -> date:
    return date.fromisoformat(row[key])


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)


def _require_covered(timetable: Timetable) -> None:
    if timetable.known_from > timetable.known_until:
        raise ConfigError(f"{timetable.path}: covers: {timetable.known_from} is after {timetable.known_until}")
    for name, rows in timetable.exchanges.items():
        if not rows.rules or rows.rules[0].from_day > timetable.known_from:
            raise ConfigError(f"{timetable.path}: rules: no hours of {name} from {timetable.known_from} on")


SPECIAL_KINDS = ("regular", "disaster_recovery", "budget", "muhurat", "closed")

_TEXT = {"type": "string", "minLength": 1, "maxLength": 300}
_TIME = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_HOURS = {"type": "array", "items": _TIME, "minItems": 2, "maxItems": 2}
_EVERY_ROW = {
    "exchanges": {"type": "array", "items": {"enum": list(EXCHANGES)}, "minItems": 1},
    "confidence": {"enum": ["A", "B", "C"]},
    "source": _TEXT,
}


def _rows_schema(required: list[str], **properties: Mapping[str, Any]) -> dict[str, Any]:
    row = {
        "type": "object",
        "additionalProperties": False,
        "required": [*required, "confidence", "source"],
        "properties": {**properties, **_EVERY_ROW},
    }
    return {"type": "array", "items": row}


def _schema(required: list[str]) -> dict[str, Any]:
    covers = {
        "type": "object",
        "additionalProperties": False,
        "required": ["from", "until"],
        "properties": {"from": DAY, "until": DAY},
    }
    month_day = {"type": "string", "pattern": "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": {
            "covers": covers,
            "recurring_holidays": {"type": "array", "items": month_day},
            "rules": _rows_schema(
                ["from_day", "open", "close", "expiring_close"],
                from_day=DAY, open=_TIME, close=_TIME, expiring_close=_TIME, spot_frozen=_HOURS,
            ),
            "holidays": _rows_schema(["day", "name"], day=DAY, name=_TEXT),
            "special_sessions": _rows_schema(
                ["day", "windows", "kind"],
                day=DAY, windows={"type": "array", "items": _HOURS}, kind={"enum": list(SPECIAL_KINDS)},
            ),
        },
    }  # fmt: skip
