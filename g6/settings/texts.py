"""Values that come as texts, from flags and variables: the schema decides how each is read."""

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from g6.settings.checks import validator
from g6.settings.document import parse_value
from g6.settings.schema import Node, is_section, resolved

_TRUTH = {"1": True, "0": False}


def value_of(text: str, node: Node | None) -> Any:
    """Return what a text means for a key: a list for a list, the text itself for a path, else a YAML value.

    Lists are divided by commas or blanks, or written as YAML (`[a, b]`); 1 and 0 are true and false;
    letters' case is forgiven. A text that fits nothing is returned as YAML reads it, for the checks to refuse.
    """
    if node is None or is_section(node):
        return parse_value(text)
    if node.get("type") == "array" and not text.lstrip().startswith("["):
        items = resolved(node["items"])
        return [_scalar(part, items) for part in re.split(r"[,\s]+", text) if part]
    if node.get("type") == "array":
        return parse_value(text)
    return _scalar(text, node)


def _scalar(text: str, node: Node) -> Any:
    check: Draft202012Validator = validator(node)
    return next((value for value in _readings(text) if check.is_valid(value)), parse_value(text))


def _readings(text: str) -> Iterator[Any]:
    yield parse_value(text)
    yield text
    if text in _TRUTH:
        yield _TRUTH[text]
    yield text.upper()
    yield text.lower()
