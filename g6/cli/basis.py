"""`g6 basis`: how noisy the total premium of a day was, by last traded and by average prices."""

import argparse
import math
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from g6.cli.arguments import DIRECTORY, Parser, add_settings, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError
from g6.settings import load

EPILOG = """\
A total premium is the sum of a call's and a put's price: of the last trade (greeks.price_basis: last), or the day's
volume-weighted average (average). For both, over the minutes of a day in which the ATM strike stayed the same:

  noise      standard deviation of the minute's log-return, percent
  zero       share of minutes without any change
  autocorr   first-order autocorrelation of the returns: below 0 they take themselves back (trades at bid and ask),
             above 0 they go on (an average follows the market late)
  spread     Roll's spread, what such a bounce amounts to: percent of the premium, and rupees; empty where there is none

The last price tells the market of now with the noise of single trades; the average is smooth and late. The sum on
either basis can be had of any day: `history.chain(..., price_basis="average")`, `g6 overlay --price-basis average`.

exit codes: 0 shown; 2 bad configuration or arguments, or nothing is recorded; 3 a file cannot be read"""

HEADINGS = ("index", "expiry code", "expiry", "basis", "returns", "noise %", "zero %", "autocorr", "spread %", "rupees")
TEXTS = ("index", "expiry code", "expiry", "basis")


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Show one day."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    # What answers is heavy; --help does without it.
    from g6.checks.page import Page  # noqa: PLC0415
    from g6.checks.snapshot import source_of  # noqa: PLC0415
    from g6.history.questions import History  # noqa: PLC0415

    history = History(source_of(settings))
    day = namespace.date or _last_day(history.root)
    names = [namespace.index] if namespace.index else settings.enabled_indices
    rows = [row for index in names for row in history.premium_noise(index, day, offset=namespace.offset).rows()]
    if not rows:
        raise ConfigError(f"nothing of {', '.join(names)} {namespace.offset} is recorded on {day} in {history.root}")
    if namespace.json:
        sys.stdout.write(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode() + "\n")
        return 0
    page = Page(settings)
    page.heading(f"total premium at {namespace.offset}, {day:%a %d %b %Y}: noise of its minute returns by price basis")
    page.table(HEADINGS, [_cells(row) for row in rows], texts=TEXTS)
    return 0


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    context = (row["index"], row["expiry_code"], str(row["expiry"]), row["price_basis"], str(row["returns"]))
    figures = (
        _figure(row["deviation"], 100, 3), _figure(row["zero_share"], 100, 1), _figure(row["autocorrelation"], 1, 2),
        _figure(row["roll_spread"], 100, 3), _figure(row["roll_spread_rupees"], 1, 2),
    )  # fmt: skip
    return (*context, *figures)


def _figure(value: float | None, factor: float, decimals: int) -> str:
    return "" if value is None or math.isnan(value) else f"{value * factor:.{decimals}f}"


def _last_day(root: Path) -> date:
    from g6.storage.archive_manifest import archived_days  # noqa: PLC0415
    from g6.storage.data_directory import CSV  # noqa: PLC0415

    names = {path.stem for path in (root / CSV).glob("*/overview/????-??-??.csv")}
    days = {*(date.fromisoformat(name) for name in names), *archived_days(root)}
    if not days:
        raise ConfigError(f"{root} holds no recorded day; name a data directory with --data-dir")
    return max(days)


def _parser() -> Parser:
    parser = Parser(
        prog="g6 basis", description="Says how noisy the total premium is on each price basis.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--date", type=day_of, metavar="D", help="day, YYYY-MM-DD (default: the last recorded)")
    parser.add_argument("--index", metavar="NAME", help="one index, as NIFTY (default: all that are collected)")
    parser.add_argument("--offset", default="atm", metavar="O", help="strikes from the ATM: atm, p1, m2 (default: atm)")
    parser.add_argument("--json", action="store_true", help="a list of JSON objects")
    add_settings(parser, (*DIRECTORY, "--indices", "--ascii"))
    return parser
