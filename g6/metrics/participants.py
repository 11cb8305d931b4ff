"""Participants in numbers: how old what is stored is on /metrics, and how classes stand on /metrics/options."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime

from g6.clock import IST
from g6.metrics.catalogue import PARTICIPANT_GAUGES, Metric
from g6.metrics.instruments import Instruments
from g6.metrics.naming import escaped
from g6.model.participants_report import ParticipantsReport

RUPEES_IN_A_CRORE = 1e7


def observe_participants(to: Instruments, report: ParticipantsReport) -> None:
    """Set the last day of each kind of file; a kind of which nothing is stored has no series."""
    for kind, day in report.last_days.items():
        midnight = datetime.combine(day, datetime.min.time(), IST)
        to.set("g6_participants_last_day_timestamp_seconds", midnight.timestamp(), kind)


def participant_lines(report: ParticipantsReport) -> tuple[list[bytes], int]:
    """Return the lines of /metrics/options, each with the line end before it, and how many series they are."""
    pieces, series = [], 0
    for name, values in _values(report).items():
        row = PARTICIPANT_GAUGES[name]
        lines = [_line(row, labels, value) for labels, value in values if math.isfinite(value)]
        if lines:
            pieces += [f"\n# HELP {row.name} {row.help}\n# TYPE {row.name} {row.type}".encode(), *lines]
            series += len(lines)
    return pieces, series


def _values(report: ParticipantsReport) -> Mapping[str, Iterator[tuple[tuple[str, ...], float]]]:
    held = report.standings.items()
    return {
        "net": ((place, standing.net) for place, standing in held),
        "long_short_ratio": ((place, standing.long_short_ratio) for place, standing in held),
        "cash_net": (((who,), crores * RUPEES_IN_A_CRORE) for who, crores in report.cash_net.items()),
    }


def _line(row: Metric, values: tuple[str, ...], value: float) -> bytes:
    labels = ",".join(f'{label}="{escaped(text)}"' for label, text in zip(row.labels, values, strict=True))
    return f"\n{row.name}{{{labels}}} {value!r}".encode()
