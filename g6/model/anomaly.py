"""A minute's value that is far from what was to be expected, and why it is thought so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

# What is watched in every chain as it is collected, and what a finding about all measures together is called: the
# label of the counter.
SERIES = ("atm_iv", "premium", "oi", "spread", "pcr")
TOGETHER = "together"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """The beginning of an episode: as long as it lasts, no other is told of the same series.

    `series` is one of SERIES, or TOGETHER; `expiry` None is a finding about the index as a whole. `value` and
    `expected` are in the series' own unit, volatilities per square root of a year. `deviation` is (value - expected)
    over a robust scale.
    """

    index: str
    expiry: date | None
    series: str
    minute: datetime  # IST
    value: float
    expected: float
    deviation: float
    reason: str  # a sentence for a person


@dataclass(frozen=True, slots=True)
class JudgedDay:
    """What the measures of a day, all together, showed against the days before."""

    day: date
    anomalies: tuple[Anomaly, ...] = ()  # of TOGETHER
    unjudged: Mapping[str, str] = field(default_factory=dict)  # index → why nothing can be said of it
