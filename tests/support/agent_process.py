"""The agent as a process of its own, and what it leaves on the disk."""

import csv
import os
import sys
from pathlib import Path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "g6.unified_main", *arguments]


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("G6_")} | more


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def tree_of(root: Path) -> dict[str, bytes]:
    """Every daily file below a data directory and its bytes."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted((root / "csv").rglob("*.csv"))}
