"""Read a dated table from a YAML file: bounded, validated, and refused in one line that names the key."""

import difflib
import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match

from g6.errors import ConfigError

LARGEST_TABLE_BYTES = 1_000_000

# libyaml's, where it was built in, takes a tenth of the time; neither makes anything but plain values.
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DAY: Mapping[str, Any] = {"type": "string", "format": "date"}
_FORMATS = FormatChecker(["date"])


def read_table(path: Path, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the validated mapping that a YAML file holds.

    Days are ISO text, quoted in the file or not; a schema asks for them by `DAY`. Raises ConfigError, one
    line with the file, the key and the value, when the file is absent, too large, no YAML or not as
    `schema` allows.
    """
    try:
        if path.stat().st_size > LARGEST_TABLE_BYTES:
            raise ConfigError(f"{path}: larger than {LARGEST_TABLE_BYTES} bytes, which no such table is")
        content = _plain(yaml.load(path.read_text("utf-8"), SAFE_LOADER))  # noqa: S506  it is the safe one
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    refused = best_match(Draft202012Validator(schema, format_checker=_FORMATS).iter_errors(content))
    if refused is not None:
        raise ConfigError(f"{path}: {_describe(refused)}")
    return dict(content)


def _plain(value: object) -> Any:
    """Return what JSON Schema can judge: days and keys as text (YAML reads more types), finite numbers only."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a number that a table may hold")
    return value.isoformat() if isinstance(value, date) else value


def _describe(error: ValidationError) -> str:
    key = ".".join(str(part) for part in error.absolute_path) or "top level"
    instance, schema = error.instance, error.schema
    if error.validator == "additionalProperties" and isinstance(instance, dict) and isinstance(schema, Mapping):
        known = list(schema["properties"])
        unknown = next(name for name in instance if name not in known)
        near = difflib.get_close_matches(unknown, known, 1)
        allowed = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(known)}"
        return f"{key}: unknown key {unknown!r}, {allowed}"
    return f"{key}: {' '.join(error.message.split())[:200]}"
