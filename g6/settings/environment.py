"""The variables `G6_…`: any key as G6_SECTION__KEY, some by short names, a few kept from older systems."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from g6.settings import schema
from g6.settings.checks import looks_secret
from g6.settings.document import Document, assigned
from g6.settings.texts import value_of
from g6.settings.wording import shown

CONFIG_VARIABLE = "G6_CONFIG"

# Short name → key.
SHORT_NAMES: Mapping[str, str] = {
    "G6_DATA_DIR": "storage.data_dir",
    "G6_PORT": "metrics.port",
    "G6_PROVIDER": "providers.order",
    "G6_INDICES": "collection.indices",
    "G6_INTERVAL": "collection.interval_seconds",
    "G6_CONCISE_LOGS": "console.concise",
    "G6_LOG_LEVEL": "logging.level",
    "G6_FORCE_ASCII": "console.force_ascii",
    "G6_FORCE_UNICODE": "console.force_ascii",
}

# Both are switches for one key with three values: on forces, off leaves it to the terminal.
_FORCED = {"G6_FORCE_ASCII": True, "G6_FORCE_UNICODE": False}

# Set on many machines by the systems that G6 follows; they mean nothing to it, and are no mistakes.
IGNORED = frozenset({"G6_FANCY_CONSOLE", "G6_LIVE_PANEL", "G6_VERBOSE_CONSOLE", "G6_DISABLE_STARTUP_BANNER"})


def variables_of(dotted: str) -> tuple[str, ...]:
    """Return the variables that set a key, short ones first."""
    short = tuple(name for name, key in SHORT_NAMES.items() if key == dotted)
    return (*short, "G6_" + dotted.replace(".", "__").upper())


def ignored_in(environ: Mapping[str, str]) -> list[str]:
    """Return the variables of older systems that are set."""
    return sorted(IGNORED & set(environ))


def read_environment(environ: Mapping[str, str]) -> tuple[list[Document], list[str]]:
    """Return one document per variable that sets a key, and the problems of those that cannot.

    A variable that is set but empty counts as not set, as in a compose file that passes it on.
    """
    documents: list[Document] = []
    problems: list[str] = []
    said: dict[str, tuple[str, Any]] = {}
    for name, text in _given(environ):
        dotted = _key_of(name)
        if dotted is None:
            problems.append(_unknown(name, text))
            continue
        value = _switch(name, text) if name in _FORCED else value_of(text, schema.find(dotted))
        first, other = said.get(dotted, (name, value))
        if other is None:
            said[dotted] = (name, value)  # a switch that is off yields to its counterpart
        elif value not in (other, None):
            problems.append(f"environment {name}: {dotted}: {shown(value)} contradicts {first}={shown(other)}")
        else:
            said[dotted] = (first, other)
    for dotted, (name, value) in said.items():
        documents.append(Document(f"environment {name}", assigned(dotted, value)))
    return documents, problems


def _given(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(environ):
        if name.startswith("G6_") and name not in IGNORED and name != CONFIG_VARIABLE and environ[name].strip():
            yield name, environ[name].strip()


def _key_of(name: str) -> str | None:
    if name in SHORT_NAMES:
        return SHORT_NAMES[name]
    written = name.removeprefix("G6_").split("__")
    # Index names are capitals, every other part of a key is small letters.
    parts = [part if written[0] == "INDEX_PARAMS" and i == 1 else part.lower() for i, part in enumerate(written)]
    dotted = ".".join(parts)
    return dotted if schema.find(dotted) else None


def _switch(name: str, text: str) -> Any:
    """Return what a switch makes of its key; a text that is neither on nor off is left for the checks."""
    on = value_of(text, {"type": "boolean"})
    if not isinstance(on, bool):
        return on
    return _FORCED[name] if on else None


def _unknown(name: str, text: str) -> str:
    value = "" if looks_secret(name) else f" (value {shown(text)})"
    known = [*SHORT_NAMES, CONFIG_VARIABLE, *(variables_of(dotted)[-1] for dotted in schema.leaves())]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    hint = f"; the nearest known variable is {close[0]}" if close else "; G6_SECTION__KEY sets any key"
    return f"environment {name}: unknown variable{value}{hint}"
