"""Which data directory is meant when none is named."""

import os
from pathlib import Path

from g6.settings import load


def data_directory() -> Path:
    """Return the agent's own, by environment, configuration file and default; ConfigError when those are wrong."""
    return load({}, os.environ, Path.cwd()).storage.data_dir
