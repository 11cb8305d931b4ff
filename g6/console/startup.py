"""The lines a start prints: what is going to happen, and where to look."""

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text


def show_start(console: Console, version: str, facts: Mapping[str, str]) -> None:
    """Print one line per fact, name and value aligned."""
    console.print(Text(f"G6 {version}", style="bold"))
    for name, value in facts.items():
        console.print(Text(f"{name:<9}{value}"), soft_wrap=True)
