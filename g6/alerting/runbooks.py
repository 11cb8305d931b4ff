"""The pages about alerts, and what they say: beside the package in a clone, inside the wheel otherwise."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from g6.alerting import ALERTS
from g6.errors import ConfigError

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = "g6_runbooks"
INDEX = "README"


def runbook(name: str) -> str:
    """Return the page about an alert, or the index for `INDEX`, as Markdown.

    KeyError where no alert has this name: nothing else becomes a path. ConfigError where the installation lacks it.
    """
    if name != INDEX and name not in ALERTS:
        raise KeyError(name)
    for folder in _folders():
        path = folder / f"{name}.md"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise ConfigError(f"the page {name}.md comes with G6 and is missing; install G6 again")


def _folders() -> Iterator[Path]:
    # A folder `alerts` in site-packages may be anybody's; next to our pyproject.toml it is ours.
    if (PROJECT / "pyproject.toml").is_file():
        yield PROJECT / "alerts" / "runbooks"
    spec = importlib.util.find_spec(PACKAGE)
    yield from map(Path, (spec.submodule_search_locations if spec else None) or ())
