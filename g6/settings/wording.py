"""How values and limits are said to a person, in one line."""

import json
from collections.abc import Mapping
from typing import Any

from g6.settings.schema import Node, resolved

LONGEST_VALUE_CHARACTERS = 60


def written(value: object) -> str:
    """Return a value as a file would have it, on one line.

    Of a mapping nothing is shown: what a person put there by mistake may be a secret.
    """
    if isinstance(value, Mapping):
        return "{...}" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(item) for item in value) + "]"
    plain = isinstance(value, str) and value.isprintable() and value.strip() == value != ""
    return str(value) if plain else json.dumps(value, default=str)


def shown(value: object) -> str:
    """Return a value as `written`, cut to what fits into a message, however odd it is."""
    # Lone surrogates come from file names that are no UTF-8.
    text = written(value).encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= LONGEST_VALUE_CHARACTERS else text[: LONGEST_VALUE_CHARACTERS - 3] + "..."


def allowed(node: Node) -> str:
    """Return what a schema node allows, such as "a whole number from 1 to 3600"."""
    node = resolved(node)
    if "title" in node:
        return str(node["title"])
    if "enum" in node:
        return "one of " + ", ".join(shown(v) for v in node["enum"])
    if "const" in node:
        return f"the word {node['const']}"
    if "anyOf" in node:
        return " or ".join(allowed(choice) for choice in node["anyOf"])
    types = node["type"] if isinstance(node["type"], list) else [node["type"]]
    return " or ".join(_type_phrase(kind, node) for kind in types)


def _type_phrase(kind: str, node: Node) -> str:
    if kind == "array":
        items = resolved(node["items"])
        inner = ", ".join(items["enum"]) if "enum" in items else allowed(items).replace("a name", "names", 1)
        return f"a list of at least one, none twice, of {inner}"
    if kind == "object":
        names = ", ".join(node.get("properties", {})) or "index names"
        return f"a section with {names}"
    if kind in {"integer", "number"}:
        return ("a whole number" if kind == "integer" else "a number") + _range_phrase(node)
    return {"boolean": "true or false", "null": "null", "string": "text of at least one character"}[kind]


def _range_phrase(node: Mapping[str, Any]) -> str:
    if "exclusiveMinimum" in node:
        return f" above {node['exclusiveMinimum']} and up to {node['maximum']}"
    return f" from {node['minimum']} to {node['maximum']}"
