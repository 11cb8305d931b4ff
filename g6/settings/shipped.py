"""Where the files that come with G6 are: beside the package in a clone, inside the wheel otherwise."""

import importlib.util
from pathlib import Path

from g6.errors import ConfigError

PROJECT = Path(__file__).resolve().parents[2]


def shipped(name: str) -> Path:
    """Return the path of a file of `config/`; raise `ConfigError` when the installation lacks it.

    A clone or an editable install has `config/` next to the package. A wheel carries the same folder as
    the package `g6_config`.
    """
    # A folder `config` in site-packages may be anybody's; next to our pyproject.toml it is ours.
    beside = PROJECT / "config" / name
    if (PROJECT / "pyproject.toml").is_file() and beside.is_file():
        return beside
    spec = importlib.util.find_spec("g6_config")
    folders = (spec.submodule_search_locations if spec else None) or ()
    for installed in (Path(folder) / name for folder in folders):
        if installed.is_file():
            return installed
    raise ConfigError(f"{beside}: this file comes with G6 and is missing; install G6 again")
