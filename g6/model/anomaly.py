"""A minute's value that is far from what was to be expected, and why it is thought so."""

from dataclasses import dataclass
from datetime import date, datetime

# What is watched in every chain; the label of the counter.
SERIES = ("atm_iv", "premium", "oi", "spread", "pcr")


@dataclass(frozen=True, slots=True)
class Anomaly:
    """The beginning of an episode: as long as it lasts, no other is told of the same series.

    `series` is one of SERIES; `expiry` None is a finding about the index as a whole. `value` and `expected` are in the
    series' own unit, volatilities per square root of a year. `deviation` is (value - expected) over a robust scale.
    """

    index: str
    expiry: date | None
    series: str
    minute: datetime  # IST
    value: float
    expected: float
    deviation: float
    reason: str  # a sentence for a person
