"""What a command is given of the world beside its arguments."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment's variables and the working directory."""

    environ: Mapping[str, str]
    cwd: Path

    @staticmethod
    def of_process() -> "Surroundings":
        """Return those of this process."""
        return Surroundings(dict(os.environ), Path.cwd())
