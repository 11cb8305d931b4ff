"""The configuration's schema, `config/g6.schema.json`: the one place that knows keys, defaults and limits."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from g6.settings.shipped import shipped

Node = Mapping[str, Any]


@cache
def document() -> Node:
    """Return the whole JSON Schema (2020-12)."""
    loaded: Node = json.loads(shipped("g6.schema.json").read_text(encoding="utf-8"))
    return loaded


def resolved(node: Node) -> Node:
    """Return the node with its `$ref` followed; what stands beside the reference wins."""
    if "$ref" not in node:
        return node
    target = document()["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return {**resolved(target), **{k: v for k, v in node.items() if k != "$ref"}}


def is_section(node: Node) -> bool:
    """Return whether the node holds keys rather than a value."""
    return "properties" in node or "patternProperties" in node


def children(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the fixed names below a section and their nodes."""
    for name, below in node.get("properties", {}).items():
        yield name, resolved(below)


def child(node: Node, name: str) -> Node | None:
    """Return the node below a section by name, fixed or matched by pattern; None when there is none."""
    if name in node.get("properties", {}):
        return resolved(node["properties"][name])
    # A section with patterns has one: the index name.
    for pattern, below in node.get("patternProperties", {}).items():
        if matches(pattern, name):
            return resolved(below)
    return None


def matches(pattern: str, name: str) -> bool:
    """Return whether a name fits a pattern, as JSON Schema means it (a search, not a full match)."""
    return re.search(pattern, name) is not None


def find(dotted: str) -> Node | None:
    """Return the node of a dotted key, or None when there is no such key."""
    node: Node | None = document()
    for name in dotted.split("."):
        node = child(node, name) if node else None
    return node


@cache
def leaves() -> Mapping[str, Node]:
    """Return dotted key → node of every value with a fixed name, in the schema's order."""
    return {dotted: node for dotted, node in _walk(document(), "") if not is_section(node)}


def defaults() -> dict[str, Any]:
    """Return dotted key → default."""
    return {dotted: node["default"] for dotted, node in leaves().items()}


def provider_defaults(provider: str) -> dict[str, Any]:
    """Return dotted key → default that holds when this provider comes first; most have none."""
    own = {dotted: node.get("x-provider-defaults", {}) for dotted, node in leaves().items()}
    return {dotted: values[provider] for dotted, values in own.items() if provider in values}


def nearest(dotted: str) -> str | None:
    """Return the known key most like an unknown one: first among its siblings, then anywhere."""
    parent, _, last = dotted.rpartition(".")
    section = find(parent) if parent else document()
    siblings = [name for name, _ in children(section)] if section else []
    if close := difflib.get_close_matches(last, siblings, n=1):
        return f"{parent}.{close[0]}" if parent else close[0]
    known = [name for name, _ in _walk(document(), "")]
    alike = set(difflib.get_close_matches(last, {k.rpartition(".")[2] for k in known}, n=3, cutoff=0.75))
    same_end = [k for k in known if k.rpartition(".")[2] in alike]
    close = difflib.get_close_matches(dotted, same_end, n=1, cutoff=0) or difflib.get_close_matches(dotted, known, n=1)
    return close[0] if close else None


def _walk(node: Node, prefix: str) -> Iterator[tuple[str, Node]]:
    for name, below in children(node):
        yield f"{prefix}{name}", below
        if is_section(below):
            yield from _walk(below, f"{prefix}{name}.")
