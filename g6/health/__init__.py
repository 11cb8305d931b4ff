"""Whether the agent lives, is ready, what each part of it says of itself, and what a person does about it."""

from g6.health.components import Component
from g6.health.evidence import DiskReading, ExporterReading, Limits, Market, Readers, StartReading, State
from g6.health.status import Health, Verdict

__all__ = [
    "Component",
    "DiskReading",
    "ExporterReading",
    "Health",
    "Limits",
    "Market",
    "Readers",
    "StartReading",
    "State",
    "Verdict",
]
