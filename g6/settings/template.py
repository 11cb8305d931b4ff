"""The configuration file that `g6 config init` writes: every key of the schema, explained, commented out."""

import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from g6.settings import schema
from g6.settings.environment import variables_of
from g6.settings.wording import allowed, shown

_WIDTH = 110

_HEADER = """\
Configuration of G6. As it stands this file changes nothing: every key is here with its default, commented out.
To change one, remove the # before its name. `g6 config check FILE` checks a file, `g6 config show` says what is
in force and where each value came from. Stronger than this file are variables (G6_SECTION__KEY, and the short
names given below) and the command line (`--set section.key=value`, and flags of their own). Weaker are the defaults
of the provider that comes first, and the defaults. Secrets do not belong here. Relative paths start at the working
directory."""


def template() -> str:
    """Return the commented YAML; loading it gives the defaults, and so does uncommenting every key of it."""
    lines = [f"# {line}" for line in _HEADER.splitlines()]
    for name, section in schema.children(schema.document()):
        lines += ["", *_section(name, section, name, "")]
    return "\n".join(lines) + "\n"


def _section(name: str, section: schema.Node, dotted: str, indent: str) -> Iterator[str]:
    yield from _prose(section["description"], indent)
    yield f"{indent}{name}:"
    inner = indent + "  "
    if "patternProperties" in section:
        yield from _example(section, inner)
    for i, (below, node) in enumerate(schema.children(section)):
        key = f"{dotted}.{below}"
        if i:
            yield ""
        yield from _section(below, node, key, inner) if schema.is_section(node) else _key(below, node, key, inner)


def _key(name: str, node: schema.Node, dotted: str, indent: str) -> Iterator[str]:
    yield from _prose(node["description"], indent)
    yield from _prose(f"Allowed: {allowed(node)}. Variable: {' or '.join(variables_of(dotted))}.", indent)
    if own := node.get("x-provider-defaults"):
        yield from _prose("Default " + ", ".join(f"for {p}: {shown(v)}" for p, v in own.items()) + ".", indent)
    yield f"{indent}#{name}: {_literal(node['default'])}"


def _example(section: schema.Node, indent: str) -> Iterator[str]:
    yield f"{indent}# Example:"
    example = yaml.safe_dump(section["examples"][0], default_flow_style=None, sort_keys=False)
    for line in str(example).splitlines():
        yield f"{indent}#   {line}"


def _prose(text: str, indent: str) -> list[str]:
    start = f"{indent}# "
    return textwrap.wrap(text, _WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)


def _literal(value: Any) -> str:
    # As the one item of a list a scalar is written without the document's end mark.
    return str(yaml.safe_dump([value], default_flow_style=True, width=float("inf"))).strip()[1:-1]
