"""From checked values to typed settings."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_origin, get_type_hints

from g6.clock import IST
from g6.errors import ConfigError
from g6.settings.layers import Setting
from g6.settings.sections import Settings

_NO_SECTIONS = {"values", "origins", "file", "warnings", "constituents_files"}
_CONSTITUENTS = "collection.market.constituents_files."


def build(effective: Mapping[str, Setting], cwd: Path, file: Path | None, warnings: tuple[str, ...]) -> Settings:
    """Return the settings of values that passed every check; relative paths start at `cwd`."""
    values = {dotted: setting.value for dotted, setting in effective.items()}
    origins = {dotted: setting.origin for dotted, setting in effective.items()}
    hints = get_type_hints(Settings)
    sections = {name: _section(hints[name], f"{name}.", values, cwd) for name in hints if name not in _NO_SECTIONS}
    members = {key.removeprefix(_CONSTITUENTS): path for key, path in values.items() if key.startswith(_CONSTITUENTS)}
    return Settings(
        **sections,
        values=MappingProxyType(values),
        origins=MappingProxyType(origins),
        file=file,
        warnings=warnings,
        constituents_files=MappingProxyType({name: located(path, cwd) for name, path in members.items()}),
    )


def located(path: str | Path, cwd: Path) -> Path:
    """Return where a path that a person wrote is: from `cwd`, or absolute, or below a home (~)."""
    try:
        return cwd / Path(path).expanduser()
    except RuntimeError:  # nobody of that name has a home: the tilde stands for itself
        return cwd / path


def _section(cls: type, prefix: str, values: Mapping[str, Any], cwd: Path) -> Any:
    made: dict[str, Any] = {}
    for name, hint in get_type_hints(cls).items():
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            made[name] = _section(hint, f"{prefix}{name}.", values, cwd)
        else:
            made[name] = _converted(values[prefix + name], hint, cwd)
    return cls(**made)


def _converted(value: Any, hint: Any, cwd: Path) -> Any:
    if value is None:
        return None
    if hint in {Path, Path | None}:
        return located(value, cwd)
    if get_origin(hint) is tuple:
        return tuple(value)
    convert = _CONVERTERS.get(hint)
    return convert(value) if convert else value


def _strikes(value: int | str) -> int | None:
    return None if value == "all" else int(value)


def _number(value: float | str) -> float:
    return math.inf if value == "max" else float(value)


def _instant(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value).astimezone(IST)
    except OverflowError as error:
        raise ConfigError(f"clock.at: {value} is beyond what a date can be in IST; give another instant") from error


# JSON knows one kind of number: 60.0 is a whole number in a file, and an int here.
_CONVERTERS: Mapping[Any, Callable[[Any], Any]] = {
    int: int,
    float: _number,
    int | None: _strikes,
    datetime | None: _instant,
}
