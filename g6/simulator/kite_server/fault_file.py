"""A fault plan from its YAML: bounded, validated, and refused in one line that names the place."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import time
from pathlib import Path
from typing import Any

import yaml

from g6.errors import ConfigError
from g6.simulator.kite_server.fault_kinds import ENDPOINTS, KINDS, Kind
from g6.simulator.kite_server.faults import ALWAYS, EVERY_INSTRUMENT, Fault, Match, Window

LARGEST_PLAN_BYTES = 1_000_000
ALL = "all"

_COMMON = ("name", "on", "do", "from", "until", "every_minutes", "times", "match")
_MATCH = ("exchange", "index", "kind", "symbol", "share")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?\Z")


def read_plan(path: Path) -> list[Fault]:
    """Return the faults of a file. Raises ConfigError, one line naming the file and the place in it."""
    try:
        if path.stat().st_size > LARGEST_PLAN_BYTES:
            raise ConfigError(f"{path}: larger than {LARGEST_PLAN_BYTES} bytes, which no fault plan is")
        # Everything stays text, read by its kind's options: YAML's own taste would make `on` true and 10:30 630.
        document = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  texts and lists alone
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    return parse_plan(document, str(path))


def parse_plan(document: object, name: str) -> list[Fault]:
    """Return the faults of `{"faults": [...]}`, whose values may be texts or already numbers. Raises ConfigError."""
    if not isinstance(document, Mapping) or set(document) != {"faults"} or not isinstance(document["faults"], list):
        raise ConfigError(f"{name}: a fault plan is one list under the key `faults`")
    return [_fault(entry, f"{name}: faults[{place}]") for place, entry in enumerate(document["faults"])]


def _fault(entry: object, place: str) -> Fault:
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{place}: is not a mapping of keys such as name, on, do")
    for required in ("name", "do"):
        if not isinstance(entry.get(required), str) or not entry[required].strip():
            raise ConfigError(f"{place}: {required} is required")
    place = f"{place} ({entry['name']})"
    do = entry["do"]
    kind = KINDS.get(do)
    if kind is None:
        raise ConfigError(f"{place}: do: {_unknown('kind', do, KINDS)}")
    _refuse_unknown(entry, (*_COMMON, *kind.options), place)
    if kind.needs_from and "from" not in entry:
        raise ConfigError(f"{place}: from is required, {do} happens at an instant")
    return Fault(
        name=entry["name"],
        do=do,
        on=_endpoints(entry.get("on"), kind, place),
        options={key: _option(entry, key, kind, place) for key in kind.options},
        window=_window(entry, place),
        times=_whole(entry, "times", 1, 1_000_000, place),
        match=_match(entry["match"], f"{place}: match") if "match" in entry else EVERY_INSTRUMENT,
    )


def _endpoints(on: object, kind: Kind, place: str) -> frozenset[str]:
    if on is None:
        if not kind.default_on:
            raise ConfigError(f"{place}: on is required, one or several of {', '.join(kind.allowed_on)}")
        return frozenset(kind.default_on)
    words = [str(word) for word in on] if isinstance(on, list | tuple) else [str(on)]
    if words == [ALL]:
        return frozenset(kind.allowed_on)
    for word in words:
        if word not in ENDPOINTS:
            raise ConfigError(f"{place}: on: {_unknown('endpoint', word, (*ENDPOINTS, ALL))}")
        if word not in kind.allowed_on:
            raise ConfigError(f"{place}: on: {word} cannot suffer this; allowed: {', '.join(kind.allowed_on)}")
    return frozenset(words)


def _option(entry: Mapping[str, Any], key: str, kind: Kind, place: str) -> Any:
    option = kind.options[key]
    if key not in entry:
        return option.default
    try:
        return option.read(str(entry[key]))
    except ValueError:
        raise ConfigError(f"{place}: {key}: {entry[key]!r} is not {option.said}") from None


def _window(entry: Mapping[str, Any], place: str) -> Window:
    begin, until = _time(entry, "from", place), _time(entry, "until", place)
    every = _whole(entry, "every_minutes", 1, 1440, place)
    if begin is None and until is None and every is None:
        return ALWAYS
    if until is not None and until <= (begin or time()):
        raise ConfigError(f"{place}: until {until:%H:%M:%S} is not after from; a window lies within one day")
    return Window(begin, until, every)


def _time(entry: Mapping[str, Any], key: str, place: str) -> time | None:
    if key not in entry:
        return None
    text = str(entry[key])
    if not _TIME.match(text):
        raise ConfigError(f"{place}: {key}: {text!r} is not a time of day such as '09:25'")
    return time.fromisoformat(text)


def _match(entry: object, place: str) -> Match:
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{place}: is not a mapping of {', '.join(_MATCH)}")
    _refuse_unknown(entry, _MATCH, place)
    texts = {key: str(entry[key]) for key in _MATCH if key in entry and key != "share"}
    try:
        share = float(str(entry.get("share", 1)))
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ConfigError(f"{place}: share: {entry['share']!r} is not a number above 0 and up to 1")
    return Match(**texts, share=share)


def _whole(entry: Mapping[str, Any], key: str, low: int, high: int, place: str) -> int | None:
    if key not in entry:
        return None
    text = str(entry[key])
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ConfigError(f"{place}: {key}: {text!r} is not a whole number from {low} to {high}")
    return int(text)


def _refuse_unknown(entry: Mapping[str, Any], known: Collection[str], place: str) -> None:
    for key in entry:
        if key not in known:
            raise ConfigError(f"{place}: {_unknown('key', str(key), known)}")


def _unknown(what: str, word: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(word, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"unknown {what} {word!r}, {hint}"
