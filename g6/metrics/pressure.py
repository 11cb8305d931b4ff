"""The governor's state as numbers."""

import math
from collections.abc import Callable, Mapping
from functools import partial

from g6.metrics.instruments import Instruments
from g6.model.pressure_report import SHED_KINDS, PressureReport

# A gauge and its label values.
Series = tuple[str, ...]


def observe_pressure(to: Instruments, report: PressureReport) -> None:
    """Count what happened since the cycle before, and set how things stand."""
    for change in report.changes:
        to.add("g6_governor_transitions_total", 1, change.reason)
    for reclaim in report.reclaims:
        to.add("g6_governor_reclaims_total")
        to.add("g6_governor_reclaims_ineffective_total", not reclaim.effective)
        to.add("g6_governor_reclaimed_bytes_total", reclaim.freed_bytes)
    for (name, *labels), value in _gauges(report).items():
        to.set(name, value, *labels)


def follow_pressure(to: Instruments, report: Callable[[], PressureReport]) -> None:
    """Ask `report` for the gauges at each scrape from now on: between two sessions no cycle tells of them."""
    for name, *labels in _gauges(report()):
        to.follow(name, partial(_present, report, (name, *labels)), *labels)


def _present(report: Callable[[], PressureReport], series: Series) -> float:
    return _gauges(report())[series]


def _gauges(report: PressureReport) -> Mapping[Series, float]:
    return {
        ("g6_governor_level",): report.level,
        ("g6_governor_rss_bytes",): report.rss_bytes or math.nan,
        ("g6_governor_limit_bytes",): _known(report.limit_bytes),
        ("g6_governor_uss_bytes",): _known(report.uss_bytes),
        ("g6_governor_stalled_ratio",): _known(report.psi_some_ratio),
        **{("g6_governor_shed", kind): kind in report.shed for kind in SHED_KINDS},
    }


def _known(value: float | None) -> float:
    return math.nan if value is None else value
