"""Layers of settings, from the weakest to the strongest, and what they come to."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from g6.settings import schema
from g6.settings.document import Document


class Setting(NamedTuple):
    """One value and where it came from."""

    value: Any
    origin: str


Layer = Mapping[str, Setting]


def default_layer() -> Layer:
    """Return the defaults of the schema."""
    return {dotted: Setting(value, "default") for dotted, value in schema.defaults().items() if value != {}}


def provider_layer(provider: str) -> Layer:
    """Return the defaults that a provider brings with it."""
    own = schema.provider_defaults(provider)
    return {dotted: Setting(value, f"provider {provider}") for dotted, value in own.items()}


def layer_of(document: Document) -> Layer:
    """Return dotted key → setting of every known key in a document."""
    found = _values(document.values, schema.document(), ())
    return {".".join(path): Setting(value, document.origin(path)) for path, value in found}


def combined(layers: Iterable[Layer]) -> dict[str, Setting]:
    """Return what layers come to, later ones winning key by key; lists are replaced as a whole."""
    merged: dict[str, Setting] = {}
    for layer in layers:
        merged.update(layer)
    return merged


def without_empty_sections(document: Document) -> Document:
    """Return the document without sections of which every line is commented out."""
    return dataclasses.replace(document, values=_tidy(document.values, schema.document()))


def _values(
    values: Mapping[str, Any], section: schema.Node, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in values.items():
        node = schema.child(section, name)
        if node and schema.is_section(node) and isinstance(value, Mapping):
            yield from _values(value, node, (*path, name))
        elif node and not schema.is_section(node):
            yield (*path, name), value


def _tidy(values: Mapping[str, Any], section: schema.Node) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in values.items():
        node = schema.child(section, name)
        if node and schema.is_section(node):
            if value is not None:
                kept[name] = _tidy(value, node) if isinstance(value, Mapping) else value
        else:
            kept[name] = value
    return kept
