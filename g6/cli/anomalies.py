"""`g6 anomalies`: what was out of the ordinary on a day, as it was told then, or against the days before as a whole."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from g6.cli.arguments import DIRECTORY, Parser, add_settings, count_of, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError
from g6.model.chain import EXPIRY_CODES
from g6.settings import load

if TYPE_CHECKING:
    from g6.history.questions import History
    from g6.model.anomaly import Anomaly

EPILOG = """\
As it collects, G6 judges in every chain volatility and premium at the ATM, open interest, put-call ratio and spread:
their change against the last hour's, in robust deviations (median and median absolute deviation), and the premium also
against what is usual on the weekday. What is beyond anomalies.threshold is stored with the minute, and listed here.

--multivariate judges the stored minutes of one expiry code again, all measures together, against a model of the days
before: the robust covariance of their changes. It finds what is odd as a whole, and needs the extra `g6[anomalies]`
(scikit-learn). The day on which the expiry ends is left out, as another regime. anomalies.multivariate_after_close has
the recorder do so after each close: what it finds is kept, counted, in `g6 report`, and listed here with the others.

examples:
  g6 anomalies                                  the last recorded day
  g6 anomalies --date 2026-11-20 --index NIFTY --json
  g6 anomalies --multivariate --days 20 --expiry this_month

exit codes: 0 shown, whether there are any or not; 2 bad configuration or arguments, too little recorded, or the extra
is not installed; 3 a file cannot be read"""

HEADINGS = ("minute", "index", "expiry", "series", "deviations", "reason")
TEXTS = ("minute", "index", "expiry", "series", "reason")
DEFAULT_DAYS = 10


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Show one day."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    # What answers is heavy; --help does without it.
    from g6.checks.page import Page  # noqa: PLC0415
    from g6.checks.snapshot import source_of  # noqa: PLC0415
    from g6.history.questions import History  # noqa: PLC0415
    from g6.reports.day_source import DaySource  # noqa: PLC0415

    history = History(source_of(settings))
    day = DaySource(history.root, namespace.date).day
    names = [namespace.index] if namespace.index else settings.enabled_indices
    if namespace.multivariate:
        found = _together(history, names, day, namespace)
    else:
        found = _told(history.root, day, namespace.index)
    if namespace.json:
        sys.stdout.write(orjson.dumps([asdict(one) for one in found], option=orjson.OPT_INDENT_2).decode() + "\n")
        return 0
    page = Page(settings)
    page.heading(f"{len(found) or 'no'} {'anomaly' if len(found) == 1 else 'anomalies'} on {day:%a %d %b %Y}")
    if found:
        page.table(HEADINGS, [_cells(one) for one in found], texts=TEXTS)
    return 0


def _told(root: Path, day: date, index: str | None) -> list["Anomaly"]:
    from g6.background.recorded import minutes_of  # noqa: PLC0415
    from g6.storage import judged_file  # noqa: PLC0415

    found = [anomaly for snapshot in minutes_of(root, day) for anomaly in snapshot.anomalies]
    judged = judged_file.load(root, day)
    ordered = sorted([*found, *(judged.anomalies if judged else ())], key=lambda anomaly: anomaly.minute)
    return [anomaly for anomaly in ordered if index in {None, anomaly.index}]


def _together(history: "History", names: Sequence[str], day: date, namespace: argparse.Namespace) -> list["Anomaly"]:
    """Judge each index; one of which too little is known is told and left out, unless there is no other."""
    from g6.history.together import judge  # noqa: PLC0415
    from g6.reports.day_source import recorded_days  # noqa: PLC0415

    days = recorded_days(history.root)
    found: list[Anomaly] = []
    unjudged: dict[str, ConfigError] = {}
    for name in names:
        try:
            found += judge(history, name, days, day, namespace.days, namespace.expiry)
        except ConfigError as error:
            unjudged[name] = error
    if len(unjudged) == len(names):
        raise next(iter(unjudged.values()))
    for name, why in unjudged.items():
        sys.stderr.write(f"{name} is not judged: {why}\n")
    return found


def _cells(one: "Anomaly") -> tuple[str, ...]:
    expiry = one.expiry.isoformat() if one.expiry else ""
    return f"{one.minute:%H:%M}", one.index, expiry, one.series, f"{one.deviation:+.1f}", one.reason


def _parser() -> Parser:
    parser = Parser(
        prog="g6 anomalies", description="Lists what was out of the ordinary on a day.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--date", type=day_of, metavar="D", help="day, YYYY-MM-DD (default: the last recorded)")
    parser.add_argument("--index", metavar="NAME", help="one index, as NIFTY (default: all)")
    parser.add_argument("--multivariate", action="store_true", help="all measures together, against the days before")
    parser.add_argument(
        "--days", type=count_of, default=DEFAULT_DAYS, metavar="N", help=f"days to learn from (default {DEFAULT_DAYS})"
    )
    parser.add_argument(
        "--expiry", choices=EXPIRY_CODES, metavar="CODE",
        help="expiry code for --multivariate (default: the nearest that an index has)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="a list of JSON objects")
    add_settings(parser, (*DIRECTORY, "--indices", "--ascii"))
    return parser
