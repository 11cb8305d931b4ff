"""Instants for the tests of the simulated Kite."""

from datetime import datetime


def ist(text: str) -> datetime:
    """An instant from `2026-11-20T10:00`, which is IST."""
    return datetime.fromisoformat(f"{text}+05:30")
