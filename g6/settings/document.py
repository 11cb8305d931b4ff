"""A YAML or JSON text as values with the line of each, and what is wrong with it as text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import ComposerError

MAXIMUM_BYTES = 1024 * 1024

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Nested values from one place. `name` says where: a file, a variable, a flag.

    `lines` has the line of every key and item of a file and is empty otherwise. `problems` are whole
    sentences, each with its place.
    """

    name: str
    values: dict[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def line(self, path: KeyPath) -> int:
        """Return the line of a key or item, or of what holds it; 0 when lines mean nothing here."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def origin(self, path: KeyPath) -> str:
        """Return where a key was set, such as "config/g6.yaml:12"."""
        line = self.line(path)
        return f"{self.name}:{line}" if line else self.name


def assigned(dotted: str, value: Any) -> dict[str, Any]:
    """Return nested values in which one dotted key is set."""
    first, _, rest = dotted.partition(".")
    return {first: assigned(rest, value) if rest else value}


def read_file(path: Path, name: str) -> Document:
    """Read a configuration file; `name` is what messages call it. Never raises: see `problems`."""
    try:
        if path.exists() and not path.is_file():
            return Document(name, {}, problems=(f"{name}: is not a file",))
        with path.open("rb") as file:
            raw = file.read(MAXIMUM_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Document(name, {}, problems=(f"{name}: cannot be read: {reason}",))
    if len(raw) > MAXIMUM_BYTES:
        return Document(name, {}, problems=(f"{name}: is larger than {MAXIMUM_BYTES} bytes",))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Document(name, {}, problems=(f"{name}:{line}: is not UTF-8 text",))
    # JSON may be indented by tabs, which YAML forbids; inside its strings a raw tab cannot occur.
    return parse(text.replace("\t", " ") if path.suffix.lower() == ".json" else text, name)


def parse(text: str, name: str) -> Document:
    """Parse YAML (JSON is part of it) whose top level is a mapping; an empty text is an empty mapping."""
    reader = _Reader(name)
    values = reader.read(text)
    if values is None and not reader.problems:
        values = {}
    if not isinstance(values, dict):
        if not reader.problems:
            reader.problems.append(f"{name}:1: the top level must be a mapping of sections, such as `metrics:`")
        values = {}
    return Document(name, values, reader.lines, tuple(reader.problems))


def parse_value(text: str) -> Any:
    """Parse one YAML value of any kind; a text that is no YAML is returned as it is."""
    reader = _Reader("")
    value = reader.read(text)
    return text if reader.problems else value


class _Loader(yaml.SafeLoader):
    """`SafeLoader` without the surprises of YAML 1.1, and without aliases.

    A date, 10:30 (which it takes for 630) and 010 (for 8) stay texts; 1e-3 is a number.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own shape

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        # A few nested aliases can stand for gigabytes ("billion laughs"), whatever the size of the file.
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it untyped
            raise ComposerError(None, None, "aliases (*name) are not supported", event.start_mark)
        return super().compose_node(parent, index)


_PLAIN_SCALARS = {
    "null": (r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF", list("tTfFyYnNoO")),
    "int": (r"[-+]?(?:0|[1-9][0-9_]*)", list("-+0123456789")),
    "float": (r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
}
for _kind, (_pattern, _first) in _PLAIN_SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"(?:{_pattern})\Z"), _first)

_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in (*_PLAIN_SCALARS, "str", "map", "seq")}


# Stands for a value that a problem was already raised about, until it is left out.
_UNREADABLE = object()


class _Reader:
    """Walks a YAML tree, keeping lines and collecting problems."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[str] = []

    def read(self, text: str) -> Any:
        try:
            loader = _Loader(text)
            root = loader.get_single_node()
            return None if root is None else self._value(loader, root, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = f"{error.context} {error.problem}" if str(error.problem).startswith("but ") else error.problem
            self._complain(f"not valid YAML: {what}", mark)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self.problems.append(f"{self.name}:{line}: not valid YAML: {error.reason}")
        except RecursionError:
            self.problems.append(f"{self.name}: nested too deeply")
        return None

    def _value(self, loader: _Loader, node: yaml.Node, path: KeyPath) -> Any:
        if node.tag not in _TAGS:
            return self._complain(f"the tag {node.tag} is not supported", node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path)
        if isinstance(node, yaml.SequenceNode):
            for i, item in enumerate(node.value):
                self.lines[(*path, i)] = _line(item.start_mark)
            items = [self._value(loader, item, (*path, i)) for i, item in enumerate(node.value)]
            return [item for item in items if item is not _UNREADABLE]
        try:
            return loader.construct_object(node)
        except (ValueError, KeyError):
            return self._complain("not a value that can be read", node.start_mark)

    def _mapping(self, loader: _Loader, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._complain("a key must be a single word", key.start_mark)
            elif key.value in values:
                first = self.lines[(*path, key.value)]
                dotted = ".".join(map(str, (*path, key.value)))
                self._complain(f"{dotted}: given twice, first on line {first}", key.start_mark)
            else:
                self.lines[(*path, key.value)] = _line(key.start_mark)
                values[key.value] = self._value(loader, value, (*path, key.value))
        return {name: value for name, value in values.items() if value is not _UNREADABLE}

    def _complain(self, what: str, mark: yaml.Mark | None) -> object:
        place = f"{self.name}:{_line(mark)}" if mark else self.name
        self.problems.append(f"{place}: {what}")
        return _UNREADABLE


def _line(mark: yaml.Mark) -> int:
    return int(mark.line) + 1
