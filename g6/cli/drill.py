"""`g6 drill`: every alert provoked by the fault that it is for, before a real Prometheus and a real Alertmanager."""

import argparse
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from g6.cli.arguments import Parser
from g6.cli.surroundings import Surroundings

PROVEN, NOT_PROVEN = 0, 3
DEFAULT_SPEED, DEFAULT_JOBS = 30.0, 6

EPILOG = """\
Each fault gets an agent of its own on the simulated market, and a Prometheus with the rules that G6 brings, whose
times are all divided by the speed. ALERT is an alert's name or its beginning, with or without G6 before it.

examples:
  g6 drill G6Down                  one alert
  g6 drill token disk              those whose names begin so
  g6 drill --list                  the alerts, and the fault of each

exit codes: 0 every chosen alert fired, was told of and ended; 2 bad arguments, or a program is not installed; 3 one
did not"""


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Drill the chosen alerts and print what they did."""
    namespace = _parser().parse_strictly(argv)
    from rich.console import Console  # noqa: PLC0415  what starts the agent's parts is heavy

    from g6.drill.drill import chosen, drill  # noqa: PLC0415
    from g6.drill.faults import FAULTS  # noqa: PLC0415
    from g6.drill.table import as_json, courses_table, faults_table  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else 160)
    if namespace.list:
        console.print(faults_table(FAULTS))
        return PROVEN
    alerts = chosen(namespace.alerts)
    keep = around.cwd / namespace.keep if namespace.keep else None
    with _ending_by_signal():
        courses = drill(alerts, namespace.speed, namespace.jobs, _say, keep)
    if namespace.json:
        sys.stdout.write(as_json(courses, namespace.speed))
    else:
        console.print(courses_table(courses))
    return PROVEN if all(course.is_whole for course in courses) else NOT_PROVEN


@contextmanager
def _ending_by_signal() -> Iterator[None]:
    """Let SIGTERM end a drill as Ctrl-C does: with everything that it started."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser() -> Parser:
    parser = Parser(
        prog="g6 drill", allow_abbrev=False, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Provokes alerts by their faults, and shows when each was pending, fired, was told of and ended.",
    )  # fmt: skip
    parser.add_argument("alerts", nargs="*", metavar="ALERT", help="which (default: all)")
    parser.add_argument("--list", action="store_true", help="show the alerts and their faults, and do nothing")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--speed",
        type=_speed,
        default=DEFAULT_SPEED,
        metavar="K",
        help=f"so many times as fast as the rules say (default {DEFAULT_SPEED:g})",
    )
    parser.add_argument(
        "--jobs", type=_jobs, default=DEFAULT_JOBS, metavar="N", help=f"faults at a time (default {DEFAULT_JOBS})"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs and stores of the drill in this new folder")
    return parser  # fmt: skip


def _speed(text: str) -> float:
    if re.fullmatch(r"\d{1,3}(\.\d{1,2})?", text) and 1 <= float(text) <= 120:
        return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 120")


def _jobs(text: str) -> int:
    if re.fullmatch(r"\d{1,2}", text) and 1 <= int(text) <= 32:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 32")


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
