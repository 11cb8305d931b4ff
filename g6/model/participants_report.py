"""What is stored of participants, as those who are told of it know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


class Standing(NamedTuple):
    """How a class of participants stands in an instrument at the end of a day."""

    net: float  # contracts, long less short
    long_short_ratio: float  # NaN where nothing is short


@dataclass(frozen=True, slots=True)
class ParticipantsReport:
    """The last day stored of each kind of file, and what it says; empty where nothing is stored."""

    last_days: Mapping[str, date] = field(default_factory=dict)  # oi, volume, cash → the last day of it
    standings: Mapping[tuple[str, str], Standing] = field(default_factory=dict)  # (participant, instrument) → by OI
    cash_net: Mapping[str, float] = field(default_factory=dict)  # institution → bought less sold, crores of rupees
