"""What became of the alerts, for people and for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.table import Table

from g6.alerting import ALERTS
from g6.drill.fault import Fault
from g6.drill.scenario import Course

COLUMNS = (
    ("pending", "pending_seconds"), ("firing", "firing_seconds"), ("told", "notified_seconds"),
    ("removed", "removed_seconds"), ("over", "resolved_seconds"),
)  # fmt: skip


def courses_table(courses: Sequence[Course]) -> Table:
    """Return the table of a drill."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("alert", no_wrap=True)
    table.add_column("fault", no_wrap=True)
    for title, _ in COLUMNS:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    for course in courses:
        times = (_seconds(getattr(course, name)) for _, name in COLUMNS)
        style = "" if course.is_whole else "red"
        table.add_row(course.alert, course.fault, *times, course.verdict, style=style)
    return table


def faults_table(faults: Mapping[str, Fault]) -> Table:
    """Return the alerts with the faults that provoke them."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("alert", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("fault", no_wrap=True)
    table.add_column("what is done", overflow="fold")
    for name, alert in ALERTS.items():
        table.add_row(name, alert.severity, alert.fault, faults[alert.fault].says)
    return table


def as_json(courses: Sequence[Course], speed: float) -> str:
    """Return a drill as one JSON object."""
    rows = [_rounded(asdict(course)) | {"proven": course.is_whole, "verdict": course.verdict} for course in courses]
    return json.dumps({"speed": speed, "proven": all(c.is_whole for c in courses), "alerts": rows}, indent=2) + "\n"


def _rounded(row: Mapping[str, object]) -> dict[str, object]:
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in row.items()}


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
