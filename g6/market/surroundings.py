"""What surrounds the options and is quoted with them: India VIX, sector indices, the members of indices. From YAML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from g6.errors import ConfigError
from g6.market.constituents import Share, read_constituents
from g6.market.tables import DAY, read_table
from g6.model.mood import MoodRule, MoodRules, MoodStep


@dataclass(frozen=True, slots=True)
class LevelSimulation:
    """What a believable sector needs: its level, and the shares that it goes with, by industry or by name."""

    level: float  # index points on an ordinary day
    industries: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuotedLevel:
    """An index that is quoted beside those whose options are collected. `symbol` is EXCHANGE:NAME."""

    name: str
    symbol: str
    simulation: LevelSimulation | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The whole table; `constituents` is index name → its members, the broad index first."""

    vix: QuotedLevel | None
    sectors: tuple[QuotedLevel, ...]
    constituents: Mapping[str, tuple[Share, ...]]
    mood: MoodRules


def load_surroundings(path: Path, constituents_files: Mapping[str, Path] = MappingProxyType({})) -> Surroundings:
    """Return the table of a YAML file; a file of members named for an index replaces the table's list of it.

    Weights are the table's own where it knows the share. Raises ConfigError, one line naming file and key.
    """
    table = read_table(path, _SCHEMA)
    listed = {name: _members(row["members"]) for name, row in table.get("constituents", {}).items()}
    weights = {share.symbol: share.weight for shares in listed.values() for share in shares}
    for name, file in constituents_files.items():
        shares = read_constituents(file)
        listed[name] = tuple(replace(share, weight=weights.get(share.symbol, share.weight)) for share in shares)
    return Surroundings(
        vix=_level(table["vix"]) if "vix" in table else None,
        sectors=tuple(_level(row) for row in _distinct(path, table.get("sectors", []))),
        constituents=MappingProxyType(listed),
        mood=_mood(path, table.get("mood", {})),
    )


def _distinct(path: Path, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    for key in ("name", "symbol"):
        known = [row[key] for row in rows]
        twice = next((value for value in known if known.count(value) > 1), None)
        if twice is not None:
            raise ConfigError(f"{path}: sectors: {key} {twice!r} is there twice")
    return rows


def _level(row: Mapping[str, Any]) -> QuotedLevel:
    simulated = row.get("simulation")
    return QuotedLevel(
        row["name"],
        row["symbol"],
        simulated
        and LevelSimulation(
            float(simulated["level"]), tuple(simulated.get("industries", ())), tuple(simulated.get("shares", ()))
        ),
    )


def _members(rows: Mapping[str, Mapping[str, Any]]) -> tuple[Share, ...]:
    return tuple(Share(symbol, row["industry"], float(row.get("weight", 1.0))) for symbol, row in rows.items())


def _mood(path: Path, table: Mapping[str, Any]) -> MoodRules:
    default = MoodRules()
    mild, strong = table.get("mild", default.mild), table.get("strong", default.strong)
    if mild > strong:
        raise ConfigError(f"{path}: mood: mild {mild:g} is beyond strong {strong:g}")
    rules = tuple(_rule(path, row) for row in table.get("rules", []))
    return MoodRules(table.get("index", default.index), float(mild), float(strong), rules)


def _rule(path: Path, row: Mapping[str, Any]) -> MoodRule:
    neutral = float(row.get("neutral", 0.0))
    steps = tuple(MoodStep(float(threshold), float(points)) for threshold, points in row["steps"])
    if any(step.threshold == neutral for step in steps):
        raise ConfigError(f"{path}: mood: {row['input']}: the threshold {neutral:g} is the neutral value itself")
    return MoodRule(row["input"], steps, neutral, bool(row.get("required", True)))


_TEXT = {"type": "string", "minLength": 1, "maxLength": 300}
_NAME = {"type": "string", "pattern": "^[A-Z0-9][A-Z0-9_&-]{0,31}$"}
_SYMBOL = {"type": "string", "pattern": "^(NSE|BSE):[A-Z0-9][A-Z0-9 _&.-]{0,39}$"}
_POSITIVE = {"type": "number", "exclusiveMinimum": 0}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_PROVENANCE = {"confidence": {"enum": ["A", "B", "C"]}, "source": _TEXT}


def _object(needed: list[str], /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": needed, "properties": properties}


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "minProperties": 1, "propertyNames": _NAME, "additionalProperties": values}


_LEVEL = _object(
    ["name", "symbol"],
    name=_NAME,
    symbol=_SYMBOL,
    simulation=_object(
        ["level"],
        level=_POSITIVE,
        industries={"type": "array", "items": _TEXT},
        shares={"type": "array", "items": _NAME},
    ),
    **_PROVENANCE,
)
_SCHEMA = _object(
    [],
    vix=_LEVEL,
    sectors={"type": "array", "items": _LEVEL, "maxItems": 50},
    constituents=_named(
        _object(
            ["members", "as_of", "confidence", "source"],
            as_of=DAY,
            members=_named(_object(["industry"], industry=_TEXT, weight=_POSITIVE)),
            **_PROVENANCE,
        )
    ),
    mood=_object(
        ["rules"],
        index=_NAME,
        mild=_SHARE,
        strong=_SHARE,
        rules={
            "type": "array",
            "items": _object(
                ["input", "steps"],
                input={"enum": ["index_change_ratio", "breadth", "vix_change_ratio", "sectors_up_share"]},
                required={"type": "boolean"},
                neutral={"type": "number"},
                steps={
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
                },
            ),
        },
    ),
)
