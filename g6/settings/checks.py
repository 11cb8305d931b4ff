"""What is wrong with one document by the schema: every problem at once, one line each."""

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from g6.settings import schema
from g6.settings.document import Document, KeyPath
from g6.settings.wording import allowed, shown

_SECRET = re.compile(r"token|secret|passw|api_?key|credential|private_?key")


def validator(node: schema.Node) -> Draft202012Validator:
    """Return the validator of a part of the schema."""
    whole = {**node, "$defs": schema.document()["$defs"]}
    return Draft202012Validator(whole, format_checker=_FORMATS)


def problems_of(document: Document) -> list[str]:
    """Return the problems of a document's text and values, in the order of its lines."""
    secrets = dict(_secrets(document.values, ()))
    found = dict(secrets)
    for error in validator(schema.document()).iter_errors(document.values):
        for path, sentence in _sentences(error):
            # What is wrong inside a secret is of no interest, and must not be shown.
            if not any(path[: len(secret)] == secret for secret in secrets):
                found.setdefault(path, sentence)
    ordered = sorted(found.items(), key=lambda item: document.line(item[0]))
    lines = [f"{document.origin(path)}: {key_of(path)}: {sentence}" for path, sentence in ordered]
    return [*document.problems, *lines]


def key_of(path: KeyPath) -> str:
    """Return the dotted key of a path; positions in lists are left out, odd names are quoted."""
    return ".".join(shown(name) for name in path if isinstance(name, str))


def looks_secret(name: str) -> bool:
    """Return whether a key's name says that its value must not be written down."""
    return _SECRET.search(name.lower().replace("-", "_")) is not None


def unknown_key(dotted: str, given: str = "") -> str:
    """Return the sentence that names the nearest known key, or else what there is."""
    if near := schema.nearest(dotted):
        return f"unknown key{given}; the nearest known key is {near}"
    return f"unknown key{given}; known are " + ", ".join(name for name, _ in schema.children(schema.document()))


def _is_instant(value: object) -> bool:
    if not isinstance(value, str):
        return True
    # Stricter than `fromisoformat`, which takes week dates and times without minutes too.
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", value):
        return False
    return datetime.fromisoformat(value).tzinfo is not None


_FORMATS = FormatChecker(formats=())
_FORMATS.checks("instant", raises=(ValueError, OverflowError))(_is_instant)


def _secrets(values: Mapping[str, Any], path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for name, value in values.items():
        if looks_secret(name):
            yield (*path, name), "a secret does not belong here; set it in the environment"
        elif isinstance(value, Mapping):
            yield from _secrets(value, (*path, name))


def _sentences(error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    path: KeyPath = tuple(error.absolute_path)
    instance: Any = error.instance
    node: Any = error.schema
    if error.validator == "additionalProperties":
        for name in _extra(instance, node):
            yield (*path, name), _unknown(path, name, instance[name], node)
    else:
        yield path, _refused(instance, node)


def _extra(instance: Mapping[str, Any], node: schema.Node) -> list[str]:
    return [name for name in instance if schema.child(node, name) is None]


def _unknown(path: KeyPath, name: str, value: object, node: schema.Node) -> str:
    given = "" if isinstance(value, Mapping) else f" (value {shown(value)})"
    if "patternProperties" in node:
        return f"not an index name{given}; allowed: {allowed({'$ref': '#/$defs/index_name'})}"
    dotted = key_of((*path, name))
    if "." in name and schema.find(dotted):
        nested = dotted.replace(".", ": {") + ": ..." + "}" * dotted.count(".")
        return f"keys are nested here, not dotted{given}; write {nested}"
    return unknown_key(dotted, given)


def _refused(value: object, node: schema.Node) -> str:
    sentence = f"{shown(value)} is not allowed; allowed: {allowed(node)}"
    if isinstance(value, str) and "enum" in node:
        choices = {str(choice).lower(): choice for choice in node["enum"]}
        close = difflib.get_close_matches(value.lower(), choices, n=1)
        return sentence + (f"; the nearest is {choices[close[0]]}" if close else "")
    return sentence
